//! Finds the extension that handles a command.

use std::sync::Arc;

use super::keys::{KeyList, Keys};
use crate::events::Events;
use crate::proto::AddKeys;
use crate::responder::Ask;
use crate::wire::{BoxLimits, RawBox};

/// One connection's part of an [`Extension`](super::Extension).
pub trait Handler: Send + Sync + 'static {
    /// Settles an ask for one of the claimed commands; `command` is its place in the list of
    /// [`Extension::commands`](super::Extension::commands).
    ///
    /// It is called in the order of arrival, whatever responders run or wait, and also while the connection closes. Such asks do
    /// not count towards [`max_responders`](crate::Settings::max_responders) and [`max_inbound`](crate::Settings::max_inbound):
    /// the protocol must bound itself. It runs on the connection's reader and must not block; for longer work it [takes the
    /// arguments](Ask::accept) and answers later.
    ///
    /// An ask that is dropped, as in a panic, is answered with [`codes::UNKNOWN`](crate::error::codes::UNKNOWN).
    fn handle(&self, command: usize, ask: Ask);

    /// The keys that it adds to boxes and sees in them, if it does. It is asked once, when it is attached; a connection without
    /// such keys pays nothing for them.
    fn keys(self: Arc<Self>) -> Option<Arc<dyn Keys>> {
        None
    }
}

/// How a command is handled: by the extension with this number, in whose list of commands it has this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) extension: usize,
    pub(super) command: usize,
    /// Whether handling it most often spawns a task.
    pub(super) starts_task: bool,
}

/// The claimed commands' names.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Bit `n` is set when a name has `n` bytes; the last bit when it has more than fit. Nearly every other command differs in
    /// its length already.
    lengths: u64,
    /// Sorted by length and bytes.
    sorted: Vec<(&'static str, Claim)>,
}

impl Names {
    /// Claims a name, unless it is claimed already.
    pub(super) fn claim(&mut self, name: &'static str, claim: Claim) -> bool {
        let Err(at) = self.search(name.as_bytes()) else { return false };
        self.sorted.insert(at, (name, claim));
        self.lengths |= length_bit(name.as_bytes());
        true
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<Claim> {
        if self.lengths & length_bit(name) == 0 { None } else { self.find_exactly(name) }
    }

    fn find_exactly(&self, name: &[u8]) -> Option<Claim> {
        let at = self.search(name).ok()?;
        self.sorted.get(at).map(|(_, claim)| *claim)
    }

    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        self.sorted
            .binary_search_by(|(claimed, _)| claimed.len().cmp(&name.len()).then_with(|| claimed.as_bytes().cmp(name)))
    }
}

#[inline]
fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

/// The handlers of one connection.
#[derive(Default)]
pub(in crate::connection) struct Claims {
    names: Names,
    handlers: Vec<Arc<dyn Handler>>,
    keys: KeyList,
}

impl Claims {
    pub(super) fn new(names: Names, handlers: Vec<Arc<dyn Handler>>, events: &Events) -> Self {
        let mut keys = KeyList::default();
        handlers.iter().filter_map(|handler| Arc::clone(handler).keys()).for_each(|added| keys.add(added, events));
        Self { names, handlers, keys }
    }

    /// Whether the connection has no extension that claims anything or sees keys, which is the usual case.
    #[inline]
    pub(in crate::connection) fn is_empty(&self) -> bool {
        self.names.lengths == 0 && self.keys.is_empty()
    }

    /// The keys that the extensions add to boxes, if any.
    pub(in crate::connection) fn keys(&self) -> Option<Box<dyn AddKeys>> {
        if self.keys.is_empty() { None } else { Some(Box::new(self.keys.clone())) }
    }

    /// Whether an extension sees the keys of boxes.
    #[inline]
    pub(in crate::connection) fn sees_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(in crate::connection) fn see_ask(&self, ask: &Ask) {
        self.keys.see_ask(ask);
    }

    pub(in crate::connection) fn see_reply(&self, reply: &RawBox, limits: BoxLimits) {
        self.keys.see_reply(reply, limits);
    }

    /// The handler of a command, the place of the command there, and whether a task is spawned for it, if an extension claims it.
    #[inline]
    pub(in crate::connection) fn find(&self, command: &[u8]) -> Option<(&dyn Handler, usize, bool)> {
        let Claim { extension, command, starts_task } = self.names.find(command)?;
        self.handlers.get(extension).map(|handler| (&**handler, command, starts_task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(number: usize) -> Claim {
        Claim { extension: number, command: 7 * number, starts_task: false }
    }

    #[test]
    fn every_claimed_name_is_found_and_no_other() {
        const LONG: &str = "a name of a command with more bytes than there are bits in a word of 64";
        let mut names = Names::default();
        assert_eq!(names.find(b""), None);
        for (number, name) in ["Transmit", "Connect", LONG, "Transfer", "A"].into_iter().enumerate() {
            assert!(names.claim(name, claim(number)));
        }
        for (number, name) in ["Transmit", "Connect", LONG, "Transfer", "A"].into_iter().enumerate() {
            assert_eq!(names.find(name.as_bytes()), Some(claim(number)), "{name}");
        }
        let longer = format!("{LONG}.");
        for other in ["", "B", "Transmis", "Transmitted", "Connecu", "connect", &longer] {
            assert_eq!(names.find(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_name_is_claimed_once_by_the_first() {
        let mut names = Names::default();
        assert!(names.claim("Connect", claim(0)) && !names.claim("Connect", claim(1)));
        assert_eq!(names.find(b"Connect"), Some(claim(0)));
    }
}
