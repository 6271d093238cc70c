use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use amp_core::extension::{Events, catch_panic};
use slab::Slab;
use tokio::task::JoinHandle;

use crate::meter::StreamMeter;

/// The tasks that serve streams of one connection. Each is listed here and counted until it ends: it may drop its stream, and its
/// connection may end, long before.
pub(crate) struct ServingTasks {
    state: Mutex<State>,
    meter: StreamMeter,
    /// The events of the connection, for logging, where there is one.
    events: Option<Events>,
}

/// Number of tasks for which an idle connection keeps memory.
const MAX_SPARE: usize = 128;

/// Memory of a task beside its future.
const TASK: usize = 256;

/// A larger future is spawned in a box: each function that it is passed through copies it.
const MAX_IN_PLACE: usize = 1024;

enum State {
    Open(Slab<Task>),
    /// The memory is used up. Tasks that come later are aborted at once.
    Aborted,
}

/// A task is spawned under no lock, because a runtime that shuts down drops it at once. So it may end before its handle is known.
enum Task {
    Spawning,
    Running(JoinHandle<()>),
    Ended,
}

impl ServingTasks {
    pub(crate) fn new(meter: StreamMeter, events: Option<Events>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State::Open(Slab::new())), meter, events })
    }

    /// Returns the number of tasks.
    pub(crate) fn len(&self) -> usize {
        match &*self.lock() {
            State::Open(tasks) => tasks.len(),
            State::Aborted => 0,
        }
    }

    /// Spawns a task. If the memory is used up, its future is dropped instead.
    ///
    /// # Panics
    /// Outside a runtime, where no connection is driven.
    pub(crate) fn spawn<F: Future<Output = ()> + Send + 'static>(self: &Arc<Self>, future: F) {
        let Some(place) = self.reserve() else { return };
        let bytes = size_of::<F>() + TASK;
        self.meter.change(0, bytes);
        let entry = Entry { tasks: Arc::clone(self), place, bytes };
        let handle = if size_of::<F>() <= MAX_IN_PLACE {
            tokio::spawn(Serving { future: Some(future), entry })
        } else {
            tokio::spawn(Serving { future: Some(Box::pin(future)), entry })
        };
        self.spawned(place, handle);
    }

    /// A task is about to be spawned. Returns its place, or none if the memory is used up.
    fn reserve(&self) -> Option<usize> {
        match &mut *self.lock() {
            State::Open(tasks) => Some(tasks.insert(Task::Spawning)),
            State::Aborted => None,
        }
    }

    /// The task of the place was spawned.
    fn spawned(&self, place: usize, handle: JoinHandle<()>) {
        let mut state = self.lock();
        let aborted = match &mut *state {
            State::Open(tasks) => {
                match tasks.get_mut(place) {
                    Some(task @ Task::Spawning) => *task = Task::Running(handle),
                    _ => remove(tasks, place),
                }
                None
            }
            State::Aborted => Some(handle),
        };
        drop(state);
        if let Some(handle) = aborted {
            handle.abort();
        }
    }

    /// The task of the place has ended.
    fn ended(&self, place: usize) {
        if let State::Open(tasks) = &mut *self.lock() {
            match tasks.get_mut(place) {
                Some(task @ Task::Spawning) => *task = Task::Ended,
                _ => remove(tasks, place),
            }
        }
    }

    /// Aborts all tasks, and those that come later.
    pub(crate) fn abort(&self) {
        let before = mem::replace(&mut *self.lock(), State::Aborted);
        // Under no lock: objects that a task holds may be dropped here.
        if let State::Open(tasks) = before {
            for (_, task) in tasks {
                if let Task::Running(handle) = task {
                    handle.abort();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remove(tasks: &mut Slab<Task>, place: usize) {
    tasks.try_remove(place);
    if tasks.is_empty() && tasks.capacity() > MAX_SPARE {
        *tasks = Slab::new();
    }
}

pin_project_lite::pin_project! {
    /// The future of a task, which is dropped before its entry is.
    struct Serving<F> {
        // None when it has panicked.
        #[pin]
        future: Option<F>,
        entry: Entry,
    }
}

impl<F: Future<Output = ()>> Future for Serving<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let future = this.future;
        let poll = move || {
            let mut polled = DropInPanic(future);
            polled.0.as_mut().as_pin_mut().map_or(Poll::Ready(()), |future| future.poll(cx))
        };
        match &this.entry.tasks.events {
            Some(events) => catch_panic(events, "a task that serves a stream", poll).unwrap_or(Poll::Ready(())),
            None => poll(),
        }
    }
}

/// Drops a future that panics while the panic goes on: a stream in it is cut then, and does not look whole.
struct DropInPanic<'a, F>(Pin<&'a mut Option<F>>);

impl<F> Drop for DropInPanic<'_, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set(None);
        }
    }
}

/// Lists a task and counts its memory, until this is dropped.
struct Entry {
    tasks: Arc<ServingTasks>,
    place: usize,
    bytes: usize,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.tasks.ended(self.place);
        self.tasks.meter.change(self.bytes, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::runtime::Runtime;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    fn tasks() -> Arc<ServingTasks> {
        ServingTasks::new(StreamMeter::default(), None)
    }

    /// How many places there are, used or spare.
    fn places(tasks: &ServingTasks) -> (usize, usize) {
        match &*tasks.lock() {
            State::Open(tasks) => (tasks.len(), tasks.capacity()),
            State::Aborted => (0, 0),
        }
    }

    /// A task that goes on until it is aborted.
    async fn endless(_dropped: UnboundedSender<()>) {
        pending().await
    }

    #[tokio::test]
    async fn tasks_are_there_until_they_end_and_keep_little_memory_then() {
        let tasks = tasks();
        let mut senders = Vec::new();
        for _ in 0..1000 {
            let (sender, receiver) = oneshot::channel::<()>();
            senders.push(sender);
            tasks.spawn(async move { drop(receiver.await) });
        }
        yield_now().await;
        assert_eq!(places(&tasks).0, 1000);
        senders.truncate(1);
        while places(&tasks).0 > 1 {
            yield_now().await;
        }
        senders.clear();
        while places(&tasks).0 > 0 {
            yield_now().await;
        }
        let (_, spare) = places(&tasks);
        assert!(spare <= MAX_SPARE, "{spare} spare");
    }

    #[tokio::test]
    async fn those_that_are_there_are_aborted_and_later_ones_never_run() {
        let tasks = tasks();
        let (dropped, mut all_are_dropped) = unbounded_channel();
        for _ in 0..40 {
            tasks.spawn(endless(dropped.clone()));
        }
        yield_now().await;
        tasks.abort();
        tasks.abort();
        tasks.spawn(endless(dropped));
        assert_eq!(all_are_dropped.recv().await, None);
    }

    /// They end on other threads before their handles are known, or after.
    #[test]
    fn no_place_is_left_by_tasks_that_end_at_once() {
        let tasks = tasks();
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(async {
            for _ in 0..20_000 {
                tasks.spawn(async {});
            }
        });
        drop(runtime);
        assert_eq!(places(&tasks).0, 0);
    }

    #[test]
    fn a_runtime_that_shuts_down_leaves_no_place() {
        let tasks = tasks();
        let runtime = Runtime::new().expect("a runtime");
        let handle = runtime.handle().clone();
        let (dropped, mut all_are_dropped) = unbounded_channel();
        handle.block_on(async { tasks.spawn(endless(dropped.clone())) });
        drop(runtime);
        let _context = handle.enter();
        tasks.spawn(endless(dropped));
        assert_eq!((places(&tasks).0, all_are_dropped.blocking_recv()), (0, None));
    }
}
