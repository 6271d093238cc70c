use std::collections::VecDeque;

use bytes::Bytes;

use super::cost::{OVERHEAD, cost};

/// What one stream has received and its user has not read. `A` is an acknowledgement that is owed to the peer.
#[derive(Debug)]
pub(super) struct RecvBuffer<A> {
    chunks: VecDeque<(Bytes, A)>,
    cost: usize,
    max_cost: usize,
}

impl<A> RecvBuffer<A> {
    pub(super) fn new(max_cost: usize) -> Self {
        Self { chunks: VecDeque::new(), cost: 0, max_cost }
    }

    /// The cost of all chunks.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether there is room for so many bytes more, when all may cost `share`.
    pub(super) fn has_room(&self, bytes: usize, share: usize) -> bool {
        self.cost + cost(bytes) <= self.max_cost.min(share)
    }

    pub(super) fn push(&mut self, data: Bytes, ack: A) {
        self.cost += cost(data.len());
        self.chunks.push_back((data, ack));
    }

    /// Takes out at most `max` bytes, with their acknowledgement if they are the last of a chunk.
    pub(super) fn pop(&mut self, max: usize) -> Option<(Bytes, Option<A>)> {
        let (data, _) = self.chunks.front_mut()?;
        if max < data.len() {
            self.cost -= max;
            return Some((data.split_to(max), None));
        }
        let (data, ack) = self.chunks.pop_front()?;
        self.cost -= data.len() + OVERHEAD;
        if self.chunks.is_empty() {
            // An idle stream holds no memory for what has passed.
            self.chunks = VecDeque::new();
        }
        Some((data, Some(ack)))
    }

    /// Empties the buffer. Returns the acknowledgements of what nobody has read.
    pub(super) fn clear(&mut self) -> Vec<A> {
        self.cost = 0;
        self.chunks.drain(..).map(|(_, ack)| ack).collect()
    }
}
