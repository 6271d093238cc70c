//! What streams hold counts towards the memory of their server.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use amp_core::server::Listener;
use amp_core::{CloseReason, Peer, Server, Settings};
use amp_multiplex::{ConnectError, Factories, Multiplexing, Stream, StreamListener, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use crate::raw::{RawPeer, packed};
use crate::support::{End, Pings, pattern, soon, write};

/// Connects once.
struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Transport = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
        match self.0.take() {
            Some(transport) => Ok((transport, Peer::other("test"))),
            None => pending().await,
        }
    }
}

/// Connects as often as it is sent a transport.
pub(crate) struct Each(pub(crate) tokio::sync::mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Each {
    type Transport = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
        match self.0.recv().await {
            Some(transport) => Ok((transport, Peer::other("test"))),
            None => pending().await,
        }
    }
}

pub(crate) const MIB: usize = 1 << 20;

/// A server that may hold 8 MiB, the other end of its only connection, and the streams that are opened to `"x"`.
fn server() -> (Server, DuplexStream, StreamListener) {
    server_of(8 * MIB)
}

fn server_of(max_memory: usize) -> (Server, DuplexStream, StreamListener) {
    let factories = Factories::new();
    let listener = factories.listen("x", 1000);
    let (server, transport) = serving(max_memory, &factories);
    (server, transport, listener)
}

pub(crate) fn serving(max_memory: usize, factories: &Factories) -> (Server, DuplexStream) {
    let (ours, theirs) = duplex(MIB);
    let builder = Server::builder().max_memory(max_memory).extension(Multiplexing::new(factories));
    (builder.serve(Once(Some(ours)), |_| Pings), theirs)
}

/// A client whose streams have half a mebibyte on their way each.
pub(crate) fn client(transport: DuplexStream) -> End {
    End::over(transport, Settings::new(), StreamSettings::new().first_window(MIB / 2))
}

/// Whether the stream has room for more.
async fn may_write(stream: &mut Stream) -> bool {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_write(cx, b"x").is_ready())).await
}

