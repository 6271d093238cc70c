//! Settings of connections: limits, times and features. Imports `wire`.

use std::time::Duration;

use crate::wire::BoxLimits;

/// What a connection allows. Every queue and buffer of a connection has its bound here.
///
/// ```
/// # extern crate amp_core as amp;
/// use std::time::Duration;
///
/// use amp::Settings;
/// use amp::wire::BoxLimits;
///
/// let settings = Settings::new()
///     .call_timeout(Duration::from_secs(30))
///     .max_inbound(16 << 20)
///     .boxes(BoxLimits::new().bytes(256 << 10))
///     .write_timeout(None);
/// assert_eq!(settings.max_inbound, 16 << 20);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The bounds of one box, received or sent.
    pub boxes: BoxLimits,
    /// Number of calls to the peer that may be outstanding at once, at least 1. Further calls wait for a place, in order. A
    /// waiting call that is no longer polled blocks the later ones: poll it or drop it. Default 1,024.
    ///
    /// A call that was dropped or timed out keeps its place until its answer arrives, because the peer still works on it. Calls
    /// that a responder makes take no place: see [`Connection::call`](crate::Connection::call).
    pub max_calls: usize,
    /// Number of the peer's commands that may run or wait here at once. Further asks are answered with
    /// [`codes::BUSY`](crate::error::codes::BUSY), and notifications wait. Responders that are ready at once do not count.
    /// Default 4,096.
    ///
    /// One notification at a time runs in any case, whatever calls run: those calls may be waiting for it.
    pub max_responders: usize,
    /// Bytes that the peer's running and waiting commands may hold. Further commands are answered with
    /// [`codes::BUSY`](crate::error::codes::BUSY). Default 64 MiB.
    ///
    /// Until it is answered, each command counts for its own bytes plus 1,536, for the memory that it decodes to beyond its own
    /// bytes, and for the future of a responder that waits, if that is over 512 bytes. A notification waits for its turn among
    /// [`max_responders`](Self::max_responders), and while this limit is exceeded, but one at a time runs in any case. A peer
    /// that [announces](Self::announce) receives no credit for more meanwhile. Any other peer may have sent more already, and
    /// each of its notifications was promised to run: the connection ends with
    /// [`CloseReason::TooManyNotifications`](crate::CloseReason::TooManyNotifications) when they hold more than the sum of this
    /// limit, six boxes of the [largest size](crate::wire::BoxLimits::bytes), 323 KiB and
    /// [`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes).
    pub max_inbound: usize,
    /// High-water mark of the outbound buffer, in bytes: above it callers wait before they append to it, and responders before
    /// they start. Bytes that belong to no call, as those of streams, have room of their own: 96 KiB, beside large calls as much
    /// as these had in the previous turn, and at most half of this mark. Until the peer's first box has arrived, notifications
    /// wait from 64 KiB on: the peer may be about to give credit. At least 1. Default 1 MiB.
    pub outbound_high_water: usize,
    /// Bytes, answers included, that may gather behind those being written (which may be as many) before the peer counts as not
    /// reading and the connection ends. Default 64 MiB.
    pub max_outbound: usize,
    /// Time that a call waits for its answer unless the call sets its own. Default: no limit.
    pub call_timeout: Option<Duration>,
    /// Time for which the peer may send no further byte of a box that it has begun. Each byte that arrives restarts the time.
    /// There is no limit before the first box or between boxes. When the time is over, the connection ends with
    /// [`CloseReason::BoxTimeout`](crate::CloseReason::BoxTimeout). `None`: no limit. Default 30 s.
    pub box_timeout: Option<Duration>,
    /// Time for which the transport may accept no byte while bytes wait to be written or flushed: the peer does not read. Each
    /// byte that is accepted restarts the time. When it is over, the connection ends with
    /// [`CloseReason::WriteTimeout`](crate::CloseReason::WriteTimeout). `None`: no limit, up to
    /// [`max_outbound`](Self::max_outbound). Default 120 s.
    ///
    /// An operating system accepts bytes in portions of a third of its send buffer, which may grow to 4 MiB: a peer that reads
    /// less than a portion in this time, 11 kB a second, counts as one that does not read.
    pub write_timeout: Option<Duration>,
    /// Time that a replacement of the transport may take, from the moment when nothing more is written over the old transport
    /// until the new one is there: the peer's answer, if this end has asked, and the handshake. When it is over, the connection
    /// ends with [`CloseReason::HandshakeTimeout`](crate::CloseReason::HandshakeTimeout). `None`: no limit. Default 10 s.
    pub handshake_timeout: Option<Duration>,
    /// Time that a responder may take before its first await until it is logged at `WARN`, with its command and the remedy:
    /// meanwhile nothing else happens on its connection. A command is reported only when it has been slow twice, because the
    /// system may pause any thread. Not every poll is timed. There is one line on each connection, and then one a minute. `None`:
    /// never. Default 10 ms.
    pub slow_poll: Option<Duration>,
    /// Time for which [`Connection::close`](crate::Connection::close) lets outstanding answers arrive and responders finish, and
    /// for which responders may go on after the connection has ended, for whatever reason: those of notifications, and of
    /// commands that are declared `detached`. Responders that still run then are cancelled, with a `WARN`. Meanwhile the
    /// connection keeps its place in its server, and [`closed`](crate::Connection::closed) waits. Default 10 s.
    pub close_timeout: Duration,
    /// Time for the last bytes to be written and to be read by the peer when the connection ends, and for this end to receive
    /// what the peer sent before it saw an orderly end. It counts twice when this end had to stop reading because it held too
    /// much. Over pipes, a peer that announces nothing is not waited for: nothing is lost when a pipe is closed before its reader
    /// has read. Default 1 s.
    pub linger: Duration,
    /// How much of one read is handled before its answers are written. Default: whichever way measures faster.
    pub batching: Batching,
    /// Consequence of a failure that is not declared. Default: only its own call fails.
    pub strictness: Strictness,
    /// Whether an answer to a tag that is not outstanding is logged and ignored instead of ending the connection. Default off.
    pub ignore_unknown_answers: bool,
    /// Whether each responder finishes before the next one starts. Default off: they run concurrently.
    ///
    /// With it on, a responder that calls the peer back and waits can deadlock with a peer that does the same: set a time limit
    /// on such calls.
    pub in_order: bool,
    /// Whether the first box that this end sends carries a key that announces to a peer of this library which features this end
    /// supports: credit for notifications, and the reason of an end. Other peers ignore a key that they do not know, and are sent
    /// nothing else. Default on; always off under [`Strictness::Twisted`].
    pub announce: bool,
}

