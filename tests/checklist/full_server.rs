//! A server that has as many connections as it may: who makes room, who is refused, and what is told of it.

use std::io;
use std::time::Duration;

use amp::server::Listener;
use amp::{CallError, CloseReason, Connection, Peer, Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::commands::{House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{answer_sum, ask, ask_sum, ended, error, soon};
use crate::server::{Door, Street, serve, works};

const SECOND: Duration = Duration::from_secs(1);
const FULL: &str = "The server has as many connections as it may; try again later";

/// What is sent is AMP alone.
fn plain() -> Settings {
    Settings::new().announce(false)
}

impl Street {
    /// A client that writes its bytes by hand.
    fn raw(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        self.0.send(Ok(theirs)).expect("the door is there");
        ours
    }
}

async fn rest(mut stream: impl AsyncReadExt + Unpin) -> Vec<u8> {
    let mut got = Vec::new();
    soon("the end", stream.read_to_end(&mut got)).await.expect("no reset");
    got
}

async fn reply(stream: &mut (impl AsyncReadExt + Unpin), expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    soon("an answer", stream.read_exact(&mut got)).await.expect("an answer");
    assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_the_first_ask_is_answered_busy_and_the_connection_closed() {
    let (server, street, _) = serve(2, plain());
    let (one, two) = (street.enter(), street.enter());
    works(&one).await;
    works(&two).await;
    let refused = street.enter();
    let reply = soon("an answer", refused.call(sum())).await;
    assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == amp::error::codes::BUSY), "{reply:?}");
    assert_eq!(ended(&refused).await, "ClosedByPeer");
    assert_eq!((server.connections(), server.refused()), (2, 1));
    one.close();
    assert_eq!(ended(&one).await, "Closed");
    works(&street.enter()).await;
    works(&two).await;
}

#[tokio::test(start_paused = true)]
async fn a_plain_peer_that_is_refused_gets_an_ordinary_error_and_the_end() {
    let (_server, street, house) = serve(1, plain().strictness(amp::connection::Strictness::Twisted).in_order(true));
    let inside = street.enter();
    works(&inside).await;
    let mut asks = street.raw();
    asks.write_all(&[ask_sum("7"), ask_sum("8")].concat()).await.expect("taken");
    let told = rest(asks).await;
    assert!(told.starts_with(&error("7", "BUSY", FULL)), "{}", told.escape_ascii());
    // A notification is answered with nothing, and does not run.
    let mut notifies = street.raw();
    let note = crate::raw_peer::packed(&[("_command", "Note"), ("text", "lost")]);
    notifies.write_all(&note).await.expect("taken");
    assert_eq!(rest(notifies).await, b"");
    assert_eq!(house.notes(), Vec::<String>::new());
    // What is no box has no answer.
    let mut stranger = street.raw();
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("taken");
    assert_eq!(rest(stranger).await, b"");
    works(&inside).await;
}

#[tokio::test(start_paused = true)]
async fn the_earliest_of_those_that_never_sent_a_box_makes_room() {
    let (server, street, _) = serve(3, plain());
    let caller = street.enter();
    works(&caller).await;
    let mut half = street.raw();
    half.write_all(&ask_sum("1")[..9]).await.expect("taken");
    let mut idle = street.raw();
    sleep(SECOND).await;
    let mut third = street.raw();
    third.write_all(&ask_sum("1")).await.expect("taken");
    reply(&mut third, &answer_sum("1")).await;
    assert_eq!(rest(&mut half).await, b"", "it was accepted before the idle one");
    assert!(half.write_all(b"x").await.is_err(), "it is closed at once, and not waited for");
    // The idle one is still there, and loses its place to the next.
    assert_eq!((server.connections(), server.refused()), (3, 1));
    idle.write_all(&ask_sum("1")[..9]).await.expect("it is open");
    let fourth = street.enter();
    works(&fourth).await;
    assert_eq!(rest(&mut idle).await, b"");
    works(&caller).await;
    third.write_all(&ask_sum("2")).await.expect("it is open");
    reply(&mut third, &answer_sum("2")).await;
}

#[tokio::test(start_paused = true)]
async fn who_makes_room_learns_why_at_this_end() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (street, (give, mut given)) = (Street(sender), mpsc::unbounded_channel());
    let builder = Server::builder().max_connections(1).on_connection(move |connection| drop(give.send(connection)));
    let _server = builder.serve(Door(receiver), |_| House::new().into_locator());
    let _idle = street.raw();
    let seen = given.recv().await.expect("a connection");
    let call = tokio::spawn(seen.call(sum()));
    sleep(SECOND).await;
    works(&street.enter()).await;
    let reason = soon("the end", seen.closed()).await;
    assert!(matches!(reason, CloseReason::MadeRoom), "{reason:?}");
    assert!(soon("told", call).await.expect("no panic").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_room_ends_nobody_who_waits_to_be_commanded() {
    let (server, street, _) = serve(3, plain());
    let mut silent = [street.raw(), street.raw()];
    sleep(86_400 * SECOND).await;
    works(&street.enter()).await;
    for silent in &mut silent {
        silent.write_all(&ask_sum("1")).await.expect("it is open");
        reply(silent, &answer_sum("1")).await;
    }
    assert_eq!(server.refused(), 0);
}

#[tokio::test]
async fn a_crowd_that_asks_at_once_is_answered_to_the_last_one_and_nobody_loses_a_place_before_it_is_read() {
    for max in [1, 3, 20] {
        let house = House::new();
        let builder = Server::builder().settings(plain()).max_connections(max);
        let server = builder.bind_tcp("127.0.0.1:0", move |_| house.clone().into_locator()).await.expect("a free port");
        let address = server.local_addr().expect("an address");
        // All of them connect and ask before this thread drives any of them.
        let mut crowd = Vec::new();
        for _ in 0..40 {
            let mut one = std::net::TcpStream::connect(address).expect("it listens");
            io::Write::write_all(&mut one, &ask_sum("1")).expect("it is open");
            one.set_nonblocking(true).expect("a socket");
            crowd.push(TcpStream::from_std(one).expect("a socket"));
        }
        let (mut answered, mut busy) = (0, 0);
        for one in &mut crowd {
            let mut got = vec![0; 13];
            soon("an answer", one.read_exact(&mut got)).await.expect("an answer");
            answered += usize::from(got.starts_with(b"\0\x07_answer"));
            busy += usize::from(got.starts_with(b"\0\x06_error"));
        }
        assert_eq!((answered, busy), (max, 40 - max));
    }
}

#[tokio::test(start_paused = true)]
async fn those_that_are_refused_and_say_nothing_are_bounded_in_number_and_time() {
    let (server, street, _) = serve(1, plain());
    let inside = street.enter();
    works(&inside).await;
    let start = Instant::now();
    let mut silent: Vec<_> = (0..64).map(|_| street.raw()).collect();
    sleep(SECOND).await;
    // One more than are answered at once: the earliest that says nothing makes room, and not whoever may say something.
    silent.push(street.raw());
    assert_eq!(rest(silent.remove(0)).await, b"");
    assert_eq!(start.elapsed().as_secs(), 1, "at once");
    // One of them asks, and so its place is free again.
    let mut asks = silent.pop().expect("64");
    asks.write_all(&ask_sum("1")).await.expect("it is open");
    assert_eq!(rest(asks).await, error("1", "BUSY", FULL));
    let mut half = street.raw();
    half.write_all(&ask_sum("1")[..9]).await.expect("it is open");
    for silent in silent {
        assert_eq!(rest(silent).await, b"");
    }
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(rest(half).await, b"");
    assert_eq!((server.connections(), server.refused()), (1, 66));
    works(&inside).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_limit_does_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let logged = logged(Level::INFO);
    let (_server, street, _) = serve(2, plain());
    let (one, two) = (street.enter(), street.enter());
    works(&one).await;
    works(&two).await;
    for bytes in [&ask_sum("1")[..], b"GET / HTTP/1.1\r\n\r\n", b"\0\0", &ask("1", "Nonsense", &[])].repeat(20) {
        let mut refused = street.raw();
        refused.write_all(bytes).await.expect("taken");
        rest(refused).await;
    }
    let begun = logged.text();
    assert_eq!((begun.lines().count(), begun.matches("WARN").count()), (1, 1), "{begun}");
    assert!(begun.contains("a server is full") && begun.contains("max_connections=2"), "{begun}");
    one.close();
    assert_eq!(ended(&one).await, "Closed");
    let over = logged.text();
    assert!(over.lines().count() == 2 && over.contains("INFO"), "{over}");
    assert!(over.contains("a server has room again") && over.contains("refused=80"), "{over}");
    // One that leaves and comes, again and again, is not told of each time.
    for _ in 0..20 {
        let again = street.enter();
        works(&again).await;
        rest({
            let mut refused = street.raw();
            refused.write_all(&ask_sum("1")).await.expect("taken");
            refused
        })
        .await;
        again.close();
        ended(&again).await;
    }
    assert_eq!(logged.text(), over);
}

#[tokio::test]
async fn over_tcp_a_full_server_answers_busy_and_half_boxes_do_not_keep_others_out() {
    let builder = Server::builder().max_connections(3);
    let server = builder.bind_tcp("127.0.0.1:0", |_| House::new().into_locator()).await.expect("a free port");
    let address = server.local_addr().expect("an address");
    let mut halves = Vec::new();
    for _ in 0..20 {
        let mut half = TcpStream::connect(address).await.expect("it listens");
        half.write_all(&ask_sum("1")[..9]).await.expect("taken");
        halves.push(half);
    }
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = Connection::builder().connect_tcp(address).await.expect("it listens");
        works(&client).await;
        clients.push(client);
    }
    let refused = Connection::builder().connect_tcp(address).await.expect("it listens");
    let reply = soon("an answer", refused.call(sum())).await;
    assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == amp::error::codes::BUSY), "{reply:?}");
    for client in &clients {
        works(client).await;
    }
    assert_eq!((server.connections(), server.refused()), (3, 21));
    server.close();
    soon("the server ends", server.closed()).await;
}

