use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::time::Sleep;

use super::any_transport::Transport;
use super::reader::Reader;
use super::responders::Responders;
use super::shared::Shared;
use super::writer::Writer;
use crate::reason::CloseReason;

/// How many bytes are thrown away at once.
const THROWN_AWAY: usize = 4096;

/// The transport of a connection that is over: the last bytes are written, and the peer gets time to read them. A socket that is
/// closed with unread bytes in it is reset, and the peer's unread answers with it. That takes no longer than `linger`.
pub(super) struct Lingering<T> {
    shared: Arc<Shared>,
    transport: T,
    writer: Writer,
    reader: Reader,
    is_written: bool,
    is_shut_down: bool,
    rest: Rest,
    /// Whether the peer may take what it has sent for received.
    is_orderly: bool,
    /// Why something was lost.
    lost: Option<CloseReason>,
    /// Whether something of the peer was not handled that it may take for received.
    is_cut_short: bool,
    alarm: Pin<Box<Sleep>>,
}

/// What becomes of what the peer has sent and this end had not read when the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// Notifications run: the peer may have closed at the same time, and was told then that all of them were sent.
    Runs,
    ThrownAway,
    /// The peer has ended, or reading has failed.
    Ended,
}

impl<T: Transport> Lingering<T> {
    /// `reason` is why the connection is over.
    pub(super) fn new(
        shared: &Arc<Shared>,
        reason: &CloseReason,
        transport: T,
        writer: Writer,
        mut reader: Reader,
    ) -> Self {
        let rest = match reason {
            _ if reader.is_at_end() => Rest::Ended,
            // A peer that has said why it ends sends no more.
            CloseReason::EndedByPeer { .. } => Rest::Ended,
            CloseReason::Closed if reader.reads_boxes() => Rest::Runs,
            _ => Rest::ThrownAway,
        };
        let is_orderly = rest == Rest::Runs;
        if is_orderly {
            reader.read_on();
        }
        Self {
            shared: Arc::clone(shared),
            transport,
            writer,
            reader,
            is_written: false,
            is_shut_down: false,
            rest,
            is_orderly,
            lost: None,
            is_cut_short: false,
            alarm: Box::pin(tokio::time::sleep(shared.settings.linger)),
        }
    }

    /// Whether boxes of the peer are handled.
    pub(super) fn receives(&self) -> bool {
        self.rest == Rest::Runs
    }

    /// The time is over in which something may begin.
    pub(super) fn stop_receiving(&mut self) {
        if self.receives() {
            self.rest = Rest::ThrownAway;
            self.is_cut_short = self.reader.has_rest() || self.shared.inbound.is_full();
        }
    }

    /// Ready when the transport is to be closed, with the reason why bytes that were sent in order may be lost, if they may.
    pub(super) fn poll(&mut self, responders: &mut Responders, cx: &mut Context<'_>) -> Poll<Option<CloseReason>> {
        let written = self.poll_write(cx);
        if written.is_pending() | self.poll_read(responders, cx).is_pending() {
            ready!(self.alarm.as_mut().poll(cx));
            self.stop_receiving();
            // A peer that has not ended its direction may still have read all.
            if !self.is_written {
                self.lost.get_or_insert(CloseReason::Unwritten);
            }
        }
        if self.is_cut_short {
            tracing::warn!(
                peer = %self.shared.peer,
                "this end closed and did not receive all that the peer had sent before: notifications may be lost"
            );
        }
        Poll::Ready(self.lost.take())
    }

    /// Writes what is left, and shuts the transport's writing down.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_written {
            if let Err(reason) = ready!(self.writer.poll_all(&mut self.transport, cx)) {
                (self.lost, self.is_shut_down, self.rest) = (Some(reason), true, Rest::Ended);
            }
            self.is_written = true;
        }
        if !self.is_shut_down {
            // A failure of the shutdown says no more than what is read behind it.
            let _ = ready!(Pin::new(&mut self.transport).poll_shutdown(cx));
            self.is_shut_down = true;
        }
        Poll::Ready(())
    }

    /// Reads up to the end of the peer, once in a turn.
    fn poll_read(&mut self, responders: &mut Responders, cx: &mut Context<'_>) -> Poll<()> {
        let read = match self.rest {
            Rest::Ended => return Poll::Ready(()),
            // What is not read takes no memory here.
            Rest::Runs if self.shared.inbound.is_full() => return Poll::Pending,
            Rest::Runs => self.reader.poll_behind_end(&mut self.transport, responders, cx),
            Rest::ThrownAway => self.poll_throw_away(cx),
        };
        let Poll::Ready(read) = read else {
            return if self.waits_for_peer() { Poll::Pending } else { Poll::Ready(()) };
        };
        if let Err(reason) = read {
            self.read_failed(reason);
        }
        if self.rest == Rest::Ended {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the transport is kept open until the peer has ended its direction. A peer of this library does that when it sees the
    /// end. Another, and what has not been heard may be another, may keep a pipe open for as long as this process lives.
    fn waits_for_peer(&self) -> bool {
        !self.is_shut_down
            || !self.transport.outlives_close()
            || (self.is_orderly && self.shared.lock().sending().is_understood())
    }

    fn read_failed(&mut self, reason: CloseReason) {
        use CloseReason::{Closed, ClosedByPeer, ClosedMidBox, EndedByPeer};
        if self.receives() && !self.reader.is_at_end() && !matches!(reason, EndedByPeer { .. }) {
            // What is no box, or one too many, is nothing to run. The transport can be read on.
            (self.rest, self.is_cut_short) = (Rest::ThrownAway, true);
            return;
        }
        self.rest = Rest::Ended;
        if !matches!(reason, Closed | ClosedByPeer | ClosedMidBox { .. }) {
            self.lost = Some(reason);
        }
    }

    fn poll_throw_away(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let mut bytes = [0; THROWN_AWAY];
        let mut buffer = ReadBuf::new(&mut bytes);
        match ready!(Pin::new(&mut self.transport).poll_read(cx, &mut buffer)) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Poll::Ready(Err(error.into())),
            Ok(()) if !buffer.filled().is_empty() => {
                self.is_cut_short |= self.is_orderly;
                Poll::Ready(Ok(()))
            }
            _ => Poll::Ready(Err(CloseReason::ClosedByPeer)),
        }
    }
}
