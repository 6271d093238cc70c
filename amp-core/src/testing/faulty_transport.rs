//! A transport that splits, delays, cuts, fails and stalls what passes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::connection::{Connection, ConnectionBuilder};
use crate::peer::Peer;
use crate::testing::faults::{End, Faults};

/// How many bytes the pair holds in each direction.
const PAIR_BUFFER: usize = 64 * 1024;

/// How many bytes one read takes from the transport beneath.
const MOST: usize = 16 * 1024;

/// Makes two connections to each other in memory, as [`pair`](super::pair) does, with faults between them: `from_one` are those of the
/// bytes that `one` sends, `from_other` those of the bytes that `other` sends.
///
/// # Panics
/// If called outside a tokio runtime with time enabled.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command, responder};
/// use amp::testing::{Faults, faulty_pair};
/// use amp::{Arguments, Command, Connection};
///
/// #[derive(Command)]
/// #[amp(response = Text)]
/// struct Echo {
///     text: String,
/// }
///
/// #[derive(Arguments)]
/// struct Text {
///     text: String,
/// }
///
/// struct Echoes;
///
/// #[responder]
/// impl Echoes {
///     async fn echo(&self, command: Echo) -> amp::Reply<Echo> {
///         Ok(Text { text: command.text })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Whatever the network makes of the bytes, boxes are whole.
/// let answering = Connection::builder().locator(Echoes.into_locator());
/// let (client, _server) =
///     faulty_pair(Connection::builder(), answering, Faults::new().split_randomly(7, 1..=9), Faults::new().split([1]));
/// assert_eq!(client.call(Echo { text: "hello".to_owned() }).await?.text, "hello");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn faulty_pair(
    one: ConnectionBuilder,
    other: ConnectionBuilder,
    from_one: Faults,
    from_other: Faults,
) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(PAIR_BUFFER);
    let faulty = FaultyTransport::new(a).reads(from_other).writes(from_one);
    (one.start(faulty, Peer::other("memory")), other.start(b, Peer::other("memory")))
}

/// A transport that splits, delays, cuts, fails or stalls what is read from and written to another one, by the [`Faults`] of each
/// direction.
///
/// A cut drops the transport beneath, so that the other end sees it, too.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::testing::{Faults, FaultyTransport};
/// use amp::{CloseReason, Connection, Peer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (ours, _theirs) = tokio::io::duplex(4096);
/// let reset = std::io::ErrorKind::ConnectionReset;
/// let transport = FaultyTransport::new(ours).reads(Faults::new().fail_after(0, reset));
/// let connection = Connection::builder().start(transport, Peer::other("faulty"));
/// assert!(matches!(connection.closed().await, CloseReason::Io(_)));
/// # }
/// ```
pub struct FaultyTransport<T> {
    /// `None` when it is cut.
    inner: Option<T>,
    reads: Direction,
    writes: Direction,
    /// The piece that was read and is not delivered, and how much of it is.
    held: Vec<u8>,
    delivered: usize,
    /// The reader and the writer: a cut in one direction wakes the other.
    waiting: [Option<Waker>; 2],
}

#[derive(Debug, Default)]
struct Direction {
    faults: Faults,
    /// How many bytes have passed.
    passed: u64,
    /// The piece that is on its way has at most so many bytes.
    size: Option<usize>,
    delay: Option<Pin<Box<Sleep>>>,
}

impl<T> FaultyTransport<T> {
    /// The transport without faults.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self {
            inner: Some(transport),
            reads: Direction::default(),
            writes: Direction::default(),
            held: Vec::new(),
            delivered: 0,
            waiting: [None, None],
        }
    }

    /// Sets the faults of what is read.
    #[must_use]
    pub fn reads(mut self, faults: Faults) -> Self {
        self.reads.faults = faults;
        self
    }

    /// Sets the faults of what is written.
    #[must_use]
    pub fn writes(mut self, faults: Faults) -> Self {
        self.writes.faults = faults;
        self
    }

    /// The transport beneath, unless one direction is cut.
    fn inner(&mut self) -> Option<&mut T> {
        if self.reads.is_cut() && self.held.is_empty() || self.writes.is_cut() {
            self.inner = None;
            // Both directions look again.
            self.waiting.iter_mut().filter_map(Option::take).for_each(Waker::wake);
        }
        self.inner.as_mut()
    }

    /// What is held, as far as it fits.
    fn deliver(&mut self, into: &mut ReadBuf<'_>) {
        let rest = &self.held[self.delivered..];
        let count = rest.len().min(into.remaining());
        into.put_slice(&rest[..count]);
        self.delivered += count;
        if self.delivered == self.held.len() {
            self.held.clear();
            self.delivered = 0;
        }
    }
}

