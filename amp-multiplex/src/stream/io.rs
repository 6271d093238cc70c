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
/// Written bytes wait at the peer until they are read there. At most one window of them is in flight, so a reader that stops
/// reading stops its own writer and no other. They are sent whether or not the stream is polled, and also while its connection
/// closes.
///
/// [`shutdown`] closes the writing direction; reading continues if the peer is one of ours, and ends too if it is txampext.
/// Dropping the stream closes both directions gracefully, as dropping a socket does: bytes that were written before still arrive,
/// and the end looks whole to the peer.
///
/// When the stream is [aborted](Self::abort), or dropped by a panic, the end does not look whole: the peer reads
/// [`StreamError::Cut`](crate::StreamError::Cut). A stream that several tasks share, for example by [`tokio::io::split`], is
/// dropped by the last of them. A panic of another one is not seen: that task must ensure that the stream is
/// [aborted](Self::abort).
///
/// Each direction ends separately. A read of 0 bytes means that the peer's writer ended gracefully and that everything was read:
/// no later event, not even the loss of the connection, changes that. A write that fails with
/// [`StreamError::PeerDisconnected`](crate::StreamError::PeerDisconnected) ends writing only; the reading direction reports its
/// own end. With txampext, whose Disconnect does not tell, a part may look whole.
///
/// Bytes that were written before a command can be read when its responder starts; see [order](crate::Multiplexer#order).
///
/// Every write is sent separately: many small ones are faster through a [`BufWriter`]. Writing waits as long as the peer's reader
/// does; set a time limit if you need one.
///
/// [`shutdown`]: https://docs.rs/tokio/1/tokio/io/trait.AsyncWriteExt.html#method.shutdown
/// [`tokio::io::split`]: https://docs.rs/tokio/1/tokio/io/fn.split.html
/// [`BufWriter`]: https://docs.rs/tokio/1/tokio/io/struct.BufWriter.html
#[doc(alias("MultiplexedTransport"))]
pub struct Stream {
    shared: Arc<Shared>,
    connection: Connection,
    writing: Writing,
    /// Memory that the task serving a stream of the peer's is assumed to hold.
    _serving: Option<Held>,
}

/// Memory that a task serving a stream of the peer's most often holds: a buffer like that of `tokio::io::copy`.
const SERVING: usize = 8 * 1024;

/// Progress of closing the direction to the peer.
enum Writing {
    Open,
    /// The Disconnect is being sent.
    Closing(CloseTask),
    /// The peer has answered. Its earlier answers may be on their way here from another thread.
    Answered,
    /// The peer has received all written bytes, and their end.
    Closed,
    /// The peer had closed before: it remains to find out which bytes it has received.
    PeerClosed,
    /// It is unknown whether the peer knows.
    Failed(Box<StreamError>),
}

impl Stream {
    /// Makes a stream that this end has opened.
    pub(crate) fn opened(shared: Arc<Shared>, connection: Connection) -> Self {
        Self { shared, connection, writing: Writing::Open, _serving: None }
    }

    /// Makes a stream that the peer has opened.
    pub(crate) fn accepted(shared: Arc<Shared>, connection: Connection, place: Option<Box<Place>>) -> Self {
        if place.is_some() {
            shared.lock().place = place;
        }
        let serving = shared.streams().hold(SERVING);
        Self { shared, connection, writing: Writing::Open, _serving: serving }
    }

    /// Counts bytes that are held for it, until the returned guard is dropped.
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

    /// Whether shutting down leaves the reading direction open: both ends must support half-close.
    #[must_use]
    pub fn half_closes(&self) -> bool {
        self.shared.lock().machine.state().half_close()
    }

    /// Resets the stream: the written bytes do not look whole to the peer, which reads
    /// [`StreamError::Cut`](crate::StreamError::Cut) behind them. A direction that was closed gracefully before is whole.
    /// txampext peers read a plain end.
    pub fn abort(self) {
        self.shared.lock().machine.schedule_reset();
    }

    pub(crate) fn monitor(&self) -> Monitor {
        Monitor::new(&self.shared)
    }

    /// Sends the Disconnect for the writing direction.
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
        // Most often there is one, which takes no allocation.
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

    /// Completes at once: all written bytes are in the connection's outbound buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shared.lock().result().map_err(io::Error::from))
    }

    /// Completes when the peer knows that this end writes no more. A peer that does not support half-close is told when it has
    /// read everything.
    ///
    /// Ok means that a peer of ours has received all written bytes: its reader gets every byte and the graceful end if it reads
    /// on, whatever happens to this end and the connection. It is unknown whether the reader of a txampext peer gets them.
    ///
    /// Fails if the peer has closed the stream before it received all written bytes, and if the connection has ended.
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
            // A runtime that shuts down drops the connection as well.
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
            // It may have closed after it had received everything, or because it could not: its Disconnect tells.
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
        // Received bytes count until they are answered.
        self.shared.streams().received().change(inner.machine.buffered(), 0);
        let half_close = inner.machine.state().half_close();
        if std::thread::panicking() {
            // A writer that panics has not written everything that it meant to.
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
            // A Disconnect that is being sent has an entry of its own.
            self.shared.remove();
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", self.shared.id()).field("peer", self.peer()).finish_non_exhaustive()
    }
}
