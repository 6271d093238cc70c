use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use amp_core::{CloseReason, Connection, Peer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::StreamError;
use crate::house::Told;
use crate::link::{Link, acknowledge, give_back};
use crate::machine::{self, Read};

/// A byte stream to the peer. Use it like a socket.
///
/// What is written waits at the peer until it is read there; no more than a window of it is ever on its way, so a reader
/// that sleeps stops its own writer and nobody else. Shutting down ends the writing direction; reading goes on when the
/// peer is one of ours, and ends with it when it is txampext. Dropping closes both directions, in order like a socket's: bytes
/// that were written before still arrive, and the end looks whole to the peer. [Aborted](Self::abort), or dropped by a panic,
/// it does not: the peer reads [`StreamError::Cut`](crate::StreamError::Cut). A stream that several tasks share, by
/// [`tokio::io::split`] say, is dropped by the last of them: a panic of another is not seen, and it must [abort](Self::abort) or
/// tell. Bytes that were written go out whether or not
/// anybody polls the stream, and while its connection closes.
///
/// Each direction ends for itself. A read of 0 bytes means that the peer's writer ended in order and all of it was read: nothing
/// that happens later, not even the loss of the connection, takes it back. A write that fails with
/// [`StreamError::PeerDisconnected`](crate::StreamError::PeerDisconnected) ends writing only; how what the peer wrote has ended
/// is said behind it. With txampext, which cannot tell, a part may look whole.
///
/// What was written before a command is there to be read when its responder starts; see [order](crate::Multiplexer#order).
///
/// Every write goes out by itself: many small ones are faster through a [`BufWriter`](tokio::io::BufWriter). Writing waits
/// as long as the peer's reader does; a limit is the writer's to set.
pub struct Stream {
    link: Arc<Link>,
    connection: Connection,
    farewell: Farewell,
}

/// How far the peer knows that this end writes no more.
enum Farewell {
    /// This end writes.
    Unsaid,
    Telling(Told),
    /// The peer has all that was written, and its end.
    Said,
    /// The peer had left before.
    Unheard,
    /// Whether the peer knows is not known.
    Failed(Box<StreamError>),
}

impl Stream {
    pub(crate) fn new(link: Arc<Link>, connection: Connection) -> Self {
        Self { link, connection, farewell: Farewell::Unsaid }
    }

    /// Who is at the other end of the connection.
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
        self.link.lock().state.half_close()
    }

    /// Ends the stream in the middle: what is written to it does not look whole to the peer, which reads
    /// [`StreamError::Cut`](crate::StreamError::Cut) behind it. What ended in order before is whole. txampext peers read a plain end.
    pub fn abort(self) {
        self.link.lock().cut = true;
    }

    /// What tells when nothing more comes from the peer or goes to it. Waiting for it takes the reader's place: only where nobody
    /// polls the reader, or the same task does.
    pub(crate) fn gone(&self) -> Gone {
        Gone(Arc::clone(&self.link))
    }

    /// Tells the peer that this end writes no more.
    fn begin_farewell(&mut self) {
        // With an old peer that is the end for a reader in another task, too.
        let farewell = self.link.change(|inner| inner.state.finish());
        let Link { house, id, .. } = &*self.link;
        let told = match farewell {
            None => None,
            Some(machine::Farewell::Half) => house.say_half(&self.connection, id.clone()),
            Some(machine::Farewell::Full) => self.link.part(false),
        };
        self.farewell = match (farewell, told) {
            (_, Some(told)) => Farewell::Telling(told),
            (Some(_), None) => Farewell::Failed(Box::new(CloseReason::DriverDropped.into())),
            (None, None) => Farewell::Unheard,
        };
    }
}

/// Tells whether a stream is over in both directions.
#[derive(Clone)]
pub(crate) struct Gone(Arc<Link>);

impl Gone {
    /// What came of the stream is not whole.
    pub(crate) fn is_broken(&self) -> bool {
        self.0.lock().state.is_broken()
    }

