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
/// A direction that has closed stays as it is: what ended whole is not truncated by what comes later. With a peer that cannot
/// close one direction only, every close is that of both.
#[derive(Debug)]
pub(crate) struct State {
    inner: Inner,
    /// Both ends can close one direction only.
    half_close: bool,
    /// When this end is dropped, what it wrote is to look truncated to the peer.
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
        /// Why, if not in order. Boxed: most streams have none.
        error: Option<Box<StreamError>>,
    },
}

/// How the direction from the peer has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecvEnd {
    /// What was received is all that the peer meant to send.
    Finished,
    /// What was received is not known to be all.
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

/// How the peer has closed a stream. A later variant is not taken back by an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RemoteClose {
    /// It sends no more.
    Half,
    /// It neither sends nor receives any more.
    Full,
    /// The same, and what it sent is truncated.
    Cut,
}

/// Which directions this end has closed, and the peer must be told of.
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

    /// The user of this end sends no more. Returns what the peer must be told, if anything.
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

    /// The peer's Disconnect was received. What was received before stays there to be read.
    pub(super) fn recv_close(&mut self, close: RemoteClose) {
        match (&self.inner, close) {
            (Inner::Open, RemoteClose::Half) if self.half_close => self.inner = Inner::HalfClosedRemote,
            (Inner::HalfClosedRemote, RemoteClose::Half) => {}
            (Inner::Open | Inner::HalfClosedLocal(_), RemoteClose::Cut) => self.fail(StreamError::Cut),
            _ => self.close(RecvEnd::Finished, SendEnd::Stopped, None),
        }
    }

    /// The peer has refused bytes that were sent: it receives no more. What it sends ends with its Disconnect, or here if it
    /// cannot close one direction only.
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

    /// What was received is thrown away: however the peer has ended, the reader has not got all of it.
    pub(super) fn lose(&mut self, error: StreamError) {
        let (send, before) = match &mut self.inner {
            Inner::Open | Inner::HalfClosedRemote => (SendEnd::Stopped, None),
            Inner::HalfClosedLocal(send) => (*send, None),
            Inner::Closed { send, error, .. } => (*send, error.take()),
        };
        let error = before.unwrap_or_else(|| Box::new(error));
        self.inner = Inner::Closed { recv: RecvEnd::Truncated, send, error: Some(error) };
    }

    /// This end is dropped: it neither sends nor receives any more. Returns whether the peer must be told.
    pub(super) fn abandon(&mut self) -> bool {
        // A peer that has refused bytes has closed its end, and one that was told of each direction in turn knows.
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

    /// Notes that what was written is not all that was meant.
    pub(super) fn schedule_reset(&mut self) {
        self.scheduled_reset = true;
    }

    /// Whether the end of this end is to look truncated to the peer. What was closed in order is not.
    pub(crate) fn is_reset_scheduled(&self) -> bool {
        self.scheduled_reset && !self.is_finished()
    }

    /// Both ends can close one direction only.
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

    /// The peer has not taken all that was sent.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.send_end(), Some(SendEnd::Refused | SendEnd::Finished { refused: true }))
    }

    /// Nothing more is received, and what was is not known to be all.
    pub(crate) fn is_truncated(&self) -> bool {
        matches!(self.inner, Inner::Closed { recv: RecvEnd::Truncated, .. })
    }

    /// Why the stream has closed, if not in order.
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
