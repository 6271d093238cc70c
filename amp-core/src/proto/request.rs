use std::time::Instant;

use super::admission::Lane;
use super::waiter::Waiter;
use crate::packet::ReplyPacket;

/// How an admitted ask is appended, and where its answer goes.
pub(crate) struct Request<'a, W: Waiter> {
    pub(crate) lane: Lane,
    pub(crate) wants_answer: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) reply_to: ReplyTo<'a, W>,
}

/// Destination of an answer.
pub(crate) enum ReplyTo<'a, W: Waiter> {
    /// It wakes the waiter, which takes it.
    Waiter(&'a W),
    /// It is handed to the sink. Such an ask takes no place among the calls, and has no deadline.
    Sink(&'a W::Sink),
}

/// A reply that is to be handed to its sink, or the notice that it is [lost](Lost).
pub(crate) struct SinkReply<S, R = ReplyPacket> {
    pub(crate) sink: S,
    pub(crate) tag: u64,
    pub(crate) reply: R,
}

/// A reply that will not arrive: the connection has ended.
pub(crate) struct Lost {
    /// The peer may have the ask.
    pub(crate) sent: bool,
}
