//! What a [`Stream`](crate::Stream) and the multiplexer share: one lock a stream, held for a moment.
//!
//! The locks are taken in this order: registry, link, connection. No waker of a user runs under any of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use amp_core::{Answer, Connection};

use crate::commands::{Id, Transmit};
use crate::error::StreamError;
use crate::house::House;
use crate::machine::StreamState;
use crate::outlet::Chunk;

/// What the peer gets once its bytes were read.
pub(crate) type Receipt = Answer<Transmit>;

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: Id,
    pub(crate) house: Arc<House>,
    pub(crate) connection: Connection,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: StreamState<Receipt>,
    /// Why the stream ended, if not in order.
    pub(crate) error: Option<StreamError>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    /// Bytes that were taken from the writer and wait for room in the connection's outbound buffer.
    pub(crate) unsent: Option<Chunk>,
    /// Bytes that were sent and not answered, oldest first.
    pub(crate) sent: VecDeque<Chunk>,
    /// The peer did not take some of them, because it had left.
    pub(crate) refused: bool,
}

impl Link {
    pub(crate) fn new(id: Id, house: &Arc<House>, connection: Connection, half_close: bool) -> Arc<Self> {
        let inner = Inner {
            state: house.state(half_close),
            error: None,
            reader: None,
            writer: None,
            unsent: None,
            sent: VecDeque::new(),
            refused: false,
        };
        Arc::new(Self { id, house: Arc::clone(house), connection, inner: Mutex::new(inner) })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Ends the stream with a reason, unless it is over already.
    pub(crate) fn fail(&self, error: StreamError) {
        self.change(|inner| inner.fail(error));
    }
}

impl Inner {
    /// The peer sent more than is kept: the stream is not whole any more. The reader must not take that for its end.
    pub(crate) fn overrun(&mut self) {
        self.state.peer_gone();
        self.error = Some(StreamError::Overrun);
    }

    /// Whether the peer, which is gone, has taken all that was written.
    pub(crate) fn written(&self) -> Result<(), StreamError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if self.refused || self.unsent.is_some() || !self.sent.is_empty() => {
                Err(StreamError::PeerDisconnected)
            }
            None => Ok(()),
        }
    }

    pub(crate) fn fail(&mut self, error: StreamError) {
        if !self.state.is_peer_gone() {
            self.state.peer_gone();
            self.error = Some(error);
        }
    }
}

/// Tells the peer that bytes were read.
pub(crate) fn acknowledge(receipts: impl IntoIterator<Item = Receipt>) {
    receipts.into_iter().for_each(|receipt| receipt.send(Ok(())));
}
