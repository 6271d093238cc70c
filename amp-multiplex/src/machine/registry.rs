use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use super::cost::Receipt;
use super::early::{ConnectId, Early, EarlyData};
use super::state::RemoteClose;
use crate::commands::{Data, Id};
use crate::meter::StreamMeter;

/// The streams at one end of a connection: open, being opened and closing. `S` is a stream, `A` an acknowledgement that is owed
/// to the peer.
pub(crate) struct Registry<S, A> {
    ids: HashMap<Id, Slot<S>>,
    /// Number of them that are [closing](Slot::Closing).
    closing: usize,
    max_streams: usize,
    /// The outstanding Connects of this end. While there is one, bytes for an unknown id may belong to its stream: a server that
    /// speaks first sends such bytes before its answer is seen.
    connecting: BTreeSet<ConnectId>,
    last_connect: ConnectId,
    /// Outstanding Connects whose streams are no longer wanted.
    abandoned: HashSet<ConnectId>,
    /// Number of the peer's Connects that are neither accepted nor refused.
    accepting: usize,
    early: EarlyData<A>,
    /// The peer has announced half-close.
    peer_announced: bool,
    /// This end has opened a stream or sent a Disconnect: bytes received for an unknown id may have crossed a close.
    may_cross: bool,
}

/// The owner of an id.
enum Slot<S> {
    Open(S),
    /// A stream that this end has closed, until the peer has answered: the id is not free.
    Closing,
}

/// The meaning of an id.
#[derive(Debug)]
pub(crate) enum Lookup<'a, S> {
    Stream(&'a S),
    /// No stream yet: a Connect of this end is outstanding, and its answer may name the id.
    Early,
    /// No stream, or one that is closed at this end; see [`Registry::refuses_unknown`].
    Unknown,
}

