use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use amp_multiplex::StreamSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{echo, ends_with, pattern, soon};

/// Streams that all have more to send get about as much, however large the windows of some have grown.
#[tokio::test]
async fn bulk_streams_share_the_connection() {
    let (here, there) = ends_with(4096, &StreamSettings::new().first_window(4 << 20));
    let counts: Arc<Vec<AtomicUsize>> = Arc::new((0..40).map(|_| AtomicUsize::new(0)).collect());
    let mut listener = there.factories.listen("sink", 40);
    for at in 0..40 {
        let (mut writer, mut reader) = here.open("sink", &mut listener).await;
        tokio::spawn(async move { while writer.write_all(&[1; 100_000]).await.is_ok() {} });
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                counts[at].fetch_add(count, Ordering::Relaxed);
            }
        });
    }
    let total = || counts.iter().map(|count| count.load(Ordering::Relaxed)).sum::<usize>();
    // Those that were opened first have a start.
    let starts: Vec<_> = counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
    let begin = total();
    soon("80 MiB in all", async {
        while total() < begin + (80 << 20) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let shares = counts.iter().zip(starts).map(|(count, start)| count.load(Ordering::Relaxed) - start);
    let shares: Vec<_> = shares.collect();
    let (least, most) = (shares.iter().min().expect("some"), shares.iter().max().expect("some"));
    // 2 MiB each, were it exact.
    assert!(*least * 3 > *most, "from {least} to {most} bytes");
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
