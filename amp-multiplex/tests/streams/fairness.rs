use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use amp_multiplex::StreamSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{ends_with, soon};

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
