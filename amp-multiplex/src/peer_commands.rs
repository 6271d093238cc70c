//! Handles the peer's commands for streams.

use std::sync::Arc;
use std::task::Waker;

use amp_core::Connection;
use amp_core::extension::{EventKind, Events};
use amp_core::locator::Answer;
use tracing::Level;

use crate::acknowledge::{Ack, acknowledge, discard, refuse};
use crate::commands::{Connect, ConnectRefusal, Disconnect, Transmit};
use crate::factory::{Factories, Found, Opening};
use crate::machine::{Lookup, Received, RemoteClose};
use crate::peer_features::PeerFeatures;
use crate::stream::Streams;
use crate::streams::{Charge, UNCOUNTED_NAME};

const REFUSED_STREAM: EventKind = EventKind::new(Level::WARN, "streams refused");

/// The peer wants to open a stream.
pub(crate) fn connect(
    streams: &Arc<Streams>,
    factories: &Factories,
    connection: Connection,
    command: Connect,
    answer: Answer<Connect>,
) {
    let refuse = |answer: Answer<Connect>, refusal: ConnectRefusal| answer.send(Err(refusal.into()));
    streams.note_runtime(&connection);
    let peer = PeerFeatures::new(command.half_close.0, command.keeps.0);
    streams.registry().recv_announcement(peer.half_close);
    let Some(Found { factory, limit }) = factories.find(&command.factory) else {
        return refuse(answer, ConnectRefusal::NoSuchFactory(String::new()));
    };
    if connection.is_closed() {
        return refuse(answer, ConnectRefusal::ConnectionRefused("the connection closes".to_owned()));
    }
    // A short name is included in the fixed count of each stream.
    let charged = (answer.held() + command.factory.len()).saturating_sub(UNCOUNTED_NAME);
    if streams.is_memory_short() || charged > streams.received().tolerated(0) {
        return refuse(
            answer,
            ConnectRefusal::ConnectionRefused("too much memory is in use; try again later".to_owned()),
        );
    }
    let place = limit.as_ref().and_then(|limit| limit.take(streams.number())).map(Box::new);
    if let Some(limit) = limit.filter(|_| place.is_none()) {
        Events::of(&connection).tell(REFUSED_STREAM, |peer, omitted| {
            let limit = limit.max();
            tracing::warn!(%peer, omitted, limit, "a factory has too many streams; see `Factories::max_streams`");
        });
        return refuse(answer, ConnectRefusal::ConnectionRefused("too many streams to this factory".to_owned()));
    }
    // A task may go on without its stream: there are no more of these, either.
    let tasks = streams.tasks().len();
    if !streams.registry().recv_connect(streams.permits().max(tasks)) {
        let limit = streams.settings().max_streams;
        Events::of(&connection).tell(REFUSED_STREAM, |peer, omitted| {
            tracing::warn!(%peer, omitted, limit, tasks, "refused a stream; see `StreamSettings::max_streams`");
        });
        return refuse(answer, ConnectRefusal::ConnectionRefused("too many streams".to_owned()));
    }
    factory.open(Opening::new(Charge::new(streams, charged), connection, command.factory, peer, place, answer));
}

/// The peer has sent bytes.
pub(crate) fn transmit(streams: &Streams, command: Transmit, ack: Ack) {
    let Transmit { connection: id, data } = command;
    let data = if streams.received().copies(&data) { data.into_copied().into() } else { data };
    let mut registry = streams.registry();
    let stream = match registry.find(&id) {
        Lookup::Stream(stream) => Arc::clone(stream),
        Lookup::Early => {
            let kept = registry.recv_early_data(&id, data, ack);
            drop(registry);
            // An error would end a txampext peer's connection. A stream that is not whole fails when its id is known.
            return acknowledge(kept.err());
        }
        Lookup::Unknown => {
            drop(registry);
            return streams.answer_unknown([ack]);
        }
    };
    drop(registry);
    let mut inner = stream.lock();
    let before = inner.machine.buffered();
    let received = inner.machine.receive(data, ack, streams.received().tolerated(before));
    streams.received().change(before, inner.machine.buffered());
    let (overrun, half_close) = (matches!(received, Received::Overrun(_)), inner.machine.state().half_close());
    // Read now: the user may drop the stream before the peer is answered.
    let cut = !inner.machine.state().is_finished();
    let wakers = [inner.reader.take(), if overrun { inner.writer.take() } else { None }];
    drop(inner);
    wakers.into_iter().flatten().for_each(Waker::wake);
    match received {
        Received::Buffered => {}
        Received::Acknowledge(ack) => acknowledge([ack]),
        // After the peer's own close the id counts as unknown. Bytes that cross a close of this end are legitimate.
        Received::Refuse(ack) => streams.answer_unknown([ack]),
        Received::Overrun(ack) => {
            discard(half_close, [ack]);
            stream.close_overrun(cut);
        }
    }
}

/// The peer has closed a stream or its direction of it. For the close of one direction it matters whether all bytes sent before
/// have arrived: only a peer of ours asks for that, and receives an error if they have not.
pub(crate) fn disconnect(streams: &Streams, command: &Disconnect, answer: Answer<Disconnect>) {
    let id = &command.connection;
    let close = match (command.half.0, command.cut.0) {
        (Some(true), _) => RemoteClose::Half,
        (_, Some(true)) => RemoteClose::Cut,
        _ => RemoteClose::Full,
    };
    let mut registry = streams.registry();
    let received = registry.remove_if(id, |stream| {
        let mut inner = stream.lock();
        inner.recv_close(close);
        let wakers = [inner.reader.take(), inner.writer.take()];
        let is_closed = inner.machine.state().is_closed();
        ((is_closed.then(|| Arc::clone(stream)), wakers), is_closed)
    });
    let is_whole = if received.is_some() {
        true
    } else if let Lookup::Early = registry.find(id) {
        registry.recv_early_close(id, close)
    } else {
        drop(registry);
        return streams.answer_unknown([answer]);
    };
    drop(registry);
    let (closed, wakers) = received.unwrap_or_default();
    if let Some(stream) = closed {
        stream.leave();
    }
    wakers.into_iter().flatten().for_each(Waker::wake);
    if is_whole || close != RemoteClose::Half {
        answer.send(Ok(()));
    } else {
        refuse([answer]);
    }
}
