//! Answers to the peer's Transmits and Disconnects.

use amp_core::Command;
use amp_core::locator::Answer;

use crate::commands::{StreamGone, Transmit};

/// The acknowledgement of received bytes, which the peer gets when they were read.
pub(crate) type Ack = Answer<Transmit>;

/// Tells the peer that bytes were read.
pub(crate) fn acknowledge(acks: impl IntoIterator<Item = Ack>) {
    acks.into_iter().for_each(|ack| ack.send(Ok(())));
}

/// Answers for bytes that nobody will read. A peer of ours is told so, or its shutdown would be Ok; the connection of a txampext
/// peer would end by the error.
pub(crate) fn discard(half_close: bool, acks: impl IntoIterator<Item = Ack>) {
    if half_close { refuse(acks) } else { acknowledge(acks) }
}

/// Tells the peer that there is no such stream, as txampext does: without a description.
pub(crate) fn refuse<C>(answers: impl IntoIterator<Item = Answer<C>>)
where
    C: Command<Response = (), Errors = StreamGone>,
{
    for answer in answers {
        // An error for an ask that wants no answer would end the connection under `Strictness::Twisted`.
        let wanted = answer.is_wanted();
        answer.send(if wanted { Err(StreamGone::NoSuchConnection(String::new()).into()) } else { Ok(()) });
    }
}
