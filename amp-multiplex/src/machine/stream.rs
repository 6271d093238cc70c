use std::time::Instant;

use bytes::Bytes;

use super::cost::Receipt;
use super::flow_control::FlowControl;
use super::recv_buffer::RecvBuffer;
use super::state::{RemoteClose, Shutdown, State};
use super::window::WindowBounds;
use crate::commands::Data;
use crate::error::StreamError;

/// One end of a stream: its state, its receive buffer and its flow control. `A` is an acknowledgement that is owed to the peer
/// until received bytes are read.
#[derive(Debug)]
pub(crate) struct StreamMachine<A> {
    state: State,
    received: RecvBuffer<A>,
    flow: FlowControl,
}

/// Result of receiving bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<A> {
    /// They wait for the reader, and so does their acknowledgement.
    Buffered,
    /// They are of no use, and acknowledged at once.
    Acknowledge(A),
    /// They will not be read, and the peer must know.
    Refuse(A),
    /// They exceed the limit: the stream has failed.
    Overrun(A),
}

/// Result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read<A> {
    /// Bytes, and the acknowledgement if they are the last of a chunk.
    Data(Bytes, Option<A>),
    /// The peer sends no more, and everything was read.
    Finished,
    /// Nothing more is received, and bytes may be missing.
    Truncated,
    /// Nothing yet.
    Pending,
}

impl<A: Receipt> StreamMachine<A> {
    #[inline]
    pub(crate) fn new(half_close: bool, bounds: WindowBounds, max_buffered: usize) -> Self {
        Self { state: State::new(half_close), received: RecvBuffer::new(max_buffered), flow: FlowControl::new(bounds) }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Bytes were received. All unread bytes together may cost `share`.
    pub(crate) fn receive(&mut self, data: impl Into<Data>, ack: A, share: usize) -> Received<A> {
        let data = data.into();
        if !self.state.can_receive() {
            // An error would end a txampext peer's connection.
            return if self.state.half_close() { Received::Refuse(ack) } else { Received::Acknowledge(ack) };
        }
        if data.is_empty() {
            return Received::Acknowledge(ack);
        }
        if !self.received.has_room(&data, &ack, share) {
            self.state.fail(StreamError::Overrun);
            return Received::Overrun(ack);
        }
        self.received.push(data, ack);
        Received::Buffered
    }

    /// Takes in bytes that this end has kept before there was a stream, within a limit of their own. The peer may have been
    /// answered since that all of them are here.
    pub(crate) fn receive_early(&mut self, data: Bytes, ack: A) {
        self.received.push(data.into(), ack);
    }

    /// Takes at most `max` bytes out for the reader.
    pub(crate) fn read(&mut self, max: usize) -> Read<A> {
        match self.received.pop(max) {
            Some((data, ack)) => Read::Data(data, ack),
            None if self.state.can_receive() => Read::Pending,
            None if self.state.is_truncated() => Read::Truncated,
            None => Read::Finished,
        }
    }

    /// Returns the memory held for received, unread bytes.
    pub(crate) fn buffered(&self) -> usize {
        self.received.held()
    }

    /// Returns how many bytes may be sent now, when all unacknowledged ones may cost `share`; `None` when this direction is
    /// closed.
    pub(crate) fn capacity(&mut self, share: usize, now: Instant) -> Option<usize> {
        self.state.can_send().then(|| self.flow.capacity(share, now))
    }

    /// Whether nothing may be sent because the round trip is measured: until all bytes are acknowledged, or for
    /// [`PROBE_TIMEOUT`](super::PROBE_TIMEOUT).
    pub(crate) fn is_draining(&self) -> bool {
        self.flow.is_draining()
    }

    /// Returns the cost of unacknowledged bytes.
    pub(crate) fn in_flight(&self) -> usize {
        self.flow.in_flight()
    }

    /// Bytes were sent.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.flow.sent(bytes);
    }

    /// The peer's reader has taken bytes.
    pub(crate) fn acknowledged(&mut self, bytes: usize, sent_at: Instant, now: Instant) {
        self.flow.acknowledged(bytes, sent_at, now);
    }

    /// The user of this end sends no more. Returns the close to report to the peer, if any.
    pub(crate) fn send_close(&mut self) -> Option<Shutdown> {
        self.state.send_close()
    }

    /// The peer's Disconnect was received.
    pub(crate) fn recv_close(&mut self, close: RemoteClose) {
        self.state.recv_close(close);
    }

    /// The peer has refused bytes that were sent: it receives no more.
    pub(crate) fn recv_refusal(&mut self) {
        self.state.recv_refusal();
    }

    /// The peer has failed to take bytes that were sent.
    pub(crate) fn recv_failure(&mut self, error: StreamError) {
        self.state.fail(error);
        self.state.recv_refusal();
    }

    /// The stream fails, unless it is closed.
    pub(crate) fn fail(&mut self, error: StreamError) {
        self.state.fail(error);
    }

    /// The stream fails, and received, unread bytes are discarded. Returns their acknowledgements.
    pub(crate) fn lose(&mut self, error: StreamError) -> Vec<A> {
        if self.received.held() == 0 {
            self.state.fail(error);
            return Vec::new();
        }
        self.state.lose(error);
        self.received.clear()
    }

    /// This end is dropped. Returns the acknowledgements of unread bytes, and the close to report to the peer, if any.
    pub(crate) fn abandon(&mut self) -> (Vec<A>, Option<Shutdown>) {
        let tell = self.state.abandon();
        (self.received.clear(), tell.then_some(Shutdown::Both))
    }

    /// Notes that the written bytes are not all that was meant.
    pub(crate) fn schedule_reset(&mut self) {
        self.state.schedule_reset();
    }
}