/// Fills streams that nobody reads.
async fn fill(streams: &mut [(Stream, Stream)]) {
    for (near, _) in streams {
        // In pieces that are copied, and so count for what they are.
        let writing = async { while near.write_all(&[7; 8192]).await.is_ok() {} };
        assert!(timeout(Duration::from_secs(1), writing).await.is_err(), "the connection has ended");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_holds_much_opens_no_stream_while_the_server_is_short_of_memory() {
    let (_server, transport, mut listener) = server();
    let client = client(transport);
    let mut streams = Vec::new();
    for _ in 0..13 {
        streams.push(client.open("x", &mut listener).await);
    }
    fill(&mut streams[..11]).await;
    client.open("x", &mut listener).await;
    fill(&mut streams[11..]).await;
    let error = soon("an answer", client.multiplexer.connect("x")).await.expect_err("over six mebibytes are held");
    assert!(matches!(&error, ConnectError::Refused(reason) if reason.starts_with("too much memory")), "{error}");
    streams.drain(..4);
    sleep(Duration::from_secs(1)).await;
    client.open("x", &mut listener).await;
}

#[tokio::test(start_paused = true)]
async fn credit_is_withheld_while_the_server_is_short_of_memory_and_given_when_that_is_over() {
    let (_server, transport, mut listener) = server();
    let client = client(transport);
    let mut streams = Vec::new();
    for _ in 0..15 {
        streams.push(client.open("x", &mut listener).await);
    }
    fill(&mut streams).await;
    let (near, far) = &mut streams[0];
    soon("reading", far.read_exact(&mut vec![0; 65 * 1024])).await.expect("bytes");
    sleep(Duration::from_secs(10)).await;
    assert!(!may_write(near).await, "over seven mebibytes are held");
    streams.drain(10..);
    sleep(Duration::from_secs(1)).await;
    let (near, far) = &mut streams[0];
    assert!(may_write(near).await, "there is memory again");
    soon("reading", far.read_exact(&mut vec![0; 300 * 1024])).await.expect("bytes");
    write(near, pattern(50 * 1024)).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_gets_the_credit_that_was_withheld() {
    let (_server, transport, mut listener) = server();
    let client = client(transport);
    let mut streams = Vec::new();
    for _ in 0..15 {
        streams.push(client.open("x", &mut listener).await);
    }
    fill(&mut streams).await;
    let (near, far) = &mut streams[0];
    soon("reading", far.read_exact(&mut vec![0; 65 * 1024])).await.expect("bytes");
    sleep(Duration::from_secs(10)).await;
    assert!(!may_write(near).await);
    far.connection().close();
    sleep(Duration::from_millis(200)).await;
    assert!(may_write(near).await);
}

/// More than a mebibyte of receipts is not withheld: a peer that sends without credit does not wait for them.
#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_without_credit_makes_no_receipts_pile_up() {
    let (_server, transport, mut listener) = server_of(32 * MIB);
    let mut peer = RawPeer::over(transport);
    let (full, _full) = peer.open("x", &mut listener).await;
    let (id, mut stream) = peer.open("x", &mut listener).await;
    for _ in 0..29 * MIB / 8448 {
        peer.transmit(&full, &[7; 8192]).await;
    }
    let tag = [b't'; 60_000];
    let ask = packed(&[("_ask", &tag[..]), ("_command", b"Transmit"), ("connection", id.as_bytes()), ("data", b"x")]);
    let mut answered = 0;
    for _ in 0..30 {
        peer.send_bytes(&ask).await.expect("the connection is there");
        soon("reading", stream.read_exact(&mut [0])).await.expect("a byte");
        while peer.next_packet(Duration::from_millis(1)).await.is_some() {
            answered += 1;
        }
    }
    assert_eq!(answered, 30 - MIB / 60_000);
}

#[tokio::test]
async fn a_stream_to_a_target_counts_for_the_buffers_between_it_and_its_socket() {
    let target = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let factories = Factories::new();
    let address = target.local_addr().expect("TCP").to_string();
    factories.insert("target", Target::tcp(address).max_streams(1000));
    let (_server, transport) = serving(8 * MIB, &factories);
    let client = client(transport);
    let mut streams = Vec::new();
    let error = loop {
        match soon("an answer", client.multiplexer.connect("target")).await {
            Ok(stream) => streams.push(stream),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("too much memory"), "{error}");
    assert!((40..=48).contains(&streams.len()), "{} streams with 128 KiB each", streams.len());
}

/// Opens streams to `"x"` until one is refused. Returns how many there were.
async fn opened(factories: &Factories) -> usize {
    let (_server, transport) = serving(8 * MIB, factories);
    let client = client(transport);
    let mut streams = Vec::new();
    loop {
        match soon("an answer", client.multiplexer.connect("x")).await {
            Ok(stream) => streams.push(stream),
            Err(error) => {
                assert!(error.to_string().contains("too much memory"), "{error}");
                return streams.len();
            }
        }
    }
}

#[tokio::test]
async fn a_stream_that_the_peer_opens_counts_for_the_task_that_serves_it() {
    let factories = Factories::new();
    factories.serve("x", async |stream: Stream| {
        pending::<()>().await;
        drop(stream);
    });
    let small = opened(&factories).await;
    assert!((570..=610).contains(&small), "{small} streams with 10 KiB and a small task each in six mebibytes");
    factories.serve("x", async |stream: Stream| {
        let mut buffer = [0_u8; 54 * 1024];
        pending::<()>().await;
        buffer.reverse();
        drop(stream);
    });
    let large = opened(&factories).await;
    assert!((93..=100).contains(&large), "{large} streams with 64 KiB each in six mebibytes");
}

/// One that sends without credit is ended, and only when all others together hold less.
#[tokio::test(start_paused = true)]
async fn a_peer_whose_receipts_hold_the_most_is_ended() {
    let (_server, transport, mut listener) = server();
    let mut peer = RawPeer::over(transport);
    let (id, stream) = peer.open("x", &mut listener).await;
    let (over, ended) = tokio::sync::oneshot::channel();
    stream.connection().on_end(|reason| drop(over.send(reason.clone())));
    let tag = [b't'; 60_000];
    let ask = packed(&[("_ask", &tag[..]), ("_command", b"Transmit"), ("connection", id.as_bytes()), ("data", b"x")]);
    for _ in 0..200 {
        if peer.send_bytes(&ask).await.is_err() {
            break;
        }
    }
    let reason = soon("the end", ended).await.expect("it ends");
    assert!(matches!(reason, CloseReason::OutOfMemory { .. }), "{reason:?}");
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_is_not_decided_about_counts_for_its_tag() {
    let (_server, transport, mut listener) = server();
    let mut peer = RawPeer::over(transport);
    let tag = [b't'; 60_000];
    let ask = packed(&[("_ask", &tag[..]), ("_command", b"Connect"), ("factory", b"x")]);
    let mut refused = 0;
    for _ in 0..300 {
        peer.send_bytes(&ask).await.expect("the connection is there");
        while let Some(packet) = peer.next_packet(Duration::from_millis(10)).await {
            refused += usize::from(packet.has("_error"));
        }
    }
    let mut openings = Vec::new();
    while let Ok(Some(opening)) = timeout(Duration::from_secs(1), listener.opening()).await {
        openings.push(opening);
    }
    let bytes = openings.len() * 60_000;
    assert!((4 * MIB..7 * MIB).contains(&bytes), "{} openings are held", openings.len());
    assert_eq!(refused + openings.len(), 300);
}

/// Over its memory the server finds them, though the peer has not answered their Disconnects: their readers keep them.
#[tokio::test(start_paused = true)]
async fn streams_that_close_are_thrown_away_when_the_memory_is_used_up() {
    let factories = Factories::new();
    let mut listener = factories.listen("x", 1000);
    let (ours, theirs) = duplex(MIB);
    let streams = StreamSettings::new().max_buffered(MIB);
    let builder = Server::builder().max_memory(8 * MIB).extension(Multiplexing::with_settings(&factories, streams));
    let server = builder.serve(Once(Some(ours)), |_| Pings);
    let mut peer = RawPeer::over(theirs);
    let (mut ids, mut kept) = (Vec::new(), Vec::new());
    for _ in 0..8 {
        let (id, stream) = peer.open("x", &mut listener).await;
        ids.push(id);
        kept.push(stream);
    }
    for id in ids {
        let chunk = packed(&[
            ("_ask", &b"t"[..]),
            ("_command", b"Transmit"),
            ("connection", id.as_bytes()),
            ("data", &[7; 32 * 1024]),
        ]);
        for _ in 0..40 {
            // The end is what is waited for.
            let _ = peer.send_bytes(&chunk).await;
        }
        // Its Disconnect is read and not answered.
        while peer.next_packet(Duration::from_millis(10)).await.is_some() {}
    }
    soon("the end", kept[0].connection().closed()).await;
    sleep(Duration::from_secs(1)).await;
    let held = server.memory();
    assert!(held < MIB, "{held} bytes are held for a connection that has ended");
    for mut stream in kept {
        assert!(stream.read_to_end(&mut Vec::new()).await.is_err(), "it looks whole");
    }
}
