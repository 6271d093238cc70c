//! Opens streams, from either end.

use std::sync::{Arc, MutexGuard};

use amp_core::Connection;
use amp_core::connection::Call;
use amp_core::extension::CallExt;
use amp_core::locator::Answer;
use bytes::Bytes;

use crate::acknowledge::Ack;
use crate::commands::{Connect, Connected, ExtraKey, Id};
use crate::error::{ConnectError, StreamError};
use crate::limit::Place;
use crate::machine::{ConnectId, Registry, RemoteClose};
use crate::peer_features::PeerFeatures;
use crate::stream::{Shared, Stream, Streams, tell_closed};
use crate::streams::Permit;

/// Accepts a stream that the peer has asked for.
pub(crate) fn accept(
    streams: &Arc<Streams>,
    connection: Connection,
    peer: PeerFeatures,
    answer: Answer<Connect>,
    place: Option<Box<Place>>,
) -> Stream {
    let id = Id::random();
    let shared = Shared::new(id.clone(), streams, &connection, &peer);
    let mut registry = streams.registry();
    registry.end_accepting();
    insert(streams, registry, &shared);
    // The answer goes first: a txampext peer does not accept bytes of a stream whose Connect is not answered.
    let PeerFeatures { half_close, max_buffered } = streams.features();
    let half_close = (half_close && peer.half_close).then_some(true);
    let keeps = max_buffered.filter(|_| half_close.is_some());
    answer.send(Ok(Connected { connection: id, half_close: ExtraKey(half_close), keeps: ExtraKey(keeps) }));
    Stream::accepted(shared, connection, place)
}

/// Opens a stream to a factory of the peer.
pub(crate) async fn connect(streams: &Arc<Streams>, factory: &[u8]) -> Result<Stream, ConnectError> {
    let connection = streams.connection()?;
    streams.note_runtime(&connection);
    let Some(number) = streams.registry().send_connect(streams.permits()) else {
        return Err(ConnectError::TooManyStreams { limit: streams.settings().max_streams });
    };
    let (limit, features) = (connection.settings().call_timeout, streams.features());
    let connect = Connect {
        factory: Bytes::copy_from_slice(factory),
        half_close: ExtraKey(Some(features.half_close)),
        keeps: ExtraKey(features.max_buffered),
    };
    // A call that has timed out loses its answer; this one must see a stream that the peer opens late.
    let call = connection.call(connect).no_timeout();
    // The connection has a timer, wherever this is polled.
    let timer = limit.map(|limit| connection.timer(limit));
    let mut pending = PendingConnect { streams, number, factory, call: Some((call, connection)) };
    let Some(timer) = timer else { return pending.answer().await };
    tokio::select! {
        biased;
        answer = pending.answer() => answer,
        time = timer => Err(time.map_or_else(ConnectError::Connection, |()| ConnectError::Timeout)),
    }
}

/// An outstanding Connect. Dropped before it is answered, it has the unwanted stream closed.
struct PendingConnect<'a> {
    streams: &'a Arc<Streams>,
    number: ConnectId,
    factory: &'a [u8],
    call: Option<(Call<Connect>, Connection)>,
}

impl PendingConnect<'_> {
    async fn answer(&mut self) -> Result<Stream, ConnectError> {
        let answer = match &mut self.call {
            Some((call, _)) => call.await,
            None => std::future::pending().await,
        };
        match (answer, self.call.take()) {
            (Ok(connected), Some((_, connection))) => open(self.streams, self.number, connection, &connected),
            (Ok(_), None) => std::future::pending().await,
            (Err(error), _) => {
                not_opened(self.streams, self.number);
                Err(ConnectError::of(error, self.factory))
            }
        }
    }
}

impl Drop for PendingConnect<'_> {
    fn drop(&mut self) {
        let (streams, number) = (Arc::clone(self.streams), self.number);
        match self.call.take() {
            None => {}
            Some((call, _)) if !call.is_sent() => not_opened(&streams, number),
            Some((call, connection)) => {
                streams.note_runtime(&connection);
                streams.registry().abandon_connect(number);
                let call = call.weak();
                drop(connection);
                self.streams.spawn(async move {
                    match call.await {
                        Ok(connected) => close_unwanted(&streams, number, &connected),
                        Err(_) => not_opened(&streams, number),
                    }
                });
            }
        }
    }
}

