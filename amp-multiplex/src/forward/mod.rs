//! Forwarded ports: a local listener to a factory of the peer, and a factory that leads to a target. Imports the streams.

mod counters;
mod listen;
mod target;
mod visitor;

pub use counters::Counts;
pub use listen::Forward;
pub use target::Target;

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, Interest, copy_buf, sink, split};
use tokio::net::{TcpStream, UnixStream};

use crate::error::StreamError;
use crate::stream::{MAX_TRANSMIT, Monitor, Stream};
use counters::{Counted, Whole};

/// How much each direction of a forwarded stream holds while it is passed on.
const BUFFER: usize = 2 * MAX_TRANSMIT;

/// How long a local socket may say nothing and not end when the peer has left the stream.
const LINGER: Duration = Duration::from_secs(2);

/// How long a local socket may take no bytes of those that the peer said before it left, or have no end when it has taken all.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the peer may take to open a stream to its factory.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a unix socket whose stream is being opened is looked at.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);

/// A local socket that can end in a way that does not look whole.
trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Whether it is reset when it is closed, by the system too, as when the process is killed.
    fn resets_on_close(&self, _: bool) {}

    /// Done when the other end has reset the connection, or has closed it where that can be told from an end of its direction,
    /// whatever there is to read.
    fn hung_up(&self) -> impl Future<Output = ()> + Send;
}

impl Socket for TcpStream {
    #[allow(deprecated, reason = "only a time to linger blocks a thread; to take it back there is nothing else")]
    fn resets_on_close(&self, resets: bool) {
        let _ = if resets { self.set_zero_linger() } else { self.set_linger(None) };
    }

    async fn hung_up(&self) {
        let _ = self.ready(Interest::ERROR).await;
    }
}

impl Socket for UnixStream {
    async fn hung_up(&self) {
        // It is told only along with being writable, which the socket is nearly always: that cannot be waited for. And first the
        // stream has time to be opened, because a client may say all that it has to and not wait.
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            match self.ready(Interest::WRITABLE | Interest::ERROR).await {
                Ok(ready) if !ready.is_write_closed() && !ready.is_error() => {}
                _ => return,
            }
        }
    }
}

/// Both ends of what is passed on: dropped before all was passed, neither end looks whole to its reader.
struct Passing {
    whole: Whole,
    stream: Monitor,
}

impl Drop for Passing {
    fn drop(&mut self) {
        if !self.whole.get() {
            self.stream.schedule_reset();
        }
    }
}

/// Passes bytes both ways until both directions have ended, each for itself, or the peer has left.
async fn pass_on(local: Counted<impl Socket>, stream: Stream) -> io::Result<()> {
    let _open = local.open();
    let monitor = stream.monitor();
    let (written, read, whole) = (local.written(), local.read(), local.whole());
    let (from_local, mut to_local) = split(local);
    let (from_peer, mut to_peer) = split(stream);
    let _passing = Passing { whole: whole.clone(), stream: monitor.clone() };
    let mut up = pin!(async {
        let mut from_local = BufReader::with_capacity(BUFFER, from_local);
        let passed = match copy_buf(&mut from_local, &mut to_peer).await {
            Ok(_) => return to_peer.shutdown().await.or_else(of_stream),
            Err(error) => of_stream(error),
        };
        passed?;
        // A socket that is closed while it has bytes to read cuts off what was written to it before.
        copy_buf(&mut from_local, &mut sink()).await.map(drop)
    });
    let stalled = async {
        monitor.closed().await;
        written.rests(|| if monitor.is_truncated() { LINGER } else { PATIENCE }).await;
    };
    let mut down = pin!(async {
        let copying = async {
            copy_buf(&mut BufReader::with_capacity(BUFFER, from_peer), &mut to_local).await?;
            to_local.shutdown().await
        };
        tokio::select! {
            result = copying => result,
            () = stalled => Err(io::Error::new(io::ErrorKind::TimedOut, "the local socket took no more bytes")),
        }
    });
    let over = async {
        monitor.closed().await;
        // A socket that is closed while bytes come to it is reset, and what of the answer waits in it to be sent is lost.
        let _ = tokio::time::timeout(PATIENCE, read.rests(|| LINGER)).await;
    };
    let result = tokio::select! {
        result = &mut up => match result {
            Ok(()) => down.await,
            error => error,
        },
        result = &mut down => match result {
            // What came down is whole, whatever becomes of the other direction.
            Ok(()) => tokio::select! {
                result = up => result,
                () = over => Ok(()),
            },
            error => error,
        },
    };
    result.inspect(|()| whole.set())
}

/// Whether an error is the stream's: the peer reads no more, or nothing at all goes on. What that makes of the other direction
/// is its own reader's to find out: what the peer said before it left still goes down.
fn of_stream(error: io::Error) -> io::Result<()> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<StreamError>()) {
        Some(_) => Ok(()),
        None => Err(error),
    }
}
