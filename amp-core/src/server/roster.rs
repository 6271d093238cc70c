use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::origins::{Origin, Origins};
use crate::connection::{WeakConnection, now};
use crate::events::Shortage;
use crate::peer::Peer;
use crate::reason::CloseReason;

/// Number of refused connections that are answered at once; further ones are closed without an answer.
pub(super) const MAX_REFUSALS: usize = 64;

/// The connections of one server: their number, those that have never sent a whole box, and the number of refused ones.
///
/// It is looked at only when a connection arrives, ends, or has sent its first box.
pub(super) struct Roster {
    max_connections: usize,
    state: Mutex<State>,
}

struct State {
    /// The number of the next connection.
    next: u64,
    /// Number of connections that have a place.
    count: usize,
    /// Connections that have a place and never sent a whole box, ordered by when they were accepted, the earliest first.
    silent: BTreeMap<u64, Silent>,
    /// Connections that lost their place to another, and have not ended yet.
    ousted: HashSet<u64>,
    origins: Origins,
    full: Shortage,
    /// Number of connections that are being refused.
    refusals: usize,
    /// Refused connections that have not sent a whole box.
    silent_refusals: BTreeMap<u64, Silent>,
    /// One of these that is to be ended once no lock is held.
    dropped: Option<WeakConnection>,
    refused: u64,
}

struct Silent {
    origin: Option<Origin>,
    /// `None` until it is set up.
    connection: Option<WeakConnection>,
    /// Whether it was read once without a box. Before that it is unknown: many connections are accepted before the first of them
    /// is read.
    is_read: bool,
}

/// Decision about a connection that was accepted.
pub(super) enum Admission {
    Served(Place),
    Refused(Refusal),
    /// Closed at once: too many are being refused.
    Dropped,
}

/// A line for the log, written once no lock is held.
enum Notice {
    Full,
    HasRoom { refused: u64 },
    PeerFull { origin: Option<Origin>, limit: usize },
    PeersHaveRoom { refused: u64 },
}

