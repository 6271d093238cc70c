use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::cost::{Receipt, received_cost};
use crate::commands::Data;

/// Bytes that one stream has received and its user has not read. `A` is the acknowledgement of a chunk, owed to the peer.
#[derive(Debug)]
pub(super) struct RecvBuffer<A> {
    chunks: VecDeque<(Data, A)>,
    /// Number of bytes of the first chunk that were read. The chunk keeps its memory, and its receipt, until it is read to its
    /// end.
    read: usize,
    /// The cost by which the peer is judged. The peer does not know how much memory its bytes pin.
    cost: usize,
    /// Memory held for the stream.
    held: usize,
    max_cost: usize,
}

impl<A: Receipt> RecvBuffer<A> {
    #[inline]
    pub(super) fn new(max_cost: usize) -> Self {
        Self { chunks: VecDeque::new(), read: 0, cost: 0, held: 0, max_cost }
    }

    /// Returns the memory that all chunks hold.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether there is room for a chunk, when all chunks may cost `share`.
    pub(super) fn has_room(&self, data: &Data, ack: &A, share: usize) -> bool {
        self.cost + received_cost(data.len(), ack) <= self.max_cost.min(share)
    }

    #[inline]
    pub(super) fn push(&mut self, data: Data, ack: A) {
        let cost = received_cost(data.len(), &ack);
        self.cost += cost;
        self.held += cost + data.pinned_beside();
        self.chunks.push_back((data, ack));
    }

    /// Takes out at most `max` bytes, with their acknowledgement if they are the last of a chunk.
    pub(super) fn pop(&mut self, max: usize) -> Option<(Bytes, Option<A>)> {
        let (data, _) = self.chunks.front()?;
        if max < data.len() - self.read {
            let from = self.read;
            self.read += max;
            return Some((data.bytes().slice(from..self.read), None));
        }
        let (data, ack) = self.chunks.pop_front()?;
        let cost = received_cost(data.len(), &ack);
        self.cost -= cost;
        self.held -= cost + data.pinned_beside();
        if self.chunks.is_empty() {
            // An idle stream holds no memory for bytes that have passed.
            self.chunks = VecDeque::new();
        }
        let mut bytes = data.into_bytes();
        bytes.advance(std::mem::take(&mut self.read));
        Some((bytes, Some(ack)))
    }

    /// Empties the buffer. Returns the acknowledgements of unread bytes.
    #[inline]
    pub(super) fn clear(&mut self) -> Vec<A> {
        if self.chunks.is_empty() { Vec::new() } else { self.clear_all() }
    }

    fn clear_all(&mut self) -> Vec<A> {
        (self.read, self.cost, self.held) = (0, 0, 0);
        std::mem::take(&mut self.chunks).into_iter().map(|(_, ack)| ack).collect()
    }
}