/// The addresses of clients that a test invents.
struct From(mpsc::UnboundedReceiver<(Peer, DuplexStream)>);

impl Listener for From {
    type Transport = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
        match self.0.recv().await {
            Some((peer, stream)) => Ok((stream, peer)),
            None => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_address_or_network_has_no_more_connections_than_one_peer_may() {
    let logged = logged(Level::INFO);
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Server::builder().max_connections_per_peer(2);
    let server = builder.serve(From(receiver), |_| House::new().into_locator());
    let connect = |address: &str| {
        let (ours, theirs) = tokio::io::duplex(4096);
        let peer = Peer::Tcp { address: address.parse().expect("an address") };
        sender.send((peer, theirs)).expect("it listens");
        Connection::builder().start(ours, Peer::other("server"))
    };
    let first = connect("192.0.2.7:1");
    let others = ["[::ffff:192.0.2.7]:2", "192.0.2.8:1", "[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8:0:1::1]:1"];
    let others: Vec<_> = others.into_iter().map(connect).collect();
    for connection in others.iter().chain([&first]) {
        works(connection).await;
    }
    for address in ["192.0.2.7:3", "[2001:db8::3]:1"] {
        let reply = soon("an answer", connect(address).call(sum())).await;
        let Err(CallError::Remote { code, description }) = reply else { panic!("{reply:?}") };
        assert_eq!((&*code, &*description), ("BUSY", "This peer has as many connections as it may; try again later"));
    }
    assert_eq!((server.connections(), server.refused()), (6, 2));
    assert_eq!(logged.text().matches("a peer has as many connections as it may").count(), 1, "{}", logged.text());
    assert!(logged.text().contains("origin=192.0.2.7"), "{}", logged.text());
    first.close();
    ended(&first).await;
    works(&connect("192.0.2.7:4")).await;
    assert!(!logged.text().contains("INFO"), "the network is still over the limit: {}", logged.text());
    for other in &others {
        other.close();
        ended(other).await;
    }
    assert!(logged.text().contains("refused=2"), "{}", logged.text());
}

#[tokio::test]
async fn one_user_of_a_unix_socket_has_no_more_connections_than_one_peer_may() {
    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("socket");
    let builder = Server::builder().max_connections_per_peer(1);
    let server = builder.bind_unix(&path, |_| House::new().into_locator()).expect("a path");
    let first = Connection::builder().connect_unix(&path).await.expect("it listens");
    works(&first).await;
    let second = Connection::builder().connect_unix(&path).await.expect("it listens");
    let reply = soon("an answer", second.call(sum())).await;
    assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == amp::error::codes::BUSY), "{reply:?}");
    assert_eq!((server.connections(), server.refused()), (1, 1));
    works(&first).await;
}

