//! The accept loop and its life cycle: one for servers and for the forwards of `amp-multiplex`. Imports `connection`, `events`, `panics` and `peer`.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::listener::Listener;
use super::reserve::{Reserve, wants_descriptors};
use crate::connection::now;
use crate::escaped::Escaped;
use crate::events::{EventKind, EventLimit, Shortage};
use crate::panics::caught;
use crate::peer::Peer;

/// How long accepting pauses when the process is out of file descriptors or memory.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(100);

/// Stage of an accept loop.
///
/// ```text
///   Accepting --close, loss--> Closing --listener dropped--> Released --last task ended--> Ended
///       \__________________________\____________________________\____abort____> Aborted ____/
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Stage {
    /// Connections are accepted.
    Accepting,
    /// No connection is accepted any more; accepted connections go on.
    Closing,
    /// The listener is dropped: its address is free.
    Released,
    /// The tasks of the connections are aborted.
    Aborted,
    /// Nothing runs any more.
    Ended,
}

/// The stage of one accept loop, for all its waiters. Stages only advance.
#[derive(Clone, Debug)]
pub struct Lifecycle(watch::Sender<Stage>);

impl Lifecycle {
    fn new() -> Self {
        Self(watch::Sender::new(Stage::Accepting))
    }

    /// Advances to a stage, unless a later one is reached. Returns the previous stage.
    pub fn advance(&self, to: Stage) -> Stage {
        let mut before = to;
        self.0.send_if_modified(|stage| {
            before = *stage;
            let later = *stage < to;
            if later {
                *stage = to;
            }
            later
        });
        before
    }

    /// Waits until a stage, or a later one, is reached.
    pub fn reached(&self, wanted: Stage) -> impl Future<Output = ()> + Send + use<> {
        let mut stage = self.0.subscribe();
        // An accept loop without a handle has reached every stage.
        async move { drop(stage.wait_for(|stage| *stage >= wanted).await) }
    }
}

/// How many descriptors the process has left for an accepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The connection has the descriptors that it needs.
    Enough,
    /// The connection uses a descriptor of the reserve: it is only told that there are no more.
    Scarce,
    /// The connection uses the last descriptor of the reserve, which is wanted back at once.
    None,
}

/// Accepts connections and runs a task for each.
#[derive(Debug)]
pub struct AcceptLoop {
    /// Name of the acceptor, for the log.
    owner: &'static str,
    max_tasks: usize,
    reserve: Reserve,
    lifecycle: Lifecycle,
    events: EventLimit,
}

impl AcceptLoop {
    /// An accept loop that runs at most `max_tasks` at once and leaves further connections to the system's backlog. It keeps that
    /// many spare descriptors free, to accept and refuse connections when the process has no more.
    #[must_use]
    pub fn new(owner: &'static str, max_tasks: usize, spare_descriptors: usize) -> Self {
        let (reserve, events) = (Reserve::new(spare_descriptors), EventLimit::new());
        Self { owner, max_tasks, reserve, lifecycle: Lifecycle::new(), events }
    }

    /// The stage, which outlives the loop.
    #[must_use]
    pub fn lifecycle(&self) -> Lifecycle {
        self.lifecycle.clone()
    }

