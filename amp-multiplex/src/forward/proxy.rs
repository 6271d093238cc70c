//! Copies between a local socket and a stream.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader, copy_buf, sink, split};

use super::local::{Completion, LocalSocket};
use super::socket::Socket;
use crate::error::StreamError;
use crate::stream::{MAX_TRANSMIT, Monitor, Stream};

/// Buffer size of each direction of a forwarded stream.
const COPY_BUFFER: usize = 2 * MAX_TRANSMIT;

/// Time for which a local socket may send nothing and not end when the peer has closed the stream.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for which a local socket may accept none of the bytes that the peer sent before it closed the stream, or may fail to end
/// after it has accepted all.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Dropped before the transfer is complete, it resets the stream: neither end looks whole to its reader.
struct ResetGuard {
    completion: Completion,
    stream: Monitor,
}

impl Drop for ResetGuard {
    fn drop(&mut self) {
        if !self.completion.is_complete() {
            self.stream.schedule_reset();
        }
    }
}

/// Copies bytes both ways until both directions have ended, each separately, or the peer has closed the stream.
pub(super) async fn proxy(local: LocalSocket<impl Socket>, stream: Stream) -> io::Result<()> {
    let (_open, _buffers) = (local.count_open(), stream.hold(2 * COPY_BUFFER));
    let monitor = stream.monitor();
    let (written, read, completion) = (local.written(), local.read(), local.completion());
    let (from_local, mut to_local) = split(local);
    let (from_peer, mut to_peer) = split(stream);
    let _guard = ResetGuard { completion: completion.clone(), stream: monitor.clone() };
    let mut up = pin!(async {
        let mut from_local = BufReader::with_capacity(COPY_BUFFER, from_local);
        let upload = match copy_buf(&mut from_local, &mut to_peer).await {
            Ok(_) => match to_peer.shutdown().await {
                // Otherwise the peer has received every byte, and at most the end of the bytes is not known to have been
                // received.
                Err(error) if monitor.send_result().is_err() => Upload::failed(error)?,
                _ => Upload::Complete,
            },
            Err(error) => Upload::failed(error)?,
        };
        if let Upload::Refused = upload {
            // A socket that is closed while it has unread bytes cuts off bytes that were written to it before.
            copy_buf(&mut from_local, &mut sink()).await?;
        }
        Ok(upload)
    });
    let stalled = async {
        monitor.closed().await;
        written.stalled(|| if monitor.is_truncated() { IDLE_TIMEOUT } else { STALL_TIMEOUT }).await;
    };
    let mut down = pin!(async {
        let copying = async {
            copy_buf(&mut BufReader::with_capacity(COPY_BUFFER, from_peer), &mut to_local).await?;
            to_local.shutdown().await
        };
        tokio::select! {
            result = copying => result,
            () = stalled => Err(io::Error::new(io::ErrorKind::TimedOut, "the local socket took no more bytes")),
        }
    });
    let over = async {
        monitor.closed().await;
        // A socket that is closed while it receives bytes is reset, and the rest of the answer that waits in it is lost.
        let _ = tokio::time::timeout(STALL_TIMEOUT, read.stalled(|| IDLE_TIMEOUT)).await;
        monitor.send_result()
    };
    let result = tokio::select! {
        result = &mut up => match result {
            // Bytes that the peer sent before still go to the local socket.
            Ok(upload) => down.await.and_then(|()| upload.result()),
            Err(error) => Err(error),
        },
        result = &mut down => match result {
            // The peer's bytes are complete, however the other direction ends.
            Ok(()) => tokio::select! {
                result = up => result.and_then(Upload::result),
                result = over => result,
            },
            error => error,
        },
    };
    result.inspect(|()| completion.complete())
}

/// Outcome for the bytes of the local socket.
enum Upload {
    /// The peer has all of them.
    Complete,
    /// The peer has closed the stream gracefully and receives no more, as servers do that answer before they have read
    /// everything.
    Refused,
    /// The stream has failed with some of them in transit: the local socket is reset once it has received what the peer sent
    /// before.
    Lost(io::Error),
}

impl Upload {
    /// Distinguishes an error of the stream from one of the local socket.
    fn failed(error: io::Error) -> io::Result<Self> {
        match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(StreamError::PeerDisconnected) => Ok(Self::Refused),
            Some(_) => Ok(Self::Lost(error)),
            None => Err(error),
        }
    }

    fn result(self) -> io::Result<()> {
        if let Self::Lost(error) = self { Err(error) } else { Ok(()) }
    }
}
