//! Values that a connection exposes: to responders, to values that are decoded, and to values that are encoded.

use std::any::{Any, TypeId};
use std::sync::Arc;

use super::handle::Connection;
use super::shared::Shared;
use crate::boxes::BoxSender;
use crate::exposed::Context;
use crate::locator::Locator;
use crate::peer::Peer;

type Provided = Arc<dyn Any + Send + Sync>;

/// Values exposed under no lock. A handle of the connection belongs to the ask with the number, or to none with 0.
pub(super) fn provide(shared: &Arc<Shared>, wanted: TypeId, ask: impl FnOnce() -> u32) -> Option<Provided> {
    if wanted == TypeId::of::<Connection>() {
        Some(Arc::new(Connection::with(shared, ask())))
    } else if wanted == TypeId::of::<Arc<dyn BoxSender>>() {
        let sender: Arc<dyn BoxSender> = Arc::new(Connection::of(shared));
        Some(Arc::new(sender))
    } else {
        shared.provide(wanted)
    }
}

/// Values exposed to a value that is being encoded, under the connection's lock: nothing that takes the lock, even when it is
/// dropped. So there are no handles, and a state is never dropped here, because its removal [waits for the lock](Shared::lock).
impl Context for Shared {
    fn provide(&self, wanted: TypeId) -> Option<Provided> {
        if wanted == TypeId::of::<Peer>() {
            Some(Arc::new(self.peer.clone()))
        } else if wanted == TypeId::of::<Arc<dyn Locator>>() {
            Some(Arc::new(Arc::clone(&self.locator)))
        } else {
            self.states().value(wanted)
        }
    }
}

impl Shared {
    pub(super) fn encoding_context(&self) -> &dyn Context {
        self
    }
}

/// A caller's connection, as far as it is exposed to the values of the answer.
pub(super) struct Decoding<'a>(pub(super) &'a Connection);

impl Decoding<'_> {
    pub(super) fn context(&self) -> &dyn Context {
        self
    }
}

impl Context for Decoding<'_> {
    fn provide(&self, wanted: TypeId) -> Option<Provided> {
        provide(&self.0.shared, wanted, || self.0.ask())
    }
}
