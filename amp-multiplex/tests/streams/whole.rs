//! What was whole stays whole: real sockets through a forward and a target, and ends in one direction.

use std::time::Duration;

use amp_multiplex::{Stream, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::forwards::dial;
use crate::support::{End, ends, pattern, soon, streaming, until, write};

#[tokio::test]
async fn what_was_shut_down_in_order_stays_whole_when_the_other_direction_is_aborted() {
    let (_here, _there, mut one, mut other) = streaming(ends()).await;
    write(&mut one, "all of it").await;
    one.shutdown().await.expect("it goes well");
    one.abort();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut got = Vec::new();
    let read = soon("r", other.read_to_end(&mut got)).await;
    assert!(read.is_ok(), "{} bytes were whole, and then {read:?}", got.len());
}

async fn scene() -> (End, End, TcpListener, amp_multiplex::Forward, Target) {
    let (here, there) = ends();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it goes well");
    let target = Target::tcp(listener.local_addr().expect("it goes well").to_string());
    there.factories.insert("t", target.clone());
    let forward = here.multiplexer.forward_port(0, "t").await.expect("it goes well");
    (here, there, listener, forward, target)
}

async fn pairs(n: usize, client: fn(TcpStream) -> Fut, server: fn(TcpStream) -> Fut) {
    let (here, there, listener, forward, target) = scene().await;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..n {
        let socket = dial(&forward).await;
        all.spawn(client(socket));
        let (socket, _) = soon("accept", listener.accept()).await.expect("it goes well");
        all.spawn(server(socket));
    }
    while let Some(done) = soon("done", all.join_next()).await {
        done.expect("it goes well").expect("it goes well");
    }
    until("ended", || forward.counts().open == 0 && target.counts().open == 0).await;
    here.is_empty().await;
    there.is_empty().await;
}

/// All that the other end writes.
async fn rest(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

type Fut = std::pin::Pin<Box<dyn Future<Output = std::io::Result<()>> + Send>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_first_resets_nothing() {
    pairs(
        100,
        |mut s| {
            Box::pin(async move {
                for _ in 0..3 {
                    s.write_all(b"GET /").await?;
                    s.read_exact(&mut [0; 1000]).await?;
                }
                Ok(())
            })
        },
        |mut s| {
            Box::pin(async move {
                for _ in 0..3 {
                    s.read_exact(&mut [0; 5]).await?;
                    s.write_all(&[1; 1000]).await?;
                }
                let n = s.read(&mut [0]).await?;
                assert_eq!(n, 0);
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_first_resets_nothing() {
    pairs(
        100,
        |mut s| {
            Box::pin(async move {
                s.write_all(b"GET /").await?;
                assert_eq!(rest(&mut s).await?.len(), 300_000);
                Ok(())
            })
        },
        |mut s| {
            Box::pin(async move {
                s.read_exact(&mut [0; 5]).await?;
                s.write_all(&vec![1; 300_000]).await?;
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_uploads_and_closes_loses_nothing() {
    pairs(
        100,
        |mut s| Box::pin(async move { s.write_all(&vec![1; 300_000]).await }),
        |mut s| {
            Box::pin(async move {
                assert_eq!(rest(&mut s).await?.len(), 300_000);
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_half_closes_gets_its_answer() {
    pairs(
        100,
        |mut s| {
            Box::pin(async move {
                s.write_all(&vec![1; 300_000]).await?;
                s.shutdown().await?;
                assert_eq!(rest(&mut s).await?.len(), 300_000);
                Ok(())
            })
        },
        |mut s| {
            Box::pin(async move {
                let bytes = rest(&mut s).await?;
                s.write_all(&bytes).await?;
                Ok(())
            })
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_may_close_at_once() {
    pairs(
        100,
        |mut s| {
            Box::pin(async move {
                s.write_all(b"hello").await?;
                s.read_exact(&mut [0; 5]).await?;
                Ok(())
            })
        },
        |mut s| {
            Box::pin(async move {
                s.write_all(b"hello").await?;
                s.read_exact(&mut [0; 5]).await?;
                Ok(())
            })
        },
    )
    .await;
}

/// A client that reads late, of an answer that came down whole before the other direction broke, in one way or the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_gets_an_answer_that_was_whole_before_the_other_direction_broke() {
    const ANSWER: usize = 2 << 20;
    let mut all = tokio::task::JoinSet::new();
    for n in 0..16 {
        let lost = n % 2 == 0;
        all.spawn(async move {
            let (here, there) = ends();
            there.factories.serve("server", move |mut stream: Stream| async move {
                stream.write_all(&pattern(ANSWER)).await.expect("written");
                stream.shutdown().await.expect("closed");
                if lost {
                    std::future::pending::<()>().await;
                }
                stream.abort();
            });
            let forward = here.multiplexer.forward_port(0, "server").await.expect("a port");
            let mut client = dial(&forward).await;
            until("all of it came down", || forward.counts().received == ANSWER as u64).await;
            // And its end, which comes at once behind it.
            tokio::time::sleep(Duration::from_secs(2)).await;
            if lost {
                there.connection.abort();
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            let mut got = Vec::new();
            let read = client.read_to_end(&mut got).await;
            assert_eq!((got.len(), lost), (ANSWER, lost), "{read:?}");
        });
    }
    all.join_all().await;
}
