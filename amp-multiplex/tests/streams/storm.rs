//! Many streams, short and long, ended in every way while their connection ends.

use std::time::Duration;

use amp_multiplex::{Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::support::{ends_with, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_hangs_however_streams_and_connections_end() {
    for round in 0..150_u64 {
        let (here, there) =
            ends_with(1 << (8 + round % 9), &StreamSettings::new().max_in_flight(64 << 10).max_received(256 << 10));
        there.factories.serve("echo", crate::support::echo);
        there.factories.serve("drop", |mut s: Stream| async move {
            let _ = s.read(&mut [0; 10]).await;
        });
        let mut all = tokio::task::JoinSet::new();
        for n in 0..24 {
            let multiplexer = here.multiplexer.clone();
            all.spawn(async move {
                let Ok(mut s) = multiplexer.connect(if n % 3 == 0 { "drop" } else { "echo" }).await else { return };
                if n % 2 == 1 {
                    let _ = timeout(Duration::from_millis(20), s.write_all(&vec![1; 1000 * n])).await;
                    if n % 5 == 0 {
                        s.abort();
                    }
                    return;
                }
                let (mut r, mut w) = tokio::io::split(s);
                let (mut buffer, data) = (Vec::new(), vec![1; 1000 * n]);
                let _ = tokio::join!(
                    async {
                        let _ = w.write_all(&data).await;
                        w.shutdown().await
                    },
                    r.read_to_end(&mut buffer)
                );
            });
        }
        tokio::time::sleep(Duration::from_micros(300 * (round % 20))).await;
        if round % 5 == 0 {
            here.connection.abort()
        } else if round % 2 == 0 {
            here.connection.close()
        } else {
            there.connection.close()
        }
        while let Some(done) = soon(&format!("task {round}"), all.join_next()).await {
            done.unwrap();
        }
        timeout(Duration::from_secs(9), here.connection.closed())
            .await
            .unwrap_or_else(|_| panic!("{round}: close took long {here:?}"));
        timeout(Duration::from_secs(9), there.connection.closed())
            .await
            .unwrap_or_else(|_| panic!("{round}: close took long {there:?}"));
    }
}
