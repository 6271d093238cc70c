use std::time::Duration;

/// The limits of the streams of one connection.
///
/// Every chunk of bytes, at most 32 KiB, counts for 256 bytes more than it has: so the cost of single bytes is limited too.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamSettings {
    /// How many streams there may be at once, opened from either end. A stream counts until the peer knows that it is closed.
    /// A Connect that is out counts until its caller waits no more: then it is only one of the connection's
    /// [`max_calls`](amp_core::Settings::max_calls). A Connect over the limit is refused, and nothing else happens. Default 16,384.
    ///
    /// The tasks of [`Factories::serve`](crate::Factories::serve) are as many at most, those included that have dropped their streams.
    ///
    /// Towards the [`max_memory`](amp_core::server::ServerBuilder::max_memory) of a server each counts as 2 KiB beside its bytes. One that the
    /// peer has opened counts for 8 KiB more until the program drops it: a task serves it, which most often holds a buffer, as
    /// [`tokio::io::copy`] does. What a task holds beyond that is for the program to count, with a
    /// [meter](amp_core::Connection::meter).
    ///
    /// [`tokio::io::copy`]: https://docs.rs/tokio/1/tokio/io/fn.copy.html
    pub max_streams: usize,
    /// The initial window of a stream: how many bytes it may have unacknowledged, at least 2 KiB. Default 128 KiB.
    pub first_window: usize,
    /// The maximum window of a stream, which it grows to on a long fast path. Default 16 MiB.
    pub max_window: usize,
    /// How many bytes all streams together may have unacknowledged. Each stream that has some gets a share of what is left, so
    /// that streams whose readers do not read leave one to the next; a share is 2 KiB in any case. Default 64 MiB.
    pub max_in_flight: usize,
    /// How many received bytes one stream buffers for its reader. A peer that waits for acknowledgements as this crate does stays
    /// far below; one that does not loses the stream when it goes over it. Default 32 MiB.
    pub max_buffered: usize,
    /// How many received bytes all streams together buffer for their readers. A stream that would hold more than a quarter of what
    /// is left, and more than 2 KiB, is lost: only a peer that does not wait for acknowledgements comes there, if this is four
    /// times its [`max_in_flight`](Self::max_in_flight). Default 256 MiB.
    pub max_received: usize,
    /// How many bytes are buffered for streams whose Connect is not answered yet, all together: a server that speaks first may
    /// send everything at once. Default 32 MiB.
    pub max_early: usize,
    /// How long the peer may take to answer a Disconnect, from when that is queued to be written, and to send its own once it has
    /// refused bytes.
    ///
    /// A stream that was closed here and whose Disconnect has no answer by then is given up, and everything of it, so that it no longer
    /// counts as a stream; a [`shutdown`](crate::Stream) that waits for the answer fails with
    /// [`StreamError::Timeout`](crate::StreamError::Timeout). With more than 1,024 such Disconnects the connection ends with
    /// [`NotAnswering`](amp_core::CloseReason::NotAnswering).
    ///
    /// A peer that has refused bytes sends its own Disconnect. Only that tells the reader whether what was received is all; without
    /// it the stream fails as [cut](crate::StreamError::Cut). It follows the refusal at once. It has no meaning with a txampext peer,
    /// whose refusal is the end.
    ///
    /// So this is the time for which a peer that is alive may write nothing. Default 30 s.
    pub disconnect_timeout: Duration,
    /// How many clients each [`Forward`](crate::Forward) of this connection serves at once, those whose stream is being opened
    /// included. Further ones wait in the system's backlog. Default 1,024.
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
