use std::fmt;
use std::iter::from_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::vec::Drain;

use super::failure::Failure;
use super::reply::take_reply;
use crate::call_error::Reply;
use crate::command::Command;
use crate::events::{EventKind, Events};
use crate::packet::ReplyPacket;
use crate::panics::caught;
use crate::proto::SinkReply;
use crate::wire::BoxLimits;

/// Receives the replies to commands that were sent by a [`Sender`](crate::extension::Sender).
pub trait ReplySink: Send + Sync + 'static {
    /// Receives replies that arrived together, in the order of arrival. Each command that was sent with this sink has one, also
    /// when the connection ends before it is answered: then all of them are delivered in the order of sending, and before
    /// [`on_end`](crate::Connection::on_end).
    ///
    /// It runs on the connection's reader, under no lock of the connection, and must not block. Replies are delivered before
    /// boxes behind them are handled, but a call whose answer came in the same read may return earlier on another thread;
    /// [`Sender::is_awaited`](crate::extension::Sender::is_awaited) tells whether that may be the case.
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>);
}

/// Names a command that was sent by a [`Sender`](crate::extension::Sender). Later tags are greater; none is used twice on a
/// connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentTag(pub(super) u64);

/// The reply to a command that was sent by a [`Sender`](crate::extension::Sender).
pub struct Delivery {
    tag: SentTag,
    reply: Result<ReplyPacket, Failure>,
    limits: BoxLimits,
}

impl Delivery {
    #[inline]
    pub(super) fn new(tag: u64, reply: Result<ReplyPacket, Failure>, limits: &BoxLimits) -> Self {
        Self { tag: SentTag(tag), reply, limits: *limits }
    }

    /// The tag of the command.
    #[must_use]
    pub fn tag(&self) -> SentTag {
        self.tag
    }

    /// Returns the reply, if the command was a `C`. Its values see no [context](crate::value::RawValue::context).
    ///
    /// # Errors
    /// As those of a call without a time limit.
    pub fn into_reply<C: Command>(self) -> Reply<C> {
        let reply = self.reply.map_err(Failure::into_call_error::<C::Errors>)?;
        take_reply(&reply, &self.limits, None)
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// Hands replies to their sinks, consecutive ones for one sink together. Never under a lock: a sink takes its own.
pub(super) fn hand_over<R>(
    mut replies: Drain<'_, SinkReply<Arc<dyn ReplySink>, R>>,
    delivery: impl Fn(u64, R) -> Delivery,
    events: &Events,
) {
    while let Some(first) = replies.as_slice().first() {
        let (sink, before) = (Arc::clone(&first.sink), replies.len());
        let mut together = from_fn(|| {
            let is_next = replies.as_slice().first().is_some_and(|next| Arc::ptr_eq(&next.sink, &sink));
            if is_next { replies.next().map(|SinkReply { tag, reply, .. }| delivery(tag, reply)) } else { None }
        });
        let delivered = caught(AssertUnwindSafe(|| Arc::clone(&sink).deliver(&mut together)));
        if replies.len() == before {
            // A sink that takes none must not be called for ever: one reply is dropped each time.
            replies.next();
        }
        // This may drop the last reference, and a sink that panicked may panic again when it is dropped.
        let dropped = caught(AssertUnwindSafe(|| drop(sink)));
        if let Err(panic) = delivered.and(dropped) {
            events.tell(EventKind::PANIC, |peer, omitted| {
                tracing::warn!(%peer, omitted, %panic, "a sink of replies panicked");
            });
        }
    }
}