/// A Connect of this end was accepted.
fn open(
    streams: &Arc<Streams>,
    connect: ConnectId,
    connection: Connection,
    answer: &Connected,
) -> Result<Stream, ConnectError> {
    streams.note_runtime(&connection);
    let id = &answer.connection;
    if let Err(error) = check_id(streams, id) {
        close_unwanted(streams, connect, answer);
        return Err(error);
    }
    let peer = PeerFeatures::new(answer.half_close.0, answer.keeps.0);
    let shared = Shared::new(id.clone(), streams, &connection, &peer);
    let mut registry = streams.registry();
    registry.recv_announcement(peer.half_close);
    let (early, unclaimed) = registry.end_connect(connect, Some(id));
    let reason = streams.end_reason();
    if reason.is_none() && !registry.insert(id.clone(), Arc::clone(&shared)) {
        drop(registry);
        streams.answer_unknown(early.acks().chain(unclaimed));
        // Closing it would close the other stream.
        return Err(ConnectError::Unsupported("it gave one id to two streams".to_owned()));
    }
    let (mut inner, overrun) = (shared.lock(), early.overrun);
    for (data, ack) in early.data {
        inner.machine.receive_early(data, ack);
    }
    streams.received().change(0, inner.machine.buffered());
    // The kind of the peer's close does not tell what was lost before.
    if overrun {
        inner.fail(StreamError::Overrun);
    }
    let is_closed = early.close.is_some_and(|close| closes_both(close, &peer));
    if let Some(close) = early.close {
        inner.recv_close(close);
    }
    drop(inner);
    if is_closed {
        // The stream needs no entry.
        let entry = registry.remove(id, |_| true);
        drop(registry);
        drop(entry);
        shared.leave();
    } else if overrun {
        let entry = registry.close(id, |_| true);
        drop(registry);
        drop(entry);
    } else {
        drop(registry);
        if let Some(reason) = reason {
            shared.end(&reason);
        }
    }
    streams.answer_unknown(unclaimed);
    if overrun && !is_closed {
        shared.close_overrun(true);
    }
    Ok(Stream::opened(shared, connection))
}

/// A Connect of this end has ended without a stream.
fn not_opened(streams: &Streams, connect: ConnectId) {
    let (_, unclaimed) = streams.registry().end_connect(connect, None);
    streams.answer_unknown(unclaimed);
}

/// A Connect of this end was accepted, but the stream is not wanted any more, or unusable: this closes it at the peer.
fn close_unwanted(streams: &Arc<Streams>, connect: ConnectId, answer: &Connected) {
    let (id, peer) = (&answer.connection, PeerFeatures::new(answer.half_close.0, answer.keeps.0));
    let mut registry = streams.registry();
    registry.recv_announcement(peer.half_close);
    let (early, unclaimed) = registry.end_connect(connect, Some(id));
    let is_closed = early.close.is_some_and(|close| closes_both(close, &peer));
    // If the peer gave one id to two streams, the other one stays open.
    let tells = !registry.has(id) && !is_closed;
    if tells {
        registry.close(id, |_| false);
    }
    drop(registry);
    streams.answer_unknown(early.acks().chain(unclaimed));
    if tells {
        // The user has not said that nothing was to be written.
        tell_closed(streams, id.clone(), Permit::new(streams, id), peer.half_close, |_, _| ());
    }
}

/// Inserts a stream whose id is free, unless the connection has ended.
fn insert(streams: &Streams, mut registry: MutexGuard<'_, Registry<Arc<Shared>, Ack>>, shared: &Arc<Shared>) {
    if let Some(reason) = streams.end_reason() {
        drop(registry);
        shared.end(&reason);
    } else {
        registry.insert(shared.id().clone(), Arc::clone(shared));
    }
}

/// Whether a stream can have an id that the peer chose.
fn check_id(streams: &Streams, id: &Id) -> Result<(), ConnectError> {
    if id.is_empty() {
        // Some peers cannot even be sent an empty value (`wire.md` section 5).
        return Err(ConnectError::Unsupported("it gave the stream an empty id".to_owned()));
    }
    if id.held() > streams.received().tolerated(0) {
        return Err(ConnectError::Unsupported("the ids of its streams are too long for `max_received`".to_owned()));
    }
    Ok(())
}

/// Whether the peer, after it has sent this, knows that the stream is closed in both directions.
fn closes_both(close: RemoteClose, peer: &PeerFeatures) -> bool {
    close > RemoteClose::Half || !peer.half_close
}
