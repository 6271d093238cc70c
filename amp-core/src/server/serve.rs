use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};

use super::accept::{Lifecycle, Stage};
use super::session::IntoSession;
use crate::connection::{Builder, Connection, Driver};
use crate::events::EventKind;
use crate::panics::{caught, install_hook};
use crate::peer::Peer;

/// Sets up and drives the connections of one server.
pub(super) struct Connections<M> {
    pub(super) builder: Builder,
    /// Makes the session of each connection.
    pub(super) session: Arc<M>,
    pub(super) on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
    pub(super) lifecycle: Lifecycle,
    pub(super) count: Arc<AtomicUsize>,
}

impl<M> Connections<M> {
    /// Drives a connection to its end, and closes it when the server closes.
    pub(super) fn serve<T, S>(&self, transport: T, peer: Peer) -> impl Future<Output = ()> + Send + use<M, T, S>
    where
        M: Fn(&Peer) -> S + Send + Sync + 'static,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        S: IntoSession,
    {
        let counted = Counted::new(&self.count);
        let (session, builder) = (Arc::clone(&self.session), self.builder.clone());
        let (on_connection, lifecycle) = (Arc::clone(&self.on_connection), self.lifecycle.clone());
        // What the user's closures do happens in the task: a panic of theirs costs one connection.
        async move {
            let _counted = counted;
            if let Some((connection, driver)) = set_up(&*session, &*on_connection, builder, transport, peer) {
                drive(connection, driver, &lifecycle).await;
            }
        }
    }
}

/// Runs the user's closures for a connection. `None` when one panics.
fn set_up<T, S>(
    session: impl Fn(&Peer) -> S,
    on_connection: &dyn Fn(Connection),
    builder: Builder,
    transport: T,
    peer: Peer,
) -> Option<(Connection, Driver)>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: IntoSession,
{
    install_hook();
    let (events, from) = (Arc::clone(builder.events()), peer.clone());
    let begun = caught(AssertUnwindSafe(|| {
        let (connection, driver) = session(&peer).into_session().set_up(builder).build(transport, peer);
        on_connection(connection.clone());
        (connection, driver)
    }));
    begun
        .inspect_err(|panic| {
            events.tell(EventKind::PANIC, |omitted| {
                tracing::warn!(peer = %from, omitted, %panic, "a connection cannot begin: a server's closure panicked");
            });
        })
        .ok()
}

async fn drive(connection: Connection, mut driver: Driver, lifecycle: &Lifecycle) {
    let mut closing = pin!(lifecycle.reached(Stage::Closing));
    let is_closing = poll_fn(|cx| match closing.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(true),
        Poll::Pending => Pin::new(&mut driver).poll(cx).map(|_| false),
    });
    if is_closing.await {
        connection.close();
        driver.await;
    }
}

/// Counts a connection until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
