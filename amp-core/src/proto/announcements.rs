use crate::packet::features::{Features, announce, put_hello};
use crate::wire::{BoxLimits, Pairs};

/// The announcements of both ends to each other (`wire.md`, section 7).
#[derive(Debug)]
pub(crate) struct Announcements {
    own: Own,
    peer: Peer,
}

/// State of this end's announcement.
///
/// ```text
///   Due ── sent ──▶ Done          Missed ── greet ──▶ Done
///    └── sent without room, or a box without a type ──▶ Missed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// This end announces nothing and ignores announcements.
    Off,
    /// The next box announces.
    Due,
    /// The first box could not announce: a greeting makes up for it once the peer has announced.
    Missed,
    Done,
}

/// State of the peer's announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    /// Its first box has not arrived.
    Unheard,
    /// A plain peer, or one whose first box had no room.
    Plain,
    /// Its first box went to a box receiver of the program's own. This end's announcement stays valid.
    Hidden,
    /// Its first box has just announced: this end must greet.
    Fresh(Features),
    Announced(Features),
}

impl Announcements {
    pub(super) fn new(announces: bool) -> Self {
        Self { own: if announces { Own::Due } else { Own::Off }, peer: Peer::Unheard }
    }

    /// Adds the announcement to the box that begins at `start` and ends the buffer, if it is the first box. A box that could not
    /// be written left nothing, and does not count as one.
    #[inline]
    pub(super) fn sent(&mut self, buffer: &mut Vec<u8>, start: usize, limits: BoxLimits) {
        if self.own == Own::Due {
            self.announce(buffer, start, limits);
        }
    }

    #[cold]
    fn announce(&mut self, buffer: &mut Vec<u8>, start: usize, limits: BoxLimits) {
        if buffer.len() > start {
            self.own = if announce(buffer, start, limits) { Own::Done } else { Own::Missed };
        }
    }

    /// A box without a type is sent. Nothing may be added to it: it may be a box of another connection, with an announcement of
    /// its own.
    pub(super) fn sent_untyped(&mut self) {
        if self.own == Own::Due {
            self.own = Own::Missed;
        }
    }

    /// Whether this end has announced, so that the peer knows what its marks mean.
    pub(super) fn has_announced(&self) -> bool {
        self.own == Own::Done
    }

    /// The peer's first box has arrived. Returns whether the peer answers marked notifications.
    pub(super) fn hear(&mut self, first: Pairs<'_>) -> bool {
        let features = Features::of(first).filter(|_| self.own != Own::Off);
        self.peer = features.map_or(Peer::Plain, Peer::Fresh);
        features.is_some_and(|features| features.notify)
    }

    /// The peer's first box has gone to a box receiver.
    pub(super) fn hide(&mut self) {
        self.peer = Peer::Hidden;
    }

    /// A greeting has arrived from a peer whose first box had no room. Returns whether the peer announces, and whether it answers
    /// marked notifications.
    pub(super) fn hear_greeting(&mut self, greeting: Pairs<'_>) -> (bool, bool) {
        let features = Features::of(greeting).filter(|_| self.own != Own::Off);
        self.peer = features.map_or(Peer::Plain, Peer::Announced);
        (features.is_some(), features.is_some_and(|features| features.notify))
    }

    /// Whether the peer understands this library's own commands, and knows that this end does.
    pub(super) fn is_understood(&self) -> bool {
        match self.peer {
            Peer::Unheard | Peer::Plain => false,
            Peer::Hidden => self.own != Own::Off,
            Peer::Fresh(_) | Peer::Announced(_) => true,
        }
    }

    /// Whether the peer learns from `amp.Goodbye` why the connection ends.
    pub(super) fn takes_goodbye(&self) -> bool {
        match self.peer {
            Peer::Fresh(features) | Peer::Announced(features) => features.goodbye,
            Peer::Unheard | Peer::Plain | Peer::Hidden => false,
        }
    }

    #[inline]
    pub(super) fn is_greeting_due(&self) -> bool {
        matches!(self.peer, Peer::Fresh(_))
    }

    /// Writes a greeting to a peer that has just announced, if no box that announces was sent. Returns whether it has written
    /// one.
    #[cold]
    pub(super) fn greet(&mut self, buffer: &mut Vec<u8>, limits: BoxLimits) -> bool {
        if let Peer::Fresh(features) = self.peer {
            self.peer = Peer::Announced(features);
        }
        if self.own == Own::Missed {
            self.own = Own::Due;
        }
        let start = buffer.len();
        let greets = self.own == Own::Due && put_hello(buffer, None, limits).is_ok();
        if greets {
            self.sent(buffer, start, limits);
        }
        greets
    }
}
