//! Answers to the peer's Transmits and Disconnects.

use amp_core::Command;
use amp_core::locator::Answer;

use crate::commands::{StreamGone, Transmit};

/// The acknowledgement of received bytes, which is sent to the peer when they were read.
pub(crate) type Ack = Answer<Transmit>;

/// Acknowledges to the peer that bytes were read.
pub(crate) fn acknowledge(acks: impl IntoIterator<Item = Ack>) {
    acks.into_iter().for_each(|ack| ack.send(Ok(())));
}

/// Answers for bytes that will never be read. A peer of ours receives an error, or its shutdown would be Ok; a txampext peer
/// would end its connection over the error.
pub(crate) fn discard(half_close: bool, acks: impl IntoIterator<Item = Ack>) {
    if half_close { refuse(acks) } else { acknowledge(acks) }
}

/// Answers that there is no such stream, as txampext does: without a description.
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
