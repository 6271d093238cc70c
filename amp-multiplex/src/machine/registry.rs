use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use bytes::Bytes;

use super::{OVERHEAD, cost};
use crate::commands::Id;

/// Which streams there are at one end of a connection. `S` is a stream, `R` a receipt for received bytes.
pub(crate) struct Registry<S, R> {
    ids: HashMap<Id, Holder<S>>,
    /// How many of them are [leaving](Holder::Leaving).
    leaving: usize,
    /// The peer has said that it can close one direction only.
    announced: bool,
    /// This end has opened a stream or sent a Disconnect: what comes for an unknown id may have crossed an end.
    may_cross: bool,
    /// The Connects of ours that are out, by number. While one is, bytes for an unknown id may belong to its stream: a
    /// server that speaks first does so before the answer is seen.
    connecting: BTreeSet<Connecting>,
    connects: Connecting,
    /// Those of them whose streams nobody wants any more.
    given_up: HashSet<Connecting>,
    /// How many Connects of the peer are not decided about.
    opening: usize,
    early: HashMap<Id, Early<R>>,
    /// What that costs.
    early_cost: usize,
    most_early: usize,
    /// The last Connect that was out when something came early for which there was no place: of its streams and those before
    /// it, one that nothing is kept for is not whole.
    early_lost: Connecting,
    most_streams: usize,
}

/// What an id is given to.
enum Holder<S> {
    Stream(S),
    /// A stream that this end has left, until the peer has said that it knows: the id is not free.
    Leaving,
}

/// The number of a Connect of ours.
pub(crate) type Connecting = u64;

/// What came for a stream before its id was known.
#[derive(Debug)]
pub(crate) struct Early<R> {
    pub(crate) data: Vec<(Bytes, R)>,
    pub(crate) ended: Option<Ended>,
    /// More came than is kept: the stream is not whole.
    pub(crate) overrun: bool,
    /// The last Connect that was out when it began to come. Once there is none up to it, it is for nobody.
    last: Connecting,
    /// What its id holds.
    id: usize,
}

/// How the peer has ended a stream: what is later in this list is not taken back by what is earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    /// It writes no more.
    Half,
    /// It neither writes nor reads any more.
    Full,
    /// The same, and what it wrote is not whole.
    Cut,
}

/// What an id stands for.
#[derive(Debug)]
pub(crate) enum Known<'a, S> {
    /// For this stream.
    Stream(&'a S),
    /// For nothing yet: a Connect of ours is out, and its answer may name it.
    Early,
    /// For nothing, or for a stream that is over at this end; see [`Registry::refuses`].
    Unknown,
}

impl<S, R> Registry<S, R> {
    pub(crate) fn new(most_streams: usize, most_early: usize) -> Self {
        Self {
            ids: HashMap::new(),
            leaving: 0,
            announced: false,
            may_cross: false,
            connecting: BTreeSet::new(),
            connects: 0,
            given_up: HashSet::new(),
            opening: 0,
            early: HashMap::new(),
            early_cost: 0,
            most_early,
            early_lost: 0,
            most_streams,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len() - self.leaving
    }

    /// Whether one more stream may be opened from either end, when `alive` have a place, known here or not.
    fn has_place(&self, alive: usize) -> bool {
        alive + self.connecting.len() - self.given_up.len() + self.opening < self.most_streams
    }

    /// A Connect of ours goes out, if there is a place for its stream.
    pub(crate) fn connect(&mut self, alive: usize) -> Option<Connecting> {
        self.has_place(alive).then(|| {
            self.connects += 1;
            self.connecting.insert(self.connects);
            self.connects
        })
    }

    /// Nobody wants the stream of a Connect of ours that is out: its place is free. Until it is answered it is a call that is
    /// out, and calls have a bound of their own.
    pub(crate) fn give_up(&mut self, connect: Connecting) {
        self.given_up.insert(connect);
    }

    /// A Connect of the peer came in, and has a place for its stream until it is decided about.
    pub(crate) fn reserve(&mut self, alive: usize) -> bool {
        let place = self.has_place(alive);
        self.opening += usize::from(place);
        place
    }

    /// A Connect of the peer was decided about.
    pub(crate) fn unreserve(&mut self) {
        self.opening -= 1;
    }

    /// A Connect of ours has ended: with a stream that is called `id`, or without. Gives what came early for the stream,
    /// and the receipts of what came for nobody.
    pub(crate) fn connected(&mut self, connect: Connecting, id: Option<&Id>) -> (Early<R>, Vec<R>) {
        self.connecting.remove(&connect);
        if !self.given_up.is_empty() {
            self.given_up.remove(&connect);
        }
        self.may_cross |= id.is_some();
        let nothing = Early { overrun: connect <= self.early_lost, ..Early::new(connect, 0) };
        // As a rule nothing came early.
        if self.early.is_empty() {
            return (nothing, Vec::new());
        }
        let early = id.and_then(|id| self.early.remove(id));
        let oldest = self.connecting.first().copied().unwrap_or(Connecting::MAX);
        let lost: Vec<_> = self.early.extract_if(|_, early| early.last < oldest).map(|(_, early)| early).collect();
        self.early_cost -= early.iter().chain(&lost).map(Early::cost).sum::<usize>();
        (early.unwrap_or(nothing), lost.into_iter().flat_map(Early::receipts).collect())
    }

    /// Takes a stream in whose id is [free](Self::has).
    pub(crate) fn insert(&mut self, id: Id, stream: S) {
        self.ids.insert(id, Holder::Stream(stream));
    }

    /// What an id in a peer's command stands for.
    pub(crate) fn find(&self, id: &Id) -> Known<'_, S> {
        match self.ids.get(id) {
            Some(Holder::Stream(stream)) => Known::Stream(stream),
            None if !self.connecting.is_empty() => Known::Early,
            Some(Holder::Leaving) | None => Known::Unknown,
        }
    }

