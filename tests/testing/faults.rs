//! Faults of a transport, beneath real connections.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use amp::testing::{Faults, FaultyTransport, faulty_pair, soon};
use amp::{CallError, CloseReason, Connection, Reply, Settings, responder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::time::Instant;

use crate::panics::{assert_says, message_of};
use crate::sample::{Divide, Divider, Note, Notes};

const SECOND: Duration = Duration::from_secs(1);
const CALL: Divide = Divide { left: 6, right: 2 };

/// Two connections, and the faults of what the first one reads and writes.
fn connections(reads: Faults, writes: Faults) -> (Connection, Connection) {
    let builder = || Connection::builder().locator(Divider.into_locator()).settings(Settings::new().announce(false));
    faulty_pair(builder(), builder(), writes, reads)
}

async fn calls_work(one: &Connection, other: &Connection) {
    for connection in [one, other] {
        let calls = [(); 20].map(|()| tokio::spawn(connection.call(CALL)));
        for call in calls {
            assert_eq!(soon("a call", call).await.expect("no panic").expect("an answer").result, 3);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_faults_bytes_pass_as_they_are() {
    let (one, other) = connections(Faults::new(), Faults::new());
    calls_work(&one, &other).await;
}

#[tokio::test(start_paused = true)]
async fn boxes_are_whole_however_they_are_split() {
    for sizes in [vec![1], vec![2], vec![1, 2, 3, 500], vec![7, 1]] {
        let (one, other) = connections(Faults::new().split(sizes.clone()), Faults::new().split(sizes));
        calls_work(&one, &other).await;
    }
    for seed in 0..50 {
        let split = |seed| Faults::new().split_randomly(seed, 1..=30);
        let (one, other) = connections(split(seed), split(seed + 1000));
        calls_work(&one, &other).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pieces_have_the_sizes_that_were_given_and_the_same_ones_for_the_same_seed() {
    async fn read(faults: Faults) -> Vec<usize> {
        let (mut ours, theirs) = duplex(1 << 16);
        ours.write_all(&[7; 100]).await.expect("it fits");
        drop(ours);
        let mut transport = FaultyTransport::new(theirs).reads(faults);
        let (mut sizes, mut buffer) = (Vec::new(), [0; 64]);
        while let count @ 1.. = transport.read(&mut buffer).await.expect("bytes") {
            sizes.push(count);
        }
        assert_eq!(sizes.iter().sum::<usize>(), 100);
        sizes
    }
    assert_eq!(read(Faults::new().split([10, 40])).await, [10, 40, 10, 40]);
    let random = |seed| read(Faults::new().split_randomly(seed, 1..=9));
    assert_eq!(random(1).await, random(1).await);
    assert_ne!(random(1).await, random(2).await);

    let (ours, mut theirs) = duplex(1 << 16);
    let mut transport = FaultyTransport::new(ours).writes(Faults::new().split([3, 1]));
    assert_eq!(transport.write(b"abcdef").await.expect("it is taken"), 3);
    assert_eq!(transport.write(b"def").await.expect("it is taken"), 1);
    drop(transport);
    let mut got = String::new();
    theirs.read_to_string(&mut got).await.expect("text");
    assert_eq!(got, "abcd");
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_paid_in_each_direction() {
    let (one, _other) = connections(Faults::new().delay(2 * SECOND), Faults::new().delay(SECOND));
    // However long nothing came before.
    tokio::time::sleep(10 * SECOND).await;
    let begin = Instant::now();
    one.call(CALL).await.expect("an answer");
    assert!((3 * SECOND..4 * SECOND).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    let failed = one.call(CALL).timeout(2 * SECOND).await;
    assert!(matches!(failed, Err(CallError::Timeout { sent: true })), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cut_anywhere_in_a_call_ends_both_connections_and_the_call() {
    let ask = amp::testing::ask_bytes("1", &CALL).len() as u64;
    let answer = amp::testing::answer_bytes::<Divide>("1", &crate::sample::Quotient { result: 3 }).len() as u64;
    for bytes in 0..ask {
        let (one, other) = connections(Faults::new(), Faults::new().cut_after(bytes));
        let failed = soon("the call", one.call(CALL)).await;
        assert!(matches!(failed, Err(CallError::Connection { .. })), "{bytes}: {failed:?}");
        soon("this end", one.closed()).await;
        let reason = soon("the other end", other.closed()).await;
        let expected = if bytes == 0 { "ClosedByPeer" } else { "ClosedMidBox" };
        assert!(format!("{reason:?}").starts_with(expected), "{bytes}: {reason:?}");
    }
    for bytes in 0..answer {
        let (one, other) = connections(Faults::new().cut_after(bytes), Faults::new());
        let failed = soon("the call", one.call(CALL)).await;
        assert!(matches!(failed, Err(CallError::Connection { .. })), "{bytes}: {failed:?}");
        soon("this end", one.closed()).await;
        soon("the other end", other.closed()).await;
    }
    // Behind the answer the call has it.
    let (one, _other) = connections(Faults::new().cut_after(answer), Faults::new());
    assert_eq!(one.call(CALL).await.expect("an answer").result, 3);
    soon("the cut", one.closed()).await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_is_seen_by_who_waits_in_the_other_direction() {
    let (ours, mut theirs) = duplex(64);
    let (mut reader, mut writer) = tokio::io::split(FaultyTransport::new(ours).writes(Faults::new().cut_after(3)));
    let reading = tokio::spawn(async move { reader.read(&mut [0; 8]).await });
    tokio::task::yield_now().await;
    writer.write_all(b"abc").await.expect("as many as pass");
    assert_eq!(soon("the reader", reading).await.expect("no panic").expect("an end"), 0);
    assert_eq!(writer.write(b"d").await.expect_err("it is cut").kind(), ErrorKind::BrokenPipe);
    assert_eq!(writer.flush().await.expect_err("it is cut").kind(), ErrorKind::BrokenPipe);
    writer.shutdown().await.expect("there is nothing to end");
    let mut got = String::new();
    theirs.read_to_string(&mut got).await.expect("text");
    assert_eq!(got, "abc");
}

/// A transport whose flush waits for good, and whose reads are bytes at once.
struct NeverFlushed;

impl AsyncRead for NeverFlushed {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        into.put_slice(b"abc");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for NeverFlushed {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_waits_sees_the_cut_of_the_other_direction() {
    let (mut reader, mut writer) =
        tokio::io::split(FaultyTransport::new(NeverFlushed).reads(Faults::new().cut_after(3)));
    let flushing = tokio::spawn(async move { writer.flush().await });
    tokio::time::sleep(SECOND).await;
    assert!(!flushing.is_finished(), "it waits");
    assert_eq!(reader.read(&mut [0; 8]).await.expect("bytes"), 3);
    let flushed = soon("the flush", flushing).await.expect("no panic");
    assert_eq!(flushed.expect_err("it is cut").kind(), ErrorKind::BrokenPipe);
}

#[tokio::test(start_paused = true)]
async fn a_direction_that_stalls_sees_the_cut_of_the_other_one() {
    // A reader.
    let (ours, theirs) = duplex(64);
    let transport = FaultyTransport::new(ours).reads(Faults::new().stall_after(0)).writes(Faults::new().cut_after(3));
    let (mut reader, mut writer) = tokio::io::split(transport);
    let reading = tokio::spawn(async move { reader.read(&mut [0; 8]).await });
    tokio::time::sleep(SECOND).await;
    assert!(!reading.is_finished(), "it stalls");
    writer.write_all(b"abc").await.expect("as many as pass");
    assert_eq!(soon("the reader", reading).await.expect("no panic").expect("an end"), 0);
    drop(theirs);

    // A writer, and one that shuts down.
    for shuts_down in [false, true] {
        let (ours, mut theirs) = duplex(64);
        let transport =
            FaultyTransport::new(ours).reads(Faults::new().cut_after(3)).writes(Faults::new().stall_after(0));
        let (mut reader, mut writer) = tokio::io::split(transport);
        let writing =
            tokio::spawn(
                async move { if shuts_down { writer.shutdown().await } else { writer.write_all(b"d").await } },
            );
        tokio::time::sleep(SECOND).await;
        assert!(!writing.is_finished(), "it stalls");
        theirs.write_all(b"abc").await.expect("it fits");
        assert_eq!(reader.read(&mut [0; 8]).await.expect("bytes"), 3);
        let written = soon("the writer", writing).await.expect("no panic");
        assert_eq!(written.map_err(|error| error.kind()), if shuts_down { Ok(()) } else { Err(ErrorKind::BrokenPipe) });
    }
}

#[tokio::test(start_paused = true)]
async fn the_faults_of_a_pair_stand_in_the_order_of_its_ends() {
    /// Each end sends a note. Returns what arrived at the first and at the second.
    async fn noted(from_one: Faults, from_other: Faults) -> (Vec<String>, Vec<String>) {
        let end = || {
            let notes = Arc::new(Notes(Mutex::default()));
            let builder = Connection::builder().locator(Divider.into_locator()).shared_state(Arc::clone(&notes));
            (builder.settings(Settings::new().announce(false)), notes)
        };
        let ((one, at_one), (other, at_other)) = (end(), end());
        let (one, other) = faulty_pair(one, other, from_one, from_other);
        for (connection, text) in [(&one, "of one"), (&other, "of the other")] {
            // A transport that is cut at once may have ended before.
            drop(soon("a notification", connection.notify(Note { text: text.to_owned() })).await);
        }
        tokio::time::sleep(SECOND).await;
        let notes = |notes: &Notes| notes.0.lock().expect("no panic").clone();
        (notes(&at_one), notes(&at_other))
    }
    let (none, of_one, of_other) = (Vec::new(), vec!["of one".to_owned()], vec!["of the other".to_owned()]);
    assert_eq!(noted(Faults::new(), Faults::new()).await, (of_other.clone(), of_one.clone()));
    assert_eq!(noted(Faults::new().stall_after(0), Faults::new()).await, (of_other, none.clone()));
    assert_eq!(noted(Faults::new(), Faults::new().stall_after(0)).await, (none, of_one));

    // What is cut in the middle of a box is told of by the end that reads it.
    let (one, other) = connections(Faults::new().cut_after(3), Faults::new());
    drop(other.notify(Note { text: String::new() }).await);
    let reason = soon("the first end", one.closed()).await;
    assert!(format!("{reason:?}").starts_with("ClosedMidBox"), "{reason:?}");
    let reason = soon("the second end", other.closed()).await;
    assert!(!format!("{reason:?}").starts_with("ClosedMidBox"), "{reason:?}");
}

#[tokio::test(start_paused = true)]
async fn a_direction_fails_with_the_error_that_was_given() {
    let reset = || io::Error::new(ErrorKind::ConnectionReset, "the cat");
    for (reads, writes) in
        [(Faults::new().fail_after(0, reset()), Faults::new()), (Faults::new(), Faults::new().fail_after(5, reset()))]
    {
        let (one, _other) = connections(reads, writes);
        let failed = soon("the call", one.call(CALL)).await;
        assert!(matches!(failed, Err(CallError::Connection { .. })), "{failed:?}");
        match soon("the end", one.closed()).await {
            CloseReason::Io(error) => {
                assert_eq!((error.kind(), error.to_string()), (ErrorKind::ConnectionReset, "the cat".to_owned()));
            }
            other => panic!("{other:?}"),
        }
    }
    // The first is the very error, and it fails again.
    let (ours, _theirs) = duplex(64);
    let mut transport =
        FaultyTransport::new(ours).reads(Faults::new().fail_after(0, io::Error::other(CloseReason::Aborted)));
    let first = transport.read(&mut [0]).await.expect_err("it fails");
    assert!(first.get_ref().expect("an error of ours").is::<CloseReason>());
    assert_eq!(transport.read(&mut [0]).await.expect_err("it fails").kind(), ErrorKind::Other);
    transport.write_all(b"the other direction works").await.expect("it is taken");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_stalls_is_a_time_limit_of_the_connection_and_a_read_that_stalls_of_the_call() {
    let settings = Settings::new().announce(false).write_timeout(Some(5 * SECOND)).call_timeout(Some(60 * SECOND));
    let builder = || Connection::builder().locator(Divider.into_locator()).settings(settings.clone());
    let (one, _other) = faulty_pair(builder(), builder(), Faults::new().stall_after(10), Faults::new());
    let begin = Instant::now();
    let failed = one.call(CALL).await;
    assert!(
        matches!(failed, Err(CallError::Connection { reason: CloseReason::WriteTimeout { .. }, .. })),
        "{failed:?}"
    );
    assert!(begin.elapsed() < 20 * SECOND, "{:?}", begin.elapsed());

    let (one, _other) = faulty_pair(builder(), builder(), Faults::new(), Faults::new().stall_after(0));
    let failed = one.call(CALL).await;
    assert!(matches!(failed, Err(CallError::Timeout { sent: true })), "{failed:?}");
    one.notify(Note { text: "the other direction works".to_owned() }).await.expect("queued");
}

struct Long;

#[responder]
impl Long {
    async fn divide(&self, _: Divide) -> Reply<Divide> {
        tokio::time::sleep(SECOND).await;
        Ok(crate::sample::Quotient { result: 3 })
    }
}

#[tokio::test(start_paused = true)]
async fn faults_together_leave_what_passes_whole() {
    let other = Connection::builder().locator(Long.into_locator());
    let reads = Faults::new().split_randomly(1, 1..=3).delay(Duration::from_millis(3));
    let writes = Faults::new().split([1, 9]).delay(Duration::from_millis(5)).cut_after(10_000);
    let (one, other) = faulty_pair(Connection::builder(), other, writes, reads);
    let mut answered = 0;
    while let Ok(quotient) = soon("a call", one.call(CALL)).await {
        assert_eq!(quotient.result, 3);
        answered += 1;
    }
    assert!(answered > 100, "{answered}");
    soon("this end", one.closed()).await;
    soon("the other end", other.closed()).await;
}

#[test]
fn a_piece_of_no_bytes_is_refused() {
    assert_says(&message_of(|| Faults::new().split([1, 0])), &["[1, 0]", "at least one"]);
    assert_says(&message_of(|| Faults::new().split([])), &["[]", "at least one"]);
    assert_says(&message_of(|| Faults::new().split_randomly(1, 0..=3)), &["0..=3", "at least one"]);
}
