use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Connection;
use super::shared::Shared;
use crate::boxes::BoxSender;
use crate::locator::Locator;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::responder::Answering;
use crate::settings::Settings;

/// The connection, as far as the answers of its responders see it.
impl Answering for Shared {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn append(&self, put: &mut dyn FnMut(&mut Vec<u8>)) {
        self.write(put);
    }

    /// The first reason stays; everybody who waits learns it.
    fn end(&self, reason: CloseReason) {
        self.end_locked(self.lock(), reason);
    }

    fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    fn hold(&self, bytes: usize) {
        self.asks.fetch_add(1, Ordering::SeqCst);
        self.held.fetch_add(bytes, Ordering::SeqCst);
    }

    fn release(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Ordering::SeqCst);
        // What waits because much is held may start now, and only the driver starts it.
        let limit = self.settings.most_inbound;
        if before > limit && before - bytes <= limit {
            self.wake_driver(self.lock(), true);
        }
    }

    fn settle(&self) {
        let last = self.asks.fetch_sub(1, Ordering::SeqCst) == 1;
        // Closing says so before it looks at the asks, and this looks the other way round: one of them sees the other.
        if last && self.closing.load(Ordering::SeqCst) {
            self.wake_driver(self.lock(), true);
        }
    }

    fn is_first_complaint(&self) -> bool {
        !self.complained.swap(true, Ordering::Relaxed)
    }

    fn answered(&self, ask: u32) {
        self.unanswered.answered(ask);
    }

    fn provide(self: Arc<Self>, wanted: TypeId, ask: Option<&AtomicU32>) -> Option<Arc<dyn Any + Send + Sync>> {
        if wanted == TypeId::of::<Connection>() {
            Some(Arc::new(Connection::with(&self, ask.map_or(0, |ask| self.unanswered.number(ask)))))
        } else if wanted == TypeId::of::<Peer>() {
            Some(Arc::new(self.peer.clone()))
        } else if wanted == TypeId::of::<Arc<dyn Locator>>() {
            Some(Arc::new(Arc::clone(&self.locator)))
        } else if wanted == TypeId::of::<Arc<dyn BoxSender>>() {
            let sender: Arc<dyn BoxSender> = Arc::new(Connection::of(&self));
            Some(Arc::new(sender))
        } else {
            self.states().value(wanted)
        }
    }
}
