use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::call_error::CallError;
use crate::command::Command;
use crate::connection::exchange::abandon;
use crate::connection::failure::Failure;
use crate::connection::handle::Connection;
use crate::connection::queued::{append, append_attached, carrier_of, give_way};
use crate::connection::sink::{ReplySink, SentTag};
use crate::proto::{Attachment, Borrowed, Lane, ReplyTo, Request};
use crate::value::{BoxWriter, EncodeError};

/// Sends the commands of an extension, which have room of their own in the outbound buffer.
///
/// They are [uncounted](super::CallExt::uncounted) and [weak](super::CallExt::weak), have no time limit, and are not copied while
/// they wait. Each sender has one place among the waiters for room, and is served in order of arrival: one sender for each stream
/// lets streams take turns.
///
/// # Cancel safety
/// Dropping it releases the place. Commands that were sent stay sent.
pub struct Sender {
    connection: Connection,
    /// The place, while it waits.
    ticket: Option<u64>,
}

impl Sender {
    /// Returns a sender of a connection. It does not keep the connection open.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.passive(), ticket: None }
    }

    /// Sends a command. `put` writes its arguments, in the order of their keys and none that sorts before `_`; constraints are
    /// not checked. It runs under the connection's lock and must not use the connection. The command always wants an answer: the
    /// reply is handed to `sink` with the returned tag, which may happen on another thread and before this has returned.
    ///
    /// While there is no room nothing is sent. `waiter` is woken when there is, and when the connection closes. A woken sender
    /// that sends nothing blocks no other waiter. The room is 96 KiB, more beside large calls, and never more than half of
    /// [`outbound_high_water`](crate::Settings::outbound_high_water); a sender that was woken for its room has up to twice as
    /// much. The last command may exceed the room.
    ///
    /// # Errors
    /// If `put` fails or the connection has ended.
    pub fn poll_send<C: Command>(
        &mut self,
        waiter: &Waker,
        sink: &Arc<dyn ReplySink>,
        put: impl Fn(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
    ) -> Poll<Result<SentTag, CallError<C::Errors>>> {
        self.poll_send_attached::<C>(waiter, sink, put, &mut Vec::new())
    }

    /// Sends a command as [`poll_send`](Self::poll_send) does, with attachments that the transport carries with the first byte of
    /// its box. They are taken when the command is sent, and stay in place while there is no room and after an error.
    ///
    /// # Errors
    /// As [`poll_send`](Self::poll_send). [`CallError::Invalid`] if the transport does not carry the attachments, or is being
    /// replaced.
    pub fn poll_send_attached<C: Command>(
        &mut self,
        waiter: &Waker,
        sink: &Arc<dyn ReplySink>,
        put: impl Fn(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
        attachments: &mut Vec<Attachment>,
    ) -> Poll<Result<SentTag, CallError<C::Errors>>> {
        let shared = &self.connection.shared;
        // The check may use the connection.
        let carrier = if attachments.is_empty() { None } else { carrier_of(shared, attachments) };
        let mut state = shared.lock();
        if let Some(reason) = state.refusal(true) {
            return Poll::Ready(Err(CallError::Connection { reason, sent: false }));
        }
        if !state.sending().admits(Lane::Bulk, self.ticket) {
            let (ticket, before) = state.sending().wait(Lane::Bulk, self.ticket, waiter);
            drop(state);
            drop(before);
            self.ticket = Some(ticket);
            return Poll::Pending;
        }
        let left = self.ticket.take().map(|ticket| state.sending().leave(Lane::Bulk, ticket));
        let ask = Borrowed::<C, _>(put, PhantomData);
        let reply_to = ReplyTo::Sink(sink);
        let request = Request { lane: Lane::Bulk, wants_answer: true, deadline: None, reply_to };
        let sent = if attachments.is_empty() {
            append(shared, state, &ask, &request)
        } else {
            append_attached(shared, state, &ask, &request, attachments, carrier)
        };
        drop(left);
        // It has a tag, as it wants an answer.
        Poll::Ready(sent.map(|tag| SentTag(tag.unwrap_or_default())).map_err(Failure::into_call_error))
    }

    /// Whether the reply has not arrived. A reply that has arrived may still be on its way to the sink, on another thread.
    #[must_use]
    pub fn is_awaited(&self, tag: SentTag) -> bool {
        self.connection.shared.lock().sending().is_for_sink(tag.0)
    }

    /// Gives up the reply: a closing connection does not wait for it any more, and the sink does not receive it unless it is on
    /// its way.
    pub fn abandon(&self, tag: SentTag) {
        abandon(&self.connection.shared, tag.0);
    }

    /// Whether it waits for room: nothing was sent since it was last pending.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ticket.is_some()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            give_way(&self.connection.shared, Lane::Bulk, ticket);
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("is_waiting", &self.is_waiting()).finish_non_exhaustive()
    }
}
