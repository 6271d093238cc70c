//! What a [`Stream`](crate::Stream) and the multiplexer share: one lock a stream, held for a moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use amp_core::Answer;

use crate::commands::{Id, Transmit};
use crate::error::StreamError;
use crate::machine::StreamState;

/// What the peer gets once its bytes were read.
pub(crate) type Receipt = Answer<Transmit>;

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: Id,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) state: StreamState<Receipt>,
    /// Why the stream ended, if not in order.
    pub(crate) error: Option<StreamError>,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
}

impl Link {
    pub(crate) fn new(id: Id, state: StreamState<Receipt>) -> Arc<Self> {
        Arc::new(Self { id, inner: Mutex::new(Inner { state, error: None, reader: None, writer: None }) })
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

    /// Ends the stream with a reason.
    pub(crate) fn fail(&self, error: StreamError) {
        self.change(|inner| {
            inner.state.peer_gone();
            inner.error.get_or_insert(error);
        });
    }
}

/// Tells the peer that bytes were read.
pub(crate) fn acknowledge(receipts: impl IntoIterator<Item = Receipt>) {
    receipts.into_iter().for_each(|receipt| receipt.send(Ok(())));
}
