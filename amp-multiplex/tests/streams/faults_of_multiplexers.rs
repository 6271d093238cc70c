//! The public faults of other multiplexers (`field.md`), none of which is ours. `CLOSE_WAIT` and Nagle are with the forwards.

use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{ConnectError, Opening, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{End, echo, ends, ends_with, pattern, read_exactly, soon, streaming, until, write};

#[tokio::test]
async fn an_idle_reader_parks_neither_other_streams_nor_commands() {
    let (here, there, mut one, _sleeping) = streaming(ends()).await;
    there.factories.serve("echo", echo);
    let stuck = tokio::spawn(async move { one.write_all(&pattern(10 << 20)).await });
    let mut lively = here.connect("echo").await;
    for _ in 0..100 {
        write(&mut lively, pattern(10_000)).await;
        assert!(read_exactly(&mut lively, 10_000).await == pattern(10_000));
        here.ping().await;
        there.ping().await;
    }
    assert!(!stuck.is_finished(), "a sleeping reader took 10 MiB");
    stuck.abort();
}

#[tokio::test]
async fn writers_that_are_blocked_at_both_ends_finish_through_a_tiny_pipe() {
    let (_here, _there, one, other) = streaming(ends_with(16, &StreamSettings::new())).await;
    let side = |mut stream: amp_multiplex::Stream| {
        tokio::spawn(async move {
            // As much as the first window takes is written before anything is read; the rest waits for credit.
            write(&mut stream, pattern(100_000)).await;
            let (mut reader, mut writer) = tokio::io::split(stream);
            let writing = tokio::spawn(async move {
                soon("writing on", writer.write_all(&pattern(1_000_000)[100_000..])).await.expect("written");
                writer
            });
            let mut got = vec![0; 1_000_000];
            soon("reading", reader.read_exact(&mut got)).await.expect("all of it");
            let _writer = soon("writing", writing).await.expect("no panic");
            got == pattern(1_000_000)
        })
    };
    let (one, other) = (side(one), side(other));
    assert!(soon("one side", one).await.expect("no panic"), "other bytes came");
    assert!(soon("the other", other).await.expect("no panic"), "other bytes came");
}

#[tokio::test]
async fn a_target_that_hangs_freezes_nothing() {
    let (here, there) = ends();
    let (sender, mut hanging) = tokio::sync::mpsc::unbounded_channel::<Opening>();
    there.factories.insert("hangs", move |opening| drop(sender.send(opening)));
    there.factories.serve("echo", echo);
    let multiplexer = here.multiplexer.clone();
    let waiting = tokio::spawn(async move { multiplexer.connect("hangs").await });
    let opening = soon("the opening", hanging.recv()).await.expect("an opening");
    let mut lively = here.connect("echo").await;
    write(&mut lively, "hello").await;
    assert_eq!(read_exactly(&mut lively, 5).await, b"hello");
    here.ping().await;
    there.ping().await;
    assert!(!waiting.is_finished());
    drop(opening);
    let refused = soon("the refusal", waiting).await.expect("no panic").expect_err("refused");
    assert!(matches!(refused, ConnectError::Refused(_)), "{refused:?}");
}

#[tokio::test]
async fn more_unanswered_transmits_than_calls_may_be_out_block_no_command() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let settings = Settings::new().max_calls(4).max_responders(16);
    let here = End::over(a, settings.clone(), StreamSettings::new());
    let there = End::over(b, settings, StreamSettings::new());
    let mut sleepers = there.factories.listen("sleepers", 100);
    let mut kept = Vec::new();
    for _ in 0..50 {
        let (mut stream, sleeping) = here.open("sleepers", &mut sleepers).await;
        write(&mut stream, "never read").await;
        kept.push((stream, sleeping));
    }
    here.ping().await;
    there.ping().await;
    kept.push(here.open("sleepers", &mut sleepers).await);
    drop(kept);
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn over_the_limit_of_streams_the_one_connect_is_refused() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let here = End::over(a, Settings::new(), StreamSettings::new());
    let there = End::over(b, Settings::new(), StreamSettings::new().max_streams(3));
    there.factories.serve("echo", echo);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(here.connect("echo").await);
    }
    let error = here.multiplexer.connect("echo").await.expect_err("over the limit");
    assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
    for stream in &mut streams {
        write(stream, "hello").await;
        assert_eq!(read_exactly(stream, 5).await, b"hello");
    }
    here.ping().await;
    streams.pop();
    until("a place is free", || there.multiplexer.streams() < 3).await;
    streams.push(here.connect("echo").await);
}

#[tokio::test]
async fn a_server_that_speaks_first_keeps_its_banner_under_load() {
    let (here, there) = ends();
    there.factories.serve("smtp", |mut stream: amp_multiplex::Stream| async move {
        write(&mut stream, "220 hi").await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
    let clients = (0..500).map(|_| {
        let multiplexer = here.multiplexer.clone();
        tokio::spawn(async move {
            let mut stream = multiplexer.connect("smtp").await.expect("a stream");
            crate::support::read_all(&mut stream).await
        })
    });
    for client in clients.collect::<Vec<_>>() {
        assert_eq!(soon("a client", client).await.expect("no panic"), b"220 hi");
    }
    here.is_empty().await;
    there.is_empty().await;
}