impl Settings {
    /// Whether this end announces and understands this library's own features.
    #[cfg(feature = "tokio")]
    pub(crate) fn announces(&self) -> bool {
        self.announce && self.strictness != Strictness::Twisted
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            boxes: BoxLimits::DEFAULT,
            max_calls: 1024,
            max_responders: 4096,
            max_inbound: 64 << 20,
            outbound_high_water: 1 << 20,
            max_outbound: 64 << 20,
            call_timeout: None,
            box_timeout: Some(Duration::from_secs(30)),
            write_timeout: Some(Duration::from_secs(120)),
            handshake_timeout: Some(Duration::from_secs(10)),
            slow_poll: Some(Duration::from_millis(10)),
            close_timeout: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            batching: Batching::Adaptive,
            strictness: Strictness::Isolating,
            ignore_unknown_answers: false,
            in_order: false,
            announce: true,
        }
    }
}

/// How much of one read is handled before its answers are written; see [`Settings::batching`].
///
/// It changes neither the order nor the bytes, only when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batching {
    /// Tries each of the two ways now and then, on 16,384 boxes, and keeps the one that handles more boxes a second.
    #[default]
    Adaptive,
    /// All of it: one write and one wake-up of the peer, which is the least work. Best where both ends share a core, and for
    /// response times that do not change with the load.
    Whole,
    /// In parts of 16 boxes, 32, 64 and so on: the peer has the first answers while this end handles the rest. Best where each
    /// end has cores of its own and many calls are outstanding.
    InParts,
}

/// Consequence of a failure that is not declared.
#[doc(alias("PROTOCOL_ERRORS"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strictness {
    /// Only the call fails: it is answered with an error.
    #[default]
    Isolating,
    /// The connection ends, as in Twisted: the error is answered first. An ask that wants no answer ends it even with a declared
    /// error or an unknown command.
    Twisted,
}

/// Setters that take and return the settings, for chains.
macro_rules! setters {
    (timeouts: $($timeout:ident),*; $($field:ident: $type:ty),* $(,)?) => {
        impl Settings {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(
                #[doc = concat!("Sets [`", stringify!($timeout), "`](Self#structfield.", stringify!($timeout), "): a duration, or `None`.")]
                #[must_use]
                pub fn $timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
                    self.$timeout = timeout.into();
                    self
                }
            )*

            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    timeouts: call_timeout, box_timeout, write_timeout, handshake_timeout, slow_poll;
    boxes: BoxLimits,
    max_calls: usize,
    max_responders: usize,
    max_inbound: usize,
    outbound_high_water: usize,
    max_outbound: usize,
    close_timeout: Duration,
    linger: Duration,
    batching: Batching,
    strictness: Strictness,
    ignore_unknown_answers: bool,
    in_order: bool,
    announce: bool,
}
