use std::any::{Any, TypeId};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use super::context::provide;
use super::shared::{Shared, wake};
use crate::events::Events;
use crate::exposed::ContextRef;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::responder::Answering;
use crate::settings::Settings;
use crate::wire::BoxLimits;

/// The connection, as far as the answers of its responders see it.
impl Answering for Shared {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn append(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>)) {
        self.append_answer(put);
    }

    fn accept_upgrade(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>)) -> bool {
        let (is_put, driver) = self.lock().transport().accept(self.encoding(put));
        wake(driver);
        is_put
    }

    fn refuse_upgrade(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>)) {
        let mut state = self.lock();
        let driver = state.transport().refuse(self.encoding(put));
        let woken = state.check_outbound(|| self.finish_by());
        self.unlock(state, driver.into_iter().chain(woken));
    }

    /// The first reason stays, and all waiters receive it.
    fn end(&self, reason: CloseReason) {
        self.end(reason);
    }

    fn is_over(&self) -> bool {
        self.lock().over().is_some()
    }

    fn hold(&self, bytes: usize) {
        self.inbound.hold(bytes);
    }

    fn hold_more(&self, bytes: usize) {
        self.inbound.hold_more(bytes);
    }

    fn reserve(&self, bytes: usize, wants_answer: bool) -> bool {
        self.inbound.reserve(bytes, wants_answer)
    }

    fn is_memory_short(&self) -> bool {
        self.account.is_memory_short()
    }

    fn decoded(&self, items: usize) {
        self.inbound.workload().add_items(items);
    }

    fn release(&self, bytes: usize) {
        // Only the driver starts waiting asks.
        if self.inbound.release(bytes) {
            self.wake_driver();
        }
    }

    fn settle(&self, bytes: usize) {
        if self.inbound.settle(bytes) {
            self.wake_driver();
        }
    }

    fn events(&self) -> &Events {
        &self.events
    }

    fn note(&self, tag: &[u8], number: &AtomicU32) -> bool {
        let noted = self.noted();
        if let Some(noted) = noted {
            noted.note(tag, self.unanswered.number(number));
        }
        noted.is_some()
    }

    fn forget(&self, tag: &[u8], number: u32) -> bool {
        self.noted().is_some_and(|noted| noted.forget(tag, number))
    }

    fn answered(&self, ask: u32) {
        self.unanswered.answered(ask);
    }

    fn provide(self: Arc<Self>, wanted: TypeId, ask: Option<&AtomicU32>) -> Option<Arc<dyn Any + Send + Sync>> {
        provide(&self, wanted, || ask.map_or(0, |ask| self.unanswered.number(ask)))
    }
}
