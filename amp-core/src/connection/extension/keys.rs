//! Keys that extensions add to the boxes of a connection, and see in those of the peer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::events::{EventKind, Events};
use crate::packet::SentBox;
use crate::panics::caught;
use crate::proto::AddKeys;
use crate::responder::Ask;
use crate::value::{BoxReader, Budget, Scope};
use crate::wire::{BoxLimits, RawBox};

/// Adds keys to the boxes that a connection sends, and sees those of received boxes: of asks and of their answers and errors.
/// Boxes that are sent while extensions are being attached, when not all keys are known yet, carry none. Boxes without a type,
/// boxes that a [`BoxReceiver`](crate::connection::BoxReceiver) receives, and the library's own commands are left alone.
///
/// Methods that add keys run while the connection's outbound buffer is locked, as [`Value::encode`](crate::value::Value::encode)
/// does: they must not use the connection, and may run more than once for one box. Methods that see keys run in the order of
/// arrival on the connection's reader, and must not block. A panic costs only the keys of the one box.
pub trait Keys: Send + Sync + 'static {
    /// Adds keys to an ask. Its command is the value of `_command`, and its tag that of `_ask`, if it wants an answer.
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        let _ = ask;
    }

    /// Adds keys to an answer or an error. The tag of its ask is the value of `_answer` or `_error`.
    fn add_to_reply(&self, reply: &mut SentBox<'_>) {
        let _ = reply;
    }

    /// Sees an ask before any other code does; [`Ask::value`] returns a key of it.
    fn see_ask(&self, ask: &Ask) {
        let _ = ask;
    }

    /// Sees an answer or an error before its caller does; [`BoxReader::find`] returns a key of it.
    fn see_reply(&self, reply: &BoxReader<'_>) {
        let _ = reply;
    }
}

/// The keys of all extensions of one connection.
#[derive(Clone, Default)]
pub(super) struct KeyList {
    keys: Vec<Arc<dyn Keys>>,
    /// Events of the connection. `None` as long as there are no keys.
    events: Option<Events>,
}

impl KeyList {
    pub(super) fn add(&mut self, keys: Arc<dyn Keys>, events: &Events) {
        self.keys.push(keys);
        self.events.get_or_insert_with(|| events.clone());
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(super) fn see_ask(&self, ask: &Ask) {
        self.each(|keys| keys.see_ask(ask));
    }

    pub(super) fn see_reply(&self, reply: &RawBox, limits: BoxLimits) {
        self.each(|keys| {
            let scope = Scope::new(Budget::new(&limits), None);
            keys.see_reply(&BoxReader::new(reply, limits.nesting).with_scope(&scope));
        });
    }

    /// A panic under the connection's lock would leave an ask in the buffer whose tag is used again.
    fn each(&self, mut run: impl FnMut(&dyn Keys)) {
        for keys in &self.keys {
            if let (Err(panic), Some(events)) = (caught(AssertUnwindSafe(|| run(&**keys))), &self.events) {
                events.tell(EventKind::PANIC, |peer, omitted| {
                    tracing::warn!(%peer, omitted, %panic, "the keys of an extension panicked");
                });
            }
        }
    }
}

impl AddKeys for KeyList {
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        self.each(|keys| keys.add_to_ask(ask));
    }

    fn add_to_reply(&self, reply: &mut SentBox<'_>) {
        self.each(|keys| keys.add_to_reply(reply));
    }
}
