//! Whether a call that failed may have reached the peer, so that to repeat it may run its command twice.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;

use amp::connection::Call;
use amp::{CallError, CloseReason, Connection, Peer, Settings};
use amp_core::extension::CallExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::commands::{Sum, Wait, sum};
use crate::raw_peer::{RawPeer, ask_sum, error, soon};

const SECOND: Duration = Duration::from_secs(1);

type Failed = CallError<amp::error::NoErrors>;

/// Takes no byte, and fails to when it is told so; nothing comes from it.
struct Stuck(oneshot::Receiver<()>);

impl AsyncRead for Stuck {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Stuck {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        let _ = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn failed<T: std::fmt::Debug>(reply: Result<T, Failed>) -> (bool, Failed) {
    let error = reply.expect_err("it fails");
    (error.was_sent(), error)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_found_no_place_in_time_was_not_sent_and_one_that_is_out_was() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().max_calls(1));
    let out = tokio::spawn(connection.call(sum()).timeout(2 * SECOND));
    peer.expect(ask_sum("1")).await;
    let (sent, error) = failed(connection.call(sum()).timeout(SECOND).await);
    assert!(!sent && matches!(error, CallError::Timeout { .. }), "{error:?}");
    let (sent, error) = failed(out.await.expect("no panic"));
    assert!(sent && matches!(error, CallError::Timeout { .. }), "{error:?}");
    peer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn when_the_connection_ends_only_what_has_left_was_sent() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().max_calls(1));
    let out = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    let queued = tokio::spawn(connection.call(sum()));
    yield_now().await;
    drop(peer);
    assert!(failed(soon("told", out).await.expect("no panic")).0);
    assert!(!failed(soon("told", queued).await.expect("no panic")).0);
    let (sent, error) = failed(connection.call(sum()).await);
    assert!(!sent, "after the end: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_still_lay_in_the_outbound_buffer_when_writing_failed_was_not_sent() {
    let (fail, failing) = oneshot::channel();
    let connection = Connection::builder().start(Stuck(failing), Peer::other("stuck"));
    // The first ask is being written, and no more is taken.
    let first = tokio::spawn(connection.call(sum()));
    sleep(SECOND).await;
    let second = tokio::spawn(connection.call(sum()));
    sleep(SECOND).await;
    fail.send(()).expect("the transport is there");
    assert!(failed(soon("told", first).await.expect("no panic")).0, "some of its bytes may have arrived");
    assert!(!failed(soon("told", second).await.expect("no panic")).0);
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_the_outbound_buffer_when_this_end_aborts_is_still_written_and_so_was_sent() {
    let (connection, peer) = RawPeer::with((), Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    yield_now().await;
    connection.abort();
    let (sent, error) = failed(soon("told", call).await.expect("no panic"));
    assert!(sent && matches!(error, CallError::Connection { reason: CloseReason::Aborted, .. }), "{error:?}");
    assert_eq!(peer.rest().await, ask_sum("1"));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_was_answered_was_sent_and_an_argument_that_cannot_be_was_not() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().boxes(amp::wire::BoxLimits::new().bytes(60)));
    let call = tokio::spawn(connection.call(Wait));
    peer.expect(crate::raw_peer::ask("1", "Wait", &[])).await;
    peer.send(error("1", "BUSY", "")).await;
    assert!(failed(soon("told", call).await.expect("no panic")).0);
    let long = Sum { a: i64::MIN, b: i64::MIN };
    let (sent, error) = failed(connection.call(long).await);
    assert!(!sent && matches!(error, CallError::Invalid(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_after_writing_has_failed_was_not_sent_however_the_connection_ends() {
    for ends in [Connection::abort, |_: &Connection| {}] {
        let (fail, failing) = oneshot::channel();
        let connection = Connection::builder().start(Stuck(failing), Peer::other("stuck"));
        let first = tokio::spawn(connection.call(sum()));
        sleep(SECOND).await;
        fail.send(()).expect("the transport is there");
        yield_now().await;
        // What closing waits for still goes out while nothing can.
        let mut late = connection.call(sum()).uncounted();
        poll_fn(|cx| late.poll_sent(cx)).await.expect("queued");
        ends(&connection);
        assert!(!failed(soon("told", late).await).0, "nothing was written any more");
        assert!(failed(soon("told", first).await.expect("no panic")).0, "some of its bytes may have arrived");
    }
}

/// Fails to read when it is told so, and notes what is written to it while it has room.
struct Unreadable {
    fails: oneshot::Receiver<()>,
    room: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Unreadable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let _ = ready!(Pin::new(&mut self.fails).poll(cx));
        Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
    }
}

impl AsyncWrite for Unreadable {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut written = self.written.lock().expect("no panic");
        let count = bytes.len().min(self.room - written.len());
        written.extend_from_slice(&bytes[..count]);
        if count == 0 { Poll::Pending } else { Poll::Ready(Ok(count)) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A call that is polled where it is woken.
struct Inline {
    call: Mutex<Option<Call<Sum>>>,
    failed: Mutex<Option<(bool, Failed)>>,
}

impl Inline {
    fn poll(self: &Arc<Self>) {
        let Some(mut call) = self.call.lock().expect("no panic").take() else { return };
        match Pin::new(&mut call).poll(&mut Context::from_waker(&Waker::from(Arc::clone(self)))) {
            Poll::Ready(reply) => *self.failed.lock().expect("no panic") = Some(failed(reply)),
            Poll::Pending => *self.call.lock().expect("no panic") = Some(call),
        }
    }
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

#[tokio::test(start_paused = true)]
async fn when_reading_fails_what_is_written_all_the_same_was_sent_and_what_was_not_sent_is_never_written() {
    for room in [usize::MAX, 10] {
        let (fail, fails) = oneshot::channel();
        let written = Arc::default();
        let transport = Unreadable { fails, room, written: Arc::clone(&written) };
        let settings = Settings::new().announce(false);
        let connection = Connection::builder().settings(settings).start(transport, Peer::other("unreadable"));
        let first = tokio::spawn(connection.call(sum()));
        sleep(SECOND).await;
        let call = Arc::new(Inline { call: Mutex::new(Some(connection.call(sum()))), failed: Mutex::default() });
        call.poll();
        // The driver reads before it writes.
        fail.send(()).expect("the transport is there");
        soon("the end", connection.closed()).await;
        let (sent, error) = call.failed.lock().expect("no panic").take().expect("it was told");
        assert!(matches!(error, CallError::Connection { reason: CloseReason::Io(_), .. }), "{error:?}");
        assert!(failed(first.await.expect("no panic")).0, "some of its bytes may have arrived");
        let both = [ask_sum("1"), ask_sum("2")].concat();
        let has_room = room == usize::MAX;
        let expected = if has_room { &both } else { &both[..room] };
        let written = written.lock().expect("no panic").escape_ascii().to_string();
        assert_eq!((written, sent), (expected.escape_ascii().to_string(), has_room));
    }
}
