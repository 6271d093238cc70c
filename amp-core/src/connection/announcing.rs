//! What two ends of this library tell each other beside the commands (`wire.md`, section 7).

use std::error::Error;
use std::fmt::Write;
use std::task::Waker;

use super::shared::Shared;
use super::state::{Phase, State};
use crate::packet::announcement::{Features, announce, put_goodbye, put_hello};
use crate::reason::CloseReason;
use crate::wire::{BoxLimits, RawBox};

impl State {
    /// What begins at `start` and ends the outbound buffer was sent: the first box of all announces.
    #[inline]
    pub(super) fn begin_to_announce(&mut self, start: usize, limits: BoxLimits) {
        if !self.announced {
            self.announce(start, limits);
        }
    }

    /// Whether the peer knows, when it has read what is in the outbound buffer, what marks mean.
    pub(super) fn has_announced(&self) -> bool {
        self.announced && !self.missed
    }

    #[cold]
    fn announce(&mut self, start: usize, limits: BoxLimits) {
        // What could not be written left nothing.
        if self.outbound.len() > start {
            self.missed = !announce(&mut self.outbound, start, limits);
            self.announced = true;
        }
    }

    /// Tells a peer that understands it why the connection has ended, if there is a cause. It is the last box, because such a
    /// peer reads no further.
    pub(super) fn say_why(&mut self, limits: BoxLimits) {
        if self.peer.goodbye
            && let Phase::Over(reason) = &self.phase
            && let Some(code) = reason.goodbye()
        {
            // It is short.
            let _ = put_goodbye(&mut self.outbound, code, &words(reason), limits);
        }
    }
}

impl Shared {
    /// Looks at the first box of the peer. Whether it announces anything.
    #[cold]
    pub(super) fn hear(&self, first: &RawBox) -> bool {
        let announced = Features::of(first.pairs()).filter(|_| self.settings.announces());
        let mut state = self.lock();
        state.peer = announced.unwrap_or_default();
        let notify = state.peer.notify;
        state.credit.begin(notify);
        let next = state.next_notification(&self.settings);
        drop(state);
        next.into_iter().for_each(Waker::wake);
        announced.is_some()
    }

    /// Announces to a peer that has, if nothing was sent that did.
    #[cold]
    pub(super) fn greet(&self) {
        let mut state = self.lock();
        let (start, limits) = (state.outbound.len(), self.settings.boxes);
        if std::mem::take(&mut state.missed) {
            state.announced = false;
        }
        if !(state.announced || state.sealed) && put_hello(&mut state.outbound, None, limits).is_ok() {
            state.dispatcher.skip();
            state.begin_to_announce(start, limits);
            self.appended(state, false);
        }
    }
}

/// The reason and its sources, in one line.
fn words(reason: &CloseReason) -> String {
    let mut words = reason.to_string();
    let mut source = reason.source();
    while let Some(error) = source {
        let _ = write!(words, ": {error}");
        source = error.source();
    }
    words
}
