use std::fmt;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;

use crate::events::{EventKind, Events};
use crate::memory::{Excess, Holder};
use crate::panics::{caught, drop_caught};
use crate::reason::CloseReason;

/// Runs once, when memory is used up.
pub(super) type Listener = Box<dyn FnOnce(&CloseReason) + Send>;

/// A connection that is ended when it holds too much memory.
pub(super) trait EndsForMemory: Send + Sync {
    /// Ends the connection and releases all that it holds itself. Returns whether it was not over already.
    fn end_for_memory(&self, reason: &CloseReason) -> bool;
}

/// Listeners for the case that a connection holds too much. The connection's account owns it, so that it exists for as long as
/// something is counted, also when the last handle and the driver are dropped.
pub(super) struct MemoryHolder {
    connection: Weak<dyn EndsForMemory>,
    events: Events,
    /// The runtime that drives the connection, once it does.
    pub(super) runtime: OnceLock<Handle>,
    /// Whether it was too much: what an ended connection still holds is not worth keeping then.
    is_exceeded: AtomicBool,
    listeners: Mutex<Listeners>,
}

enum Listeners {
    Waiting(Vec<Listener>),
    /// The listeners were called with this reason: later ones run at once.
    Told(CloseReason),
}

impl MemoryHolder {
    pub(super) fn new(connection: Weak<dyn EndsForMemory>, events: Events) -> Arc<Self> {
        let listeners = Mutex::new(Listeners::Waiting(Vec::new()));
        Arc::new(Self { connection, events, runtime: OnceLock::new(), is_exceeded: AtomicBool::new(false), listeners })
    }

    /// Runs `listener` when memory is used up: now, if it already was.
    pub(super) fn listen(&self, listener: Listener) {
        let reason = match &mut *self.listeners() {
            Listeners::Waiting(listeners) => return listeners.push(listener),
            Listeners::Told(reason) => reason.clone(),
        };
        self.run(listener, &reason);
    }

    /// Whether the connection was to be ended because it held too much memory, whatever has ended it.
    pub(super) fn is_exceeded(&self) -> bool {
        self.is_exceeded.load(Ordering::Relaxed)
    }

    fn end(&self, Excess { held, limit }: Excess) {
        let reason = CloseReason::OutOfMemory { held, limit };
        // First: the driver that the end wakes looks at it.
        self.is_exceeded.store(true, Ordering::Relaxed);
        // The driver logs an end.
        if !self.connection.upgrade().is_some_and(|connection| connection.end_for_memory(&reason)) {
            self.events.tell(EventKind::LOST_MEMORY, |peer, omitted| {
                tracing::warn!(%peer, omitted, %reason, "what an ended connection holds is thrown away");
            });
        }
        let before = mem::replace(&mut *self.listeners(), Listeners::Told(reason.clone()));
        if let Listeners::Waiting(listeners) = before {
            listeners.into_iter().for_each(|listener| self.run(listener, &reason));
        }
    }

    /// Under no lock: a listener may use the connection.
    fn run(&self, listener: Listener, reason: &CloseReason) {
        if let Err(panic) = caught(AssertUnwindSafe(|| listener(reason))) {
            self.events.tell(EventKind::PANIC, |peer, omitted| {
                tracing::warn!(%peer, omitted, %panic, "a listener for used-up memory panicked");
            });
        }
    }

    fn listeners(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holder for MemoryHolder {
    fn end_for(self: Arc<Self>, excess: Excess) {
        let runtime = self.runtime.get().cloned();
        let due = Arc::new(Due(Mutex::new(Some((self, excess)))));
        // Elsewhere: it takes the lock of the connection, and the charge may have been made under that lock.
        if let Some(runtime) = runtime {
            let also = Arc::clone(&due);
            // A task waits behind all that are ready, each of which may hold more, and a blocking thread behind what the program blocks.
            runtime.spawn_blocking(move || also.end());
            runtime.spawn(async move { due.end() });
        }
    }
}

/// An end that is due and must not be lost: where no runtime drives the connection, or the runtime has shut down, a thread of its own runs it.
struct Due(Mutex<Option<(Arc<MemoryHolder>, Excess)>>);

impl Due {
    fn end(&self) {
        // Under no lock: the end runs listeners.
        let due = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((holder, excess)) = due {
            holder.end(excess);
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if let Some((holder, excess)) = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // Without a thread no listener can be called, not even here, where locks may be held.
            let end = move || holder.end(excess);
            drop(std::thread::Builder::new().name("amp-memory".to_owned()).spawn(end));
        }
    }
}

/// Each listener by itself: a panic of its drop costs nothing else.
impl Drop for MemoryHolder {
    fn drop(&mut self) {
        if let Listeners::Waiting(listeners) = self.listeners.get_mut().unwrap_or_else(PoisonError::into_inner) {
            listeners.drain(..).for_each(drop_caught);
        }
    }
}

impl fmt::Debug for MemoryHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryHolder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::runtime::Builder;

    use super::*;
    use crate::memory::{Account, Meter, Pool};
    use crate::peer::Peer;

    const MAX: usize = 1 << 20;

    /// A connection that has gone.
    struct Gone;

    impl EndsForMemory for Gone {
        fn end_for_memory(&self, _: &CloseReason) -> bool {
            true
        }
    }

    /// A holder whose connection has gone, with a meter, and what its listener hears.
    fn holder(pool: &Arc<Pool>) -> (Arc<MemoryHolder>, Meter, mpsc::Receiver<CloseReason>) {
        let holder = MemoryHolder::new(Weak::<Gone>::new(), Events::new(Peer::other("gone"), Arc::default()));
        let meter = Meter::new(&Account::new(Some(Arc::clone(pool)), Arc::clone(&holder) as _));
        let (told, heard) = mpsc::channel();
        holder.listen(Box::new(move |reason| drop(told.send(reason.clone()))));
        (holder, meter, heard)
    }

    fn is_told(heard: &mpsc::Receiver<CloseReason>) -> bool {
        matches!(heard.recv_timeout(Duration::from_secs(10)), Ok(CloseReason::OutOfMemory { limit: MAX, .. }))
    }

    #[test]
    fn who_listens_is_told_when_only_a_meter_is_left_and_no_runtime_drives_the_connection() {
        let pool = Pool::new(MAX);
        let (holder, meter, heard) = holder(&pool);
        drop(holder);
        meter.charge(2 * MAX);
        assert!(is_told(&heard));
        drop(meter);
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn who_listens_is_told_when_the_runtime_has_shut_down() {
        let pool = Pool::new(MAX);
        let (holder, meter, heard) = holder(&pool);
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        holder.runtime.set(runtime.handle().clone()).expect("the first one");
        drop((runtime, holder));
        meter.charge(2 * MAX);
        assert!(is_told(&heard));
    }

    #[test]
    fn a_listener_is_told_once_a_late_one_at_once_and_one_that_panics_keeps_nobody_from_it() {
        let (holder, _meter, heard) = holder(&Pool::new(MAX));
        holder.listen(Box::new(|_| panic!("on purpose")));
        let (told, others) = mpsc::channel();
        let second = told.clone();
        holder.listen(Box::new(move |_| second.send(2).expect("it waits")));
        holder.end(Excess { held: 2 * MAX, limit: MAX });
        assert!(is_told(&heard));
        assert_eq!(others.try_recv(), Ok(2));
        holder.listen(Box::new(move |_| told.send(3).expect("it waits")));
        assert_eq!(others.try_recv(), Ok(3));
        holder.end(Excess { held: 2 * MAX, limit: MAX });
        assert!(heard.try_recv().is_err() && others.try_recv().is_err());
    }
}