impl Direction {
    fn is_cut(&self) -> bool {
        self.faults.is_cut(self.passed)
    }

    /// Returns the maximum size of the next piece, or fails or stalls.
    fn poll_room(&mut self) -> Poll<io::Result<usize>> {
        ready!(self.poll_end())?;
        let room = self.faults.room(self.passed).unwrap_or(0);
        let size = *self.size.get_or_insert_with(|| self.faults.next_size());
        Poll::Ready(Ok(size.min(room).min(MOST)))
    }

    /// Fails or stalls if the direction is at its end.
    fn poll_end(&mut self) -> Poll<io::Result<()>> {
        match self.faults.room(self.passed) {
            Ok(_) | Err(End::Cut) => Poll::Ready(Ok(())),
            // A cut of the other direction wakes it.
            Err(End::Stall) => Poll::Pending,
            Err(End::Fail(error)) => Poll::Ready(Err(End::next_error(error))),
        }
    }

    fn begin_delay(&mut self) {
        self.delay = self.faults.delay_of_piece().map(|delay| Box::pin(sleep(delay)));
    }

    fn poll_delay(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.delay {
            Some(delay) => delay.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }

    /// A piece has passed.
    fn pass(&mut self, count: usize) {
        self.passed += count as u64;
        self.size = None;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for FaultyTransport<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.held.is_empty() {
            this.waiting[0] = Some(cx.waker().clone());
            // A cut is the end of what is read, also of a direction that stalls.
            if this.inner().is_none() {
                return Poll::Ready(Ok(()));
            }
            let room = ready!(this.reads.poll_room())?;
            let Some(inner) = this.inner() else { return Poll::Ready(Ok(())) };
            let mut piece = vec![0; room];
            let mut buffer = ReadBuf::new(&mut piece);
            ready!(Pin::new(inner).poll_read(cx, &mut buffer))?;
            let count = buffer.filled().len();
            if count == 0 {
                return Poll::Ready(Ok(()));
            }
            piece.truncate(count);
            this.held = piece;
            this.reads.pass(count);
            this.reads.begin_delay();
        }
        ready!(this.reads.poll_delay(cx));
        this.reads.delay = None;
        this.deliver(into);
        // If that was the last, the cut is seen at once, also by a writer.
        this.inner();
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for FaultyTransport<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        // A piece that waits for its delay has its size already.
        let is_new = this.writes.size.is_none();
        this.waiting[1] = Some(cx.waker().clone());
        if this.inner().is_none() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = ready!(this.writes.poll_room())?;
        if is_new {
            this.writes.begin_delay();
        }
        ready!(this.writes.poll_delay(cx));
        this.writes.delay = None;
        let Some(inner) = this.inner() else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        let count = ready!(Pin::new(inner).poll_write(cx, &bytes[..bytes.len().min(room)]))?;
        this.writes.pass(count);
        this.inner();
        Poll::Ready(Ok(count))
    }

    /// What was taken has been handed on: only what is beneath has to flush.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting[1] = Some(cx.waker().clone());
        match self.inner() {
            Some(inner) => Pin::new(inner).poll_flush(cx),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting[1] = Some(cx.waker().clone());
        // A cut transport has nothing to shut down.
        if self.inner().is_some() {
            ready!(self.writes.poll_end())?;
        }
        match self.inner() {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<T> fmt::Debug for FaultyTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, reads, writes, .. } = self;
        f.debug_struct("FaultyTransport")
            .field("is_cut", &inner.is_none())
            .field("reads", reads)
            .field("writes", writes)
            .finish_non_exhaustive()
    }
}
