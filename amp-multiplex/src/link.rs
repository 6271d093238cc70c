//! What a [`Stream`](crate::Stream) and the multiplexer share: one lock a stream, held for a moment.
//!
//! The locks are taken in this order: registry, link, connection. No reader or writer is woken under any of them.

use std::collections::VecDeque;
use std::io;
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use amp_core::extension::{CloseGuard, Sender};
use amp_core::{Answer, Connection};
use tokio::task::AbortHandle;

use crate::commands::{Id, Transmit};
use crate::error::StreamError;
use crate::house::{House, Told, refuse};
use crate::machine::{Ended, StreamState};
use crate::outlet::Chunk;

/// What the peer gets once its bytes were read.
pub(crate) type Receipt = Answer<Transmit>;

/// It lives until its stream was dropped, what that wrote is answered and the peer knows of the end, and takes a place among
/// the streams as long.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: Id,
    /// The house, and a place there.
    pub(crate) house: Place,
    inner: Mutex<Inner>,
    /// A connection that closes waits for its streams.
    _guard: CloseGuard,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: StreamState<Receipt>,
    /// Why the stream ended, if not in order.
    pub(crate) error: Option<Box<StreamError>>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    /// The writer's place among those who wait for room in the connection's outbound buffer.
    pub(crate) turn: Sender,
    /// Bytes that were sent and not answered, oldest first.
    pub(crate) sent: VecDeque<Chunk>,
    /// The peer did not take some of them, because it had left.
    pub(crate) refused: bool,
    /// The peer has said that it writes no more.
    pub(crate) peer_ended: bool,
    /// Until when the peer's Disconnect must come.
    deadline: Option<Deadline>,
    /// What was written is not all that was meant: the peer is told so when the stream is dropped.
    pub(crate) cut: bool,
}

impl Link {
    pub(crate) fn new(id: Id, house: &Arc<House>, connection: &Connection, peer: &Capable) -> Arc<Self> {
        let inner = Inner {
            state: house.state(peer),
            error: None,
            reader: None,
            writer: None,
            turn: Sender::new(connection),
            sent: VecDeque::new(),
            refused: false,
            peer_ended: false,
            deadline: None,
            cut: false,
        };
        Arc::new(Self {
            house: Place::new(house, &id),
            id,
            inner: Mutex::new(inner),
            _guard: CloseGuard::new(connection),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The peer knows that the stream is over.
    pub(crate) fn forget(self: &Arc<Self>) {
        let entry = self.house.registry().remove(&self.id, |other| Arc::ptr_eq(self, other));
        drop(entry);
    }

    /// Leaves the stream and tells the peer that it is over; `cut` says that the last bytes that were written are not the last
    /// that were meant.
    pub(crate) fn part(self: &Arc<Self>, cut: bool) -> Option<Told> {
        let entry = self.house.registry().leave(&self.id, |other| Arc::ptr_eq(self, other));
        drop(entry);
        // Its place is taken until the peer knows.
        self.house.say_goodbye(self.id.clone(), Arc::clone(self), cut)
    }

    /// Changes the state and wakes both directions.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = change(&mut inner);
        let wakers = [inner.reader.take(), inner.writer.take()];
        drop(inner);
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    /// Ends the stream with a reason, unless it is over already. A direction that has ended in order stays as it is.
    pub(crate) fn fail(&self, error: StreamError) {
        self.change(|inner| inner.fail(error));
    }

    /// The peer reads no more. With an old one that is the end; what one of ours wrote is whole or not as its Disconnect
    /// says, and until that comes the reader waits.
    pub(crate) fn peer_left(self: &Arc<Self>) {
        let over = self.change(|inner| {
            inner.state.refused();
            let over = inner.state.is_over();
            if !over && inner.deadline.is_none() {
                inner.deadline = self.expect_disconnect();
            }
            over
        });
        if over {
            self.forget();
        }
    }

    fn expect_disconnect(self: &Arc<Self>) -> Option<Deadline> {
        let (link, timeout) = (Arc::downgrade(self), self.house.settings.disconnect_timeout);
        let expiry = self.house.spawn(async move {
            tokio::time::sleep(timeout).await;
            if let Some(link) = link.upgrade() {
                link.fail(StreamError::Cut);
                link.forget();
            }
        });
        expiry.map(|expiry| Deadline(expiry.abort_handle()))
    }
}

/// What happens when the time is up; dropped before, nothing.
#[derive(Debug)]
struct Deadline(AbortHandle);

impl Drop for Deadline {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One of the places for streams, and what the id of its stream holds.
#[derive(Debug)]
pub(crate) struct Place {
    house: Arc<House>,
    id: usize,
}

impl Place {
    pub(crate) fn new(house: &Arc<House>, id: &Id) -> Self {
        house.alive.fetch_add(1, Ordering::Relaxed);
        house.received.change(0, id.held());
        Self { house: Arc::clone(house), id: id.held() }
    }
}

impl Deref for Place {
    type Target = Arc<House>;

    fn deref(&self) -> &Arc<House> {
        &self.house
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.house.alive.fetch_sub(1, Ordering::Relaxed);
        self.house.received.change(self.id, 0);
    }
}

/// What the peer of a stream knows to do: one that is as txampext, nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capable {
    pub(crate) half_close: bool,
    /// How much it keeps for its reader, if it says so.
    pub(crate) keeps: Option<u64>,
}

impl Inner {
    /// The peer sent more than is kept: the stream is not whole any more. The reader must not take that for its end.
    pub(crate) fn overrun(&mut self) {
        self.state.fail();
        self.error = Some(Box::new(StreamError::Overrun));
    }

    /// The peer has ended the stream.
    pub(crate) fn end(&mut self, ended: Ended) {
        self.peer_ended = true;
        self.deadline = None;
        match ended {
            Ended::Half if self.state.half_close() => self.state.peer_finished(),
            Ended::Half | Ended::Full => self.state.peer_gone(),
            // What ended in order before is whole.
            Ended::Cut if self.state.is_peer_finished() => self.state.peer_gone(),
            Ended::Cut => self.fail(StreamError::Cut),
        }
    }

    /// Why the stream ended, if not in order.
    pub(crate) fn failed(&self) -> io::Result<()> {
        self.error.as_deref().map_or(Ok(()), |error| Err(error.clone().into()))
    }

    /// Why what came is not all.
    pub(crate) fn broken(&self) -> io::Error {
        self.error.as_deref().cloned().unwrap_or(StreamError::Closed).into()
    }

    /// Whether the peer, which is gone, has taken all that was written.
    pub(crate) fn written(&self) -> Result<(), StreamError> {
        match &self.error {
            Some(error) => Err(StreamError::clone(error)),
            None if self.refused || !self.sent.is_empty() => Err(StreamError::PeerDisconnected),
            None => Ok(()),
        }
    }

    pub(crate) fn fail(&mut self, error: StreamError) {
        self.deadline = None;
        if self.state.fail() {
            self.error.get_or_insert(Box::new(error));
        }
    }
}

/// Gives back the receipts of bytes that nobody will read. A peer of ours learns that, or its shutdown would be Ok; for an old
/// one the error would be the end of its connection.
pub(crate) fn give_back(half_close: bool, receipts: impl IntoIterator<Item = Receipt>) {
    if half_close { refuse(receipts) } else { acknowledge(receipts) }
}

/// Tells the peer that bytes were read.
pub(crate) fn acknowledge(receipts: impl IntoIterator<Item = Receipt>) {
    receipts.into_iter().for_each(|receipt| receipt.send(Ok(())));
}