    /// Why the stream has failed, if bytes were written to it that the peer is not known to have taken.
    pub(crate) fn lost(&self) -> io::Result<()> {
        let inner = self.0.lock();
        if inner.refused || !inner.sent.is_empty() { inner.failed() } else { Ok(()) }
    }

    /// What is written to the stream is not all that was meant.
    pub(crate) fn cut(&self) {
        self.0.lock().cut = true;
    }

    pub(crate) async fn wait(&self) {
        poll_fn(|cx| {
            let mut inner = self.0.lock();
            if inner.state.is_over() {
                return Poll::Ready(());
            }
            inner.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut receipts = Vec::new();
        let before = buffer.filled().len();
        let mut inner = self.link.lock();
        let held = inner.state.buffered();
        while buffer.remaining() > 0 {
            match inner.state.read(buffer.remaining()) {
                Read::Data(data, receipt) => {
                    buffer.put_slice(&data);
                    receipts.extend(receipt);
                }
                _ if buffer.filled().len() > before => break,
                Read::End => return Poll::Ready(Ok(())),
                Read::Broken => return Poll::Ready(Err(inner.broken())),
                Read::Wait => {
                    inner.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
        self.link.house.received.change(held, inner.state.buffered());
        drop(inner);
        acknowledge(receipts);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.link.send(bytes, cx.waker())? {
            Some(count) => Poll::Ready(Ok(count)),
            None => Poll::Pending,
        }
    }

    /// Done at once: everything that was written is in the connection's outbound buffer.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.link.lock().failed())
    }

    /// Done when the peer knows that this end writes no more. A peer that cannot close one direction only is told when it
    /// has read everything.
    ///
    /// When it is Ok, a peer of ours has all that was written: its reader gets every byte and the end in order if it reads
    /// on, whatever becomes of this end and of the connection. What txampext makes of what it takes is not known.
    ///
    /// An error when the peer has left before it took everything that was written, and when the connection has ended.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Farewell::Unsaid = self.farewell {
            let mut inner = self.link.lock();
            let waits = !(inner.state.half_close() || inner.sent.is_empty() || inner.state.is_refused());
            if waits {
                inner.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(inner);
            self.begin_farewell();
        }
        if let Farewell::Telling(told) = &mut self.farewell {
            // A runtime that shuts down takes the connection with it.
            let told = ready!(Pin::new(told).poll(cx)).unwrap_or(Err(CloseReason::DriverDropped.into()));
            self.farewell = Farewell::Unheard;
            match told {
                Ok(()) => {
                    self.link.take_all_answers();
                    if !self.link.lock().refused {
                        self.farewell = Farewell::Said;
                    }
                }
                Err(StreamError::PeerDisconnected) => self.link.peer_left(),
                Err(error) => self.farewell = Farewell::Failed(Box::new(error)),
            }
        }
        match &self.farewell {
            Farewell::Said => return Poll::Ready(Ok(())),
            Farewell::Failed(error) => return Poll::Ready(Err(StreamError::clone(error).into())),
            _ => {}
        }
        self.link.take_all_answers();
        let mut inner = self.link.lock();
        if !(inner.refused || inner.state.is_peer_finished()) {
            // It may have left when it had taken everything, or because it could not: its Disconnect tells.
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(inner.written().map_err(io::Error::from))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let house = &self.link.house;
        let mut inner = self.link.lock();
        house.received.change(inner.state.buffered(), 0);
        let half_close = inner.state.half_close();
        // A writer that panics has not said all that it meant to say.
        let cut = (inner.cut || std::thread::panicking()) && !inner.state.is_finished();
        let (receipts, farewell) = inner.state.abandon();
        // What was sent counts until it is answered.
        drop(inner);
        give_back(half_close, receipts);
        if farewell.is_some() {
            self.link.part(cut);
        } else {
            // A farewell on its way out has its own entry.
            self.link.forget();
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.link.id).field("peer", self.peer()).finish_non_exhaustive()
    }
}
