use std::fmt;
use std::marker::PhantomData;

use super::asker::Asker;
use crate::call_error::Reply;
use crate::command::Command;

/// The answer to a command whose arguments were [taken](super::Ask::accept). Dropped unsent, it answers with
/// [`UNKNOWN`](crate::error::codes::UNKNOWN).
#[must_use = "an answer that is dropped tells the peer that the responder failed"]
pub struct Answer<C> {
    asker: Asker,
    command: PhantomData<fn(C)>,
}

impl<C: Command> Answer<C> {
    pub(super) fn new(asker: Asker) -> Self {
        Self { asker, command: PhantomData }
    }

    /// Whether the peer wants an answer. If not, a response is discarded, and an error ends the connection under
    /// [`Strictness::Twisted`](crate::connection::Strictness::Twisted).
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.asker.wants_answer()
    }

    /// Returns how many bytes it holds beside itself: the peer may have sent a long tag. For limits on waiting answers.
    #[doc(hidden)]
    #[must_use]
    pub fn held(&self) -> usize {
        self.asker.held_by_tag()
    }

    /// Answers an ask for another transport, and holds what is queued behind the response; answers with an error if the response
    /// cannot be sent. Returns whether the peer receives the response.
    pub(crate) fn accept_upgrade(self, response: &C::Response) -> bool {
        self.asker.accept_upgrade::<C>(response)
    }

    /// Whether the ask came over the connection with the address.
    pub(crate) fn is_of(&self, connection: *const ()) -> bool {
        self.asker.is_of(connection)
    }

    /// Queues the answer to be written.
    pub fn send(mut self, reply: Reply<C>) {
        self.asker.reply(reply);
    }
}

impl<C> fmt::Debug for Answer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
