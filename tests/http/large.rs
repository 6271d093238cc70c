//! Large transfers in bounded memory, beside a small stream that is answered all the while.
//!
//! One GiB each in a release build or with `AMP_GIGABYTE=1`, else 64 MiB.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use amp::multiplex::Stream;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::bodies::{Pattern, measured};
use crate::scene::{Scene, alone, request, soon};

const MEBIBYTE: u64 = 1 << 20;
/// How much the process may grow by while either amount passes: the default window and buffers of both ends, with room.
const MAX_GROWTH: u64 = 48 * MEBIBYTE;
/// Answers to the small stream, at the least.
const LEAST_ANSWERS: u64 = 20;

fn length() -> u64 {
    if cfg!(debug_assertions) && std::env::var_os("AMP_GIGABYTE").is_none() { 64 * MEBIBYTE } else { 1024 * MEBIBYTE }
}

/// The most memory that the process had since the last call, in bytes; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    peak.map_or(0, |kilobytes: u64| kilobytes * 1024)
}

/// Asks and waits for the answer, over and over.
async fn ping(mut stream: Stream, answers: Arc<AtomicU64>) {
    for number in 0_u64.. {
        stream.write_all(&number.to_be_bytes()).await.unwrap();
        assert_eq!(stream.read_u64().await.unwrap(), number);
        answers.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// Runs a transfer beside a small stream and says what it took.
async fn beside_a_small_stream(scene: &Scene, transfer: impl Future<Output = ()>) {
    let answers = Arc::new(AtomicU64::new(0));
    let small = scene.multiplexer.connect("echo").await.unwrap();
    let small = tokio::spawn(ping(small, Arc::clone(&answers)));
    peak_memory();
    let before = peak_memory();
    let at_first = answers.load(Ordering::Relaxed);
    let start = std::time::Instant::now();
    soon(transfer).await;
    let answered = answers.load(Ordering::Relaxed) - at_first;
    let growth = peak_memory().saturating_sub(before);
    let (seconds, mebibytes) = (start.elapsed().as_secs_f64(), length() / MEBIBYTE);
    println!(
        "{mebibytes} MiB in {seconds:.2} s ({:.0} MiB/s), {answered} answers beside it, {} KiB more memory",
        mebibytes as f64 / seconds,
        growth / 1024
    );
    assert!(!small.is_finished(), "the small stream has failed");
    small.abort();
    assert!(answered >= LEAST_ANSWERS, "{answered} answers");
    assert!(growth <= MAX_GROWTH, "{growth} bytes more at the peak");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_arrives_intact_in_bounded_memory_beside_a_small_stream() {
    let _alone = alone().await;
    let scene = Scene::start().await;
    let mut client = scene.client().await;
    let expected = format!("{} {}", length(), Pattern::digest(length()));
    beside_a_small_stream(&scene, async {
        let response = client.send_request(request("PUT", "/", Pattern::new(length()))).await.unwrap();
        let said = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(said, expected);
    })
    .await;
    assert!(scene.forward.counts().sent >= length(), "the counters saw it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_download_arrives_intact_in_bounded_memory_beside_a_small_stream() {
    let _alone = alone().await;
    let scene = Scene::start().await;
    let mut client = scene.client().await;
    let expected = (length(), Pattern::digest(length()));
    beside_a_small_stream(&scene, async {
        let path = format!("/{}", length());
        let response = client.send_request(request("GET", &path, Pattern::new(0))).await.unwrap();
        assert_eq!(measured(response.into_body()).await, expected);
    })
    .await;
    assert!(scene.forward.counts().received >= length(), "the counters saw it");
}
