//! What all connections of a server hold together is bounded, at the cost of those that hold the most.

use std::time::Duration;

use amp::{Connection, Peer, Server, Settings};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::commands::House;
use crate::decoding::until;
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, error, packed, soon, word};
use crate::server::{Door, Street, works};

const MAX: usize = 400 * 1024;

/// A server with little memory, and its handles of the connections, in the order of accepting.
fn serve() -> (Server, Street, House, mpsc::UnboundedReceiver<Connection>) {
    serve_with(MAX)
}

fn serve_with(max_memory: usize) -> (Server, Street, House, mpsc::UnboundedReceiver<Connection>) {
    let ((sender, receiver), (accepted, connections)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let house = House::new();
    let locator = house.clone();
    // One that ends is to end because of the memory, and at once.
    let settings = Settings::new().announce(false).write_timeout(None).box_timeout(None);
    let builder = Server::builder().settings(settings).max_memory(max_memory);
    let builder = builder.on_connection(move |connection| drop(accepted.send(connection)));
    (builder.serve(Door(receiver), move |_| locator.clone().into_locator()), Street(sender), house, connections)
}

impl Street {
    /// A peer that is a script.
    fn script(&self) -> RawPeer {
        self.script_over(4096)
    }

    /// The same, over a transport that holds as many bytes.
    fn script_over(&self, capacity: usize) -> RawPeer {
        let (ours, theirs) = tokio::io::duplex(capacity);
        self.0.send(Ok(theirs)).expect("the server is there");
        RawPeer::over(ours)
    }
}

/// A command with 8 KiB that nobody wants.
fn padded(tag: Option<&str>, command: &str) -> Vec<u8> {
    let pad = "x".repeat(8 * 1024);
    match tag {
        Some(tag) => ask(tag, command, &[("pad", &pad)]),
        None => packed(&[("_command", command), ("pad", &pad)]),
    }
}

async fn next(connections: &mut mpsc::UnboundedReceiver<Connection>) -> Connection {
    soon("a connection is accepted", connections.recv()).await.expect("the server is there")
}

#[tokio::test(start_paused = true)]
async fn commands_of_a_connection_that_holds_more_than_its_share_are_busy_and_those_of_others_run() {
    let (_server, street, house, _connections) = serve();
    let (mut greedy, modest) = (street.script(), street.enter());
    for _ in 0..45 {
        greedy.send(padded(Some("greedy"), "Wait")).await;
    }
    works(&modest).await;
    let held = house.waiting();
    assert!((30..40).contains(&held), "three quarters of 400 KiB, in parts of 8.5 KiB: {held}");
    // It is served again as soon as it holds less.
    house.open(1000);
    soon("they all end", async {
        while house.waiting() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
    let mut answers = greedy.read_bytes(held * answer("greedy", &[]).len()).await;
    answers.extend(greedy.read_some().await);
    assert!(answers.windows(4).any(|word| word == b"BUSY"));
    greedy.send(ask("again", "Wait", &[])).await;
    soon("it runs", async {
        while house.waiting() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
    works(&modest).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_program_keeps_for_a_peer_counts_and_commands_are_refused_with_that_reason() {
    let logged = logged(Level::INFO);
    let (server, street, _house, mut connections) = serve();
    let (mut greedy, modest) = (street.script(), street.enter());
    let (keeping, _modest) = (next(&mut connections).await, next(&mut connections).await);
    let kept = keeping.meter();
    assert_eq!((kept.charge(MAX / 2), server.memory() >= MAX / 2 - 8192), (MAX / 2, true));
    greedy.send(ask_sum("1")).await;
    greedy.expect(answer_sum("1")).await;
    kept.charge(MAX / 3);
    assert!(kept.is_memory_short());
    greedy.send(padded(Some("2"), "Sum")).await;
    greedy.expect(error("2", "BUSY", "Memory is short; try again later")).await;
    works(&modest).await;
    let lines = logged.text();
    assert!(lines.contains("memory is short") && lines.contains("`ServerBuilder::max_memory`"), "{lines}");
    // Whatever its connection does meanwhile, it counts until it is dropped.
    let (ends, reasons) = mpsc::unbounded_channel();
    keeping.on_out_of_memory(move |reason| drop(ends.send(word(reason))));
    let mut reasons = reasons;
    kept.charge(MAX);
    assert_eq!(soon("it is told", reasons.recv()).await.as_deref(), Some("OutOfMemory"));
    assert_eq!(word(&soon("it ends", keeping.closed()).await), "OutOfMemory");
    let (ends, mut reasons) = mpsc::unbounded_channel();
    keeping.on_out_of_memory(move |reason| drop(ends.send(word(reason))));
    assert_eq!(reasons.try_recv().ok().as_deref(), Some("OutOfMemory"), "one that comes late is told at once");
    drop((kept, keeping));
    soon("it is given back", async {
        while server.memory() > 0 {
            tokio::task::yield_now().await
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn over_the_maximum_the_connection_that_holds_the_most_ends_and_the_others_go_on() {
    let (server, street, house, mut connections) = serve();
    let (mut modest, mut greedy) = (street.script(), street.script());
    let (kept, ended) = (next(&mut connections).await, next(&mut connections).await);
    // Commands that want no answer are not refused.
    for _ in 0..10 {
        modest.send(padded(None, "Wait")).await;
    }
    for _ in 0..45 {
        greedy.send(padded(None, "Wait")).await;
    }
    let reason = soon("the largest ends", ended.closed()).await;
    assert_eq!(word(&reason), "OutOfMemory", "{reason}");
    modest.expect_open().await;
    assert!(!kept.is_closed());
    assert_eq!(
        (server.connections(), house.waiting()),
        (1, 10),
        "what the other has asked for runs on, and nothing else"
    );
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_reads_count_and_so_do_the_parts_of_boxes() {
    let (_server, street, _, mut connections) = serve();
    let honest = street.enter();
    drop(next(&mut connections).await);
    // It asks for half a mebibyte and reads nothing.
    let mut silent = street.script();
    let ended = next(&mut connections).await;
    for tag in 0..9 {
        silent.send(ask(&tag.to_string(), "Big", &[("size", "60000")])).await;
    }
    let reason = soon("it ends", ended.closed()).await;
    assert_eq!(word(&reason), "OutOfMemory", "{reason}");
    works(&honest).await;
    // Twenty begin a box, and none ends it.
    let part = &ask("never", "Echo", &[("data", &"x".repeat(40_000))])[..30_000];
    let mut halves = Vec::new();
    for _ in 0..20 {
        let mut half = street.script();
        let accepted = next(&mut connections).await;
        // It may have been ended while it sends.
        let _ = tokio::time::timeout(Duration::from_secs(5), half.send(part)).await;
        halves.push((half, accepted));
        works(&honest).await;
    }
    let open = halves.iter().filter(|(_, accepted)| !accepted.is_closed()).count();
    assert!((5..=13).contains(&open), "as many as there is memory for: {open}");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_a_connection_that_is_gone_is_given_back_when_it_is_the_most() {
    let (server, street, _, mut connections) = serve();
    let peer = street.script();
    let gone = next(&mut connections).await;
    let kept = gone.meter();
    kept.charge(MAX / 2);
    let (ends, mut reasons) = mpsc::unbounded_channel();
    gone.on_out_of_memory(move |reason| drop(ends.send(word(reason))));
    gone.abort();
    soon("it has ended", gone.closed()).await;
    drop((peer, gone));
    sleep(Duration::from_millis(1)).await;
    assert!(server.memory() > MAX / 3 && reasons.try_recv().is_err());
    // Nobody has the connection any more. Another one needs the memory.
    let _other = street.script();
    let other = next(&mut connections).await.meter();
    other.charge(MAX / 2);
    kept.charge(MAX / 8);
    assert_eq!(soon("it is told", reasons.recv()).await.as_deref(), Some("OutOfMemory"));
    drop(kept);
    assert!(server.memory() <= MAX / 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_connection_behind_its_end_still_reads_and_has_to_write_counts_until_it_is_gone() {
    let (server, street, _, mut connections) = serve();
    let mut peer = street.script();
    let closing = next(&mut connections).await;
    let part = &ask("never", "Echo", &[("data", &"x".repeat(60_000)), ("more", &"x".repeat(60_000))])[..110_000];
    peer.send(part).await;
    sleep(Duration::from_millis(1)).await;
    assert!(server.memory() >= 100_000, "it is read: {}", server.memory());
    closing.close();
    peer.expect_end("").await;
    assert!(server.memory() >= 100_000, "half a box is kept, and counts: {}", server.memory());
    assert_eq!(word(&soon("the peer is not waited for longer", closing.closed()).await), "Closed");
    assert_eq!(server.memory(), 0);
    // One that closes its direction, and reads nothing.
    let mut silent = street.script();
    let ended = next(&mut connections).await;
    for tag in 0..3 {
        silent.send(ask(&tag.to_string(), "Big", &[("size", "60000")])).await;
    }
    silent.finish().await;
    sleep(Duration::from_millis(1)).await;
    assert!(ended.is_closed());
    let held = server.memory();
    assert!((150_000..250_000).contains(&held), "the answers are to be written, and are there once: {held}");
    soon("they are not waited for longer", ended.closed()).await;
    assert_eq!(server.memory(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_large_read_buffer_counts_until_nothing_was_read_into_it_for_a_fifth_of_a_second() {
    let (server, street, _, mut connections) = serve();
    let mut peer = street.script_over(1 << 20);
    let _connection = next(&mut connections).await;
    let mut burst = async |pause| {
        // The answers are short, so that only what is read counts.
        let ask = ask("1", "Sum", &[("a", "1"), ("b", "2"), ("more", &"x".repeat(60_000))]);
        peer.send(ask.repeat(3)).await;
        peer.expect(answer_sum("1").repeat(3)).await;
        sleep(Duration::from_millis(pause)).await;
        server.memory()
    };
    let mut held = Vec::new();
    for pause in [100, 150, 150, 250] {
        held.push(burst(pause).await);
    }
    assert!(held[1..3].iter().all(|&held| held >= 64 * 1024), "kept for the next burst: {held:?}");
    assert_eq!(held[3], 0, "released: {held:?}");
    // Small boxes behind large ones do not keep it.
    for pause in [100, 150] {
        held.push(burst(pause).await);
    }
    assert!(held[5] >= 64 * 1024, "{held:?}");
    for _ in 0..5 {
        peer.send(ask_sum("1")).await;
        peer.expect(answer_sum("1")).await;
        sleep(Duration::from_millis(1)).await;
    }
    assert!(server.memory() <= 32 * 1024, "what an idle connection may keep: {}", server.memory());
}

#[tokio::test(start_paused = true)]
async fn large_write_buffers_count_until_nothing_was_written_from_them_for_a_fifth_of_a_second_or_little() {
    for small in [false, true] {
        let (server, street, _, mut connections) = serve_with(16 << 20);
        let mut peer = street.script_over(1 << 20);
        let _connection = next(&mut connections).await;
        let large = answer("1", &[("data", &"x".repeat(60_000))]);
        for _ in 0..4 {
            peer.send(ask("1", "Big", &[("size", "60000")])).await;
            peer.expect(large.clone()).await;
        }
        sleep(Duration::from_millis(150)).await;
        assert!(server.memory() >= 100 * 1024, "kept for the next burst: {}", server.memory());
        for _ in 0..if small { 40 } else { 0 } {
            peer.send(ask_sum("1")).await;
            peer.expect(answer_sum("1")).await;
            sleep(Duration::from_millis(10)).await;
        }
        sleep(Duration::from_millis(if small { 10 } else { 250 })).await;
        assert!(server.memory() <= 64 * 1024, "released: {}, {small}", server.memory());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_ended_for_its_memory_keeps_no_bytes_for_a_peer_that_does_not_read() {
    let (server, street, _, mut connections) = serve();
    let mut silent = street.script();
    let ended = next(&mut connections).await;
    let asks: Vec<_> = (0..9).flat_map(|tag| ask(&tag.to_string(), "Big", &[("size", "60000")])).collect();
    silent.send(asks).await;
    // No time passes meanwhile: `linger` is for a short rest at most, which is less than two answers.
    until("it is over", || ended.is_closed()).await;
    until("little is kept", || server.memory() <= 72 * 1024).await;
    let reason = soon("it ends", ended.closed()).await;
    assert_eq!(word(&reason), "OutOfMemory", "{reason}");
    drop(ended);
    assert_eq!(server.memory(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_no_servers_has_only_limits_of_its_own() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let house = House::new();
    let builder = Connection::builder().settings(Settings::new().announce(false));
    let answering = builder.locator(house.clone().into_locator()).start(theirs, Peer::other("peer"));
    let mut peer = RawPeer::over(ours);
    for _ in 0..100 {
        peer.send(padded(None, "Wait")).await;
    }
    peer.expect_open().await;
    assert_eq!(house.waiting(), 100);
    drop(answering);
}