impl Roster {
    pub(super) fn new(max_connections: usize, max_per_peer: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            max_connections,
            state: Mutex::new(State {
                next: 0,
                count: 0,
                silent: BTreeMap::new(),
                ousted: HashSet::new(),
                origins: Origins::new(max_per_peer),
                full: Shortage::default(),
                refusals: 0,
                silent_refusals: BTreeMap::new(),
                dropped: None,
                refused: 0,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of connections.
    pub(super) fn connections(&self) -> usize {
        self.lock().count
    }

    /// Returns how many connections were refused, or ended to make room.
    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// Finds a place for one more connection: a free one, or the place of the earliest connection that has never sent a whole
    /// box.
    pub(super) fn admit(self: &Arc<Self>, peer: &Peer) -> Admission {
        let (origin, now) = (Origin::of(peer), now());
        let mut state = self.lock();
        if let Some(limit) = state.origins.is_full(origin) {
            let tells = state.origins.refuse(origin, now);
            let admission = self.refusal(&mut state, "This peer has as many connections as it may; try again later");
            let dropped = state.dropped.take();
            drop(state);
            make_room(dropped);
            self.tell(tells.then_some(Notice::PeerFull { origin, limit }));
            return admission;
        }
        let is_full = state.count >= self.max_connections;
        let ousted = if is_full { state.oust() } else { None };
        let tells = is_full && state.full.begins(now);
        let has_place = !is_full || ousted.is_some();
        let (admission, room) = if has_place {
            (Admission::Served(self.place(&mut state, origin)), ousted.as_ref().and_then(|(_, room)| *room))
        } else {
            (self.refusal(&mut state, "The server has as many connections as it may; try again later"), None)
        };
        let dropped = state.dropped.take();
        drop(state);
        make_room(dropped);
        self.tell(
            tells.then_some(Notice::Full).into_iter().chain(room.map(|refused| Notice::PeersHaveRoom { refused })),
        );
        make_room(ousted.and_then(|(connection, _)| connection));
        admission
    }

    fn place(self: &Arc<Self>, state: &mut State, origin: Option<Origin>) -> Place {
        let number = state.next;
        state.next += 1;
        state.count += 1;
        state.origins.enter(origin);
        state.silent.insert(number, Silent { origin, connection: None, is_read: false });
        Place { roster: Arc::clone(self), number, origin }
    }

    /// The process has no descriptors left for one more: it takes the place of one that has never sent a whole box, or is
    /// refused.
    pub(super) fn admit_scarce(self: &Arc<Self>, peer: &Peer) -> Admission {
        let origin = Origin::of(peer);
        let mut state = self.lock();
        let ousted = if state.origins.is_full(origin).is_none() { state.oust() } else { None };
        let Some((connection, room)) = ousted else {
            let admission = self.refusal(&mut state, "The server has no descriptors left; try again later");
            let dropped = state.dropped.take();
            drop(state);
            make_room(dropped);
            return admission;
        };
        let place = self.place(&mut state, origin);
        drop(state);
        self.tell(room.map(|refused| Notice::PeersHaveRoom { refused }));
        make_room(connection);
        Admission::Served(place)
    }

    fn refusal(self: &Arc<Self>, state: &mut State, words: &'static str) -> Admission {
        state.refused += 1;
        if state.refusals >= MAX_REFUSALS {
            // A silent connection needs no answer. So it is dropped, and not one that may still send something.
            let Some((_, silent)) = earliest(&mut state.silent_refusals) else { return Admission::Dropped };
            state.dropped = silent.connection;
        }
        let number = state.next;
        state.next += 1;
        state.refusals += 1;
        state.silent_refusals.insert(number, Silent { origin: None, connection: None, is_read: false });
        Admission::Refused(Refusal { roster: Arc::clone(self), number, words })
    }

    /// Nothing is logged or answered: the process accepts a connection only to close it.
    pub(super) fn count_dropped(&self) {
        self.lock().refused += 1;
    }

    fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        for notice in notices {
            match notice {
                Notice::Full => tracing::warn!(
                    max_connections = self.max_connections,
                    "a server is full: a further connection takes the place of one that never sent a box, or is refused"
                ),
                Notice::HasRoom { refused } => tracing::info!(refused, "a server has room again"),
                Notice::PeerFull { origin: Some(origin), limit } => tracing::warn!(
                    %origin,
                    max_connections_per_peer = limit,
                    "a peer has as many connections as it may: further ones are refused"
                ),
                Notice::PeerFull { origin: None, .. } => {}
                Notice::PeersHaveRoom { refused } => {
                    tracing::info!(refused, "no peer has more connections than it may any more");
                }
            }
        }
    }
}

/// Takes out the earliest of the connections that were read.
fn earliest(silent: &mut BTreeMap<u64, Silent>) -> Option<(u64, Silent)> {
    let number = silent.iter().find(|(_, silent)| silent.is_read).map(|(number, _)| *number)?;
    silent.remove_entry(&number)
}

/// Ends a connection that has lost its place. Called without a lock, because it wakes.
fn make_room(connection: Option<WeakConnection>) {
    if let Some(connection) = connection.and_then(|connection| connection.upgrade()) {
        connection.end(CloseReason::MadeRoom);
    }
}

impl State {
    /// Takes the place of the earliest connection that has never sent a whole box. Returns that connection, and how many of full
    /// origins were refused, if that is to be logged.
    fn oust(&mut self) -> Option<(Option<WeakConnection>, Option<u64>)> {
        let (number, Silent { origin, connection, .. }) = earliest(&mut self.silent)?;
        self.ousted.insert(number);
        self.count -= 1;
        self.refused += 1;
        Some((connection, self.origins.leave(origin)))
    }
}

/// The place of one connection, released when it is dropped.
pub(super) struct Place {
    roster: Arc<Roster>,
    number: u64,
    origin: Option<Origin>,
}

impl Place {
    /// The connection is set up. Returns whether it still has its place.
    pub(super) fn attach(&self, connection: WeakConnection) -> bool {
        match self.roster.lock().silent.get_mut(&self.number) {
            Some(silent) => {
                silent.connection = Some(connection);
                true
            }
            None => false,
        }
    }

    /// The connection was read for the first time. If no whole box had arrived, it may have to make room.
    pub(super) fn was_read(&self) {
        if let Some(silent) = self.roster.lock().silent.get_mut(&self.number) {
            silent.is_read = true;
        }
    }

    /// Returns the function to call with the connection's first whole box. It returns whether the connection still has its place,
    /// which it then keeps.
    pub(super) fn on_first_box(&self) -> Box<dyn FnOnce() -> bool + Send> {
        let (roster, number) = (Arc::clone(&self.roster), self.number);
        Box::new(move || roster.lock().silent.remove(&number).is_some())
    }

    /// The server's closure refuses its peer.
    pub(super) fn count_refused(&self) {
        self.roster.lock().refused += 1;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.roster.lock();
        if state.ousted.remove(&self.number) {
            return;
        }
        state.silent.remove(&self.number);
        state.count -= 1;
        let peers = state.origins.leave(self.origin).map(|refused| Notice::PeersHaveRoom { refused });
        let full = state.full.ends().map(|refused| Notice::HasRoom { refused });
        drop(state);
        self.roster.tell(full.into_iter().chain(peers));
    }
}

/// A connection that is refused, until it is dropped.
pub(super) struct Refusal {
    roster: Arc<Roster>,
    number: u64,
    words: &'static str,
}

impl Refusal {
    /// The connection is set up.
    pub(super) fn attach(&self, connection: WeakConnection) {
        if let Some(silent) = self.roster.lock().silent_refusals.get_mut(&self.number) {
            silent.connection = Some(connection);
        }
    }

    /// The connection was read for the first time.
    pub(super) fn was_read(&self) {
        if let Some(silent) = self.roster.lock().silent_refusals.get_mut(&self.number) {
            silent.is_read = true;
        }
    }

    /// Returns the function to call with its first whole box: that box is answered.
    pub(super) fn on_first_box(&self) -> Box<dyn FnOnce() -> bool + Send> {
        let (roster, number) = (Arc::clone(&self.roster), self.number);
        Box::new(move || {
            roster.lock().silent_refusals.remove(&number);
            true
        })
    }

    /// The description in the peer's answer.
    pub(super) fn words(&self) -> &'static str {
        self.words
    }
}

impl Drop for Refusal {
    fn drop(&mut self) {
        let mut state = self.roster.lock();
        state.refusals -= 1;
        state.silent_refusals.remove(&self.number);
    }
}

impl fmt::Debug for Roster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roster").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::connection::ConnectionBuilder;
    use crate::settings::Settings;

