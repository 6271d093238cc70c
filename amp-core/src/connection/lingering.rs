use std::future::Future;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::Sleep;

use super::any_transport::Transport;
use super::clock::after;
use super::reader::Reader;
use super::responders::Responders;
use super::shared::Shared;
use super::writer::Writer;
use crate::events::{EventKind, Events};
use crate::memory::Reservation;
use crate::reason::CloseReason;

/// The peer may believe that lost bytes were received.
pub(super) fn warn_cut_short(events: &Events) {
    events.tell(EventKind::CUT_SHORT, |peer, omitted| {
        tracing::warn!(
            %peer,
            omitted,
            "notifications that the peer had sent before it saw that this end closed may be lost: they were cut off, or came too late"
        );
    });
}

/// How many bytes are discarded at once.
const DISCARDED: usize = 4096;
/// Maximum time that a connection lingers when memory is used up.
const MAX_SHORT: Duration = Duration::from_millis(100);

/// The transport of a connection that is over: the last bytes are written, and the peer gets time to read them. A socket that is
/// closed with unread bytes in it is reset, and the peer's unread answers are lost. That takes no longer than `linger`, or twice
/// that when reading had to wait because much memory is held; a tenth of a second where memory is used up.
pub(super) struct Lingering<T> {
    shared: Arc<Shared>,
    transport: T,
    writer: Writer,
    reader: Reader,
    /// Capacity of the buffers of both directions.
    buffers: Reservation,
    sending: Sending,
    receiving: Receiving,
    /// Whether this end has closed in order, so that the peer may believe that bytes it sends before it sees the close are
    /// received.
    is_orderly: bool,
    /// Whether some of those bytes were not received.
    is_cut_short: bool,
    /// Why bytes of this end are lost, if they are.
    lost: Option<CloseReason>,
    alarm: Pin<Box<Sleep>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sending {
    /// The last bytes are written.
    Writes,
    /// They are written, and the transport's writing is shut down.
    ShutsDown,
    Done,
}

/// Treatment of bytes that the peer has sent and this end had not read when the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiving {
    /// Notifications run: the peer may have closed at the same time, and then it was told that all of them were sent.
    Runs,
    Discards,
    /// The peer has ended, or reading has failed.
    Done,
}

impl<T: Transport> Lingering<T> {
    /// `reason` is why the connection is over, and `lost` why bytes of this end are known to be lost.
    pub(super) fn new(
        shared: &Arc<Shared>,
        reason: &CloseReason,
        lost: Option<CloseReason>,
        transport: T,
        (writer, mut reader, buffers): (Writer, Reader, Reservation),
    ) -> Self {
        let is_orderly = matches!(reason, CloseReason::Closed);
        // A peer that has sent the reason of its end sends no more.
        let is_ended = reader.is_at_end() || matches!(reason, CloseReason::EndedByPeer { .. });
        let receiving = match is_ended {
            true => Receiving::Done,
            false if is_orderly && reader.reads_boxes() => Receiving::Runs,
            false => Receiving::Discards,
        };
        if receiving == Receiving::Runs {
            reader.read_on();
        } else {
            // It may be a part of a large box, and no caller waits for its end.
            reader.discard();
        }
        let mut lingering = Self {
            shared: Arc::clone(shared),
            transport,
            writer,
            reader,
            buffers,
            sending: Sending::Writes,
            receiving,
            is_orderly,
            is_cut_short: false,
            lost,
            alarm: Box::pin(tokio::time::sleep(shared.settings.linger)),
        };
        lingering.count();
        lingering
    }

    /// The capacity of the buffers counts for as long as they exist.
    fn count(&mut self) {
        self.buffers.fit(self.writer.buffered() + self.reader.buffered());
    }

    /// Memory is used up: moves a short rest of the last bytes to a buffer of its own size, for which there is little time. While many such
    /// connections linger, others begin nothing. Returns whether it is short.
    #[cold]
    pub(super) fn shorten(&mut self) -> bool {
        let is_short = self.writer.shorten();
        self.count();
        let until = tokio::time::Instant::now() + MAX_SHORT;
        if self.alarm.deadline() > until {
            self.alarm.as_mut().reset(until);
        }
        is_short
    }

    /// Whether boxes of the peer are handled.
    pub(super) fn receives(&self) -> bool {
        self.receiving == Receiving::Runs
    }

