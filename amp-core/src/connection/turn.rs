use std::fmt;
use std::marker::PhantomData;
use std::task::{Poll, Waker};

use super::Connection;
use super::exchange::Failure;
use super::outgoing::Borrowed;
use super::queued::{append, give_way};
use super::sent::Sent;
use crate::call_error::CallError;
use crate::command::Command;
use crate::value::{BoxWriter, EncodeError};

/// A place in the line of those who send beside the calls; see [`Connection::turn`].
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
    /// are not looked at. Its answer wakes `waiter`.
    ///
    /// While there is no room it is pending, and `waiter` is woken when its turn comes. Who does not use that keeps nobody
    /// waiting.
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
        if let Some(reason) = state.refusal_for(true) {
            return Poll::Ready(Err(CallError::Connection(reason)));
        }
        if !state.may_add_bulk(self.ticket, &shared.settings) {
            self.ticket = Some(state.bulk.wait(self.ticket, waiter));
            return Poll::Pending;
        }
        if let Some(ticket) = self.ticket.take() {
            state.bulk.leave(ticket);
        }
        let ask = Borrowed::<C, _>(put, PhantomData);
        let sent = append(shared, state, &ask, (true, true), None, waiter);
        Poll::Ready(sent.map(|tag| Sent::new(self.connection.uncounted(), tag)).map_err(Failure::into_call_error))
    }

    /// Whether it waits for room.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.ticket.is_some()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            give_way(&self.connection.shared, true, ticket);
        }
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").field("is_waiting", &self.is_waiting()).finish_non_exhaustive()
    }
}
