use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::scripted;
use crate::support::{ends, read_exactly, soon, streaming, until, why, write};

#[tokio::test]
async fn the_death_of_the_connection_ends_every_reader_and_writer_with_its_reason() {
    let (here, there, mut one, mut other) = streaming(ends()).await;
    let reading = tokio::spawn(async move {
        loop {
            // What had come before is read; it is never the end.
            match one.read(&mut [0; 1000]).await {
                Ok(count) => assert!(count > 0),
                Err(error) => return error,
            }
        }
    });
    let writing = tokio::spawn(async move {
        loop {
            if let Err(error) = other.write_all(&[1; 1000]).await {
                return (error, other.read(&mut [0]).await, other.write(b"x").await);
            }
        }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    here.connection.abort();
    let error = soon("the reader", reading).await.expect("no panic");
    assert!(format!("{:?}", error.get_ref()).contains("Aborted"), "{error:?}");
    let (error, read, written) = soon("the writer", writing).await.expect("no panic");
    for error in [error, read.expect_err("over"), written.expect_err("over")] {
        assert_eq!((error.kind(), why(&error).as_str()), (std::io::ErrorKind::ConnectionAborted, "Connection"));
        assert!(format!("{:?}", error.get_ref()).contains("ClosedByPeer"), "{error:?}");
    }
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn what_came_before_the_death_is_read_before_the_reason() {
    let (here, there, mut one, mut other) = streaming(ends()).await;
    write(&mut one, "last words").await;
    soon("flushing", one.flush()).await.expect("flushed");
    here.ping().await;
    here.connection.abort();
    soon("the death", there.connection.closed()).await;
    assert_eq!(read_exactly(&mut other, 10).await, b"last words");
    let error = soon("reading on", other.read(&mut [0])).await.expect_err("a reason");
    assert_eq!(why(&error), "Connection");
}

#[tokio::test]
async fn writing_again_and_again_to_a_stream_of_an_ended_connection_gives_the_reason_each_time() {
    let (here, _there, mut one, _other) = streaming(ends()).await;
    here.connection.abort();
    for _ in 0..3 {
        assert_eq!(why(&soon("writing", one.write(b"x")).await.expect_err("closed")), "Connection");
    }
    assert!(one.flush().await.is_err());
    for _ in 0..2 {
        assert_eq!(why(&soon("closing", one.shutdown()).await.expect_err("closed")), "Connection");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_accepted_after_the_connection_ended_has_ended_too() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    peer.ask("Connect", &[("factory", b"echo")]).await;
    until("it waits", || format!("{:?}", end.multiplexer).contains("accepting: 1")).await;
    drop(peer);
    soon("the death", end.connection.closed()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut stream = listener.accept().await.expect("the opening");
    assert_eq!(why(&soon("reading", stream.read(&mut [0])).await.expect_err("over")), "Connection");
    assert_eq!(why(&soon("writing", stream.write(b"x")).await.expect_err("over")), "Connection");
    drop(stream);
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_connect_was_answered_just_before_the_end_has_ended_too() {
    let (end, mut peer) = scripted();
    let mut connecting = Box::pin(end.multiplexer.connect("echo"));
    assert!(tokio::time::timeout(Duration::from_secs(1), &mut connecting).await.is_err());
    peer.accept("abc").await;
    drop(peer);
    soon("the death", end.connection.closed()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut stream = connecting.await.expect("it was answered");
    assert_eq!(why(&soon("reading", stream.read(&mut [0])).await.expect_err("over")), "Connection");
    drop(stream);
    end.is_empty().await;
}

#[tokio::test]
async fn a_stream_keeps_its_connection_open_and_the_last_one_lets_it_close() {
    let (here, there, mut one, mut other) = streaming(ends()).await;
    let (closed, closed_there) = (here.connection.closed(), there.connection.closed());
    drop((here, there));
    write(&mut one, "x").await;
    assert_eq!(read_exactly(&mut other, 1).await, b"x");
    drop((one, other));
    soon("closing", closed).await;
    soon("closing", closed_there).await;
}

#[test]
fn a_stream_may_be_dropped_where_there_is_no_runtime() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (here, there, one, other) = runtime.block_on(async { streaming(ends()).await });
    drop(one);
    runtime.block_on(there.is_empty());
    drop(other);
    runtime.block_on(here.is_empty());
}
