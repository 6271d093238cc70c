use std::sync::{Arc, MutexGuard};

use amp_core::{Answer, Connection};

use super::House;
use crate::commands::{Connect, ConnectRefusal, Connected, Id, Ours};
use crate::error::{ConnectError, StreamError};
use crate::factory::Opening;
use crate::link::{Capable, Link, Place, Receipt};
use crate::machine::{Connecting, Ended, Registry};
use crate::stream::Stream;

/// How streams begin.
impl House {
    /// The peer wants a stream.
    pub(crate) fn connect_asked(self: &Arc<Self>, connection: Connection, ask: &Connect, answer: Answer<Connect>) {
        let refuse = |answer: Answer<Connect>, refusal: ConnectRefusal| answer.send(Err(refusal.into()));
        self.enter(&connection);
        let peer = Capable { half_close: ask.half_close.0 == Some(true), keeps: ask.keeps.0 };
        self.registry().meet(peer.half_close);
        let Some(factory) = self.factories.find(&ask.factory) else {
            return refuse(answer, ConnectRefusal::NoSuchFactory(String::new()));
        };
        if connection.is_closed() {
            return refuse(answer, ConnectRefusal::ConnectionRefused("the connection closes".to_owned()));
        }
        if !self.registry().reserve(self.alive()) {
            let limit = self.settings.most_streams;
            tracing::warn!(peer = %connection.peer(), limit, "refused a stream; see `StreamSettings::most_streams`");
            return refuse(answer, ConnectRefusal::ConnectionRefused("too many streams".to_owned()));
        }
        factory.open(Opening::new(Arc::clone(self), connection, &ask.factory, peer, answer));
    }

    /// A stream that the peer asked for is wanted here too.
    pub(crate) fn accepted(self: &Arc<Self>, connection: Connection, peer: Capable, answer: Answer<Connect>) -> Stream {
        let id = Id::random();
        let link = Link::new(id.clone(), self, &connection, &peer);
        let mut registry = self.registry();
        registry.unreserve();
        self.admit(registry, &link);
        // The answer goes first: an old peer does not know bytes whose Connect is not answered.
        let Capable { half_close, keeps } = self.capable();
        let half_close = (half_close && peer.half_close).then_some(true);
        let keeps = keeps.filter(|_| half_close.is_some());
        answer.send(Ok(Connected { connection: id, half_close: Ours(half_close), keeps: Ours(keeps) }));
        Stream::new(link, connection)
    }

    /// Takes a stream in whose id is free, unless the connection has ended.
    fn admit(&self, mut registry: MutexGuard<'_, Registry<Arc<Link>, Receipt>>, link: &Arc<Link>) {
        if let Some(reason) = self.ended() {
            drop(registry);
            link.fail(StreamError::Connection(reason));
        } else {
            registry.insert(link.id.clone(), Arc::clone(link));
        }
    }

    /// A stream that we asked for is wanted at the peer too.
    pub(crate) fn connected(
        self: &Arc<Self>,
        connect: Connecting,
        connection: Connection,
        answer: &Connected,
    ) -> Result<Stream, ConnectError> {
        self.enter(&connection);
        let id = &answer.connection;
        if let Err(error) = self.usable(id) {
            self.unwanted(connect, answer);
            return Err(error);
        }
        let peer = Capable { half_close: answer.half_close.0 == Some(true), keeps: answer.keeps.0 };
        let link = Link::new(id.clone(), self, &connection, &peer);
        let mut registry = self.registry();
        registry.meet(peer.half_close);
        let (early, lost) = registry.connected(connect, Some(id));
        if registry.has(id) {
            drop(registry);
            self.settle(early.receipts().chain(lost));
            // To end it would end the other.
            return Err(ConnectError::Unsupported("it gave one id to two streams".to_owned()));
        }
        let (mut inner, overrun) = (link.lock(), early.overrun);
        for (data, receipt) in early.data {
            inner.state.keep(data, receipt);
        }
        self.received.change(0, inner.state.buffered());
        // Its end says nothing about what was lost before.
        if overrun {
            inner.overrun();
        }
        let gone = early.ended.is_some_and(|ended| ended > Ended::Half || !peer.half_close);
        if let Some(ended) = early.ended {
            inner.end(ended);
        }
        drop(inner);
        // A stream that is over before it began needs no entry.
        if gone {
            drop(registry);
        } else if overrun {
            registry.leave(id, |_| false);
            drop(registry);
        } else {
            self.admit(registry, &link);
        }
        self.settle(lost);
        if overrun && !gone {
            Self::tell_overrun(&link, true);
        }
        Ok(Stream::new(link, connection))
    }

    /// Whether a stream can have an id that the peer chose.
    fn usable(&self, id: &Id) -> Result<(), ConnectError> {
        if id.is_empty() {
            // Some peers cannot even be sent an empty value (`wire.md` section 5).
            return Err(ConnectError::Unsupported("it gave the stream an empty id".to_owned()));
        }
        if id.held() > self.received.tolerated(0) {
            return Err(ConnectError::Unsupported(
                "the ids of its streams are too long for `most_received`".to_owned(),
            ));
        }
        Ok(())
    }

    /// A Connect of ours ended without a stream.
    pub(crate) fn not_connected(&self, connect: Connecting) {
        let (_, lost) = self.registry().connected(connect, None);
        self.settle(lost);
    }

    /// A Connect of ours was answered, and nobody wants the stream any more, or can use it: the peer is told.
    pub(crate) fn unwanted(self: &Arc<Self>, connect: Connecting, answer: &Connected) {
        let (id, half_close) = (&answer.connection, answer.half_close.0 == Some(true));
        let mut registry = self.registry();
        registry.meet(half_close);
        let (early, lost) = registry.connected(connect, Some(id));
        let gone = early.ended.is_some_and(|ended| ended > Ended::Half || !half_close);
        if registry.has(id) {
            // It gave one id to two streams: the other goes on.
            drop(registry);
            return self.settle(early.receipts().chain(lost));
        }
        if !gone {
            registry.leave(id, |_| false);
        }
        drop(registry);
        self.settle(early.receipts().chain(lost));
        if !gone {
            // Nobody has said that nothing was to be written.
            self.say_goodbye(id.clone(), Place::new(self, id), half_close);
        }
    }
}
