//! The tasks that serve streams: what they count for, how many there are, and when they are aborted.

use std::future::{Future, pending};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use amp_core::{Connection, Peer, Server};
use amp_multiplex::{ConnectError, Factories, Multiplexer, Multiplexing, Stream, StreamSettings};
use tokio::io::{AsyncReadExt, duplex};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::memory::{Each, MIB, client, serving};
use crate::support::{Pings, soon};

/// What becomes of streams and their connection before other connections need the memory.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    Nothing,
    ConnectionEnds,
    StreamsAreDropped,
    BothAreDropped,
}

/// Tasks that do not look at their streams go on when the connection has ended, and count.
#[tokio::test(start_paused = true)]
async fn the_tasks_of_streams_are_aborted_when_the_memory_is_used_up_and_their_connection_holds_the_most() {
    for before in [Before::Nothing, Before::ConnectionEnds, Before::StreamsAreDropped, Before::BothAreDropped] {
        let drops_streams = matches!(before, Before::StreamsAreDropped | Before::BothAreDropped);
        let factories = Factories::new();
        factories.serve("x", move |stream: Stream| async move {
            let mut buffer = [0_u8; 100 * 1024];
            let _stream = (!drops_streams).then_some(stream);
            pending::<()>().await;
            buffer.reverse();
        });
        let (sender, transports) = tokio::sync::mpsc::unbounded_channel();
        let builder = Server::builder().max_memory(4 * MIB).extension(Multiplexing::new(&factories));
        let server = builder.serve(Each(transports), |_| Pings);
        let enter = || {
            let (ours, theirs) = duplex(MIB);
            sender.send(ours).expect("the server accepts");
            client(theirs)
        };
        let first = enter();
        let mut streams = Vec::new();
        for _ in 0..25 {
            streams.push(soon("opening", first.multiplexer.connect("x")).await.expect("there is room"));
        }
        assert!(server.memory() > 2 * MIB, "{before:?}");
        if matches!(before, Before::ConnectionEnds | Before::BothAreDropped) {
            first.connection.abort();
            sleep(Duration::from_secs(1)).await;
            assert!(server.memory() > 2 * MIB, "{before:?}: the tasks go on");
        }
        let second = enter();
        for _ in 0..18 {
            streams.push(soon("opening", opened(&second.multiplexer)).await);
        }
        sleep(Duration::from_secs(1)).await;
        assert!(server.memory() < 5 * MIB / 2, "{before:?}: {} bytes are held", server.memory());
        second.ping().await;
    }
}

/// A stream of a connection that holds less than another one. It is refused while the memory of that one is being released.
async fn opened(multiplexer: &Multiplexer) -> Stream {
    loop {
        match multiplexer.connect("x").await {
            Ok(stream) => return stream,
            Err(ConnectError::Refused(why)) => assert!(why.contains("too much memory"), "{why}"),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Factories whose tasks at `"x"` drop their streams and go on until they are told to end.
fn tasks_without_streams() -> (Factories, watch::Sender<bool>) {
    let factories = Factories::new();
    let (end, ends) = watch::channel(false);
    factories.serve("x", move |stream: Stream| {
        let mut ends = ends.clone();
        async move {
            drop(stream);
            drop(ends.wait_for(|end| *end).await);
        }
    });
    (factories, end)
}

/// However small they are: else their number has no bound.
#[tokio::test(start_paused = true)]
async fn a_task_that_drops_its_stream_counts_until_it_ends() {
    let (factories, end) = tasks_without_streams();
    let (server, transport) = serving(8 * MIB, &factories);
    let client = client(transport);
    for _ in 0..2000 {
        drop(soon("an answer", client.multiplexer.connect("x")).await.expect("there is room"));
    }
    sleep(Duration::from_secs(1)).await;
    let held = server.memory();
    assert!(held > 2000 * 256, "{held} bytes are held");
    end.send(true).expect("tasks");
    sleep(Duration::from_secs(1)).await;
    assert!(server.memory() < 2000 * 64, "{} bytes are held", server.memory());
}

/// A task may go on when its stream is gone, and its peer may open another.
#[tokio::test(start_paused = true)]
async fn there_are_no_more_tasks_than_streams_may_be() {
    let (factories, end) = tasks_without_streams();
    let (ours, theirs) = duplex(MIB);
    let settings = StreamSettings::new().max_streams(3);
    let builder = Connection::builder().extension(Multiplexing::with_settings(&factories, settings));
    let _serving = builder.start(ours, Peer::other("test"));
    let client = client(theirs);
    let connect = async || soon("an answer", client.multiplexer.connect("x")).await;
    for _ in 0..3 {
        drop(connect().await.expect("there is room"));
        sleep(Duration::from_millis(10)).await;
    }
    let error = connect().await.expect_err("three tasks go on");
    assert!(error.to_string().contains("too many streams"), "{error}");
    end.send(true).expect("tasks");
    sleep(Duration::from_millis(10)).await;
    drop(connect().await.expect("the tasks have ended"));
}

/// Panics at its first poll, with its stream in a field.
struct Mad(#[expect(dead_code, reason = "it is dropped")] Stream);

impl Future for Mad {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic!("no stream")
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_in_a_future_that_panics_does_not_look_whole() {
    let factories = Factories::new();
    factories.serve("x", Mad);
    let (ours, theirs) = duplex(MIB);
    let builder = Connection::builder().extension(Multiplexing::new(&factories));
    let _serving = builder.start(ours, Peer::other("test"));
    let client = client(theirs);
    let mut stream = soon("an answer", client.multiplexer.connect("x")).await.expect("it is accepted");
    let end = soon("the end", stream.read_to_end(&mut Vec::new())).await;
    assert!(end.is_err(), "it looks whole");
}
