use std::collections::HashMap;

use bytes::Bytes;

use super::cost::{OVERHEAD, Receipt, received_cost};
use super::state::RemoteClose;
use crate::commands::{Data, Id};
use crate::meter::StreamMeter;

/// The number of a Connect of this end, counted from 1.
pub(crate) type ConnectId = u64;

/// Bytes received for ids that are not known yet, because the answer to a Connect that names them has not arrived. `A` is an
/// acknowledgement that is owed to the peer.
pub(super) struct EarlyData<A> {
    streams: HashMap<Id, Early<A>>,
    cost: usize,
    max_cost: usize,
    /// The last outstanding Connect when bytes were received for which there was no room: its stream and earlier ones are not
    /// whole if nothing is kept for them.
    lost: ConnectId,
    meter: StreamMeter,
}

/// Bytes received for one stream before its id was known.
#[derive(Debug)]
pub(crate) struct Early<A> {
    pub(crate) data: Vec<(Bytes, A)>,
    pub(crate) close: Option<RemoteClose>,
    /// More bytes were received than are kept: the stream is not whole.
    pub(crate) overrun: bool,
    /// The last outstanding Connect when the first bytes were received. Once no Connect up to it is outstanding, the bytes belong
    /// to no stream.
    last: ConnectId,
    /// Memory of its id.
    id: usize,
}

impl<A: Receipt> EarlyData<A> {
    pub(super) fn new(max_cost: usize, meter: StreamMeter) -> Self {
        Self { streams: HashMap::new(), cost: 0, max_cost, lost: 0, meter }
    }

    /// Returns how many streams have early bytes.
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Keeps bytes. Returns the acknowledgement when they are not kept: with too many of them the stream fails before it is
    /// known, and behind its end they are of no use. `last` is the last outstanding Connect.
    pub(super) fn keep(&mut self, id: &Id, data: Data, ack: A, last: ConnectId) -> Result<(), A> {
        if data.is_empty() || !self.has_entry(id, last) {
            return Err(ack);
        }
        let after = self.cost + received_cost(data.len(), &ack);
        let Some(early) = self.streams.get_mut(id).filter(|early| early.close.is_none()) else { return Err(ack) };
        early.overrun |= after > self.max_cost;
        if early.overrun {
            return Err(ack);
        }
        early.data.push((data.into_copied(), ack));
        self.set_cost(after);
        Ok(())
    }

    /// Keeps how the peer has closed a stream. Returns whether all bytes received before are here.
    pub(super) fn close(&mut self, id: &Id, close: RemoteClose, last: ConnectId) -> bool {
        if !self.has_entry(id, last) {
            return false;
        }
        let Some(early) = self.streams.get_mut(id) else { return false };
        early.close = match (early.close, close) {
            // A direction that ended gracefully before is whole.
            (Some(RemoteClose::Half), RemoteClose::Cut) => Some(RemoteClose::Full),
            (before, close) => before.max(Some(close)),
        };
        !early.overrun
    }

    /// Takes out the bytes received for the stream of a Connect that has ended, and the acknowledgements of bytes that belong to
    /// no Connect from `oldest` on.
    pub(super) fn take(&mut self, connect: ConnectId, id: Option<&Id>, oldest: ConnectId) -> (Early<A>, Vec<A>) {
        let nothing = Early { overrun: connect <= self.lost, ..Early::new(connect, 0) };
        // The usual case.
        if self.streams.is_empty() {
            return (nothing, Vec::new());
        }
        let early = id.and_then(|id| self.streams.remove(id));
        let unclaimed: Vec<_> =
            self.streams.extract_if(|_, early| early.last < oldest).map(|(_, early)| early).collect();
        self.set_cost(self.cost - early.iter().chain(&unclaimed).map(Early::cost).sum::<usize>());
        (early.unwrap_or(nothing), unclaimed.into_iter().flat_map(Early::acks).collect())
    }

    /// Whether there is an entry for the id. Makes one if there is room.
    fn has_entry(&mut self, id: &Id, last: ConnectId) -> bool {
        if self.streams.contains_key(id) {
            return true;
        }
        let early = Early::new(last, id.held());
        let has_room = self.cost + early.cost() <= self.max_cost;
        if has_room {
            self.set_cost(self.cost + early.cost());
            self.streams.insert(id.clone(), early);
        } else {
            self.lost = last;
        }
        has_room
    }

    fn set_cost(&mut self, after: usize) {
        let before = std::mem::replace(&mut self.cost, after);
        self.meter.change(before, after);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.cost == 0
    }
}

impl<A: Receipt> Early<A> {
    /// An empty entry, under an id that [holds](Id::held) `id` bytes.
    fn new(last: ConnectId, id: usize) -> Self {
        Self { data: Vec::new(), close: None, overrun: false, last, id }
    }

    pub(crate) fn acks(self) -> impl Iterator<Item = A> {
        self.data.into_iter().map(|(_, ack)| ack)
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.id + self.data.iter().map(|(data, ack)| received_cost(data.len(), ack)).sum::<usize>()
    }
}