    fn admit(roster: &Arc<Roster>) -> Place {
        match roster.admit(&Peer::other("test")) {
            Admission::Served(place) => place,
            Admission::Refused(_) | Admission::Dropped => panic!("refused"),
        }
    }

    #[test]
    fn who_has_lost_its_place_cannot_keep_it_and_gives_none_up() {
        let roster = Roster::new(1, None);
        let first = admit(&roster);
        first.was_read();
        let second = admit(&roster);
        assert!(!first.on_first_box()(), "the box came too late");
        assert!(!first.attach(ConnectionBuilder::new().build(tokio::io::empty(), Peer::other("test")).0.downgrade()));
        assert!(second.on_first_box()());
        assert!(matches!(roster.admit(&Peer::other("test")), Admission::Refused(_)), "it is not free");
        drop(first);
        assert!(matches!(roster.admit(&Peer::other("test")), Admission::Refused(_)), "nor is it given up twice");
        assert_eq!((roster.connections(), roster.refused()), (1, 3));
        drop(second);
        assert_eq!(roster.connections(), 0);
        let state = roster.lock();
        assert!(state.silent.is_empty() && state.ousted.is_empty() && state.refusals == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_box_that_comes_when_the_place_is_lost_is_not_handled() {
        for (has_place, expected) in [(true, &b"\0\x06_error"[..]), (false, b"")] {
            let (mut peer, ours) = tokio::io::duplex(4096);
            let settings = Settings::new().announce(false);
            let built = ConnectionBuilder::new().settings(settings).build_placed(
                ours,
                Peer::other("test"),
                Box::new(move || has_place),
            );
            tokio::spawn(built.1);
            peer.write_all(b"\0\x04_ask\0\x011\0\x08_command\0\x01x\0\0").await.unwrap();
            let mut got = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(1), peer.read_buf(&mut got)).await;
            assert!(read.expect("an answer or the end").is_ok());
            assert_eq!((got.is_empty(), got.starts_with(expected)), (!has_place, true));
        }
    }
}