/// A client of the random scene.
struct Client {
    stream: DuplexStream,
    /// Whether it has sent a whole box, which was answered.
    has_spoken: bool,
}

/// Connects, sends a whole or half a box, and leaves, at random, beside a model of who must be there.
#[tokio::test(start_paused = true)]
async fn nobody_who_has_sent_a_box_is_ended_and_of_the_others_the_earliest_goes_first() {
    let seeds = std::env::var("AMP_MODEL_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200);
    for seed in 0..seeds {
        scene(seed).await;
    }
}

async fn scene(seed: u64) {
    let mut rolled = seed;
    let mut roll = |sides: u64| {
        rolled = rolled.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (rolled >> 33) % sides
    };
    let (server, street, _) = serve(2, plain());
    // In the order of coming.
    let mut inside: Vec<Client> = Vec::new();
    let mut refused = 0;
    for step in 0..30 {
        let what = format!("seed {seed}, step {step}");
        let which = usize::try_from(roll(2)).expect("small");
        match roll(5) {
            0 | 1 => {
                let mut client = Client { stream: street.raw(), has_spoken: false };
                settle().await;
                if inside.len() < 2 {
                    inside.push(client);
                } else if let Some(silent) = inside.iter().position(|client| !client.has_spoken) {
                    let ousted = inside.remove(silent);
                    assert_eq!(rest(ousted.stream).await, b"", "{what}");
                    inside.push(client);
                    refused += 1;
                } else {
                    client.stream.write_all(&ask_sum("1")).await.expect("taken");
                    assert_eq!(rest(client.stream).await, error("1", "BUSY", FULL), "{what}");
                    refused += 1;
                }
            }
            2 | 3 if which < inside.len() => {
                let client = &mut inside[which];
                client.stream.write_all(&ask_sum("1")).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                reply(&mut client.stream, &answer_sum("1")).await;
                client.has_spoken = true;
            }
            4 if which < inside.len() => {
                drop(inside.remove(which));
                settle().await;
            }
            _ => {}
        }
        assert_eq!((server.connections(), server.refused()), (inside.len(), refused), "{what}");
    }
    for mut client in inside {
        client.stream.write_all(&ask_sum("1")).await.expect("it is open");
        reply(&mut client.stream, &answer_sum("1")).await;
    }
}

/// Until nothing more happens.
async fn settle() {
    sleep(2 * SECOND).await;
}
