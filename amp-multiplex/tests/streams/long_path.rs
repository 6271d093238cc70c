use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use crate::support::{End, ends_with, path, read_exactly, soon, write};

const DELAY: Duration = Duration::from_millis(100);

fn far(rate: u32, streams: &StreamSettings) -> (End, End) {
    let (a, b) = path(DELAY, rate);
    (End::over(a, Settings::new(), streams.clone()), End::over(b, Settings::new(), streams.clone()))
}

/// The bytes a second, in virtual time, of 100 MB over a path of 200 ms there and back.
async fn rate(streams: &StreamSettings) -> f64 {
    const BYTES: usize = 100_000_000;
    let (here, there) = far(100_000_000, streams);
    there.factories.serve("source", |mut stream: Stream| async move {
        let chunk = vec![1; 1 << 20];
        let mut left = BYTES;
        while left > 0 {
            let count = left.min(chunk.len());
            stream.write_all(&chunk[..count]).await.expect("written");
            left -= count;
        }
        stream.shutdown().await.expect("closed");
    });
    let begin = Instant::now();
    let mut stream = here.connect("source").await;
    let (mut buffer, mut got) = (vec![0; 1 << 20], 0);
    while let count @ 1.. = stream.read(&mut buffer).await.expect("bytes") {
        got += count;
    }
    assert_eq!(got, BYTES);
    BYTES as f64 / begin.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn on_a_long_path_a_stream_is_far_faster_than_a_fixed_window_allows() {
    let fixed = rate(&StreamSettings::new().max_window(256 * 1024)).await;
    let ours = rate(&StreamSettings::new()).await;
    assert!(fixed < 2.7e6, "the path is not long: {fixed}");
    assert!(ours > 20e6, "{ours} bytes a second, and {fixed} with a fixed window");
    println!("{ours:.0} bytes a second over 200 ms there and back, {fixed:.0} with a window of 256 KiB");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_sleeps_gets_no_more_than_the_first_window_over_a_long_path() {
    let (here, there) = far(100_000_000, &StreamSettings::new());
    let mut listener = there.factories.listen("sleeper", 1);
    let (mut stream, mut sleeper) = here.open("sleeper", &mut listener).await;
    let mut written = 0;
    while let Ok(count) = tokio::time::timeout(Duration::from_secs(5), stream.write(&[1; 10_000])).await {
        written += count.expect("written");
    }
    assert!((100_000..=128 * 1024).contains(&written), "{written} bytes were taken");
    drop(stream);
    let mut got = Vec::new();
    soon("reading", sleeper.read_to_end(&mut got)).await.expect("an end");
    assert_eq!(got.len(), written);
}

/// Twenty writers whose readers sleep want twice of what all streams together may have on their way, and leave a share.
#[tokio::test(start_paused = true)]
async fn slow_streams_do_not_eat_the_window_of_the_others() {
    let (here, there) = far(100_000_000, &StreamSettings::new().first_window(100_000).max_in_flight(1_000_000));
    let mut sleepers = there.factories.listen("sleepers", 100);
    let mut kept = Vec::new();
    for _ in 0..20 {
        let (mut stream, sleeping) = here.open("sleepers", &mut sleepers).await;
        kept.push(sleeping);
        tokio::spawn(async move { stream.write_all(&[1; 1 << 20]).await });
    }
    there.factories.serve("sink", |mut stream: Stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    let mut lively = here.connect("sink").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begin = Instant::now();
    lively.write_all(&vec![1; 1_000_000]).await.expect("written");
    let rate = 1_000_000.0 / begin.elapsed().as_secs_f64();
    // The sleepers hold 840,000 of 1,000,000 bytes; a 22nd part of the rest each 200 ms is 36,000 a second.
    assert!(rate > 20_000.0, "{rate} bytes a second beside streams that sleep");
}

/// On a path of 10 MB/s that bulk keeps full, what a small stream and a command wait for is bounded by what lies before
/// them: half of the outbound mark, and one chunk of each other stream.
#[tokio::test(start_paused = true)]
async fn a_hundred_bulk_streams_starve_neither_a_small_stream_nor_a_command() {
    let (here, there) = far(10_000_000, &StreamSettings::new());
    there.factories.serve("sink", |mut stream: Stream| async move {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    there.factories.serve("echo", crate::support::echo);
    let mut small = here.connect("echo").await;
    for _ in 0..100 {
        let mut stream = here.connect("sink").await;
        tokio::spawn(async move { while stream.write_all(&[1; 100_000]).await.is_ok() {} });
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    for _ in 0..20 {
        let begin = Instant::now();
        write(&mut small, "ping").await;
        assert_eq!(read_exactly(&mut small, 4).await, b"ping");
        let took = begin.elapsed();
        // 200 ms of path, 100 chunks of 32 KiB and 1 MiB at 10 MB/s; starved, it takes as long as the bulk lasts.
        assert!(took < Duration::from_millis(800), "a small stream waited {took:?}");
        let begin = Instant::now();
        here.ping().await;
        let took = begin.elapsed();
        assert!(took < Duration::from_millis(500), "a command waited {took:?}");
    }
}

/// Writes once, or finds that it must wait.
async fn try_write(stream: &mut Stream, bytes: &[u8]) -> Option<usize> {
    let written = poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_write(cx, bytes))).await;
    match written {
        Poll::Ready(count) => Some(count.expect("the stream is open")),
        Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_is_held_up_for_a_measurement_starts_one_timer_which_wakes_it_though_the_reader_sleeps() {
    let (here, there) = ends_with(1 << 20, &StreamSettings::new().first_window(100_000).max_window(100_000));
    let mut listener = there.factories.listen("reader", 1);
    let (mut stream, mut reader) = here.open("reader", &mut listener).await;
    write(&mut stream, "measured").await;
    // Something is in flight from now on, so that nothing more is measured.
    stream.write_all(&[1; 10_000]).await.expect("written");
    assert_eq!(read_exactly(&mut reader, 8).await, b"measured");
    tokio::time::sleep(Duration::from_secs(11)).await;
    stream.write_all(&[1; 70_000]).await.expect("written");
    // The reader has just read.
    read_exactly(&mut reader, 10_000).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for _ in 0..3 {
        assert_eq!(try_write(&mut stream, &[1; 1000]).await, None);
    }
    assert_eq!(tasks(), before + 1);
    let begin = Instant::now();
    write(&mut stream, [1; 1000]).await;
    assert!(begin.elapsed() > Duration::from_secs(1), "it was not held up");
    assert_eq!(read_exactly(&mut reader, 71_000).await.len(), 71_000);
}
