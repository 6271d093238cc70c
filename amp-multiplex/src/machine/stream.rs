use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::window::{Bounds, Window};
use super::{LEAST, OVERHEAD, cost};

/// One end of a stream. `R` is a receipt: what the peer gets back once the bytes were read.
///
/// ```text
///              finish()                 peer_finished()
///   Open ------------------> Finished        (and the same for the other direction)
///     \   abandon() / peer_gone() / fail()
///      `--------------------> Gone
/// ```
#[derive(Debug)]
pub(crate) struct StreamState<R> {
    /// Both ends know how to close one direction only.
    half_close: bool,
    received: VecDeque<(Bytes, Option<R>)>,
    /// What the received bytes cost.
    buffered: usize,
    /// How much that may be.
    most_buffered: usize,
    /// The peer writes no more.
    peer_finished: bool,
    /// The peer neither writes nor reads any more.
    peer_gone: bool,
    /// This end writes no more.
    finished: bool,
    /// What the bytes cost that were sent and not answered.
    in_flight: usize,
    window: Window,
}

/// What became of received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<R> {
    /// They wait for the reader; the receipt is given back when they were read.
    Kept,
    /// They are of no use any more, and the peer may think they were read.
    Dropped(R),
    /// The peer sends more than is allowed: the stream is over.
    Overrun(R),
}

/// What there is to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read<R> {
    /// Bytes, and the receipt if they are the last of what came together.
    Data(Bytes, Option<R>),
    /// The peer writes no more.
    End,
    /// Nothing yet.
    Wait,
}

/// What the peer must be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// This end writes no more and goes on reading.
    Half,
    /// The stream is over.
    Full,
}

impl<R> StreamState<R> {
    pub(crate) fn new(half_close: bool, bounds: Bounds, most_buffered: usize) -> Self {
        Self {
            half_close,
            received: VecDeque::new(),
            buffered: 0,
            most_buffered,
            peer_finished: false,
            peer_gone: false,
            finished: false,
            in_flight: 0,
            window: Window::new(bounds),
        }
    }

    pub(crate) fn half_close(&self) -> bool {
        self.half_close
    }

    /// Takes in bytes from the peer. All that are not read may cost `share`.
    pub(crate) fn receive(&mut self, data: Bytes, receipt: R, share: usize) -> Received<R> {
        if data.is_empty() || self.peer_finished {
            return Received::Dropped(receipt);
        }
        if self.buffered + cost(data.len()) > self.most_buffered.min(share) {
            self.peer_gone();
            return Received::Overrun(receipt);
        }
        self.buffered += cost(data.len());
        self.received.push_back((data, Some(receipt)));
        Received::Kept
    }

    /// What the bytes cost that were received and not read.
    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    /// Takes at most `most` bytes out for the reader.
    pub(crate) fn read(&mut self, most: usize) -> Read<R> {
        let Some((data, receipt)) = self.received.front_mut() else {
            return if self.peer_finished { Read::End } else { Read::Wait };
        };
        let part = data.split_to(most.min(data.len()));
        let receipt = if data.is_empty() { receipt.take() } else { None };
        if data.is_empty() {
            self.received.pop_front();
            self.buffered -= OVERHEAD;
        }
        if self.received.is_empty() {
            // An idle stream holds no memory for what has passed.
            self.received = VecDeque::new();
        }
        self.buffered -= part.len();
        Read::Data(part, receipt)
    }

    /// The peer writes no more, and still reads. What it wrote before can be read.
    pub(crate) fn peer_finished(&mut self) {
        self.peer_finished = true;
    }

    /// The peer neither writes nor reads any more. What it wrote before can be read.
    pub(crate) fn peer_gone(&mut self) {
        self.peer_finished = true;
        self.peer_gone = true;
    }

    /// This end writes no more.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    /// The peer writes no more.
    pub(crate) fn is_peer_finished(&self) -> bool {
        self.peer_finished
    }

    pub(crate) fn is_peer_gone(&self) -> bool {
        self.peer_gone
    }

    /// How many bytes the writer may send now, when all that are unanswered may cost `share`; `None` when writing has ended.
    pub(crate) fn room(&mut self, share: usize, now: Instant) -> Option<usize> {
        let open = !self.finished && !self.peer_gone;
        let window = self.window.allowed(self.in_flight, now);
        let room = window.min(share.max(LEAST)).saturating_sub(cost(self.in_flight));
        // With nothing on its way something goes; else crumbs wait until an answer makes room for more.
        open.then_some(if self.in_flight == 0 || room >= LEAST { room } else { 0 })
    }

    /// Whether there is no room because the path is measured: until all is answered, or for [`PATIENCE`](super::PATIENCE).
    pub(crate) fn is_draining(&self) -> bool {
        self.window.is_draining()
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Notes bytes that were sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.window.sent(self.in_flight);
        self.in_flight += cost(bytes);
    }

    /// Notes bytes that the peer's reader has taken.
    pub(crate) fn answered(&mut self, bytes: usize, sent: Instant, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(cost(bytes));
        self.window.answered(cost(bytes), sent, now);
    }

    /// This end writes no more. What the peer must be told, if anything: with a peer that cannot close one direction the
    /// stream is over for both, and this end reads no more either.
    pub(crate) fn finish(&mut self) -> Option<Farewell> {
        if self.finished || self.peer_gone {
            self.finished = true;
            return None;
        }
        self.finished = true;
        if self.half_close && !self.peer_finished {
            return Some(Farewell::Half);
        }
        self.peer_gone();
        Some(Farewell::Full)
    }

    /// Nobody uses this end any more: gives back every receipt and what the peer must be told, if anything.
    pub(crate) fn abandon(&mut self) -> (Vec<R>, Option<Farewell>) {
        let receipts = self.received.drain(..).filter_map(|(_, receipt)| receipt).collect();
        self.buffered = 0;
        // With both directions closed in turn the peer knows.
        let farewell = (!self.is_over()).then_some(Farewell::Full);
        self.finished = true;
        self.peer_gone();
        (receipts, farewell)
    }

    /// Both directions are closed, and there is nothing to tell the peer.
    pub(crate) fn is_over(&self) -> bool {
        self.peer_gone || (self.finished && self.peer_finished)
    }
}
