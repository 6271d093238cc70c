use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::window::{Bounds, Window};
use super::{LEAST, OVERHEAD, cost};

/// One end of a stream. `R` is a receipt: what the peer gets back once the bytes were read.
///
/// Each direction ends for itself and once: what ended whole is not broken by what comes later.
///
/// ```text
///   from the peer   Open --peer_finished(), peer_gone()--> Whole
///                     \--fail()--------------------------> Broken
///   to the peer     Open --finish()----------------------> Finished
///                     \--refused(), peer_gone(), fail()--> Refused
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
    reading: Reading,
    writing: Writing,
    /// What the bytes cost that were sent and not answered.
    in_flight: usize,
    window: Window,
}

/// The direction from the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer writes no more, and what it wrote is all that it meant to.
    Whole,
    /// Nothing more comes, and what came is not known to be all.
    Broken,
}

/// The direction to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Open,
    /// This end writes no more.
    Finished,
    /// The peer reads no more.
    Refused,
}

/// What became of received bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<R> {
    /// They wait for the reader; the receipt is given back when they were read.
    Kept,
    /// They are of no use, and the peer may think they were read.
    Dropped(R),
    /// Nobody will read them, and the peer must know.
    Refused(R),
    /// The peer sends more than is allowed: the stream is over.
    Overrun(R),
}

/// What there is to read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read<R> {
    /// Bytes, and the receipt if they are the last of what came together.
    Data(Bytes, Option<R>),
    /// The peer writes no more, and that was all.
    End,
    /// Nothing more comes, and that may not have been all.
    Broken,
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
            reading: Reading::Open,
            writing: Writing::Open,
            in_flight: 0,
            window: Window::new(bounds),
        }
    }

    pub(crate) fn half_close(&self) -> bool {
        self.half_close
    }

    /// Takes in bytes from the peer. All that are not read may cost `share`.
    pub(crate) fn receive(&mut self, data: Bytes, receipt: R, share: usize) -> Received<R> {
        if data.is_empty() {
            return Received::Dropped(receipt);
        }
        if self.reading != Reading::Open {
            // An error would end an old peer's connection.
            return if self.half_close { Received::Refused(receipt) } else { Received::Dropped(receipt) };
        }
        if self.buffered + cost(data.len()) > self.most_buffered.min(share) {
            self.fail();
            return Received::Overrun(receipt);
        }
        self.keep(data, receipt);
        Received::Kept
    }

    /// Takes in bytes that this end has kept before there was a stream, within a bound of their own. The peer may have been
    /// told since that all of them are here.
    pub(crate) fn keep(&mut self, data: Bytes, receipt: R) {
        self.buffered += cost(data.len());
        self.received.push_back((data, Some(receipt)));
    }

    /// What the bytes cost that were received and not read.
    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    /// Takes at most `most` bytes out for the reader.
    pub(crate) fn read(&mut self, most: usize) -> Read<R> {
        let Some((data, receipt)) = self.received.front_mut() else {
            return match self.reading {
                Reading::Open => Read::Wait,
                Reading::Whole => Read::End,
                Reading::Broken => Read::Broken,
            };
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
        if self.reading == Reading::Open {
            self.reading = Reading::Whole;
        }
    }

    /// The peer reads no more. What it wrote ends with its Disconnect, or here if it is old.
    pub(crate) fn refused(&mut self) {
        if self.writing == Writing::Open {
            self.writing = Writing::Refused;
        }
        if !self.half_close {
            self.peer_finished();
        }
    }

    /// The peer neither writes nor reads any more. What it wrote before can be read.
    pub(crate) fn peer_gone(&mut self) {
        self.peer_finished();
        self.refused();
    }

    /// Nothing more comes or goes. Whether that ends anything.
    pub(crate) fn fail(&mut self) -> bool {
        let was_over = self.is_over();
        if self.reading == Reading::Open {
            self.reading = Reading::Broken;
        }
        self.refused();
        !was_over
    }

    /// This end writes no more.
    pub(crate) fn is_finished(&self) -> bool {
        self.writing == Writing::Finished
    }

    /// The peer reads no more, and that is why this end writes no more.
    pub(crate) fn is_refused(&self) -> bool {
        self.writing == Writing::Refused
    }

    /// Nothing more comes from the peer.
    pub(crate) fn is_peer_finished(&self) -> bool {
        self.reading != Reading::Open
    }

    /// Nothing more comes from the peer, and what came may not be all.
    pub(crate) fn is_broken(&self) -> bool {
        self.reading == Reading::Broken
    }

    /// How many bytes the writer may send now, when all that are unanswered may cost `share`; `None` when writing has ended.
    pub(crate) fn room(&mut self, share: usize, now: Instant) -> Option<usize> {
        let open = self.writing == Writing::Open;
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
        if self.writing != Writing::Open {
            return None;
        }
        self.writing = Writing::Finished;
        if self.half_close && self.reading == Reading::Open {
            return Some(Farewell::Half);
        }
        self.peer_finished();
        Some(Farewell::Full)
    }

    /// Nobody uses this end any more: gives back every receipt and what the peer must be told, if anything.
    pub(crate) fn abandon(&mut self) -> (Vec<R>, Option<Farewell>) {
        let receipts = self.received.drain(..).filter_map(|(_, receipt)| receipt).collect();
        self.buffered = 0;
        // A peer that has refused bytes has left, and with both directions closed in turn it knows.
        let knows = self.writing == Writing::Refused || self.is_over();
        self.fail();
        self.writing = Writing::Finished;
        (receipts, (!knows).then_some(Farewell::Full))
    }

    /// Both directions are closed, and there is nothing to tell the peer.
    pub(crate) fn is_over(&self) -> bool {
        self.reading != Reading::Open && self.writing != Writing::Open
    }
}