impl<S, A: Receipt> Registry<S, A> {
    pub(crate) fn new(max_streams: usize, max_early: usize, meter: StreamMeter) -> Self {
        Self {
            ids: HashMap::new(),
            closing: 0,
            max_streams,
            connecting: BTreeSet::new(),
            last_connect: 0,
            abandoned: HashSet::new(),
            accepting: 0,
            early: EarlyData::new(max_early, meter),
            peer_announced: false,
            may_cross: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len() - self.closing
    }

    /// Whether one more stream may be opened from either end beside `open` others, known here or not.
    fn has_room(&self, open: usize) -> bool {
        open + self.connecting.len() - self.abandoned.len() + self.accepting < self.max_streams
    }

    /// A Connect is sent, if there may be one more stream beside `open` others.
    pub(crate) fn send_connect(&mut self, open: usize) -> Option<ConnectId> {
        self.has_room(open).then(|| {
            self.last_connect += 1;
            self.connecting.insert(self.last_connect);
            self.last_connect
        })
    }

    /// The stream of an outstanding Connect is no longer wanted, and the Connect no longer counts. Until it is answered it is an
    /// outstanding call, and calls have a limit of their own.
    pub(crate) fn abandon_connect(&mut self, connect: ConnectId) {
        self.abandoned.insert(connect);
    }

    /// A Connect of this end has ended: with a stream that is called `id`, or without. Returns the bytes received early for the
    /// stream, and the acknowledgements of bytes that belong to no stream.
    pub(crate) fn end_connect(&mut self, connect: ConnectId, id: Option<&Id>) -> (Early<A>, Vec<A>) {
        self.connecting.remove(&connect);
        if !self.abandoned.is_empty() {
            self.abandoned.remove(&connect);
        }
        self.may_cross |= id.is_some();
        let oldest = self.connecting.first().copied().unwrap_or(ConnectId::MAX);
        self.early.take(connect, id, oldest)
    }

    /// A Connect was received. Returns whether there may be one more stream beside `open` others; it counts until it is
    /// accepted or refused.
    pub(crate) fn recv_connect(&mut self, open: usize) -> bool {
        let has_room = self.has_room(open);
        self.accepting += usize::from(has_room);
        has_room
    }

    /// A Connect of the peer was accepted or refused.
    pub(crate) fn end_accepting(&mut self) {
        self.accepting -= 1;
    }

    /// Notes whether a Connect of the peer, or its answer to one, announces half-close.
    pub(crate) fn recv_announcement(&mut self, half_close: bool) {
        self.peer_announced |= half_close;
    }

    /// Adds a stream. Returns whether its id was free: not the id of a stream, nor of one that the peer may still consider open.
    pub(crate) fn insert(&mut self, id: Id, stream: S) -> bool {
        match self.ids.entry(id) {
            Entry::Vacant(free) => {
                free.insert(Slot::Open(stream));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Shows the stream that has the id to `see`, and removes it if `see` says so.
    pub(crate) fn remove_if<T>(&mut self, id: &Id, see: impl FnOnce(&S) -> (T, bool)) -> Option<T> {
        let Entry::Occupied(slot) = self.ids.entry(id.clone()) else { return None };
        let (seen, is_removed) = see(slot.get().stream()?);
        if is_removed {
            slot.remove();
        }
        Some(seen)
    }

    /// Looks up the id of a command of the peer.
    pub(crate) fn find(&self, id: &Id) -> Lookup<'_, S> {
        match self.ids.get(id) {
            Some(Slot::Open(stream)) => Lookup::Stream(stream),
            None if !self.connecting.is_empty() => Lookup::Early,
            Some(Slot::Closing) | None => Lookup::Unknown,
        }
    }

    /// Whether the id belongs to a stream, or to one that the peer may still consider open.
    pub(crate) fn has(&self, id: &Id) -> bool {
        self.ids.contains_key(id)
    }

    /// Whether what is received for an [unknown](Lookup::Unknown) id, or behind the peer's own close of a stream, is answered with
    /// an error (`wire.md` rule 67). It costs a stock txampext its connection, and one that is honest sends such: its server
    /// writes behind its own Disconnect, and its client forwards what it had read when ours arrived.
    pub(crate) fn refuses_unknown(&self) -> bool {
        self.peer_announced || (!self.may_cross && self.connecting.is_empty())
    }

    /// Keeps bytes for an [early](Lookup::Early) id. Returns the acknowledgement when they are not kept.
    pub(crate) fn recv_early_data(&mut self, id: &Id, data: impl Into<Data>, ack: A) -> Result<(), A> {
        self.early.keep(id, data.into(), ack, self.last_connect)
    }

    /// Keeps how the peer has closed the stream of an [early](Lookup::Early) id. Returns whether all bytes received before are
    /// here.
    pub(crate) fn recv_early_close(&mut self, id: &Id, close: RemoteClose) -> bool {
        self.early.close(id, close, self.last_connect)
    }

    /// Removes a stream whose end the peer knows, if it `is` the current owner of the id.
    pub(crate) fn remove(&mut self, id: &Id, is: impl Fn(&S) -> bool) -> Option<S> {
        match self.ids.entry(id.clone()) {
            Entry::Occupied(slot) if slot.get().stream().is_some_and(is) => slot.remove().into_stream(),
            _ => None,
        }
    }

    /// Removes a stream whose Disconnect is being sent. Its id stays taken until the peer has [answered](Self::closed). If
    /// another stream has the id, the id stays with that one.
    pub(crate) fn close(&mut self, id: &Id, is: impl Fn(&S) -> bool) -> Option<S> {
        self.may_cross = true;
        match self.ids.entry(id.clone()) {
            Entry::Occupied(mut slot) if slot.get().stream().is_some_and(is) => {
                self.closing += 1;
                slot.insert(Slot::Closing).into_stream()
            }
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                self.closing += 1;
                free.insert(Slot::Closing);
                None
            }
        }
    }

    /// The peer knows the end of a [closing](Self::close) stream: its id is free.
    pub(crate) fn closed(&mut self, id: &Id) {
        if let Entry::Occupied(slot) = self.ids.entry(id.clone())
            && slot.get().stream().is_none()
        {
            slot.remove();
            self.closing -= 1;
        }
    }

    /// Takes every stream out: the connection has ended. Early bytes stay for a Connect that was answered before and has not
    /// [ended](Self::end_connect): the peer may know that all of them are here.
    pub(crate) fn clear(&mut self) -> Vec<S> {
        self.closing = 0;
        self.ids.drain().filter_map(|(_, slot)| slot.into_stream()).collect()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let counts = [self.ids.len(), self.closing, self.connecting.len(), self.abandoned.len(), self.accepting];
        counts == [0; 5] && self.early.is_empty()
    }
}

/// Shows how many there are of each.
impl<S, A: Receipt> fmt::Debug for Registry<S, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("streams", &self.len())
            .field("closing", &self.closing)
            .field("connecting", &self.connecting.len())
            .field("accepting", &self.accepting)
            .field("early", &self.early.len())
            .finish()
    }
}

impl<S> Slot<S> {
    fn stream(&self) -> Option<&S> {
        match self {
            Self::Open(stream) => Some(stream),
            Self::Closing => None,
        }
    }

    fn into_stream(self) -> Option<S> {
        match self {
            Self::Open(stream) => Some(stream),
            Self::Closing => None,
        }
    }
}
