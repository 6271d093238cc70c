use crate::error::StreamError;

/// The state of the two directions of a stream.
///
/// ```text
///                                 Open
///             send_close,       /      \  recv_close (half)
///             recv_refusal     /        \
///                             v          v
///             HalfClosedLocal               HalfClosedRemote
///                              \        /
///                   recv_close  \      /  send_close, recv_refusal
///                                v    v
///      recv_close (full, cut),  Closed
///      fail, abandon  ---------->
/// ```
///
/// A direction that has closed stays as it is: later events do not truncate a direction that ended whole. With a peer that does
/// not support half-close, every close is that of both directions.
#[derive(Debug)]
pub(crate) struct State {
    inner: Inner,
    /// Both ends support half-close.
    half_close: bool,
    /// When this end is dropped, its bytes must look truncated to the peer.
    scheduled_reset: bool,
}

#[derive(Debug)]
enum Inner {
    Open,
    /// This end sends no more; the peer's Disconnect is to come.
    HalfClosedLocal(SendEnd),
    /// The peer sends no more.
    HalfClosedRemote,
    Closed {
        recv: RecvEnd,
        send: SendEnd,
        /// The error, if it did not close gracefully. Boxed: most streams have none.
        error: Option<Box<StreamError>>,
    },
}

/// How the direction from the peer has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecvEnd {
    /// The received bytes are all that the peer meant to send.
    Finished,
    /// The received bytes are not known to be complete.
    Truncated,
}

/// How the direction to the peer has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendEnd {
    /// By this end. The peer may refuse bytes that were sent before.
    Finished { refused: bool },
    /// By the peer, which has refused bytes.
    Refused,
    /// By the end of the stream.
    Stopped,
}

/// How the peer has closed a stream. An earlier variant does not override a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RemoteClose {
    /// It sends no more.
    Half,
    /// It neither sends nor receives any more.
    Full,
    /// The same, and its bytes are truncated.
    Cut,
}

/// The directions that this end has closed, and must report to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shutdown {
    /// This end sends no more, and still receives.
    Write,
    /// The stream is closed.
    Both,
}

impl State {
    #[inline]
    pub(super) fn new(half_close: bool) -> Self {
        Self { inner: Inner::Open, half_close, scheduled_reset: false }
    }

    /// The user of this end sends no more. Returns the close to report to the peer, if any.
    pub(super) fn send_close(&mut self) -> Option<Shutdown> {
        let send = SendEnd::Finished { refused: false };
        match self.inner {
            Inner::Open if self.half_close => {
                self.inner = Inner::HalfClosedLocal(send);
                Some(Shutdown::Write)
            }
            Inner::Open | Inner::HalfClosedRemote => {
                self.inner = Inner::Closed { recv: RecvEnd::Finished, send, error: None };
                Some(Shutdown::Both)
            }
            Inner::HalfClosedLocal(_) | Inner::Closed { .. } => None,
        }
    }

    /// The peer's Disconnect was received. Bytes received before can still be read.
    pub(super) fn recv_close(&mut self, close: RemoteClose) {
        match (&self.inner, close) {
            (Inner::Open, RemoteClose::Half) if self.half_close => self.inner = Inner::HalfClosedRemote,
            (Inner::HalfClosedRemote, RemoteClose::Half) => {}
            (Inner::Open | Inner::HalfClosedLocal(_), RemoteClose::Cut) => self.fail(StreamError::Cut),
            _ => self.close(RecvEnd::Finished, SendEnd::Stopped, None),
        }
    }

    /// The peer has refused bytes that were sent: it receives no more. Its own direction ends with its Disconnect, or here if it
    /// does not support half-close.
    pub(super) fn recv_refusal(&mut self) {
        match &mut self.inner {
            Inner::Open if self.half_close => self.inner = Inner::HalfClosedLocal(SendEnd::Refused),
            Inner::Open | Inner::HalfClosedRemote => self.close(RecvEnd::Finished, SendEnd::Refused, None),
            Inner::HalfClosedLocal(send) | Inner::Closed { send, .. } => send.refuse(),
        }
    }

