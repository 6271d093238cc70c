use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::task::Waker;

use super::reply::PendingReply;
use crate::call_error::CallError;
use crate::command::Command;
use crate::connection::any_transport::BoxedTransport;
use crate::connection::failure::Failure;
use crate::connection::handle::Connection;
use crate::connection::replacement::{PreviousTransport, Replacement};
use crate::connection::shared::Shared;
use crate::error::codes;
use crate::events::EventKind;
use crate::exposed::ContextRef;
use crate::panics::drop_caught;
use crate::proto::{Lane, Outgoing, ReplyTo, Request};
use crate::responder::{Answer, Ask};
use crate::value::EncodeErrorKind;

/// The replacement of a connection's transport at the end that is asked for it, as for `StartTLS` or the switch to another
/// protocol.
///
/// It [begins](Self::begin) while the ask is handled: the peer's bytes behind the ask belong to the new transport, and are not
/// read as boxes. With the [answer](Self::accept) comes a barrier: only the new transport writes behind it. When everything up to
/// the answer is written and flushed, the replacement runs: it takes the old transport and returns the new one. Then reading and
/// writing continue, beginning with the bytes that were queued meanwhile.
///
/// While its transport is replaced, the connection can be closed and aborted and keeps its time limits, and it ends when the
/// replacement takes longer than [`handshake_timeout`](crate::Settings::handshake_timeout). A connection that closes waits for
/// the replacement up to [`close_timeout`](crate::Settings::close_timeout). When it ends before the new transport is there, the
/// replacement and the old transport are dropped. Bytes behind the barrier never go out in the old transport. The reason of the
/// end is sent to the peer only in front of the box that the barrier is behind, and no more once that box has left.
///
/// # Two ends that ask at the same time
/// Neither end writes behind its own ask before that is answered. The only exception is an error for the peer's ask: a peer that
/// waits for this answer replaces nothing meanwhile, and reads the error as a box. This holds for asks that were passed to
/// [`begin`](Self::begin) or [`refuse`](Self::refuse), which a handler must therefore call first.
///
/// Every other answer waits: the peer may accept this end's ask, and its new transport would read the answer. So two ends wait for
/// each other when they ask at the same time by commands that the other end does not know, until
/// [`handshake_timeout`](crate::Settings::handshake_timeout) is over and the connection ends.
///
/// # Cancel safety
/// Dropping it keeps the transport, and reading goes on. The ask needs another answer then.
#[doc(alias("ProtocolSwitchCommand", "StartTLS"))]
pub struct Upgrade {
    shared: Arc<Shared>,
    is_accepted: bool,
}

impl Upgrade {
    /// Stops reading behind the ask that the handler of an extension settles now. Returns `None` when another replacement is in
    /// progress, because this end has asked, too, or has not answered an earlier ask: then answer with [`refuse`](Self::refuse).
    ///
    /// From now on the ask is known to be one for another transport: any error that answers it takes the place of an error of
    /// [`refuse`](Self::refuse), also when its arguments do not decode, and when it is dropped or the handler panics.
    ///
    /// Outside [`Handler::handle`](super::Handler::handle) it is too late: bytes behind the ask may have been read.
    #[must_use = "reading goes on when it is dropped"]
    pub fn begin(connection: &Connection, ask: &mut Ask) -> Option<Self> {
        ask.begin_upgrade();
        let shared = &connection.shared;
        let begins = shared.lock().transport().stop_reading();
        begins.then(|| {
            shared.inbound.stop_reading();
            Self { shared: Arc::clone(shared), is_accepted: false }
        })
    }

    /// Refuses an ask because another replacement is in progress. While this end's own ask has no answer, the error goes before
    /// the barrier: two ends that ask each other at the same time both have an answer, and keep the transport.
    ///
    /// A late refusal takes its place behind the boxes that were sent before it. Once both ends have agreed to replace the
    /// transport, that place is in the new one.
    pub fn refuse(ask: Ask) {
        ask.refuse_upgrade(codes::BUSY, "The transport is being replaced already; try again later");
    }

