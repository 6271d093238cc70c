use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::context::Decoding;
use super::exchange::Exchange;
use super::failure::Failure;
use super::handle::Connection;
use super::reply::take_reply;
use crate::call_error::{CallError, Reply};
use crate::command::{Command, take_checked};
use crate::value::BoxReader;
use crate::wire::RawBox;

/// A call to the peer: sent when first polled, complete when the answer is here.
///
/// # Cancel safety
/// Dropping it before it was polled sends nothing. Dropping it later discards the answer when it arrives. The command runs at the
/// peer all the same as long as the connection lives (closing does not wait for it), because AMP has no way to cancel it, and its
/// place among [`max_calls`](crate::Settings::max_calls) is free again when the answer has arrived. A call that waits for a place
/// and is neither polled nor dropped keeps all later calls waiting.
///
/// # Panics
/// If it is polled again after it has returned its result, like any future of an `async fn`.
#[must_use = "a call is sent when it is awaited"]
pub struct Call<C: Command> {
    exchange: Exchange<C>,
}

impl<C: Command> Call<C> {
    pub(super) fn new(connection: Connection, command: C) -> Self {
        Self { exchange: Exchange::new(connection, command, C::ANSWERED) }
    }

    /// A call that has a tag also where the command [wants no answer](Command::ANSWERED), so that its failure is seen.
    #[cfg(feature = "testing")]
    pub(crate) fn tagged(connection: Connection, command: C) -> Self {
        Self { exchange: Exchange::new(connection, command, true) }
    }

    pub(super) fn exchange_mut(&mut self) -> &mut Exchange<C> {
        &mut self.exchange
    }

    /// The time limit, or `None` for none.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.exchange.set_timeout(timeout);
    }

    /// Fails with [`CallError::Timeout`] if the answer is not here after `timeout`, counted from the first poll.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.set_timeout(Some(timeout));
        self
    }

    /// Whether the ask is queued to be written. Before that, dropping the call means that the peer never hears of it.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.exchange.is_sent()
    }

    /// Sends the ask without waiting for its answer; the call itself waits for that.
    ///
    /// # Errors
    /// If the ask cannot be sent. The call has ended then.
    pub fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError<C::Errors>>> {
        self.exchange.poll_sent(cx).map_err(Failure::into_call_error)
    }

    /// Waits without a limit, whatever [`call_timeout`](crate::Settings::call_timeout) is.
    pub fn no_timeout(mut self) -> Self {
        self.set_timeout(None);
        self
    }
}

impl<C: Command> Future for Call<C> {
    type Output = Reply<C>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = match ready!(Pin::new(&mut self.exchange).poll(cx)) {
            Err(failure) => return Poll::Ready(Err(failure.into_call_error())),
            Ok(Some(reply)) => {
                let connection = self.exchange.connection();
                let (decoding, limits) = (Decoding(connection), &connection.settings().boxes);
                return Poll::Ready(take_reply(&reply, limits, Some(&decoding.context())));
            }
            // No answer arrives: a response whose fields are all optional is absent.
            Ok(None) => take_checked(&mut BoxReader::new(&RawBox::empty(), self.exchange.nesting())),
        };
        Poll::Ready(reply.map_err(CallError::Response))
    }
}

impl<C: Command> fmt::Debug for Call<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("command", &C::NAME).finish_non_exhaustive()
    }
}