    /// The stream fails, unless it is closed: a stream that has closed has its error, or none.
    pub(super) fn fail(&mut self, error: StreamError) {
        self.close(RecvEnd::Truncated, SendEnd::Stopped, Some(Box::new(error)));
    }

    /// Received bytes are discarded: however the peer has ended, the reader has not received all of them.
    pub(super) fn lose(&mut self, error: StreamError) {
        let (send, before) = match &mut self.inner {
            Inner::Open | Inner::HalfClosedRemote => (SendEnd::Stopped, None),
            Inner::HalfClosedLocal(send) => (*send, None),
            Inner::Closed { send, error, .. } => (*send, error.take()),
        };
        let error = before.unwrap_or_else(|| Box::new(error));
        self.inner = Inner::Closed { recv: RecvEnd::Truncated, send, error: Some(error) };
    }

    /// This end is dropped: it neither sends nor receives any more. Returns whether to report that to the peer.
    pub(super) fn abandon(&mut self) -> bool {
        // A peer that has refused bytes has closed its end, and a peer that received a Disconnect for each direction knows.
        let knows = matches!(self.inner, Inner::HalfClosedLocal(SendEnd::Refused) | Inner::Closed { .. });
        self.close(RecvEnd::Truncated, SendEnd::Finished { refused: false }, None);
        !knows
    }

    /// Closes each direction that is open.
    fn close(&mut self, open_recv: RecvEnd, open_send: SendEnd, cause: Option<Box<StreamError>>) {
        let (recv, send) = match self.inner {
            Inner::Open => (open_recv, open_send),
            Inner::HalfClosedLocal(send) => (open_recv, send),
            Inner::HalfClosedRemote => (RecvEnd::Finished, open_send),
            Inner::Closed { .. } => return,
        };
        self.inner = Inner::Closed { recv, send, error: cause };
    }

    /// Notes that the written bytes are not all that was meant.
    pub(super) fn schedule_reset(&mut self) {
        self.scheduled_reset = true;
    }

    /// Whether the end of this end must look truncated to the peer. A graceful close stays as it is.
    pub(crate) fn is_reset_scheduled(&self) -> bool {
        self.scheduled_reset && !self.is_finished()
    }

    /// Both ends support half-close.
    pub(crate) fn half_close(&self) -> bool {
        self.half_close
    }

    /// Whether this end may still send.
    pub(super) fn can_send(&self) -> bool {
        matches!(self.inner, Inner::Open | Inner::HalfClosedRemote)
    }

    /// Whether the peer may still send.
    pub(crate) fn can_receive(&self) -> bool {
        matches!(self.inner, Inner::Open | Inner::HalfClosedLocal(_))
    }

    /// Both directions are closed.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.inner, Inner::Closed { .. })
    }

    /// The direction to the peer was closed by this end.
    pub(crate) fn is_finished(&self) -> bool {
        matches!(self.send_end(), Some(SendEnd::Finished { .. }))
    }

    /// The direction to the peer was closed, and not by this end.
    pub(crate) fn is_stopped(&self) -> bool {
        matches!(self.send_end(), Some(SendEnd::Refused | SendEnd::Stopped))
    }

    /// The peer has not accepted all bytes that were sent.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.send_end(), Some(SendEnd::Refused | SendEnd::Finished { refused: true }))
    }

    /// Nothing more is received, and the received bytes are not known to be complete.
    pub(crate) fn is_truncated(&self) -> bool {
        matches!(self.inner, Inner::Closed { recv: RecvEnd::Truncated, .. })
    }

    /// The error, if the stream did not close gracefully.
    pub(crate) fn error(&self) -> Option<&StreamError> {
        match &self.inner {
            Inner::Closed { error, .. } => error.as_deref(),
            _ => None,
        }
    }

    fn send_end(&self) -> Option<SendEnd> {
        match self.inner {
            Inner::HalfClosedLocal(send) | Inner::Closed { send, .. } => Some(send),
            Inner::Open | Inner::HalfClosedRemote => None,
        }
    }
}

impl SendEnd {
    /// The peer has refused bytes that were sent before.
    fn refuse(&mut self) {
        *self = match self {
            Self::Finished { .. } => Self::Finished { refused: true },
            Self::Refused | Self::Stopped => Self::Refused,
        };
    }
}
