//! A connection within a connection: its boxes go out through a box sender and come in through a box receiver.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::builder::ConnectionBuilder;
use super::give_back::give_back;
use super::handle::Connection;
use crate::boxes::{BoxReceiver, BoxSender, SendBoxError};
use crate::events::{EventKind, EventLimit};
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::settings::Settings;
use crate::wire::{AmpBox, BoxDecoder};

impl ConnectionBuilder {
    /// Runs a connection over boxes instead of bytes: it sends its boxes to `sender`, and receives the boxes that the returned
    /// inlet is passed. With a sender that adds a key and a receiver that looks at it, many connections share one: the example
    /// `router`.
    ///
    /// It ends when the sender fails, with the reason of [`SendBoxError::Closed`], and when the inlet is
    /// [stopped](BoxReceiver::stop), with the reason passed to the inlet. If the sender adds to the boxes, set
    /// [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes) of this connection so that there is room for the addition.
    ///
    /// Its own settings bound the memory that its peer makes it hold. It belongs to no server, and does not count towards the
    /// [`max_memory`](crate::server::ServerBuilder::max_memory) of the server whose boxes it takes.
    ///
    /// No box reports that it ends: when this connection closes, the one at the other end of the boxes stays open until its inlet
    /// is stopped or dropped, and boxes that it sends meanwhile are lost, with a `WARN` at this end. Report the end with a
    /// command, and close the connection beneath last. When that is closed first, bytes that wait to be sent here are lost, and
    /// [`closed`](Connection::closed) returns [`CloseReason::Unwritten`].
    ///
    /// # Panics
    /// If called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn start_over(self, sender: Arc<dyn BoxSender>, peer: Peer) -> (Connection, BoxInlet) {
        let Settings { boxes: limits, max_inbound: max, .. } = *self.settings_ref();
        let inbound = Inbound { events: Arc::clone(self.events()), ..Inbound::default() };
        let inlet = BoxInlet { inbound: Arc::new(Mutex::new(inbound)), max };
        let transport = BoxTransport { sender, decoder: BoxDecoder::new(limits), inbound: Arc::clone(&inlet.inbound) };
        (self.start(transport, peer), inlet)
    }
}

/// Receives the boxes for a connection that runs over boxes. Dropping it ends that connection as its peer would.
#[derive(Debug)]
pub struct BoxInlet {
    inbound: Arc<Mutex<Inbound>>,
    max: usize,
}

#[derive(Debug, Default)]
struct Inbound {
    bytes: Vec<u8>,
    /// How many of the bytes were read.
    read: usize,
    end: Option<CloseReason>,
    has_warned: bool,
    events: Arc<EventLimit>,
    reader: Option<Waker>,
}

impl Inbound {
    fn queue(&mut self, received: &AmpBox, max: usize) {
        let waiting = self.bytes.len() - self.read;
        if waiting > 0 && waiting + received.encoded_len() > max {
            let words = format!("over {max} bytes of boxes wait to be taken; see `Settings::max_inbound`");
            self.end(io::Error::other(words).into());
        }
        match &self.end {
            None => received.encode(&mut self.bytes),
            // The other end may not have seen the close: nothing reports it.
            Some(CloseReason::Closed) if !self.has_warned => {
                self.has_warned = true;
                self.events.tell(EventKind::LOST_BOX, |omitted| {
                    tracing::warn!(omitted, "a box came for a connection over boxes that had closed, and is lost");
                });
            }
            Some(_) => {}
        }
    }

    /// The first reason stays.
    fn end(&mut self, reason: CloseReason) {
        self.end.get_or_insert(reason);
    }

    fn read(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = (self.bytes.len() - self.read).min(buffer.remaining());
        buffer.put_slice(&self.bytes[self.read..self.read + count]);
        self.read += count;
        // The rest moves to the front only if it is the smaller half.
        if self.read > self.bytes.len() / 2 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        give_back(&mut self.bytes);
    }
}

impl BoxInlet {
    /// Whether the connection still takes boxes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        lock(&self.inbound).end.is_none()
    }

    fn change(&self, change: impl FnOnce(&mut Inbound)) {
        let mut inbound = lock(&self.inbound);
        change(&mut inbound);
        let reader = inbound.reader.take();
        drop(inbound);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl BoxReceiver for BoxInlet {
    /// Queues the box; one for a connection that has ended is dropped. A connection that does not take its boxes ends
    /// when [`max_inbound`](crate::Settings::max_inbound) bytes of them wait.
    fn receive_box(&mut self, received: AmpBox) {
        self.change(|inbound| inbound.queue(&received, self.max));
    }

    fn stop(&mut self, reason: &CloseReason) {
        self.change(|inbound| inbound.end(reason.clone()));
    }
}

impl Drop for BoxInlet {
    fn drop(&mut self) {
        self.change(|inbound| inbound.end(CloseReason::ClosedByPeer));
    }
}

/// The byte stream that such a connection sees.
struct BoxTransport {
    sender: Arc<dyn BoxSender>,
    decoder: BoxDecoder,
    inbound: Arc<Mutex<Inbound>>,
}

impl AsyncRead for BoxTransport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inbound = lock(&self.inbound);
        match &inbound.end {
            _ if !inbound.bytes.is_empty() => inbound.read(buffer),
            Some(reason) => return Poll::Ready(Err(io::Error::other(reason.clone()))),
            None => {
                inbound.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for BoxTransport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.sender.poll_room(cx));
        self.decoder.buffer().extend_from_slice(bytes);
        while let Some(whole) = self.decoder.next_box().map_err(io::Error::other)? {
            self.sender.send_box(AmpBox::from(&whole)).map_err(|error| match error {
                SendBoxError::Closed(reason) => io::Error::other(reason),
                error => io::Error::other(error),
            })?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// No box means "no more": the sender continues to be used by others.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.inbound).end(CloseReason::Closed);
        Poll::Ready(Ok(()))
    }
}

impl Drop for BoxTransport {
    /// However the connection ended, boxes that arrive for it now have no receiver.
    fn drop(&mut self) {
        let mut inbound = lock(&self.inbound);
        inbound.end(CloseReason::DriverDropped);
        (inbound.bytes, inbound.read) = (Vec::new(), 0);
    }
}

fn lock(inbound: &Mutex<Inbound>) -> MutexGuard<'_, Inbound> {
    inbound.lock().unwrap_or_else(PoisonError::into_inner)
}
