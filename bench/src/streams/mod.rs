//! Who is measured with streams: each opens and serves them in its own way, under the same work.

mod by_hand;
mod forwarded;
mod h2;
mod ours;
mod raw;
pub mod work;
mod yamux;

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::Error;
use crate::contestants::Served;
use work::Work;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// A TCP connection for each stream, written in the pieces that the loopback interface likes best.
    Raw,
    /// A loop that truly parses and builds frames, with credit and in turns.
    ByHand,
    /// This library's streams.
    Ours,
    /// yamux of libp2p.
    Yamux,
    /// The streams of HTTP/2, with frames as long as the others'.
    H2,
    /// A port that is forwarded by one relay, tokio's `copy_bidirectional`.
    OneRelay,
    /// A port that is forwarded by two such relays, one at each end.
    TwoRelays,
    /// A port that is forwarded by this library: a relay at each end, and one connection between them.
    OursForwarded,
}

impl Contestant {
    /// All of them, the raw limit first.
    pub const ALL: [Self; 8] = [
        Self::Raw,
        Self::ByHand,
        Self::Ours,
        Self::Yamux,
        Self::H2,
        Self::OneRelay,
        Self::TwoRelays,
        Self::OursForwarded,
    ];

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contestant| contestant.name() == name)
    }

    /// Its name, in the tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::ByHand => "by-hand",
            Self::Ours => "ours",
            Self::Yamux => "yamux",
            Self::H2 => "h2",
            Self::OneRelay => "copy",
            Self::TwoRelays => "copy-twice",
            Self::OursForwarded => "ours-forwarded",
        }
    }

    /// Binds a port of the loopback interface.
    ///
    /// # Errors
    /// When that fails.
    pub async fn serve(self) -> Result<Served, Error> {
        match self {
            Self::Raw => raw::serve().await,
            Self::ByHand => by_hand::serve().await,
            Self::Ours => ours::serve().await,
            Self::Yamux => yamux::serve().await,
            Self::H2 => h2::serve().await,
            Self::OneRelay | Self::TwoRelays => forwarded::serve_relayed().await,
            Self::OursForwarded => forwarded::serve_ours().await,
        }
    }

    /// Does the work until the process ends.
    ///
    /// # Errors
    /// When a stream fails.
    pub async fn call(self, address: SocketAddr, work: Work) -> Result<(), Error> {
        match self {
            Self::Raw => work::call(raw::Client::connect(address).await?, work).await,
            Self::OneRelay => work::call(raw::Client::to(address), work).await,
            Self::ByHand => by_hand::call(address, work).await,
            Self::Ours => work::call(ours::Client::connect(address).await?, work).await,
            Self::Yamux => work::call(yamux::Client::connect(address).await?, work).await,
            Self::H2 => work::call(h2::Client::connect(address).await?, work).await,
            Self::TwoRelays => work::call(forwarded::Relayed::connect(address).await?, work).await,
            Self::OursForwarded => work::call(forwarded::Ours::connect(address).await?, work).await,
        }
    }

    /// Opens streams over one connection, uses each once, tells `opened` and keeps them.
    ///
    /// # Errors
    /// When a stream fails, and for who keeps no streams.
    pub async fn keep(self, address: SocketAddr, streams: usize, opened: impl FnMut(usize)) -> Result<(), Error> {
        match self {
            Self::Ours => keep(ours::Client::connect(address).await?, streams, opened).await,
            Self::Yamux => keep(yamux::Client::connect(address).await?, streams, opened).await,
            Self::H2 => keep(h2::Client::connect(address).await?, streams, opened).await,
            _ => Err(format!("{} keeps no streams of one connection", self.name()).into()),
        }
    }
}

/// Opens one stream and then the others, so that what the first costs once is not taken for theirs.
async fn keep<O: Opener>(opener: O, streams: usize, mut opened: impl FnMut(usize)) -> Result<(), Error> {
    let first = work::keep(opener.clone(), 1).await?;
    opened(1);
    let others = work::keep(opener, streams).await?;
    opened(streams);
    drop((first, others));
    Ok(())
}

/// One connection, shared by those who open streams.
pub(crate) trait Opener: Clone + Send + Sync + Sized + 'static {
    type Stream: ByteStream;

    /// Opens one connection.
    fn connect(address: SocketAddr) -> impl Future<Output = Result<Self, Error>> + Send;
    /// Opens a stream.
    fn open(&mut self) -> impl Future<Output = Result<Self::Stream, Error>> + Send;
}

/// One end of a stream, used in the way that its library wants.
pub(crate) trait ByteStream: Send + 'static {
    /// What is best written at once.
    const AT_ONCE: usize = 32 * 1024;

    /// Sends all bytes.
    fn send(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Error>> + Send;
    /// Sends all bytes; none follow.
    fn send_last(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Error>> + Send {
        self.send(bytes)
    }
    /// Receives some bytes, in the buffer if the library brings none; nothing when the peer has ended.
    fn receive<'a>(&'a mut self, buffer: &'a mut [u8]) -> impl Future<Output = Result<&'a [u8], Error>> + Send;
    /// Closes both directions.
    fn close(self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What is used like a socket, and shut down before it is dropped if `SHUTDOWN`.
pub(crate) struct Socket<S, const SHUTDOWN: bool = false>(S);

impl<S, const SHUTDOWN: bool> ByteStream for Socket<S, SHUTDOWN>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        Ok(self.0.write_all(&bytes).await?)
    }

    async fn receive<'a>(&'a mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Error> {
        let read = self.0.read(buffer).await?;
        Ok(&buffer[..read])
    }

    async fn close(mut self) -> Result<(), Error> {
        if SHUTDOWN {
            self.0.shutdown().await?;
        }
        Ok(())
    }
}
