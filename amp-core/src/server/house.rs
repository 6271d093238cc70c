use std::future::{Future, poll_fn};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::{IntoSession, Listener};
use crate::connection::{Builder, Connection, Driver};
use crate::panics::caught;
use crate::peer::Peer;

/// How long accepting pauses when the process is out of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How far a server has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Stage {
    Accepting,
    Closing,
    Closed,
}

/// What the accepting task owns.
pub(super) struct House {
    pub(super) stage: watch::Sender<Stage>,
    pub(super) places: Arc<Semaphore>,
    pub(super) most: u32,
    pub(super) live: Arc<AtomicUsize>,
    pub(super) builder: Builder,
    pub(super) on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
}

impl House {
    /// Accepts until the server is closed or the listener panics, and stays until the last connection has ended.
    pub(super) async fn keep<A: Listener, S: IntoSession>(
        self,
        listener: A,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
    ) {
        let mut accepting = Box::pin(self.accept(listener, session));
        poll_fn(|cx| {
            let polled = caught(AssertUnwindSafe(|| accepting.as_mut().poll(cx)));
            polled.unwrap_or_else(|| {
                tracing::error!("a server accepts no more: its listener panicked");
                Poll::Ready(())
            })
        })
        .await;
        drop(accepting);
        self.stage.send_replace(Stage::Closing);
        // Every connection holds its place until it has ended.
        let _ = self.places.acquire_many(self.most).await;
    }

    async fn accept<A: Listener, S: IntoSession>(
        &self,
        mut listener: A,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
    ) {
        let session = Arc::new(session);
        let mut closing = pin!(reached(self.stage.subscribe(), Stage::Closing));
        loop {
            let guest = pin!(self.guest(&mut listener));
            let Some((guest, place)) = until(closing.as_mut(), guest).await else { break };
            match guest {
                Ok((transport, peer)) => {
                    let (session, builder, stage) =
                        (Arc::clone(&session), self.builder.clone(), self.stage.subscribe());
                    let on_connection = Arc::clone(&self.on_connection);
                    tokio::spawn(async move {
                        let (connection, driver) = session(&peer).into_session().set_up(builder).build(transport, peer);
                        on_connection(connection.clone());
                        stay(connection, driver, stage).await;
                        drop(place);
                    });
                }
                Err(error) if speaks_of_client(&error) => {
                    tracing::debug!(%error, "a client went before it was accepted")
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    let pause = pin!(tokio::time::sleep(ACCEPT_PAUSE));
                    if until(closing.as_mut(), pause).await.is_none() {
                        break;
                    }
                }
            }
        }
    }

    /// The next connection, once there is a place for it.
    async fn guest<A: Listener>(&self, listener: &mut A) -> (io::Result<(A::Transport, Peer)>, Place) {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        let accepted = listener.accept().await;
        self.live.fetch_add(1, Ordering::Relaxed);
        (accepted, Place { live: Arc::clone(&self.live), _permit: permit })
    }
}

impl Drop for House {
    /// However the accepting task ends, who waits for the server learns that it is over.
    fn drop(&mut self) {
        if self.stage.send_replace(Stage::Closed) == Stage::Accepting {
            tracing::error!("a server accepts no more: its runtime shuts down");
        }
    }
}

/// Whether only the client that was about to be accepted is gone: the next one may come at once.
fn speaks_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | NotConnected)
}

/// A connection's place among those that the server may have.
struct Place {
    live: Arc<AtomicUsize>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Drives one connection to its end, and closes it when the server closes.
async fn stay(connection: Connection, mut driver: Driver, stage: watch::Receiver<Stage>) {
    if until(pin!(reached(stage, Stage::Closing)), &mut driver).await.is_none() {
        connection.close();
        driver.await;
    }
}

pub(super) async fn reached(mut stage: watch::Receiver<Stage>, wanted: Stage) {
    // A server that is gone has reached every stage.
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}

/// What `work` gives, or `None` when `end` comes first.
async fn until<E: Future, W: Future + Unpin>(mut end: Pin<&mut E>, mut work: W) -> Option<W::Output> {
    poll_fn(|cx| match end.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => Pin::new(&mut work).poll(cx).map(Some),
    })
    .await
}
