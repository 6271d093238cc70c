use std::time::Duration;

/// The limits of the streams of one connection.
///
/// Every chunk of bytes, at most 32 KiB, counts for 256 bytes more than its length, so that the cost of single bytes is limited
/// too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamSettings {
    /// Number of streams at once, opened from either end. A stream counts until the peer knows that it is closed. An outstanding
    /// Connect counts until its caller no longer waits: then it is only one of the connection's
    /// [`max_calls`](amp_core::Settings::max_calls). A Connect over the limit is refused, without any other effect. Default
    /// 16,384.
    ///
    /// It also limits the tasks of [`Factories::serve`](crate::Factories::serve), including those that have dropped their
    /// streams.
    ///
    /// Towards the [`max_memory`](amp_core::server::ServerBuilder::max_memory) of a server each stream counts as 2 KiB beside its
    /// bytes. A stream that the peer has opened counts for 8 KiB more until the program drops it: a task serves it, which most
    /// often holds a buffer, as [`tokio::io::copy`] does. Memory that a task holds beyond that must be counted by the program,
    /// with a [meter](amp_core::Connection::meter).
    ///
    /// [`tokio::io::copy`]: https://docs.rs/tokio/1/tokio/io/fn.copy.html
    pub max_streams: usize,
    /// The initial window of a stream: bytes that it may have unacknowledged, at least 2 KiB. Default 128 KiB.
    pub first_window: usize,
    /// The maximum window of a stream, which it grows to on a long fast path. Default 16 MiB.
    pub max_window: usize,
    /// Bytes that all streams together may have unacknowledged. Each stream with unacknowledged bytes gets a share of the rest,
    /// so that streams whose readers do not read leave a share to the next one; a share is 2 KiB in any case. Default 64 MiB.
    pub max_in_flight: usize,
    /// Received bytes that one stream buffers for its reader. A peer that waits for acknowledgements as this crate does stays far
    /// below it; a peer that does not wait loses the stream when it exceeds the limit. Default 32 MiB.
    pub max_buffered: usize,
    /// Received bytes that all streams together buffer for their readers. A stream that would hold more than a quarter of the
    /// rest, and more than 2 KiB, is lost. If this limit is four times the peer's [`max_in_flight`](Self::max_in_flight), only a
    /// peer that does not wait for acknowledgements reaches it. Default 256 MiB.
    pub max_received: usize,
    /// Bytes that are buffered for streams whose Connect is not answered yet, all together: a server that speaks first may send
    /// everything at once. Default 32 MiB.
    pub max_early: usize,
    /// Time for the peer to answer a Disconnect, from when that is queued to be written, and to send its own once it has refused
    /// bytes.
    ///
    /// A stream that was closed here and whose Disconnect is unanswered after this time is dropped with everything that it holds,
    /// so that it no longer counts as a stream; a [`shutdown`](crate::Stream) that waits for the answer fails with
    /// [`StreamError::Timeout`](crate::StreamError::Timeout). With more than 1,024 such Disconnects the connection ends with
    /// [`NotAnswering`](amp_core::CloseReason::NotAnswering).
    ///
    /// A peer that has refused bytes sends its own Disconnect, right after the refusal. Only the Disconnect tells the reader
    /// whether the received bytes are complete; without it the stream fails as [cut](crate::StreamError::Cut). This has no
    /// meaning with a txampext peer, whose refusal is the end.
    ///
    /// So this is the time for which a live peer may write nothing. Default 30 s.
    pub disconnect_timeout: Duration,
    /// Number of clients that each [`Forward`](crate::Forward) of this connection serves at once, including those whose stream is
    /// being opened. Further ones wait in the system's backlog. Default 1,024.
    pub max_clients: usize,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            max_streams: 16_384,
            first_window: 128 * 1024,
            max_window: 16 << 20,
            max_in_flight: 64 << 20,
            max_buffered: 32 << 20,
            max_received: 256 << 20,
            max_early: 32 << 20,
            disconnect_timeout: Duration::from_secs(30),
            max_clients: 1024,
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
    max_streams: usize,
    first_window: usize,
    max_window: usize,
    max_in_flight: usize,
    max_buffered: usize,
    max_received: usize,
    max_early: usize,
    disconnect_timeout: Duration,
    max_clients: usize,
}
