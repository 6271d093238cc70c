use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::accept::{Lifecycle, Room};
use super::drive::drive;
use super::refusing::refuse;
use super::roster::{Admission, Place, Roster};
use super::session::{IntoSession, MakeSession, Refused};
use crate::connection::{Connection, ConnectionBuilder, Driver, NewConnection};
use crate::events::EventKind;
use crate::panics::{caught, install_hook};
use crate::peer::Peer;

/// Sets up and drives the connections of one server.
pub(super) struct Connections<M> {
    pub(super) builder: ConnectionBuilder,
    /// Makes the session of each connection.
    pub(super) session: Arc<M>,
    pub(super) on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
    pub(super) lifecycle: Lifecycle,
    pub(super) roster: Arc<Roster>,
}

impl<M> Connections<M> {
    /// Drives a connection to its end, and closes it when the server closes. Returns `None` when the connection is not even
    /// answered.
    pub(super) fn serve<T, S>(
        &self,
        transport: T,
        peer: Peer,
        room: Room,
    ) -> Option<impl Future<Output = ()> + Send + use<M, T, S>>
    where
        M: MakeSession<S>,
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        S: IntoSession,
    {
        let admission = match room {
            Room::Enough => self.roster.admit(&peer),
            Room::Scarce => self.roster.admit_scarce(&peer),
            Room::None => {
                self.roster.count_dropped();
                Admission::Dropped
            }
        };
        let (session, builder) = (Arc::clone(&self.session), self.builder.clone());
        let (on_connection, lifecycle) = (Arc::clone(&self.on_connection), self.lifecycle.clone());
        // The user's closures run in the task: a panic of theirs costs one connection.
        let (place, refusal) = match admission {
            Admission::Served(place) => (Some(place), None),
            Admission::Refused(refusal) => (None, Some(refusal)),
            Admission::Dropped => return None,
        };
        Some(async move {
            if let Some(refusal) = refusal {
                return Box::pin(refuse(transport, peer, refusal, &lifecycle, &builder)).await;
            }
            let Some(place) = place else { return };
            if let Some((connection, driver)) = set_up(&place, &*session, &*on_connection, builder, transport, peer) {
                drive(connection, driver, &lifecycle, || place.was_read()).await;
            }
        })
    }
}

/// Runs the user's closures for a connection. Returns `None` when its peer is refused, its place is already lost, or a closure
/// panics.
fn set_up<T, S>(
    place: &Place,
    session: &impl Fn(&NewConnection) -> S,
    on_connection: &dyn Fn(Connection),
    builder: ConnectionBuilder,
    transport: T,
    peer: Peer,
) -> Option<(Connection, Driver)>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    S: IntoSession,
{
    install_hook();
    let (events, from) = (Arc::clone(builder.events()), peer.clone());
    let set_up = |builder: ConnectionBuilder, new: &NewConnection| -> Result<_, Refused> {
        Ok(session(new).into_session()?.set_up(builder))
    };
    let begin = || builder.build_session(transport, peer, place.on_first_box(), set_up);
    let begun = caught(AssertUnwindSafe(|| match begin() {
        Ok((connection, driver)) => {
            if !place.attach(connection.downgrade()) {
                return None;
            }
            on_connection(connection.clone());
            Some((connection, driver))
        }
        Err(refused) => {
            place.count_refused();
            events.tell(EventKind::REFUSED_PEER, |omitted| {
                tracing::warn!(peer = %from, omitted, reason = %refused.reason(), "a peer was refused");
            });
            None
        }
    }));
    begun.unwrap_or_else(|panic| {
        events.tell(EventKind::PANIC, |omitted| {
            tracing::warn!(peer = %from, omitted, %panic, "a connection cannot begin: a server's closure panicked");
        });
        None
    })
}
