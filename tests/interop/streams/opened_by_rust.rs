//! Rust opens streams to the factories of a Twisted peer.

use amp::multiplex::ConnectError;
use tokio::io::AsyncWriteExt;

use super::{TEN_MEGABYTES, ToTwisted, digest, heard, heard_out, pattern, said};
use crate::harness::soon;

#[tokio::test]
async fn what_rust_writes_to_an_echo_at_twisted_comes_back() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("echo").await;
    assert!(!stream.half_closes(), "txampext knows no such thing");
    for word in ["hello", "", "\0\r\n", "again"] {
        said(&mut stream, word.as_bytes()).await;
        assert_eq!(heard(&mut stream, word.len()).await, word.as_bytes());
    }
    soon(stream.shutdown()).await.unwrap();
    assert_eq!(peers.twisted.say("served[-1].ended()").await, "'disconnected'");
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn a_banner_that_twisted_sends_before_the_answer_to_connect_is_read() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    for _ in 0..20 {
        let mut stream = peers.open("banner").await;
        assert_eq!(heard(&mut stream, 11).await, b"220 ready\r\n");
        said(&mut stream, b"HELO").await;
        assert_eq!(heard(&mut stream, 4).await, b"HELO");
    }
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn a_stream_that_twisted_ends_before_the_answer_to_connect_is_read_to_its_end() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("bye").await;
    assert_eq!(heard_out(&mut stream).await, b"221 bye\r\n");
    drop(stream);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn ten_megabytes_to_twisted_arrive_intact() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("digest").await;
    let bytes = pattern(TEN_MEGABYTES);
    said(&mut stream, &bytes).await;
    assert_eq!(String::from_utf8(heard(&mut stream, 64).await).unwrap(), digest(&bytes));
    drop(stream);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn ten_megabytes_that_twisted_sends_at_once_and_ends_arrive_intact() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("download").await;
    let bytes = heard_out(&mut stream).await;
    assert_eq!((bytes.len(), digest(&bytes)), (TEN_MEGABYTES, digest(&pattern(TEN_MEGABYTES))));
    drop(stream);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn ten_megabytes_go_to_an_echo_at_twisted_and_come_back_at_the_same_time() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let (mut reader, mut writer) = tokio::io::split(peers.open("echo").await);
    let bytes = pattern(TEN_MEGABYTES);
    let sent = bytes.clone();
    let writing = tokio::spawn(async move { soon(writer.write_all(&sent)).await.unwrap() });
    let mut back = vec![0; TEN_MEGABYTES];
    soon(tokio::io::AsyncReadExt::read_exact(&mut reader, &mut back)).await.unwrap();
    soon(writing).await.unwrap();
    assert_eq!(digest(&back), digest(&bytes));
    drop(reader);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn what_was_written_before_the_stream_is_dropped_arrives_at_twisted() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let mut stream = peers.open("listener").await;
    stream.write_all(&pattern(100_000)).await.unwrap();
    drop(stream);
    let expected = format!("(100000, '{}')", digest(&pattern(100_000)));
    assert_eq!(peers.twisted.say("served[-1].digest(100_000)").await, expected);
    assert_eq!(peers.twisted.say("served[-1].ended()").await, "'disconnected'");
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn a_refusal_of_twisted_and_a_factory_that_it_does_not_have_are_told_apart() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let error = soon(peers.multiplexer.connect("refusing")).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Refused(reason) if reason.is_empty()), "{error:?}");
    let error = soon(peers.multiplexer.connect("no such thing")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoSuchFactory(_)), "{error:?}");
    let mut stream = peers.open("echo").await;
    said(&mut stream, b"still here").await;
    assert_eq!(heard(&mut stream, 10).await, b"still here");
    drop(stream);
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn fifty_streams_to_twisted_at_once_keep_to_themselves() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    let tasks: Vec<_> = (0..50)
        .map(|number: usize| {
            let multiplexer = peers.multiplexer.clone();
            tokio::spawn(async move {
                let mut stream = soon(multiplexer.connect("echo")).await.unwrap();
                let words = format!("stream {number} ").repeat(100 * number);
                said(&mut stream, words.as_bytes()).await;
                assert_eq!(heard(&mut stream, words.len()).await, words.as_bytes());
            })
        })
        .collect();
    for task in tasks {
        soon(task).await.unwrap();
    }
    peers.nothing_is_left().await;
}

#[tokio::test]
async fn many_streams_that_fill_both_directions_at_once_all_come_to_their_end() {
    const EACH: usize = 1_000_000;
    let Some(mut peers) = ToTwisted::start().await else { return };
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let multiplexer = peers.multiplexer.clone();
            tokio::spawn(async move {
                let (mut reader, mut writer) = tokio::io::split(soon(multiplexer.connect("echo")).await.unwrap());
                let writing = tokio::spawn(async move { soon(writer.write_all(&pattern(EACH))).await.unwrap() });
                let mut back = vec![0; EACH];
                soon(tokio::io::AsyncReadExt::read_exact(&mut reader, &mut back)).await.unwrap();
                soon(writing).await.unwrap();
                assert_eq!(digest(&back), digest(&pattern(EACH)));
            })
        })
        .collect();
    for task in tasks {
        soon(task).await.unwrap();
    }
    peers.nothing_is_left().await;
}
