//! A transport that must not be used again once it has failed, as one over a future that has ended.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use amp::connection::WeakConnection;
use amp::{CloseReason, Connection, Peer, Settings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};

use crate::commands::{House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{answer_sum, ask_sum, ended, reason, soon, word};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Write,
    WriteOfNothing,
    Flush,
    Shutdown,
    /// Reading fails where the end would be.
    Read,
    /// The same, with the reason for which a connection below has ended.
    ReadWithReason,
    /// The end comes as some TLS libraries report it when there was no `close_notify`.
    UnexpectedEnd,
    None,
}

/// It panics when it is polled again in a direction that has failed or ended, and so ends the driver.
struct Brittle {
    inner: DuplexStream,
    fault: Fault,
    reading_ended: bool,
    writing_failed: bool,
    /// What is aborted while the last read is under way.
    aborted: Arc<OnceLock<WeakConnection>>,
}

impl Brittle {
    fn fail<T>(&mut self, fault: Fault) -> Option<Poll<io::Result<T>>> {
        assert!(!self.writing_failed, "it is polled for writing after an error");
        self.writing_failed = self.fault == fault;
        self.writing_failed.then(|| Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())))
    }
}

impl AsyncRead for Brittle {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        assert!(!self.reading_ended, "it is read after the end");
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        self.reading_ended = true;
        if let Some(connection) = self.aborted.get().and_then(WeakConnection::upgrade) {
            connection.abort();
        }
        Poll::Ready(match self.fault {
            Fault::Read => Err(io::ErrorKind::ConnectionReset.into()),
            Fault::ReadWithReason => Err(io::Error::other(CloseReason::Aborted)),
            Fault::UnexpectedEnd => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        })
    }
}

impl AsyncWrite for Brittle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.fault == Fault::WriteOfNothing {
            return self.fail::<()>(Fault::WriteOfNothing).map_or(Poll::Pending, |_| Poll::Ready(Ok(0)));
        }
        if let Some(failed) = self.fail(Fault::Write) {
            return failed;
        }
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fail(Fault::Flush).unwrap_or_else(|| Pin::new(&mut self.inner).poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fail(Fault::Shutdown).unwrap_or_else(|| Pin::new(&mut self.inner).poll_shutdown(cx))
    }
}

/// A connection over such a transport, and the peer's end of it.
fn over(fault: Fault, aborts: bool) -> (Connection, DuplexStream) {
    let (inner, theirs) = tokio::io::duplex(4096);
    let aborted = Arc::new(OnceLock::new());
    let transport =
        Brittle { inner, fault, reading_ended: false, writing_failed: false, aborted: Arc::clone(&aborted) };
    let builder = Connection::builder().locator(House::new().into_locator()).settings(Settings::new().announce(false));
    let (connection, driver) = builder.build(transport, Peer::other("brittle"));
    if aborts {
        aborted.set(connection.downgrade()).expect("it is empty");
    }
    tokio::spawn(driver);
    (connection, theirs)
}