    /// Whether what comes for an [unknown](Known::Unknown) id, or behind the peer's own end of a stream, is answered with an
    /// error (`wire.md` section 3). It costs a stock txampext its connection, and one that is honest sends such: its server
    /// writes behind its own Disconnect, and its client forwards what it had read when ours came.
    pub(crate) fn refuses(&self) -> bool {
        self.announced || (!self.may_cross && self.connecting.is_empty())
    }

    /// Keeps bytes for an id that is not known yet. Gives the receipt back when they are not kept: with too many of them the
    /// stream is over before it is known, and behind its end they are of no use.
    pub(crate) fn keep_early(&mut self, id: &Id, data: Bytes, receipt: R) -> Result<(), R> {
        if data.is_empty() || !self.meet_early(id) {
            return Err(receipt);
        }
        let after = self.early_cost + cost(data.len());
        let Some(early) = self.early.get_mut(id).filter(|early| early.ended.is_none()) else { return Err(receipt) };
        early.overrun |= after > self.most_early;
        if early.overrun {
            return Err(receipt);
        }
        early.data.push((data, receipt));
        self.early_cost = after;
        Ok(())
    }

    /// Remembers that the peer has ended a stream whose id is not known yet. Whether all that came before is here.
    pub(crate) fn end_early(&mut self, id: &Id, ended: Ended) -> bool {
        if !self.meet_early(id) {
            return false;
        }
        let Some(early) = self.early.get_mut(id) else { return false };
        early.ended = match (early.ended, ended) {
            // What ended in order before is whole.
            (Some(Ended::Half), Ended::Cut) => Some(Ended::Full),
            (before, ended) => before.max(Some(ended)),
        };
        !early.overrun
    }

    /// Something came for an id that is not known yet. Whether there is a place for it.
    fn meet_early(&mut self, id: &Id) -> bool {
        if self.early.contains_key(id) {
            return true;
        }
        let early = Early::new(self.connects, id.held());
        let place = self.early_cost + early.cost() <= self.most_early;
        if place {
            self.early_cost += early.cost();
            self.early.insert(id.clone(), early);
        } else {
            self.early_lost = self.connects;
        }
        place
    }

    /// Whether the id is given to a stream, or to one that the peer may still take for open.
    pub(crate) fn has(&self, id: &Id) -> bool {
        self.ids.contains_key(id)
    }

    /// Notes whether a Connect of the peer, or its answer to one, says that it can close one direction only.
    pub(crate) fn meet(&mut self, half_close: bool) {
        self.announced |= half_close;
    }

    /// Forgets a stream that the peer knows to be over, if it `is` the one that has the id now.
    pub(crate) fn remove(&mut self, id: &Id, is: impl Fn(&S) -> bool) -> Option<S> {
        match self.ids.entry(id.clone()) {
            Entry::Occupied(holder) if holder.get().stream().is_some_and(is) => holder.remove().into_stream(),
            _ => None,
        }
    }

    /// The same for a stream that the peer still has to be told about. An id that another stream has stays with that.
    pub(crate) fn leave(&mut self, id: &Id, is: impl Fn(&S) -> bool) -> Option<S> {
        self.may_cross = true;
        match self.ids.entry(id.clone()) {
            Entry::Occupied(mut holder) if holder.get().stream().is_some_and(is) => {
                self.leaving += 1;
                holder.insert(Holder::Leaving).into_stream()
            }
            Entry::Occupied(_) => None,
            Entry::Vacant(free) => {
                self.leaving += 1;
                free.insert(Holder::Leaving);
                None
            }
        }
    }

    /// The peer knows that the stream is over.
    pub(crate) fn left(&mut self, id: &Id) {
        if let Entry::Occupied(holder) = self.ids.entry(id.clone())
            && holder.get().stream().is_none()
        {
            holder.remove();
            self.leaving -= 1;
        }
    }

    /// Takes every stream out: the connection has ended. What came early stays for a Connect that was answered before and has
    /// not [seen](Self::connected) it: the peer may know that all of it is here.
    pub(crate) fn clear(&mut self) -> Vec<S> {
        self.leaving = 0;
        self.ids.drain().filter_map(|(_, holder)| holder.into_stream()).collect()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let counts = [self.ids.len(), self.leaving, self.early.len(), self.early_cost];
        counts == [0; 4] && self.connecting.is_empty() && self.given_up.is_empty() && self.opening == 0
    }
}

/// How many there are of each.
impl<S, R> fmt::Debug for Registry<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("streams", &self.len())
            .field("leaving", &self.leaving)
            .field("connecting", &self.connecting.len())
            .field("opening", &self.opening)
            .field("early", &self.early.len())
            .finish()
    }
}

impl<S> Holder<S> {
    fn stream(&self) -> Option<&S> {
        match self {
            Self::Stream(stream) => Some(stream),
            Self::Leaving => None,
        }
    }

    fn into_stream(self) -> Option<S> {
        match self {
            Self::Stream(stream) => Some(stream),
            Self::Leaving => None,
        }
    }
}

impl<R> Early<R> {
    /// Nothing yet, under an id that [holds](Id::held) so many bytes.
    fn new(last: Connecting, id: usize) -> Self {
        Self { data: Vec::new(), ended: None, overrun: false, last, id }
    }

    pub(crate) fn receipts(self) -> impl Iterator<Item = R> {
        self.data.into_iter().map(|(_, receipt)| receipt)
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.id + self.data.iter().map(|(data, _)| cost(data.len())).sum::<usize>()
    }
}
