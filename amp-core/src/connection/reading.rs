//! What the driver does with bytes that come: boxes, asks to be answered, answers to be delivered.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::driver::Running;
use super::now;
use crate::dispatcher::UnknownTag;
use crate::packet::Packet;
use crate::reason::CloseReason;
use crate::responder::Ask;
use crate::wire::RawBox;

/// The first read buffer in bytes; a read that fills it doubles the next.
pub(super) const SMALL_READ: usize = 8 * 1024;
const LARGE_READ: usize = 64 * 1024;

impl<T: AsyncRead + AsyncWrite + Unpin> Running<T> {
    /// Reads once and handles whole boxes of what came, all or a part. Ready when there may be more.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        if !std::mem::take(&mut self.is_read) {
            ready!(self.poll_bytes(cx))?;
        }
        let result = self.take_boxes();
        if std::mem::take(&mut self.greets) {
            self.shared().greet();
        }
        self.deliver().and(result)?;
        // Whoever was woken goes first, and a read that was filled has more behind it. Else this is the time to wait for
        // more bytes: a turn that only finds out that there are none is saved. If there are some, the next turn has them.
        if !(std::mem::take(&mut self.has_delivered) || self.is_filled || self.is_read) {
            ready!(self.poll_bytes(cx))?;
            self.is_read = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let buffer = self.decoder.buffer();
        buffer.reserve(self.read_size);
        let room = buffer.capacity() - buffer.len();
        let count = match ready!(pin!(self.transport.read_buf(buffer)).poll(cx)).map_err(CloseReason::from) {
            Ok(count) => count,
            // A TLS peer that left without saying so. Boxes tell themselves where they end, so that nothing can be hidden.
            Err(CloseReason::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                tracing::debug!(peer = %self.shared().peer, %error, "the peer has closed without a word");
                0
            }
            Err(reason) => {
                self.is_at_end = true;
                return Poll::Ready(Err(reason));
            }
        };
        if count == 0 {
            self.is_at_end = true;
            let received = self.decoder.pending_bytes();
            let mid_box = received > 0;
            return Poll::Ready(Err(if mid_box {
                CloseReason::ClosedMidBox { received }
            } else {
                CloseReason::ClosedByPeer
            }));
        }
        self.is_filled = count == room;
        if self.is_filled {
            self.read_size = (self.read_size * 2).min(LARGE_READ);
        } else if count < self.read_size / 8 {
            self.read_size = (self.read_size / 2).max(SMALL_READ);
        }
        Poll::Ready(Ok(()))
    }

    fn take_boxes(&mut self) -> Result<(), CloseReason> {
        let part = self.pace.part();
        for handled in 0..part {
            let Some(raw) = self.decoder.next_box()? else {
                self.pace.handled(handled, true, now);
                return Ok(());
            };
            if !std::mem::replace(&mut self.has_heard, true) {
                self.hear(&raw);
            }
            if self.shared().switch.is_switched() {
                self.deliver()?;
                if self.shared().switch.receive(&raw) {
                    continue;
                }
            }
            match Packet::parse(raw)? {
                Packet::Ask { ask, tag } => {
                    self.deliver()?;
                    let answering = Arc::clone(self.shared());
                    let ask = Ask::new(ask, tag, answering);
                    if self.announces && ask.is_own() {
                        self.take_own(ask)?;
                    } else {
                        self.responders.answer(ask)?;
                    }
                }
                Packet::Marked { ask, tag } => {
                    self.deliver()?;
                    let answering = Arc::clone(self.shared());
                    // To others it is a key that they may use for themselves. Marked, one of the library's own commands waits for its
                    // turn behind the notifications before it.
                    let is_understood = self.peer_announces;
                    let ask = if is_understood {
                        Ask::marked(ask, tag, answering)
                    } else {
                        Ask::new(ask, Some(tag), answering)
                    };
                    self.responders.answer(ask)?;
                }
                Packet::Reply { tag, reply } => self.replies.push((tag, reply)),
            }
        }
        self.pace.handled(part, false, now);
        self.is_read = true;
        Ok(())
    }

    /// Looks at the peer's first box.
    #[cold]
    fn hear(&mut self, first: &RawBox) {
        if self.shared().switch.is_switched() {
            // It is the receiver's, and what the peer understands is not known. What this end has announced holds.
            self.peer_announces = self.announces;
        } else {
            self.peer_announces = self.shared().hear(first);
            self.greets = self.peer_announces;
        }
    }

    /// Settles one of the library's own commands. From a peer that has not announced it is a command like any other, but for a
    /// greeting that announces: the peer's first box had no room for that.
    #[cold]
    fn take_own(&mut self, ask: Ask) -> Result<(), CloseReason> {
        if !self.peer_announces {
            if !(ask.is_greeting() && self.shared().hear(ask.raw())) {
                return self.responders.answer(ask);
            }
            self.peer_announces = true;
        }
        ask.settle_own()
    }

    /// Hands the replies so far to their callers, under one lock, and wakes them all after it.
    fn deliver(&mut self) -> Result<(), CloseReason> {
        if self.replies.is_empty() {
            return Ok(());
        }
        self.has_delivered = true;
        let shared = Arc::clone(self.shared());
        let mut state = shared.lock();
        let (mut known, mut unknown) = (0_usize, 0_usize);
        for (tag, reply) in self.replies.drain(..) {
            match tag.ok_or(UnknownTag).and_then(|tag| state.dispatcher.answer(tag, reply)) {
                Ok(waiter) => {
                    known += 1;
                    self.woken.extend(waiter);
                }
                Err(_) => unknown += 1,
            }
        }
        let credit = state.dispatcher.take_credit();
        if credit > 0 {
            state.credit.answered(credit);
            self.woken.extend(state.next_notification(&shared.settings));
        }
        self.woken.extend((known > 0).then(|| state.next_call(&shared.settings)).flatten());
        drop(state);
        self.woken.drain(..).for_each(Waker::wake);
        if unknown == 0 {
            return Ok(());
        }
        if !shared.settings.ignore_unknown_answers {
            return Err(CloseReason::UnknownAnswer);
        }
        tracing::warn!(peer = %shared.peer, unknown, "answers to tags that are not out");
        Ok(())
    }
}
