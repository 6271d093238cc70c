//! How a multiplexer is attached to its connection, and gets the commands that are received there.

use std::sync::Arc;

use amp_core::schema::CommandDeclaration;
use amp_core::{Ask, Command, Connection, Context, Exposable, Located, Locator};

use crate::commands::{Connect, ConnectRefusal, Connected, Disconnect, ExtraKey, Id, Transmit};
use crate::error::StreamError;
use crate::multiplexer::Multiplexer;
use crate::receive;

impl Multiplexer {
    /// Belongs to `connection` from now on, unless it belongs to another: ids of one connection mean nothing on another.
    fn attach(&self, connection: &Connection) -> bool {
        let first = self.shared().attachment().attach(connection);
        if first {
            self.shared().note_runtime(connection);
            let streams = Arc::downgrade(self.shared());
            connection.on_end(move |reason| {
                if let Some(streams) = streams.upgrade() {
                    for stream in streams.end(reason) {
                        stream.fail(StreamError::Connection(reason.clone()));
                    }
                }
            });
        }
        first
    }

    /// A command of somebody else's, or of a second connection that got the same multiplexer.
    fn not_ours(&self, ask: Ask) -> Located {
        if !(ask.is::<Connect>() && self.shared().attachment().is_attached() && ask.wants_answer()) {
            return Located::Unknown(ask);
        }
        if let Some((_, answer)) = ask.accept::<Connect>() {
            let reason = "its multiplexer belongs to another connection".to_owned();
            answer.send(Err(ConnectRefusal::ConnectionRefused(reason).into()));
        }
        Located::Answered
    }
}

impl Locator for Multiplexer {
    fn locate(&self, ask: Ask) -> Located {
        let streams = self.shared();
        if !self.at_once(&ask) {
            return self.not_ours(ask);
        }
        if ask.is::<Transmit>() {
            if let Some((command, ack)) = ask.accept() {
                receive::transmit(streams, command, ack);
            }
        } else if ask.is::<Disconnect>() {
            if let Some((command, answer)) = ask.accept() {
                receive::disconnect(streams, &command, answer);
            }
        } else if !ask.wants_answer() {
            // A stream whose id nobody would learn. An ask that is dropped is a failure: this one has its answer, which goes
            // nowhere.
            tracing::warn!(peer = %ask.peer(), "a Connect that wants no answer opens nothing");
            if let Some((_, answer)) = ask.accept::<Connect>() {
                let (half_close, keeps) = (ExtraKey(None), ExtraKey(None));
                answer.send(Ok(Connected { connection: Id::random(), half_close, keeps }));
            }
        } else if let (Ok(connection), Some((command, answer))) = (ask.exposed(), ask.accept()) {
            receive::connect(streams, self.factories(), connection, &command, answer);
        }
        Located::Answered
    }

    /// Streams bound themselves, and an error in answer to their bytes would be the end of an old peer's connection.
    fn at_once(&self, ask: &Ask) -> bool {
        if !(ask.is::<Transmit>() || ask.is::<Disconnect>() || ask.is::<Connect>()) {
            return false;
        }
        if !self.shared().attachment().is_attached() {
            self.begin(ask.context());
        }
        self.shared().attachment().received(ask)
    }

    fn begin(&self, context: &dyn Context) {
        let Ok(connection) = Connection::expose(context) else { return };
        if Self::of(&connection).is_some() {
            tracing::warn!(peer = %connection.peer(), "a connection takes one multiplexer; the second has no streams");
        } else if self.attach(&connection) {
            connection.set_state(self.clone());
        } else {
            tracing::warn!(peer = %connection.peer(), "no streams: each connection needs a multiplexer of its own");
        }
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Connect::DECLARATION, Transmit::DECLARATION, Disconnect::DECLARATION]
    }
}
