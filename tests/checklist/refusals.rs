//! Peers that a server's closure refuses, and a process that has no descriptors left.

use std::fmt;
use std::os::unix::fs::MetadataExt;

use amp::server::Refused;
use amp::{CallError, CloseReason, Connection, Peer, Server};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::commands::{House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{ended, soon};
use crate::server::{Door, Street, works};

#[derive(Debug)]
struct Unknown;

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("forged\nWARN \u{1b}[31mline")
    }
}

impl std::error::Error for Unknown {}

#[tokio::test(start_paused = true)]
async fn a_peer_that_the_closure_refuses_is_closed_at_once_and_nobody_has_a_handle_of_it() {
    let logged = logged(Level::INFO);
    let (sender, receiver) = mpsc::unbounded_channel();
    let (street, (give, mut given)) = (Street(sender), mpsc::unbounded_channel());
    let seen = std::sync::atomic::AtomicUsize::new(0);
    let builder = Server::builder().on_connection(move |connection| drop(give.send(connection)));
    let server = builder.serve(Door(receiver), move |_| match seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Err(Refused::new("not today")),
        1 => Err(Unknown)?,
        2 => Err(Refused::new("x".repeat(10_000))),
        _ => Ok(House::new().into_locator()),
    });
    for _ in 0..3 {
        assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
    }
    let welcome = street.enter();
    works(&welcome).await;
    assert_eq!((server.connections(), server.refused()), (1, 3));
    assert!(given.recv().await.is_some() && given.try_recv().is_err(), "one handle");
    let text = logged.text();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("WARN") && text.contains("not today"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_peers_that_are_refused_does_not_fill_the_log() {
    let logged = logged(Level::INFO);
    let (sender, receiver) = mpsc::unbounded_channel();
    let street = Street(sender);
    let server = Server::builder().serve(Door(receiver), |_| Err::<(), _>(Refused::new("not today")));
    for _ in 0..1000 {
        assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
    }
    assert_eq!(server.refused(), 1000);
    let lines = logged.text().lines().count();
    assert!((1..=33).contains(&lines), "a burst, and no more: {lines}");
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_a_refusal_is_one_short_line_of_the_log() {
    for (refused, told) in [(Refused::from(Unknown), "forged\\nWARN"), (Refused::new("x".repeat(10_000)), "xxx... (")] {
        let logged = logged(Level::INFO);
        let (sender, receiver) = mpsc::unbounded_channel();
        let street = Street(sender);
        let _server = Server::builder().serve(Door(receiver), move |_| Err::<(), _>(refused.clone()));
        assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
        let text = logged.text();
        assert!(text.lines().count() == 1 && text.contains(told) && text.len() < 800, "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}

#[tokio::test]
async fn a_peer_is_refused_by_its_address_or_by_its_credentials() {
    let tcp = Server::builder().bind_tcp("127.0.0.1:0", |new| match new.peer() {
        Peer::Tcp { address } if address.ip().is_ipv6() => Ok(House::new().into_locator()),
        _ => Err(Refused::new("not from there")),
    });
    let tcp = tcp.await.expect("a free port");
    let address = tcp.local_addr().expect("an address");
    let mut refused = tokio::net::TcpStream::connect(address).await.expect("it listens");
    assert_eq!(soon("the end", refused.read(&mut [0])).await.expect("no reset"), 0);
    // It is refused behind the accept, so that connecting succeeds.
    let client = Connection::builder().connect_tcp(address).await.expect("it connects");
    let error = soon("the failure", client.call(sum())).await.expect_err("nobody answers");
    let CallError::Connection { reason: CloseReason::ClosedByPeer | CloseReason::Io(_), .. } = error else {
        panic!("{error:?}");
    };

    let place = tempfile::tempdir().expect("a directory");
    let path = place.path().join("socket");
    let me = std::fs::metadata(place.path()).expect("it is there").uid();
    for allowed in [me, me + 1] {
        let unix = Server::builder().bind_unix(&path, move |new| match new.peer() {
            Peer::Unix { credentials: Some(credentials), .. } if credentials.user == allowed => {
                Ok(House::new().into_locator())
            }
            _ => Err(Refused::new("another user")),
        });
        let unix = unix.expect("a path");
        let client = Connection::builder().connect_unix(&path).await.expect("it listens");
        match allowed == me {
            true => works(&client).await,
            false => assert_eq!(ended(&client).await, "ClosedByPeer"),
        }
        unix.close();
        soon("the server ends", unix.closed()).await;
    }
}