    /// Accepts until the loop is closed, `until` completes or the listener panics; then drops `until` and the listener and waits
    /// for the tasks, unless it is aborted. `serve` runs in the loop and must not block; the future that it returns is the task.
    pub async fn run<A: Listener, F: Future<Output = ()> + Send + 'static>(
        mut self,
        listener: A,
        until: impl Future<Output = ()> + Send,
        serve: impl Fn(A::Transport, Peer, Room) -> Option<F> + Send,
    ) {
        let owner = self.owner;
        let mut tasks = JoinSet::new();
        {
            let mut accepting = pin!(self.accept(listener, until, serve, &mut tasks));
            let accepting = poll_fn(|cx| {
                let polled = caught(AssertUnwindSafe(|| accepting.as_mut().poll(cx)));
                polled.unwrap_or_else(|panic| {
                    tracing::error!(%panic, "a {owner} accepts no more: its listener panicked");
                    Poll::Ready(())
                })
            });
            accepting.await;
        }
        self.lifecycle.advance(Stage::Closing);
        self.lifecycle.advance(Stage::Released);
        let mut aborted = pin!(self.lifecycle.reached(Stage::Aborted));
        poll_fn(|cx| match aborted.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => poll_joined(&mut tasks, cx),
        })
        .await;
    }

    async fn accept<A: Listener, F: Future<Output = ()> + Send + 'static>(
        &mut self,
        mut listener: A,
        until: impl Future<Output = ()> + Send,
        serve: impl Fn(A::Transport, Peer, Room) -> Option<F> + Send,
        tasks: &mut JoinSet<()>,
    ) {
        let Self { owner, max_tasks, reserve, .. } = self;
        let (mut is_lent, mut failures) = (false, Shortage::default());
        let mut recheck = pin!(tokio::time::sleep(PAUSE_AFTER_ERROR));
        let (mut closing, mut until) = (pin!(self.lifecycle.reached(Stage::Closing)), pin!(until));
        let mut is_over =
            |cx: &mut Context<'_>| closing.as_mut().poll(cx).is_ready() || until.as_mut().poll(cx).is_ready();
        loop {
            let has_room = unless(&mut is_over, |cx| {
                let _ = poll_joined(tasks, cx);
                if tasks.len() < *max_tasks { Poll::Ready(()) } else { Poll::Pending }
            });
            if has_room.await.is_none() {
                return;
            }
            let mut accepting = pin!(listener.accept());
            let accepted = unless(&mut is_over, |cx| {
                // Finished tasks hold their memory until they are joined.
                let _ = poll_joined(tasks, cx);
                // A lent descriptor comes back when something in the process has closed, and before the next connection takes it.
                while !is_lent && !reserve.refill(owner) && recheck.as_mut().poll(cx).is_ready() {
                    recheck.as_mut().reset(Instant::now() + PAUSE_AFTER_ERROR);
                }
                let accepted = accepting.as_mut().poll(cx);
                if accepted.is_pending() && std::mem::take(&mut is_lent) {
                    // Without a descriptor the system's `accept` fails although no client is there.
                    cx.waker().wake_by_ref();
                }
                accepted
            });
            match accepted.await {
                None => return,
                Some(Ok((transport, peer))) => {
                    // By now there may be descriptors again.
                    let is_scarce = std::mem::take(&mut is_lent) && !reserve.refill(owner);
                    let room = match is_scarce {
                        false => Room::Enough,
                        true if reserve.is_empty() => Room::None,
                        true => Room::Scarce,
                    };
                    if let Some(count) = failures.ends() {
                        tracing::info!(count, "a {owner} accepts connections again");
                    }
                    if let Some(task) = serve(transport, peer, room) {
                        tasks.spawn(task);
                    }
                }
                Some(Err(error)) if concerns_client(&error) => {
                    self.events.tell(EventKind::CLIENT_GONE, |omitted| {
                        tracing::debug!(omitted, error = %Escaped(error), "a client went before it was accepted");
                    });
                }
                Some(Err(error)) if wants_descriptors(&error) && reserve.lend(owner, &error, now()) => is_lent = true,
                Some(Err(error)) => {
                    is_lent = false;
                    if !wants_descriptors(&error) && failures.begins(now()) {
                        self.events.tell(EventKind::NOT_ACCEPTED, |omitted| {
                            tracing::warn!(omitted, error = %Escaped(error), "a connection was not accepted");
                        });
                    }
                    let mut pause = pin!(tokio::time::sleep(PAUSE_AFTER_ERROR));
                    if unless(&mut is_over, |cx| pause.as_mut().poll(cx)).await.is_none() {
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for AcceptLoop {
    /// However the loop ends, also with its runtime, its waiters learn that it has ended.
    fn drop(&mut self) {
        if self.lifecycle.advance(Stage::Ended) == Stage::Accepting {
            tracing::error!("a {} accepts no more: its runtime shuts down", self.owner);
        }
    }
}

/// Completes as `poll` does, or with `None` when `is_over`; in that case `poll` is not called again.
async fn unless<T>(
    mut is_over: impl FnMut(&mut Context<'_>) -> bool,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    poll_fn(|cx| if is_over(cx) { Poll::Ready(None) } else { poll(cx).map(Some) }).await
}

/// Ready when no task runs any more.
fn poll_joined(tasks: &mut JoinSet<()>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        match tasks.poll_join_next(cx) {
            Poll::Ready(Some(_)) => {}
            Poll::Ready(None) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
}

/// Whether an error is about one client that is gone: the next one may be accepted at once.
fn concerns_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::io::DuplexStream;

    use super::*;

    /// Every accept of it fails.
    struct Broken;

    impl Listener for Broken {
        type Transport = DuplexStream;

        async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
            Err(io::ErrorKind::Other.into())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_is_closed_while_it_pauses_stops_accepting_at_once() {
        let mut accept_loop = AcceptLoop::new("test", 1, 1);
        let (lifecycle, mut tasks) = (accept_loop.lifecycle(), JoinSet::new());
        let closing = async {
            tokio::time::sleep(PAUSE_AFTER_ERROR / 2).await;
            lifecycle.advance(Stage::Closing);
        };
        let start = Instant::now();
        let accepting = accept_loop.accept(Broken, pending(), |_, _, _| Some(pending()), &mut tasks);
        tokio::join!(accepting, closing);
        assert_eq!(start.elapsed(), PAUSE_AFTER_ERROR / 2);
    }

    #[test]
    fn a_stage_is_never_taken_back() {
        let lifecycle = Lifecycle::new();
        assert_eq!(lifecycle.advance(Stage::Aborted), Stage::Accepting);
        assert_eq!(lifecycle.advance(Stage::Released), Stage::Aborted);
        assert_eq!(lifecycle.advance(Stage::Ended), Stage::Aborted);
    }
}
