use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use amp_core::connection::Held;
use amp_core::{CloseReason, Connection, Peer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::close::CloseTask;
use super::monitor::Monitor;
use super::shared::Shared;
use crate::acknowledge::discard;
use crate::error::StreamError;
use crate::limit::Place;
use crate::machine::{Read, Shutdown};

/// A byte stream to the peer. Use it like a socket.
///
/// Bytes that are written wait at the peer until they are read there. No more than a window of them is in flight, so a reader
/// that stops reading stops its own writer and no other. They are sent whether or not the stream is polled, and also while its
/// connection closes.
///
/// [`shutdown`] closes the writing direction; reading goes on when the peer is one of ours,
/// and ends too when it is txampext. Dropping the stream closes both directions in order, as dropping a socket does: bytes that
/// were written before still arrive, and the end looks whole to the peer.
///
/// When the stream is [aborted](Self::abort), or dropped by a panic, the end does not look whole: the peer reads
/// [`StreamError::Cut`](crate::StreamError::Cut). A stream that several tasks share, by [`tokio::io::split`] say, is dropped by the
/// last of them. A panic of another one is not seen: that task must see to it that the stream is [aborted](Self::abort).
///
/// Each direction ends for itself. A read of 0 bytes means that the peer's writer ended in order and that everything was read:
/// nothing that happens later, not even the loss of the connection, takes it back. A write that fails with
/// [`StreamError::PeerDisconnected`](crate::StreamError::PeerDisconnected) ends writing only; the reading direction tells by itself
/// how it ends. With txampext, whose Disconnect does not tell, a part may look whole.
///
/// Bytes that were written before a command can be read when its responder starts; see [order](crate::Multiplexer#order).
///
/// Every write is sent by itself: many small ones are faster through a [`BufWriter`]. Writing waits as long as the peer's
/// reader does; a limit is the writer's to set.
///
/// [`shutdown`]: https://docs.rs/tokio/1/tokio/io/trait.AsyncWriteExt.html#method.shutdown
/// [`tokio::io::split`]: https://docs.rs/tokio/1/tokio/io/fn.split.html
/// [`BufWriter`]: https://docs.rs/tokio/1/tokio/io/struct.BufWriter.html
#[doc(alias("MultiplexedTransport"))]
pub struct Stream {
    shared: Arc<Shared>,
    connection: Connection,
    writing: Writing,
    /// What the task that serves a stream of the peer's is taken to hold.
    _serving: Option<Held>,
}

/// What a task that serves a stream of the peer's most often holds: a buffer as that of `tokio::io::copy`.
const SERVING: usize = 8 * 1024;

/// How far this end has closed the direction to the peer.
enum Writing {
    Open,
    /// The peer is being told.
    Closing(CloseTask),
    /// The peer has answered. What it answered before may be on its way here from another thread.
    Answered,
    /// The peer has all that was written, and its end.
    Closed,
    /// The peer had closed before: what it has taken is to be found out.
    PeerClosed,
    /// Whether the peer knows is not known.
    Failed(Box<StreamError>),
}

impl Stream {
    /// One that this end has opened.
    pub(crate) fn opened(shared: Arc<Shared>, connection: Connection) -> Self {
        Self { shared, connection, writing: Writing::Open, _serving: None }
    }

    /// One that the peer has opened.
    pub(crate) fn accepted(shared: Arc<Shared>, connection: Connection, place: Option<Box<Place>>) -> Self {
        if place.is_some() {
            shared.lock().place = place;
        }
        let serving = shared.streams().hold(SERVING);
        Self { shared, connection, writing: Writing::Open, _serving: serving }
    }

    /// Counts bytes that are held for it, until what is returned is dropped.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Held> {
        self.shared.streams().hold(bytes)
    }

    /// The peer of the connection.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.connection.peer()
    }

    /// The connection that carries the stream.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether shutting down leaves the reading direction open: both ends must know how.
    #[must_use]
    pub fn half_closes(&self) -> bool {
        self.shared.lock().machine.state().half_close()
    }

    /// Resets the stream: what was written does not look whole to the peer, which reads
    /// [`StreamError::Cut`](crate::StreamError::Cut) behind it. What was closed in order before is whole. txampext peers read a plain end.
    pub fn abort(self) {
        self.shared.lock().machine.schedule_reset();
    }

    pub(crate) fn monitor(&self) -> Monitor {
        Monitor::new(&self.shared)
    }

    /// Tells the peer that this end sends no more.
    fn close_write(&mut self) {
        // With a txampext peer that is the end for a reader in another task, too.
        let shutdown = self.shared.change(|inner| inner.machine.send_close());
        let task = match shutdown {
            None => None,
            Some(Shutdown::Write) => self.shared.close_write(&self.connection),
            Some(Shutdown::Both) => {
                let task = self.shared.close(false);
                self.shared.keep(self.shared.lock());
                task
            }
        };
        self.writing = match (shutdown, task) {
            (_, Some(task)) => Writing::Closing(task),
            (Some(_), None) => Writing::Failed(Box::new(CloseReason::DriverDropped.into())),
            (None, None) => Writing::PeerClosed,
        };
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Most often it is one, which takes no allocation.
        let (mut ack, mut further) = (None, Vec::new());
        let before = buffer.filled().len();
        let mut inner = self.shared.lock();
        let held = inner.machine.buffered();
        while buffer.remaining() > 0 {
            match inner.machine.read(buffer.remaining()) {
                Read::Data(data, next) => {
                    buffer.put_slice(&data);
                    match ack {
                        None => ack = next,
                        Some(_) => further.extend(next),
                    }
                }
                _ if buffer.filled().len() > before => break,
                Read::Finished => return Poll::Ready(Ok(())),
                Read::Truncated => {
                    inner.result()?;
                    return Poll::Ready(Err(StreamError::Closed.into()));
                }
                Read::Pending => {
                    inner.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
        self.shared.streams().received().change(held, inner.machine.buffered());
        drop(inner);
        self.shared.streams().acknowledge(ack, further);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.shared.send(bytes, cx.waker())? {
            Some(count) => Poll::Ready(Ok(count)),
            None => Poll::Pending,
        }
    }

    /// Completes at once: everything that was written is in the connection's outbound buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shared.lock().result().map_err(io::Error::from))
    }

    /// Completes when the peer knows that this end writes no more. A peer that cannot close one direction only is told when it
    /// has read everything.
    ///
    /// Ok means that a peer of ours has all that was written: its reader gets every byte and the end in order if it reads on,
    /// whatever becomes of this end and of the connection. Whether the reader of a txampext peer gets them is not known.
    ///
    /// It fails when the peer has closed the stream before it took everything that was written, and when the connection has ended.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Writing::Open = self.writing {
            let mut inner = self.shared.lock();
            let is_drained = inner.send_queue.is_empty() || inner.machine.state().is_stopped();
            if !inner.machine.state().half_close() && !is_drained {
                inner.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(inner);
            self.close_write();
        }
        if let Writing::Closing(task) = &mut self.writing {
            // A runtime that shuts down takes the connection with it.
            let result = ready!(Pin::new(task).poll(cx)).unwrap_or(Err(CloseReason::DriverDropped.into()));
            self.writing = Writing::PeerClosed;
            match result {
                Ok(()) => self.writing = Writing::Answered,
                Err(StreamError::PeerDisconnected) => self.shared.recv_close_refusal(),
                Err(error) => self.writing = Writing::Failed(Box::new(error)),
            }
        }
        if let Writing::Answered = self.writing {
            let mut inner = self.shared.lock();
            if !inner.send_queue.has_all_replies() {
                inner.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(inner);
            self.shared.take_all_answers();
            let is_refused = self.shared.lock().machine.state().is_refused();
            self.writing = if is_refused { Writing::PeerClosed } else { Writing::Closed };
        }
        match &self.writing {
            Writing::Closed => return Poll::Ready(Ok(())),
            Writing::Failed(error) => return Poll::Ready(Err(StreamError::clone(error).into())),
            _ => {}
        }
        self.shared.take_all_answers();
        let mut inner = self.shared.lock();
        if inner.machine.state().can_receive() && !inner.machine.state().is_refused() {
            // It may have closed when it had taken everything, or because it could not: its Disconnect tells.
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        inner.result()?;
        let is_taken = inner.send_queue.is_empty() && !inner.machine.state().is_refused();
        Poll::Ready(if is_taken { Ok(()) } else { Err(StreamError::PeerDisconnected.into()) })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut inner = self.shared.lock();
        // What was sent counts until it is answered.
        self.shared.streams().received().change(inner.machine.buffered(), 0);
        let half_close = inner.machine.state().half_close();
        if std::thread::panicking() {
            // A writer that panics has not written all that it meant to.
            inner.machine.schedule_reset();
        }
        let cut = inner.machine.state().is_reset_scheduled();
        let (acks, shutdown) = inner.machine.abandon();
        let (place, kept_at, has_left) = (inner.place.take(), inner.kept_at.take(), inner.has_left());
        drop(inner);
        drop(place);
        if let Some(kept_at) = kept_at {
            self.shared.streams().kept().remove(kept_at);
        }
        discard(half_close, acks);
        if shutdown.is_some() {
            self.shared.close(cut);
        } else if !has_left {
            // A Disconnect on its way has an entry of its own.
            self.shared.remove();
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", self.shared.id()).field("peer", self.peer()).finish_non_exhaustive()
    }
}
