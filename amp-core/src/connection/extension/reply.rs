use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::call_error::Reply;
use crate::command::Command;
use crate::connection::context::Decoding;
use crate::connection::exchange::{abandon, poll_answer};
use crate::connection::failure::Failure;
use crate::connection::handle::Connection;
use crate::connection::reply::take_reply;

/// The future reply to a command that asks for another transport (see [`Upgrade`](super::Upgrade)). It keeps no connection open.
///
/// # Cancel safety
/// Dropping it discards the reply.
///
/// # Panics
/// If it is polled again after it has returned its result, like any future of an `async fn`.
#[must_use = "the reply tells what became of the command"]
pub struct PendingReply<C: Command> {
    connection: Connection,
    /// Set until the answer is taken.
    tag: Option<u64>,
    command: PhantomData<fn() -> C>,
}

impl<C: Command> PendingReply<C> {
    pub(super) fn new(connection: Connection, tag: Option<u64>) -> Self {
        Self { connection, tag, command: PhantomData }
    }
}

impl<C: Command> Future for PendingReply<C> {
    type Output = Reply<C>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let shared = &self.connection.shared;
        let Some(tag) = self.tag else { panic!("`PendingReply` polled after completion") };
        let answer = ready!(poll_answer(shared, tag, cx));
        self.tag = None;
        let (decoding, limits) = (Decoding(&self.connection), self.connection.settings().boxes);
        let take = |reply| take_reply(&reply, &limits, Some(&decoding.context()));
        Poll::Ready(answer.map_err(Failure::into_call_error).and_then(take))
    }
}

impl<C: Command> Drop for PendingReply<C> {
    fn drop(&mut self) {
        if let Some(tag) = self.tag {
            abandon(&self.connection.shared, tag);
        }
    }
}

impl<C: Command> fmt::Debug for PendingReply<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingReply").field("command", &C::NAME).finish_non_exhaustive()
    }
}
