use std::time::Duration;

/// What the streams of one connection are allowed. Every chunk of bytes, at most 32 KiB, counts for 256 bytes more than it
/// has, so that what single bytes cost is bounded too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamSettings {
    /// How many streams there may be at once, opened from either end; those count that the peer has not been told the end of.
    /// A Connect that is out takes a place until it is given up: then it is only one of the connection's
    /// [`most_calls`](amp_core::Settings::most_calls). A Connect over the limit is refused, and nothing else happens. Default 16,384.
    pub most_streams: usize,
    /// How many bytes a new stream may have on their way unanswered, at least 2 KiB. Default 128 KiB.
    pub first_window: usize,
    /// To how many bytes that may grow on a long fast path, for one stream. Default 16 MiB.
    pub most_window: usize,
    /// How many bytes all streams together may have on their way unanswered. Each stream that has some gets its part of what
    /// is left, so that streams whose readers sleep leave one to the next; it is 2 KiB in any case. Default 64 MiB.
    pub most_in_flight: usize,
    /// How many received bytes one stream keeps for its reader. A peer that waits for answers as this crate does stays far
    /// below; one that does not loses the stream when it crosses it. Default 32 MiB.
    pub most_buffered: usize,
    /// How many received bytes all streams together keep for their readers. A stream that would hold more than a quarter of
    /// what is left, and more than 2 KiB, is lost: only a peer that does not wait for answers goes there, if this is four
    /// times its [`most_in_flight`](Self::most_in_flight). Default 256 MiB.
    pub most_received: usize,
    /// How many bytes are kept for streams whose Connect is not answered yet, all together: a server that speaks first, and
    /// perhaps says everything at once. Default 32 MiB.
    pub most_early: usize,
    /// How long the peer's Disconnect may take once it has refused bytes. Only then does the reader know whether what came is
    /// all; without it the stream fails as [cut](crate::StreamError::Cut). It follows the refusal at once, so that this is
    /// the time for which a peer that is alive may write nothing. With a txampext peer, whose refusal is the end, it has no
    /// meaning. Default 30 s.
    pub disconnect_timeout: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            most_streams: 16_384,
            first_window: 128 * 1024,
            most_window: 16 << 20,
            most_in_flight: 64 << 20,
            most_buffered: 32 << 20,
            most_received: 256 << 20,
            most_early: 32 << 20,
            disconnect_timeout: Duration::from_secs(30),
        }
    }
}

macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {
        impl StreamSettings {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

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
    most_streams: usize,
    first_window: usize,
    most_window: usize,
    most_in_flight: usize,
    most_buffered: usize,
    most_received: usize,
    most_early: usize,
    disconnect_timeout: Duration,
}
