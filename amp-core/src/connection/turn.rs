use std::fmt;
use std::marker::PhantomData;
use std::task::{Poll, Waker};

use super::failure::Failure;
use super::handle::Connection;
use super::queued::{append, give_way};
use super::sent::Sent;
use crate::call_error::CallError;
use crate::command::Command;
use crate::proto::{Borrowed, Lane, Request};
use crate::value::{BoxWriter, EncodeError};

/// A place in the line of those who send beside the calls; see [`Connection::turn`].
///
/// # Cancel safety
/// Dropping it gives the place up. What was sent is sent.
pub struct Turn {
    connection: Connection,
    /// The place, while it waits.
    ticket: Option<u64>,
}

impl Connection {
    /// Sends commands that are [uncounted](crate::Call::uncounted) and [weak](crate::Call::weak), have no time limit and copy
    /// nothing while they wait: for protocols with bounds of their own, as that of streams. Who waits for room in the outbound
    /// buffer has turns, in the order of coming.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn { connection: self.uncounted(), ticket: None }
    }
}

impl Turn {
    /// Sends a command whose arguments `put` writes, in the order of their keys and none that sorts before `_`; constraints
    /// are not looked at. It runs under the connection's lock and must not touch the connection. The command is always answered,
    /// and the answer wakes `waiter`.
    ///
    /// While there is no room nothing is sent, and `waiter` is woken when the turn comes and when the connection closes. Who does
    /// not use its turn keeps nobody waiting. The room is 96 KiB, more beside large calls, and never more than half of
    /// [`outbound_mark`](crate::Settings::outbound_mark); who was woken for its turn has up to twice as much. The last command
    /// may go over the end.
    ///
    /// # Errors
    /// When `put` fails or the connection has ended.
    pub fn poll_send<C: Command>(
        &mut self,
        waiter: &Waker,
        put: impl Fn(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
    ) -> Poll<Result<Sent<C>, CallError<C::Errors>>> {
        let shared = &self.connection.shared;
        let mut state = shared.lock();
        if let Some(reason) = state.refusal(true) {
            return Poll::Ready(Err(CallError::Connection { reason, sent: false }));
        }
        if !state.admits(Lane::Bulk, self.ticket) {
            let (ticket, before) = state.wait(Lane::Bulk, self.ticket, waiter);
            drop(state);
            drop(before);
            self.ticket = Some(ticket);
            return Poll::Pending;
        }
        let left = self.ticket.take().map(|ticket| state.leave(Lane::Bulk, ticket));
        let ask = Borrowed::<C, _>(put, PhantomData);
        let sent =
            append(shared, state, &ask, &Request { lane: Lane::Bulk, wants_answer: true, deadline: None, waiter });
        drop(left);
        Poll::Ready(sent.map(|tag| Sent::new(self.connection.uncounted(), tag)).map_err(Failure::into_call_error))
    }

    /// Whether nothing was sent since it was last pending.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ticket.is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            give_way(&self.connection.shared, Lane::Bulk, ticket);
        }
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("is_waiting", &self.is_waiting()).finish_non_exhaustive()
    }
}
