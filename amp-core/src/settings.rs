//! What connections allow. Imports `wire`.

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
    /// How many calls to the peer may be out at once, at least 1; further ones wait for a place, in order: one that waits
    /// and is no longer polled keeps the later ones waiting. Poll it or drop it. Default 1,024.
    ///
    /// A call that was dropped or timed out keeps its place until its answer comes, because the peer still works on it. Calls that
    /// a responder makes take no place: see [`Connection::call`](crate::Connection::call).
    pub max_calls: usize,
    /// How many of the peer's commands may run or wait here at once; further ones are answered with
    /// [`codes::BUSY`](crate::error::codes::BUSY), and notifications wait. Responders that are ready at once do not count. Default 4,096.
    ///
    /// One notification at a time runs in any case, whatever calls run: they may be waiting for it.
    pub max_responders: usize,
    /// How many bytes the peer's commands may hold that run or wait here; further ones are answered with
    /// [`codes::BUSY`](crate::error::codes::BUSY). Default 64 MiB.
    ///
    /// Each counts for 512 bytes more than it has, for what it decodes to beyond its own bytes, and for the future of a responder that waits,
    /// if that is over 512 bytes, until it is answered. A notification
    /// waits for its turn among [`max_responders`](Self::max_responders), and while this limit is crossed, but one at a time runs in any
    /// case. A peer that [announces](Self::announce) gets no credit for more meanwhile. Another one may have sent more already, and each
    /// was promised to run: the connection ends with
    /// [`CloseReason::TooManyNotifications`](crate::CloseReason::TooManyNotifications) when they hold more than this limit, six boxes of
    /// the [largest size](crate::wire::BoxLimits::bytes), 193 KiB and [`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes) together.
    pub max_inbound: usize,
    /// High-water mark of the outbound buffer, in bytes: above it callers wait before they append to it, and responders before they
    /// start. What counts as no call, as the bytes of streams, has room of its own: 96 KiB, beside large calls as much as these had the
    /// turn before, and at most half of this. Until the peer's first box has come, notifications wait from 64 KiB on: it may be about
    /// to give credit. At least 1. Default 1 MiB.
    pub outbound_high_water: usize,
    /// How many bytes, answers included, may gather behind those being written (which may be as many) before the peer
    /// counts as one that does not read
    /// and the connection ends. Default 64 MiB.
    pub max_outbound: usize,
    /// How long a call waits for its answer unless it says otherwise. Default: without end.
    pub call_timeout: Option<Duration>,
    /// How long the peer may send nothing of a box that it has begun. Each byte that comes begins the time anew; there is no limit
    /// before the first box and between boxes. When it is over, the connection ends with
    /// [`CloseReason::BoxTimeout`](crate::CloseReason::BoxTimeout). `None`: without end. Default 30 s.
    pub box_timeout: Option<Duration>,
    /// How long the transport may take nothing while bytes wait to be written or flushed: the peer does not read. Each byte that is
    /// taken begins the time anew. When it is over, the connection ends with
    /// [`CloseReason::WriteTimeout`](crate::CloseReason::WriteTimeout). `None`: without end, up to
    /// [`max_outbound`](Self::max_outbound). Default 120 s.
    ///
    /// A system takes bytes in portions of a third of its send buffer, which may grow to 4 MiB: a peer that reads less than a portion in
    /// this time, 11 kB a second, ends as one that does not read.
    pub write_timeout: Option<Duration>,
    /// How long a replacement of the transport may take, from when nothing more is written over the old transport until the new one is
    /// there: the peer's answer, if this end has asked, and the handshake. When it is over, the connection ends with
    /// [`CloseReason::HandshakeTimeout`](crate::CloseReason::HandshakeTimeout). `None`: without end. Default 10 s.
    pub handshake_timeout: Option<Duration>,
    /// How long a responder may take before its first await until that is logged at `WARN`, with its command and what helps: meanwhile
    /// nothing else happens on its connection. A command is told of when it has been slow twice, because the system may pause any
    /// thread; not all are timed; and there is one line on each connection, and then one a minute. `None`: never. Default 10 ms.
    pub slow_poll: Option<Duration>,
    /// How long [`Connection::close`](crate::Connection::close) lets outstanding answers arrive and responders finish, and how long
    /// responders may go on after the connection has ended, however it did: those of notifications, and of commands that are
    /// declared `detached`. What still runs then is cut, with a `WARN`. The connection keeps its place in its server meanwhile, and
    /// [`closed`](crate::Connection::closed) waits. Default 10 s.
    pub close_timeout: Duration,
    /// How long the last bytes may take to be written and read by the peer when the connection ends, and for how long this end takes
    /// what the peer sent before it saw an orderly end. It counts twice when this end had to stop reading because much was held. Over
    /// pipes a peer that announces nothing is not waited for: nothing is lost when a pipe is closed before its reader has read.
    /// Default 1 s.
    pub linger: Duration,
    /// How much of what one read has brought is handled before answers to it are written. Default: as the faster of both ways shows.
    pub batching: Batching,
    /// What a failure that is not declared costs. Default: its one call.
    pub strictness: Strictness,
    /// Whether answers to tags that are not out are logged and passed over instead of ending the connection. Default off.
    pub ignore_unknown_answers: bool,
    /// Whether each responder finishes before the next one starts. Default off: they run concurrently.
    ///
    /// With it on, a responder that calls the peer back and waits can deadlock with a peer that does the same: give such
    /// calls a time limit.
    pub in_order: bool,
    /// Whether the first box that this end sends carries a key that announces to a peer of this library what it understands:
    /// credit for notifications, and the reason of an end. Other peers pass over a key that they do not know, and are sent
    /// nothing else. Default on; always off under [`Strictness::Twisted`].
    pub announce: bool,
}

impl Settings {
    /// Whether this end announces and understands what is this library's own.
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

/// How much of what one read has brought is handled before answers to it are written; see [`Settings::batching`].
///
/// It changes no order and no byte: only when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Batching {
    /// Each of both ways is tried now and then, on 16,384 boxes, and the one that handles more boxes a second is kept.
    #[default]
    Adaptive,
    /// All of it: one write and one wake-up of the peer, which is the least work. Best where both ends share a core, and for times of
    /// answers that do not change with the load.
    Whole,
    /// In parts of 16 boxes, 32, 64 and so on: the peer has the first answers while this end handles the rest. Best where each end has
    /// cores of its own and many calls are on their way.
    InParts,
}

/// What a failure that is not declared costs.
#[doc(alias("PROTOCOL_ERRORS"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Strictness {
    /// The one call, which is answered with an error.
    #[default]
    Isolating,
    /// The connection, as in Twisted: the error is answered, then the connection ends. An ask that wants no answer
    /// ends it even with a declared error or an unknown command.
    Twisted,
}

/// Setters that take and give the settings, for chains.
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