#[tokio::test(start_paused = true)]
async fn after_an_error_of_writing_nothing_is_written_flushed_or_shut_down_again() {
    for fault in [Fault::Write, Fault::WriteOfNothing, Fault::Flush] {
        for end in ["linger", "peer", "abort", "not AMP"] {
            let (connection, mut theirs) = over(fault, false);
            let call = tokio::spawn(connection.call(sum()));
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            assert!(connection.is_closed(), "{fault:?}: it has failed");
            match end {
                "peer" => theirs.shutdown().await.expect("it is open"),
                "abort" => connection.abort(),
                // It may be gone already.
                "not AMP" => drop(theirs.write_all(b"\0\0").await),
                _ => {}
            }
            // It reads on until the peer ends, or `linger` is over.
            let expected = if end == "abort" { "Aborted" } else { "Io" };
            assert_eq!(ended(&connection).await, expected, "{fault:?}, {end}");
            soon("told", call).await.expect("no panic").expect_err("it was never answered");
        }
    }
    let (connection, _theirs) = over(Fault::Shutdown, false);
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn after_an_error_or_the_end_of_reading_nothing_is_read_again() {
    let rows = [
        (Fault::None, false, "ClosedByPeer"),
        (Fault::Read, false, "Io"),
        (Fault::ReadWithReason, false, "Aborted"),
        (Fault::UnexpectedEnd, false, "ClosedByPeer"),
        // This end aborts at that moment.
        (Fault::None, true, "Aborted"),
        (Fault::Read, true, "Aborted"),
        (Fault::UnexpectedEnd, true, "Aborted"),
    ];
    for (fault, aborts, expected) in rows {
        let (connection, mut theirs) = over(fault, aborts);
        theirs.write_all(&ask_sum("1")).await.expect("it is open");
        theirs.shutdown().await.expect("it is open");
        assert_eq!(ended(&connection).await, expected, "{fault:?}, aborts: {aborts}");
        let mut got = Vec::new();
        soon("the last bytes", theirs.read_to_end(&mut got)).await.expect("it is open");
        assert_eq!(got, answer_sum("1"), "{fault:?}, aborts: {aborts}: what was answered is written");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_unexpected_to_the_transport_is_the_peers_end_and_no_warning() {
    let logged = logged(Level::INFO);
    let (connection, mut theirs) = over(Fault::UnexpectedEnd, false);
    theirs.write_all(&ask_sum("1")).await.expect("it is open");
    theirs.shutdown().await.expect("it is open");
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!(logged.text(), "");

    let (connection, mut theirs) = over(Fault::UnexpectedEnd, false);
    let call = tokio::spawn(connection.call(sum()));
    theirs.write_all(&answer_sum("1")[..5]).await.expect("it is open");
    theirs.shutdown().await.expect("it is open");
    assert_eq!(ended(&connection).await, "ClosedMidBox");
    assert_eq!(reason(soon("told", call).await.expect("no panic")), "ClosedMidBox");
    assert!(logged.text().contains("in the middle of a box, after 5 of its bytes"), "{}", logged.text());
}

/// It takes nothing until it is broken.
struct Stuck(Arc<AtomicBool>);

impl AsyncRead for Stuck {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        if self.0.load(Relaxed) { Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) } else { Poll::Pending }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// In whichever turn of the driver, that of the end included.
#[tokio::test(start_paused = true)]
async fn a_write_that_fails_when_a_connection_closes_is_told_to_who_waits_for_the_end() {
    // Before, in and behind the turn in which the time for closing is over.
    for broken_after in [1, 9_999, 10_000, 10_001, 10_500] {
        let broken = Arc::new(AtomicBool::new(false));
        let connection = Connection::builder().start(Stuck(Arc::clone(&broken)), Peer::other("stuck"));
        connection.notify(sum()).await.expect("queued");
        tokio::task::yield_now().await;
        connection.close();
        tokio::task::yield_now().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(broken_after)).await;
            broken.store(true, Relaxed);
        });
        let told = ended(&connection).await;
        assert!(told == "Io" || told == "Unwritten", "broken after {broken_after} ms: {told}");
    }
}

/// A transport that cannot be written, and panics when it is dropped.
struct Worst(DuplexStream);

impl Drop for Worst {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("it is dropped"));
    }
}

impl AsyncRead for Worst {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Worst {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_when_it_is_dropped_changes_no_reason_and_keeps_no_driver_from_its_end() {
    for fails in [true, false] {
        let (ours, theirs) = tokio::io::duplex(64);
        let (connection, driver) = Connection::builder().build(Worst(ours), Peer::other("worst"));
        let driving = tokio::spawn(driver);
        if fails {
            connection.notify(sum()).await.expect("queued");
        }
        tokio::task::yield_now().await;
        drop(theirs);
        let expected = if fails { "Io" } else { "ClosedByPeer" };
        assert_eq!(ended(&connection).await, expected);
        assert_eq!(word(&soon("the driver ends", driving).await.expect("no panic")), expected);
    }
}