    /// The time is over in which a notification may begin.
    pub(super) fn stop_receiving(&mut self) {
        if self.receives() {
            self.receiving = Receiving::Discards;
            self.is_cut_short |= self.reader.has_rest();
            self.reader.discard();
            if self.shared.inbound.is_full() {
                // Bytes that stay unread would have the transport reset, and the peer's unread bytes lost.
                self.alarm.as_mut().reset(after(self.shared.settings.linger).into());
            }
        }
    }

    /// Ready when the transport is to be closed, with the reason why bytes of this end may be lost, if they may.
    pub(super) fn poll(&mut self, responders: &mut Responders, cx: &mut Context<'_>) -> Poll<Option<CloseReason>> {
        while self.poll_send(cx).is_pending() | self.poll_receive(responders, cx).is_pending() {
            self.count();
            ready!(self.alarm.as_mut().poll(cx));
            if self.expire() {
                break;
            }
        }
        if self.is_cut_short {
            warn_cut_short(&self.shared.events);
        }
        Poll::Ready(self.lost.take())
    }

    /// `linger` is over. Returns whether that is the end.
    fn expire(&mut self) -> bool {
        if self.sending == Sending::Writes {
            self.lost.get_or_insert(CloseReason::Unwritten);
        }
        // A peer that has not ended its direction may still have read everything.
        self.is_cut_short |= self.is_orderly && self.receiving != Receiving::Done;
        let has_paused = self.receives() && self.shared.inbound.is_full();
        self.stop_receiving();
        !has_paused
    }

    /// Writes the rest, and shuts down the transport's writing.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.sending == Sending::Writes {
            match ready!(self.writer.poll_all(&mut self.transport, cx)) {
                Ok(()) => self.sending = Sending::ShutsDown,
                Err(reason) => {
                    self.lost = Some(reason);
                    self.sending = Sending::Done;
                }
            }
            self.writer.finish();
        }
        if self.sending == Sending::ShutsDown {
            // A failure of the shutdown adds nothing to the result of the reads behind it.
            let _ = ready!(Pin::new(&mut self.transport).poll_shutdown(cx));
            self.sending = Sending::Done;
        }
        Poll::Ready(())
    }

    /// Reads up to the end of the peer, once in a turn.
    fn poll_receive(&mut self, responders: &mut Responders, cx: &mut Context<'_>) -> Poll<()> {
        let received = match self.receiving {
            Receiving::Done => return Poll::Ready(()),
            // Unread bytes take no memory here.
            Receiving::Runs if self.shared.inbound.is_full() => return Poll::Pending,
            Receiving::Runs => self.reader.poll_behind_end(&mut self.transport, responders, cx),
            Receiving::Discards => self.poll_discard(cx),
        };
        let Poll::Ready(received) = received else {
            return if self.waits_for_peer() { Poll::Pending } else { Poll::Ready(()) };
        };
        if let Err(reason) = received {
            self.receive_failed(reason);
        }
        if self.receiving == Receiving::Done {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether the transport is kept open until the peer has ended its direction. A peer of this library does that when it sees
    /// the end. Any other peer, and one that has sent nothing may be such a peer, may keep a pipe open for as long as this
    /// process lives.
    fn waits_for_peer(&self) -> bool {
        self.sending != Sending::Done
            || !self.transport.outlives_close()
            || (self.is_orderly && self.shared.lock().sending().is_understood())
    }

    fn receive_failed(&mut self, reason: CloseReason) {
        use CloseReason::{Closed, ClosedByPeer, ClosedMidBox, EndedByPeer, Io};
        if self.receives() && !self.reader.is_at_end() && !matches!(reason, EndedByPeer { .. }) {
            // Invalid boxes, or boxes over the limit, are not run. The transport can still be read.
            (self.receiving, self.is_cut_short) = (Receiving::Discards, true);
            self.reader.discard();
            return;
        }
        self.receiving = Receiving::Done;
        match reason {
            Closed | ClosedByPeer => {}
            ClosedMidBox { .. } => self.is_cut_short |= self.is_orderly,
            // Some transports cannot be read once they were shut down, even if the peer still sends.
            Io(error) if error.kind() == ErrorKind::NotConnected => self.is_cut_short |= self.is_orderly,
            reason => self.lost = Some(reason),
        }
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let mut bytes = [0; DISCARDED];
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
