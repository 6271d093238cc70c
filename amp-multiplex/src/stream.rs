use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use amp_core::{Call, Connection, Peer};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinHandle;

use crate::commands::{Disconnect, Transmit};
use crate::error::StreamError;
use crate::house::House;
use crate::link::{Link, acknowledge};
use crate::machine::{Farewell, Read};

/// The most bytes of one Transmit: streams take turns after as many.
const CHUNK: usize = 32 * 1024;

/// A byte stream to the peer. Use it like a socket.
///
/// What is written waits at the peer until it is read there; no more than a window of it is ever on its way, so a reader
/// that sleeps stops its own writer and nobody else. Shutting down ends the writing direction; reading goes on when the
/// peer is one of ours, and ends with it when it is txampext. Dropping closes both directions; bytes that were written
/// before still arrive. While the connection is busy the last bytes may wait here: reading, writing more, flushing, shutting
/// down and dropping see to them, so flush before waiting for anything else.
pub struct Stream {
    link: Arc<Link>,
    house: Arc<House>,
    connection: Connection,
    /// Bytes that were sent and not answered, oldest first.
    sent: VecDeque<Chunk>,
    /// Bytes that were taken from the writer and wait for room in the connection's outbound buffer.
    unsent: Option<Chunk>,
    /// The peer is being told that this end writes no more.
    farewell: Option<JoinHandle<()>>,
}

/// Bytes on their way.
struct Chunk {
    call: Call<Transmit>,
    length: usize,
    sent: Instant,
}

impl Stream {
    pub(crate) fn new(link: Arc<Link>, house: Arc<House>, connection: Connection) -> Self {
        Self { link, house, connection, sent: VecDeque::new(), unsent: None, farewell: None }
    }

    /// Who is at the other end of the connection.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.connection.peer()
    }

    /// The connection that carries the stream.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether shutting down leaves the reading direction open: both ends must know how.
    #[must_use]
    pub fn half_closes(&self) -> bool {
        self.link.lock().state.half_close()
    }

    /// Takes the answers that are here.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Result<(), StreamError> {
        while let Some(oldest) = self.sent.front_mut() {
            let Poll::Ready(answer) = Pin::new(&mut oldest.call).poll(cx) else { break };
            let Some(Chunk { length, sent, .. }) = self.sent.pop_front() else { break };
            self.house.remove_in_flight(length);
            self.link.lock().state.answered(length, sent, Instant::now());
            if let Err(error) = answer {
                return Err(self.give_up(error.into()));
            }
        }
        Ok(())
    }

    /// The peer does not take the bytes: the stream is over.
    fn give_up(&self, error: StreamError) -> StreamError {
        self.link.fail(error.clone());
        if let StreamError::PeerFailed(_) = error {
            self.house.registry().leave(self.link.id);
            self.house.say_goodbye(self.connection.clone(), self.link.id);
        } else {
            self.house.registry().remove(self.link.id);
        }
        error
    }

    /// Sends what waits for room.
    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let Some(chunk) = &mut self.unsent else { return Poll::Ready(Ok(())) };
        let sent = ready!(chunk.call.poll_sent(cx));
        let chunk = self.unsent.take();
        Poll::Ready(match sent {
            Ok(()) => {
                self.sent.extend(chunk);
                Ok(())
            }
            Err(error) => {
                let error = StreamError::from(error);
                self.link.fail(error.clone());
                Err(error)
            }
        })
    }

    /// How many bytes may be sent now; waits while there are none.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, StreamError>> {
        let mut inner = self.link.lock();
        let Some(room) = inner.state.room() else {
            let ended = if inner.state.is_peer_gone() { StreamError::PeerDisconnected } else { StreamError::Closed };
            return Poll::Ready(Err(inner.error.clone().unwrap_or(ended)));
        };
        if room == 0 || !self.house.has_credit(inner.state.in_flight()) {
            // An answer to the oldest bytes wakes this task too.
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(room))
    }

    /// Begins to send bytes; they count as written.
    fn send(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        let (data, length) = (Bytes::copy_from_slice(bytes), bytes.len());
        let call = self.connection.call(Transmit { connection: self.link.id, data }).no_timeout().uncounted();
        self.link.lock().state.sent(length);
        self.house.add_in_flight(length);
        self.unsent = Some(Chunk { call, length, sent: Instant::now() });
        let _ = self.poll_unsent(cx);
    }

    /// Tells the peer that this end writes no more.
    fn begin_farewell(&mut self) {
        let Some(farewell) = self.link.lock().state.finish() else { return };
        let (house, connection, id) = (Arc::clone(&self.house), self.connection.clone(), self.link.id);
        let half = (farewell == Farewell::Half).then_some(true);
        if farewell == Farewell::Full {
            house.registry().leave(id);
        }
        self.farewell = Some(tokio::spawn(async move {
            // Whatever it answers, it knows.
            let _ = connection.call(Disconnect { connection: id, half }).await;
            house.registry().left(id);
        }));
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Who writes and then reads need not flush between. An error is seen below.
        let _ = self.poll_unsent(cx);
        let mut receipts = Vec::new();
        let before = buffer.filled().len();
        let mut inner = self.link.lock();
        while buffer.remaining() > 0 {
            match inner.state.read(buffer.remaining()) {
                Read::Data(data, receipt) => {
                    buffer.put_slice(&data);
                    receipts.extend(receipt);
                }
                _ if buffer.filled().len() > before => break,
                Read::End => {
                    let error = inner.error.clone();
                    return Poll::Ready(error.map_or(Ok(()), |error| Err(error.into())));
                }
                Read::Wait => {
                    inner.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            }
        }
        drop(inner);
        acknowledge(receipts);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(cx))?;
        self.poll_answers(cx)?;
        let room = ready!(self.poll_room(cx))?;
        let count = bytes.len().min(room).min(CHUNK);
        if count > 0 {
            self.send(&bytes[..count], cx);
        }
        Poll::Ready(Ok(count))
    }

    /// Done when everything that was written is in the connection's outbound buffer.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        self.poll_answers(cx)?;
        Poll::Ready(Ok(()))
    }

    /// Done when the peer knows that this end writes no more. A peer that cannot close one direction only is told when it
    /// has read everything.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unsent(cx))?;
        if self.farewell.is_none() {
            let drained = self.poll_answers(cx).is_err() || self.sent.is_empty();
            if !drained && !self.half_closes() {
                return Poll::Pending;
            }
            self.begin_farewell();
        }
        if let Some(farewell) = &mut self.farewell
            && !farewell.is_finished()
        {
            let _ = ready!(Pin::new(farewell).poll(cx));
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut inner = self.link.lock();
        self.house.remove_in_flight(inner.state.in_flight());
        let (receipts, farewell) = inner.state.abandon();
        drop(inner);
        acknowledge(receipts);
        let (house, id) = (&self.house, self.link.id);
        if farewell.is_none() {
            // A farewell on its way out has its own entry.
            house.registry().remove(id);
            return;
        }
        house.registry().leave(id);
        match self.unsent.take() {
            None => house.say_goodbye(self.connection.clone(), id),
            Some(mut chunk) => {
                let (house, connection) = (Arc::clone(house), self.connection.clone());
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(async move {
                        // A connection that has ended is told nothing.
                        let _ = std::future::poll_fn(|cx| chunk.call.poll_sent(cx)).await;
                        house.say_goodbye(connection, id);
                    });
                }
            }
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.link.id).field("peer", self.peer()).finish_non_exhaustive()
    }
}
