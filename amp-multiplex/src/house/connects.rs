use std::sync::{Arc, MutexGuard};

use amp_core::{Answer, Connection};

use super::{House, refuse};
use crate::commands::{Connect, ConnectRefusal, Connected, Id};
use crate::error::{ConnectError, StreamError};
use crate::factory::Opening;
use crate::link::{Link, Receipt, acknowledge};
use crate::machine::{Connecting, Ended, Received, Registry};
use crate::stream::Stream;

/// How streams begin.
impl House {
    /// The peer wants a stream.
    pub(crate) fn connect_asked(self: &Arc<Self>, connection: Connection, ask: Connect, answer: Answer<Connect>) {
        let refuse = |answer: Answer<Connect>, refusal: ConnectRefusal| answer.send(Err(refusal.into()));
        let Some(factory) = self.factories.find(&ask.factory) else {
            return refuse(answer, ConnectRefusal::NoSuchFactory(String::new()));
        };
        if !self.registry().reserve() {
            let limit = self.settings.most_streams;
            tracing::warn!(peer = %connection.peer(), limit, "refused a stream; see `StreamSettings::most_streams`");
            return refuse(answer, ConnectRefusal::ConnectionRefused("too many streams".to_owned()));
        }
        let half_close = ask.half_close == Some(true);
        factory.open(Opening::new(Arc::clone(self), connection, ask.factory, half_close, answer));
    }

    /// A stream that the peer asked for is wanted here too.
    pub(crate) fn accepted(
        self: &Arc<Self>,
        connection: Connection,
        half_close: bool,
        answer: Answer<Connect>,
    ) -> Stream {
        let id = Id::random();
        let link = Link::new(id, self, connection, half_close);
        let mut registry = self.registry();
        registry.unreserve();
        registry.meet(half_close);
        self.admit(registry, &link);
        // The answer goes first: an old peer does not know bytes whose Connect is not answered.
        answer.send(Ok(Connected { connection: id, half_close: half_close.then_some(true) }));
        Stream::new(link)
    }

    /// Takes a stream in, unless the connection has ended. Whether its id was free.
    fn admit(&self, mut registry: MutexGuard<'_, Registry<Arc<Link>, Receipt>>, link: &Arc<Link>) -> bool {
        if let Some(reason) = self.ended.get() {
            drop(registry);
            link.fail(StreamError::Connection(reason.clone()));
            return true;
        }
        registry.insert(link.id, Arc::clone(link)).is_ok()
    }

    /// A stream that we asked for is wanted at the peer too.
    pub(crate) fn connected(
        self: &Arc<Self>,
        connect: Connecting,
        connection: Connection,
        answer: &Connected,
    ) -> Result<Stream, ConnectError> {
        let id = answer.connection;
        let link = Link::new(id, self, connection, answer.half_close == Some(true));
        let mut registry = self.registry();
        registry.meet(link.lock().state.half_close());
        let (early, lost) = registry.connected(connect, Some(id));
        let mut dropped = Vec::new();
        let mut inner = link.lock();
        let mut overrun = early.overrun;
        for (data, receipt) in early.data {
            match inner.state.receive(data, receipt, self.received.tolerated(0)) {
                Received::Kept => {}
                Received::Dropped(receipt) => dropped.push(receipt),
                Received::Overrun(receipt) => {
                    dropped.push(receipt);
                    overrun = true;
                }
            }
        }
        self.received.change(0, inner.state.buffered());
        let gone = early.ended.is_some_and(|ended| ended == Ended::Full || !inner.state.half_close());
        if gone {
            inner.state.peer_gone();
        } else if early.ended.is_some() {
            inner.state.peer_finished();
        }
        if overrun {
            inner.overrun();
        }
        drop(inner);
        // A stream that is over before it began needs no entry.
        let admitted = if gone {
            registry.remove(id);
            drop(registry);
            true
        } else if overrun {
            registry.leave(id);
            drop(registry);
            true
        } else {
            self.admit(registry, &link)
        };
        acknowledge(dropped);
        refuse(lost);
        if !admitted {
            return Err(ConnectError::Unsupported("it gave one id to two streams".to_owned()));
        }
        if overrun && !gone {
            self.tell_overrun(&link);
        }
        Ok(Stream::new(link))
    }

    /// A Connect of ours ended without a stream.
    pub(crate) fn not_connected(&self, connect: Connecting) {
        let (_, lost) = self.registry().connected(connect, None);
        refuse(lost);
    }

    /// A Connect of ours was answered, and nobody wants the stream any more.
    pub(crate) fn unwanted(self: &Arc<Self>, connect: Connecting, connection: &Connection, answer: &Connected) {
        let (id, half_close) = (answer.connection, answer.half_close == Some(true));
        let mut registry = self.registry();
        let (early, lost) = registry.connected(connect, Some(id));
        registry.meet(half_close);
        let gone = early.ended.is_some_and(|ended| ended == Ended::Full || !half_close);
        if gone {
            registry.remove(id);
        } else {
            registry.leave(id);
        }
        drop(registry);
        acknowledge(early.data.into_iter().map(|(_, receipt)| receipt));
        refuse(lost);
        if !gone {
            self.say_goodbye(connection, id, None);
        }
    }
}
