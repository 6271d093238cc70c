use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use amp_core::AmpBox;
use amp_multiplex::StreamSettings;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::support::{Ping, echo, ends, ends_with, pattern, read_exactly, soon, streaming, until};

/// Streams that all have more to send get about as much, however large the windows of some have grown.
#[tokio::test]
async fn bulk_streams_share_the_connection() {
    share_evenly(40, in_tasks).await;
}

/// Also when there are so few that all are called to send at once: those who are woken by answers come first.
#[tokio::test]
async fn a_few_bulk_streams_share_the_connection() {
    share_evenly(4, in_tasks).await;
}

fn in_tasks(writers: Vec<Writer>) {
    writers.into_iter().for_each(|writer| drop(tokio::spawn(writer)));
}

/// Also when one task writes to all of them, always in the same order.
#[tokio::test]
async fn bulk_streams_of_one_task_share_the_connection() {
    share_evenly(40, |mut writers| {
        tokio::spawn(poll_fn(move |cx| {
            writers.retain_mut(|writer| writer.as_mut().poll(cx).is_pending());
            if writers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        }));
    })
    .await;
}

type Writer = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn share_evenly(streams: usize, spawn: impl FnOnce(Vec<Writer>)) {
    let (here, there) = ends_with(4096, &StreamSettings::new().first_window(4 << 20));
    let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..streams).map(|_| AtomicUsize::new(0)).collect());
    let mut listener = there.factories.listen("sink", streams);
    let mut writers: Vec<Writer> = Vec::new();
    for at in 0..streams {
        let (mut writer, mut reader) = here.open("sink", &mut listener).await;
        writers.push(Box::pin(async move { while writer.write_all(&[1; 100_000]).await.is_ok() {} }));
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                counts[at].fetch_add(count, Ordering::Relaxed);
            }
        });
    }
    spawn(writers);
    let total = || counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<usize>();
    soon("80 MiB in all", async {
        while total() < 80 << 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let shares: Vec<_> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    let (least, most) = (shares.iter().min().expect("some"), shares.iter().max().expect("some"));
    assert!(*least * 3 > *most, "from {least} to {most} bytes");
}

/// One task that notifies, and so asks for room again as soon as it has used it.
#[tokio::test]
async fn a_stream_goes_on_beside_one_who_notifies_without_end() {
    let (here, _there, mut writer, mut reader) = streaming(ends()).await;
    let connection = here.connection.clone();
    let notifying = tokio::spawn(async move { while connection.notify(Ping { n: 1 }).await.is_ok() {} });
    let sent = pattern(1 << 20);
    let exchange = async { tokio::join!(writer.write_all(&sent), read_exactly(&mut reader, sent.len())) };
    let (written, got) = soon("the stream", exchange).await;
    written.expect("written");
    assert!(got == sent, "every byte in its place");
    assert!(!notifying.is_finished(), "it notified all the time");
}

/// Streams that are waited for with half a mind: their writes are given up whenever they have to wait.
#[tokio::test]
async fn writers_that_give_up_their_turn_keep_nobody_waiting() {
    let (here, there) = ends_with(4096, &StreamSettings::new());
    let mut listener = there.factories.listen("sink", 40);
    let mut fickle = Vec::new();
    for _ in 0..20 {
        let (writer, mut reader) = here.open("sink", &mut listener).await;
        fickle.push(writer);
        tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
    }
    let (mut steady, mut reader) = here.open("sink", &mut listener).await;
    let (mut turn, mut waited) = (0, 0);
    let giving_up = poll_fn(|cx| {
        for writer in &mut fickle {
            waited += usize::from(Pin::new(writer).poll_write(cx, &[1; 30_000]).is_pending());
        }
        turn += 1;
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let sent = pattern(4 << 20);
    let exchange = async { tokio::join!(steady.write_all(&sent), read_exactly(&mut reader, sent.len())) };
    tokio::select! {
        () = giving_up => unreachable!("it never ends"),
        (written, got) = async { soon("the steady stream", exchange).await } => {
            written.expect("written");
            assert!(got == sent, "every byte in its place");
        }
    }
    assert!(waited > turn, "{waited} waits in {turn} turns");
}

/// Callers that fill the outbound buffer again whenever there is room in it.
#[tokio::test]
async fn large_calls_and_streams_share_the_connection() {
    let (here, there, mut writer, mut reader) =
        streaming(ends_with(64 * 1024, &StreamSettings::new().first_window(4 << 20))).await;
    let answered = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let (connection, answered) = (here.connection.clone(), Arc::clone(&answered));
        let ask = AmpBox::new().with("n", "7").and_then(|ask| ask.with("padding", vec![7; 60_000])).expect("it fits");
        tokio::spawn(async move {
            while connection.call_box("Ping", ask.clone()).await.is_ok() {
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    until("the first answers", || answered.load(Ordering::Relaxed) > 100).await;
    let before = answered.load(Ordering::Relaxed);
    let sent = pattern(4 << 20);
    let exchange = async { tokio::join!(writer.write_all(&sent), read_exactly(&mut reader, sent.len())) };
    let (written, got) = soon("the stream", exchange).await;
    written.expect("written");
    assert!(got == sent, "every byte in its place");
    let answers = answered.load(Ordering::Relaxed) - before;
    // As many bytes, were it exact: 70. Without a part of its own that follows theirs the stream would see several hundred.
    assert!((35..250).contains(&answers), "{answers} answers");
    drop(there);
}

/// Many streams on many threads through a narrow pipe, both ways, in pieces of every length: every byte in its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_threads_every_byte_arrives_in_its_place() {
    let (here, there) = ends_with(1500, &StreamSettings::new().first_window(20_000));
    here.factories.serve("echo", echo);
    there.factories.serve("echo", echo);
    let mut lives = tokio::task::JoinSet::new();
    for seed in 0..60_u8 {
        let from = if seed % 2 == 0 { &here } else { &there };
        let (mut reader, mut writer) = tokio::io::split(from.connect("echo").await);
        lives.spawn(async move {
            let sent: Vec<u8> = pattern(300_000).iter().map(|byte| byte.wrapping_mul(seed | 1)).collect();
            let expected = sent.clone();
            let writing = tokio::spawn(async move {
                let (mut rest, mut length) = (&sent[..], usize::from(seed));
                while !rest.is_empty() {
                    length = (length * 7 + 13) % 70_000;
                    let (now, later) = rest.split_at((length + 1).min(rest.len()));
                    writer.write_all(now).await.expect("written");
                    rest = later;
                }
                writer.shutdown().await.expect("closed");
            });
            let mut got = Vec::new();
            reader.read_to_end(&mut got).await.expect("an end in order");
            writing.await.expect("no panic");
            assert!(got == expected, "stream {seed}: {} bytes", got.len());
        });
    }
    soon("all streams", async {
        while let Some(life) = lives.join_next().await {
            life.expect("no panic");
        }
    })
    .await;
    here.is_empty().await;
    there.is_empty().await;
}