    /// Answers the ask, with a barrier behind the answer, and replaces the transport there. When the response cannot be sent, or its
    /// `encode` panics, the ask is answered with an error, and the transport stays. It stays, too, when the ask wants no answer
    /// (`wire.md`, section 2.7), or when it came over another connection, where it is answered with
    /// [`UNKNOWN`](crate::error::codes::UNKNOWN).
    ///
    /// `replace` runs in the connection's driver and must not block. An error that it returns ends the connection, as
    /// [`CloseReason::Io`](crate::CloseReason::Io) or with the reason that it [holds](io::Error::other).
    pub fn accept<C, R>(
        mut self,
        answer: Answer<C>,
        response: &C::Response,
        replace: impl FnOnce(PreviousTransport) -> R + Send + 'static,
    ) where
        C: Command,
        R: Future<Output = io::Result<BoxedTransport>> + Send + 'static,
    {
        let shared = &self.shared;
        if !answer.is_of(Arc::as_ptr(shared).cast()) {
            shared.events.tell(EventKind::WRONG_UPGRADE, |peer, omitted| {
                tracing::warn!(%peer, omitted, "an upgrade was accepted with the answer to another connection's ask");
            });
            return;
        }
        shared.replacement.set(boxed(replace));
        self.is_accepted = answer.accept_upgrade(response);
        // A connection that is over replaces nothing, and must not be kept alive by objects that the replacement holds.
        if shared.over().is_some() {
            drop_caught(shared.replacement.take());
        }
    }

    /// Asks the peer for another transport, with a barrier behind the ask. When the peer answers with a response, nothing behind
    /// that is read as boxes, and `replace` runs as with [`accept`](Self::accept). When it answers with an error, the transport
    /// stays.
    ///
    /// Nothing that is queued behind the ask goes out before the peer has answered; when the peer does not answer within
    /// [`handshake_timeout`](crate::Settings::handshake_timeout), the connection ends. Dropping the reply does not cancel the
    /// ask.
    ///
    /// # Errors
    /// If the command cannot be sent, because its arguments are not valid, the connection closes, or another replacement is in
    /// progress.
    pub fn ask<C, R>(
        connection: &Connection,
        command: &C,
        replace: impl FnOnce(PreviousTransport) -> R + Send + 'static,
    ) -> Result<PendingReply<C>, CallError<C::Errors>>
    where
        C: Command,
        R: Future<Output = io::Result<BoxedTransport>> + Send + 'static,
    {
        let tag = ask(&connection.shared, command, boxed(replace)).map_err(Failure::into_call_error)?;
        Ok(PendingReply::new(connection.passive(), tag))
    }
}

impl Drop for Upgrade {
    fn drop(&mut self) {
        if !self.is_accepted {
            self.shared.keep_transport();
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").finish_non_exhaustive()
    }
}

/// Not generic over the command, so that it is compiled once.
fn ask(shared: &Shared, ask: &dyn Outgoing, replacement: Replacement) -> Result<Option<u64>, Failure> {
    ask.check().map_err(Failure::Invalid)?;
    let context = shared.encoding_context();
    let mut state = shared.lock();
    if let Some(reason) = state.refusal(false) {
        return Err(Failure::Connection { reason, sent: false });
    }
    if !state.upgrade().is_none() {
        let words = "the transport is being replaced already".to_owned();
        return Err(Failure::Invalid(EncodeErrorKind::Custom(words).into()));
    }
    let reply_to = ReplyTo::Waiter(Waker::noop());
    let request = Request { lane: Lane::Callback, wants_answer: true, deadline: None, reply_to };
    let (tag, driver) =
        state.transport().ask(ask, &request, Some(ContextRef::new(&context))).map_err(Failure::Invalid)?;
    // Under the lock: the driver may run it as soon as that is free.
    shared.replacement.set(replacement);
    shared.appended(state, driver);
    Ok(tag)
}

fn boxed<R>(replace: impl FnOnce(PreviousTransport) -> R + Send + 'static) -> Replacement
where
    R: Future<Output = io::Result<BoxedTransport>> + Send + 'static,
{
    Box::new(move |previous| Box::pin(replace(previous)))
}
