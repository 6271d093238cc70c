//! Streams beside commands that keep an end busy: nothing of a stream waits for them, or is answered as they are.

use std::sync::Arc;
use std::time::Duration;

use amp_core::locator::{Ask, Located, Locator};
use amp_core::{Connection, Peer, Settings};
use amp_derive::Command;
use amp_multiplex::{Factories, Multiplexer, Multiplexing};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, duplex};
use tokio::time::timeout;

use crate::raw::RawPeer;
use crate::support::{multiplexer, write};

const S5: Duration = Duration::from_secs(5);

/// Never answers.
#[derive(Command, Debug)]
#[amp(crate = amp_core)]
struct Hang {}

struct Hangs;
impl Locator for Hangs {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Hang>() { ask.respond(|_: Hang| std::future::pending()) } else { Located::Unknown(ask) }
    }
}

fn busy_ends(settings: Settings) -> (Multiplexer, Connection, Multiplexer, Connection, Factories) {
    let (a, b) = duplex(1 << 16);
    let factories = Factories::new();
    let here = Connection::builder().extension(Multiplexing::default()).start(a, Peer::other("a"));
    let builder = Connection::builder().settings(settings).extension(Multiplexing::new(&factories)).locator(Hangs);
    let there = builder.start(b, Peer::other("b"));
    (multiplexer(&here), here, multiplexer(&there), there, factories)
}

#[tokio::test]
async fn the_end_of_a_stream_is_told_while_all_responders_are_busy() {
    let (one, here, _other, _there, factories) = busy_ends(Settings::new().max_responders(1));
    let mut listener = factories.listen("x", 4);
    let (stream, far) = tokio::join!(one.connect("x"), listener.accept());
    let (stream, mut far) = (stream.unwrap(), far.unwrap());
    let hang = tokio::spawn(async move { drop(here.call(Hang {}).await) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(stream);
    let read = timeout(S5, far.read(&mut [0])).await;
    hang.abort();
    assert!(read.is_ok(), "the far reader was never told of the end");
}

#[tokio::test]
async fn a_responder_that_never_answers_holds_up_no_stream() {
    for settings in [Settings::new().max_responders(1), Settings::new().in_order(true)] {
        let (one, here, _other, _there, factories) = busy_ends(settings);
        let mut listener = factories.listen("x", 4);
        let (stream, far) = tokio::join!(one.connect("x"), listener.accept());
        let (mut stream, mut far) = (stream.unwrap(), far.unwrap());
        let hang = tokio::spawn(async move { drop(here.call(Hang {}).await) });
        tokio::time::sleep(Duration::from_millis(50)).await;
        write(&mut stream, "hello").await;
        let read = timeout(S5, far.read_exact(&mut [0; 5])).await;
        hang.abort();
        assert!(matches!(read, Ok(Ok(_))), "{read:?}");
    }
}

#[tokio::test]
async fn a_transmit_of_an_old_peer_is_never_answered_with_an_error() {
    let (a, b) = duplex(1 << 16);
    let factories = Factories::new();
    let _there = Connection::builder()
        .settings(Settings::new().max_responders(1))
        .extension(Multiplexing::new(&factories))
        .locator(Hangs)
        .start(b, Peer::other("b"));
    let mut peer = RawPeer::over(a);
    let mut listener = factories.listen("x", 4);
    let (id, _stream) = peer.open("x", &mut listener).await;
    peer.ask("Hang", &[]).await;
    let tag = peer.disconnect(&id).await;
    peer.expect_answer(&tag).await;
}

#[derive(Command, Debug)]
#[amp(response = Bulk, crate = amp_core)]
struct Big {}

#[derive(amp_derive::Arguments, Debug)]
#[amp(crate = amp_core)]
struct Bulk {
    bytes: Bytes,
}

struct Bigs;
impl Locator for Bigs {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Big>() {
            ask.respond(|_: Big| async { Ok(Bulk { bytes: vec![1; 60_000].into() }) })
        } else {
            Located::Unknown(ask)
        }
    }
}

#[tokio::test]
async fn an_old_peer_that_reads_late_is_never_answered_with_an_error() {
    let (a, b) = duplex(1 << 16);
    let factories = Factories::new();
    let builder = Connection::builder().extension(Multiplexing::new(&factories)).locator(Bigs);
    let _there = builder.start(b, Peer::other("b"));
    let mut peer = RawPeer::over(a);
    let mut listener = factories.listen("x", 4);
    let (id, mut stream) = peer.open("x", &mut listener).await;
    let reading = tokio::spawn(async move {
        let mut all = Vec::new();
        let end = stream.read_to_end(&mut all).await;
        (all.len(), end)
    });
    for _ in 0..50 {
        peer.ask("Big", &[]).await;
    }
    for _ in 0..6000 {
        peer.transmit(&id, b"x").await;
    }
    peer.disconnect(&id).await;
    let mut errors = 0;
    for _ in 0..6051 {
        errors += usize::from(peer.packet().await.has("_error"));
    }
    let read = timeout(S5, reading).await.map(|read| read.unwrap().0);
    assert!(
        (errors, read.as_ref().ok()) == (0, Some(&6000)),
        "{errors} errors, each of which ends Twisted's connection; bytes read: {read:?}"
    );
}

struct Until(Arc<tokio::sync::Notify>);
impl Locator for Until {
    fn locate(&self, ask: Ask) -> Located {
        let notify = Arc::clone(&self.0);
        if ask.is::<Hang>() {
            ask.respond(move |_: Hang| async move {
                notify.notified().await;
                Ok(())
            })
        } else {
            Located::Unknown(ask)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_never_gets_bytes_behind_lost_ones() {
    let (a, b) = crate::support::path(Duration::from_millis(100), 100_000_000);
    let (notify, factories) = (Arc::new(tokio::sync::Notify::new()), Factories::new());
    let here = Connection::builder().extension(Multiplexing::default()).start(a, Peer::other("a"));
    let one = multiplexer(&here);
    let _there = Connection::builder()
        .settings(Settings::new().max_responders(1))
        .extension(Multiplexing::new(&factories))
        .locator(Until(Arc::clone(&notify)))
        .start(b, Peer::other("b"));
    let mut listener = factories.listen("x", 4);
    let (stream, far) = tokio::join!(one.connect("x"), listener.accept());
    let (mut stream, mut far) = (stream.unwrap(), far.unwrap());
    let hang = tokio::spawn(async move { drop(here.call(Hang {}).await) });
    tokio::time::sleep(Duration::from_millis(300)).await;
    write(&mut stream, "AAA").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    write(&mut stream, "BBB").await;
    tokio::time::sleep(Duration::from_millis(70)).await;
    notify.notify_one();
    let mut got = Vec::new();
    let read = timeout(Duration::from_secs(60), far.read_to_end(&mut got)).await;
    drop(hang);
    assert!(b"AAABBB".starts_with(&got), "read {:?}, then {read:?}", String::from_utf8_lossy(&got));
}
