//! What is accepted without an answer runs once, however the connection ends in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amp::error::NotifyError;
use amp::wire::BoxLimits;
use amp::{Arguments, CloseReason, Command, Connection, Exposed, Peer, Reply, Server, Settings, responder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{sleep, timeout};

use crate::ledger::word;
use crate::logged::{Level, logged};

const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Takes its time.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Note {
    time: u64,
    padding: Vec<u8>,
}

/// Is answered with 2,000 bytes.
#[derive(Command, Debug)]
#[amp(response = Tome)]
struct Read;

#[derive(Arguments, Debug)]
struct Tome {
    data: Vec<u8>,
}

/// Its responder notifies back so often.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Multiply {
    copies: usize,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicUsize,
    finished: AtomicUsize,
    /// Those that run, and the most that ran at once.
    running: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
struct Notes(Arc<Counts>);

#[responder]
impl Notes {
    async fn note(&self, note: Note) -> Reply<Note> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(running, Ordering::SeqCst);
        sleep(Duration::from_millis(note.time)).await;
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn multiply(&self, command: Multiply) -> Reply<Multiply> {
        notify(&command.connection, command.copies, 1, 0).await;
        Ok(())
    }

    async fn read(&self, _: Read) -> Reply<Read> {
        Ok(Tome { data: vec![b'x'; 2_000] })
    }
}

impl Notes {
    fn counts(&self) -> (usize, usize) {
        (self.0.begun.load(Ordering::SeqCst), self.0.finished.load(Ordering::SeqCst))
    }

    fn builder(&self, settings: &Settings) -> amp::connection::ConnectionBuilder {
        Connection::builder().settings(settings.clone()).locator(self.clone().into_locator())
    }
}

/// Notifies so often, one after the other.
async fn notify(connection: &Connection, count: usize, time: u64, bytes: usize) {
    let all = async {
        for _ in 0..count {
            connection.notify(Note { time, padding: vec![b'n'; bytes] }).await.expect("it is accepted");
        }
    };
    timeout(NEVER, all).await.expect("what was accepted makes room for more");
}

async fn all_run(notes: &Notes, count: usize) {
    let finished = async {
        while notes.counts().1 < count {
            sleep(Duration::from_millis(100)).await;
        }
    };
    let finished = timeout(Duration::from_secs(3600), finished).await;
    assert!(finished.is_ok(), "{:?} of {count} begun and finished", notes.counts());
    sleep(Duration::from_secs(10)).await;
    assert_eq!(notes.counts(), (count, count), "each once");
}

#[tokio::test(start_paused = true)]
async fn every_notification_that_was_accepted_runs_however_many_there_are() {
    for in_order in [false, true] {
        let notes = Notes::default();
        let count = if in_order { 5_000 } else { 20_000 };
        let settings = Settings::new().in_order(in_order);
        let (connection, _other) = amp::connection::pair(Connection::builder(), notes.builder(&settings));
        notify(&connection, count, 50, 0).await;
        all_run(&notes, count).await;
        assert!(notes.0.most.load(Ordering::SeqCst) <= settings.max_responders, "the bound holds");
    }
}

#[tokio::test(start_paused = true)]
async fn every_notification_that_was_accepted_runs_however_much_they_hold() {
    let notes = Notes::default();
    let (connection, _other) = amp::connection::pair(Connection::builder(), notes.builder(&Settings::new()));
    notify(&connection, 1_500, 500, 60_000).await;
    all_run(&notes, 1_500).await;
}

#[tokio::test(start_paused = true)]
async fn notifications_of_many_tasks_at_both_ends_all_run() {
    let both = [Notes::default(), Notes::default()];
    let settings = Settings::new().max_responders(1);
    let (near, far) = amp::connection::pair(both[0].builder(&settings), both[1].builder(&settings));
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..40 {
        for connection in [near.clone(), far.clone()] {
            senders.spawn(async move { notify(&connection, 20, 1, 10).await });
        }
    }
    senders.join_all().await;
    for notes in &both {
        all_run(notes, 800).await;
        assert_eq!(notes.0.most.load(Ordering::SeqCst), 1, "one at a time");
    }
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_notifies_back_waits_for_no_credit() {
    for in_order in [false, true] {
        let both = [Notes::default(), Notes::default()];
        let settings = Settings::new().max_responders(1).in_order(in_order);
        let (near, far) = amp::connection::pair(both[0].builder(&settings), both[1].builder(&settings));
        for connection in [&near, &far] {
            // Each end has one place, and what takes it waits for nothing that the other end's only place would give.
            for _ in 0..3 {
                connection
                    .notify(Multiply { copies: 500, connection: Exposed::empty() })
                    .await
                    .expect("it is accepted");
            }
        }
        for notes in &both {
            all_run(notes, 1_500).await;
        }
    }
}

/// How a sender leaves in order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaving {
    Closes,
    Drops,
}

async fn leave(connection: Connection, leaving: Leaving) {
    let closed = connection.closed();
    match leaving {
        Leaving::Closes => connection.close(),
        Leaving::Drops => drop(connection),
    }
    assert_eq!(timeout(NEVER, closed).await.expect("it closes").to_string(), "closed by this end");
}

#[tokio::test(start_paused = true)]
async fn what_was_notified_before_an_orderly_end_of_its_sender_finishes_at_the_receiver() {
    for leaving in [Leaving::Closes, Leaving::Drops] {
        for (settings, count) in [
            (Settings::new(), 10),
            (Settings::new().in_order(true), 10),
            (Settings::new().max_responders(1), 50),
            (Settings::new().max_responders(2), 200),
            (Settings::new().max_inbound(600), 40),
            (Settings::new().strictness(amp::connection::Strictness::Twisted), 10),
        ] {
            for room in [1, 64, 65_536] {
                let notes = Notes::default();
                let (a, b) = tokio::io::duplex(room);
                let connection = Connection::builder().start(a, Peer::other("sender"));
                let other = notes.builder(&settings).start(b, Peer::other("receiver"));
                notify(&connection, count, 50, 0).await;
                leave(connection, leaving).await;
                let reason = timeout(NEVER, other.closed()).await.expect("it ends");
                assert_eq!(reason.to_string(), "closed by the peer");
                all_run(&notes, count).await;
            }
        }
    }
}

#[tokio::test]
async fn what_was_notified_over_sockets_finishes_after_the_sender_has_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let (tcp, unix) = (Notes::default(), Notes::default());
    let locator = |notes: &Notes| {
        let notes = notes.clone();
        move |_: &amp::connection::NewConnection| notes.clone().into_locator()
    };
    let server = Server::builder().bind_tcp("127.0.0.1:0", locator(&tcp)).await.expect("a port");
    let _unix_server = Server::builder().bind_unix(&path, locator(&unix)).expect("a path");
    let address = server.local_addr().expect("an address");
    let over_tcp = Connection::builder().connect_tcp(address).await.expect("it listens");
    let over_unix = Connection::builder().connect_unix(&path).await.expect("it listens");
    for (connection, notes) in [(over_tcp, &tcp), (over_unix, &unix)] {
        notify(&connection, 10, 50, 0).await;
        leave(connection, Leaving::Closes).await;
        let finished = async {
            while notes.counts() != (10, 10) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(30), finished).await.expect("all of them finish");
    }
}

fn raw(settings: &Settings, room: usize) -> (Connection, DuplexStream, Notes) {
    let notes = Notes::default();
    let (ours, theirs) = tokio::io::duplex(room);
    (notes.builder(settings).start(ours, Peer::other("script")), theirs, notes)
}

fn packed(pairs: &[(&str, &str)]) -> Vec<u8> {
    let part = |text: &str| [&u16::try_from(text.len()).expect("short").to_be_bytes(), text.as_bytes()].concat();
    let mut bytes: Vec<u8> = pairs.iter().flat_map(|(key, value)| [part(key), part(value)].concat()).collect();
    bytes.extend([0, 0]);
    bytes
}

fn note() -> Vec<u8> {
    packed(&[("_command", "Note"), ("padding", ""), ("time", "50")])
}

/// How the stream of a peer ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Half,
    Full,
    MidBox,
}

#[tokio::test(start_paused = true)]
async fn what_has_arrived_without_a_tag_finishes_however_the_peers_stream_ends() {
    for end in [End::Half, End::Full, End::MidBox] {
        for settings in [Settings::new(), Settings::new().in_order(true), Settings::new().outbound_high_water(1)] {
            let (connection, mut peer, notes) = raw(&settings, 1 << 16);
            peer.write_all(&note().repeat(10)).await.expect("there is room");
            match end {
                End::Half => peer.shutdown().await.expect("it is open"),
                End::Full => drop(peer),
                End::MidBox => {
                    peer.write_all(b"\0\x08_comm").await.expect("there is room");
                    drop(peer);
                }
            }
            timeout(NEVER, connection.closed()).await.expect("it ends");
            all_run(&notes, 10).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_because_the_peer_does_not_read_runs_when_the_peer_has_gone() {
    let settings = Settings::new().outbound_high_water(1_000);
    let (connection, mut peer, notes) = raw(&settings, 64);
    let reads = packed(&[("_ask", "1"), ("_command", "Read")]).repeat(2);
    peer.write_all(&[reads, note().repeat(10)].concat()).await.expect("it reads");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(notes.counts(), (0, 0), "they wait until the answers are read");
    drop(peer);
    timeout(Duration::from_secs(5), connection.closed()).await.expect("it ends, and not at the end of `close_timeout`");
    all_run(&notes, 10).await;
}

#[tokio::test(start_paused = true)]
async fn what_runs_longer_than_the_time_for_closing_is_cut_off_then() {
    let (connection, mut peer, notes) = raw(&Settings::new().close_timeout(Duration::from_millis(40)), 1 << 16);
    peer.write_all(&note().repeat(3)).await.expect("there is room");
    sleep(Duration::from_millis(1)).await;
    drop(peer);
    timeout(NEVER, connection.closed()).await.expect("it ends");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(notes.counts(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_closes_finishes_what_has_arrived_and_its_sender_learns_that_the_rest_is_lost() {
    let notes = Notes::default();
    let (connection, other) =
        amp::connection::pair(Connection::builder(), notes.builder(&Settings::new().max_responders(1)));
    notify(&connection, 10, 50, 0).await;
    sleep(Duration::from_millis(1)).await;
    other.close();
    assert_eq!(timeout(NEVER, connection.closed()).await.expect("it ends").to_string(), "closed by the peer");
    all_run(&notes, 10).await;
    let refused = connection.notify(Note { time: 0, padding: vec![] }).await;
    assert!(matches!(refused, Err(NotifyError::Connection(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_two_ends_have_notified_that_close_at_once_runs_at_both() {
    for room in [1, 7, 64, 65_536] {
        for (settings, count) in [
            (Settings::new(), 10),
            (Settings::new().in_order(true), 10),
            (Settings::new().max_responders(1), 50),
            (Settings::new().max_inbound(600), 40),
            (Settings::new().announce(false), 40),
            (Settings::new().strictness(amp::connection::Strictness::Twisted), 10),
        ] {
            let (both, (a, b)) = ([Notes::default(), Notes::default()], tokio::io::duplex(room));
            let near = both[0].builder(&settings).start(a, Peer::other("near"));
            let far = both[1].builder(&settings).start(b, Peer::other("far"));
            tokio::join!(notify(&near, count, 20, 0), notify(&far, count, 20, 0));
            let closed = [near.closed(), far.closed()];
            near.close();
            drop((near, far));
            for (closed, notes) in closed.into_iter().zip(&both) {
                let reason = timeout(NEVER, closed).await.expect("it closes");
                // The one that still writes when the other has closed sees that.
                assert!(matches!(reason, CloseReason::Closed | CloseReason::ClosedByPeer), "{reason:?}");
                all_run(notes, count).await;
            }
        }
    }
}

/// Two ends of a socket, or of two pipes.
fn connected(notes: &[Notes; 2], over_pipes: bool) -> [Connection; 2] {
    let [one, other] = [&notes[0], &notes[1]].map(|notes| notes.builder(&Settings::new()));
    if over_pipes {
        let [(a_reads, b_writes), (b_reads, a_writes)] = [(); 2].map(|()| std::io::pipe().expect("a pipe"));
        let over =
            |builder: amp::connection::ConnectionBuilder, reads: std::io::PipeReader, writes: std::io::PipeWriter| {
                builder.pipes(reads, writes).expect("two pipes")
            };
        [over(one, a_reads, a_writes), over(other, b_reads, b_writes)]
    } else {
        let (a, b) = tokio::net::UnixStream::pair().expect("a pair of sockets");
        [one.start(a, Peer::other("near")), other.start(b, Peer::other("far"))]
    }
}

#[tokio::test]
async fn what_two_ends_have_notified_over_sockets_or_pipes_that_close_at_once_runs_at_both() {
    for over_pipes in [false, true] {
        for round in 0..50 {
            // Over pipes only peers that have been heard are waited for.
            let is_heard = over_pipes || round % 2 == 0;
            let both = [Notes::default(), Notes::default()];
            let [near, far] = connected(&both, over_pipes);
            tokio::join!(notify(&near, 100, 0, 100), notify(&far, 100, 0, 100));
            if is_heard {
                sleep(Duration::from_millis(5)).await;
                tokio::join!(notify(&near, 100, 0, 1_000), notify(&far, 100, 0, 1_000));
            }
            let count = if is_heard { 200 } else { 100 };
            let closed = [near.closed(), far.closed()];
            near.close();
            far.close();
            for (closed, notes) in closed.into_iter().zip(&both) {
                let reason = timeout(Duration::from_secs(60), closed).await.expect("it closes");
                assert!(matches!(reason, CloseReason::Closed | CloseReason::ClosedByPeer), "{reason:?}");
                assert_eq!(notes.counts(), (count, count));
            }
        }
    }
}

#[tokio::test]
async fn what_a_peer_that_announces_nothing_had_written_into_a_pipe_runs_and_its_end_is_not_waited_for() {
    let logged = logged(Level::INFO);
    let notes = Notes::default();
    let (reads, mut its_output) = std::io::pipe().expect("a pipe");
    let (mut its_input, writes) = std::io::pipe().expect("a pipe");
    let settings = Settings::new().linger(NEVER);
    let connection = notes.builder(&settings).pipes(reads, writes).expect("two pipes");
    connection.close();
    // Before the driver has had a turn, so that it sees the close first.
    std::io::Write::write_all(&mut its_output, &note().repeat(3)).expect("there is room");
    assert_eq!(word(&connection.closed().await), "Closed");
    assert_eq!(notes.counts(), (3, 3));
    assert_eq!(std::io::Read::read(&mut its_input, &mut [0; 8]).expect("it is closed"), 0);
    std::io::Write::write_all(&mut its_output, &note()).expect("it is emptied in the background");
    drop(its_output);
    let warned = async {
        while !logged.text().contains("is lost bytes=") {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(60), warned).await.expect("what came later is not lost silently");
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_an_orderly_end_runs_if_nobody_waits_for_it() {
    let (connection, mut peer, notes) = raw(&Settings::new(), 1 << 16);
    connection.close();
    assert_eq!(peer.read(&mut [0; 8]).await.expect("it ends in order"), 0);
    let multiply = packed(&[("_ask", "1"), ("_command", "Multiply"), ("copies", "1")]);
    peer.write_all(&[note(), multiply, note()].concat()).await.expect("it is still read");
    drop(peer);
    assert_eq!(word(&connection.closed().await), "Closed");
    assert_eq!(notes.counts(), (2, 2));
}

#[tokio::test]
async fn what_a_peer_had_notified_before_it_left_runs_although_its_answers_cannot_be_written() {
    for in_order in [false, true] {
        let notes = Notes::default();
        let (ours, mut theirs) = tokio::net::UnixStream::pair().expect("a pair of sockets");
        let connection = notes.builder(&Settings::new().in_order(in_order)).start(ours, Peer::other("script"));
        let asks = packed(&[("_ask", "1"), ("_command", "Read")]);
        let quick = packed(&[("_command", "Note"), ("padding", &"n".repeat(1_000)), ("time", "0")]);
        theirs.write_all(&[asks, quick.repeat(60)].concat()).await.expect("there is room");
        drop(theirs);
        timeout(Duration::from_secs(60), connection.closed()).await.expect("it ends");
        assert_eq!(notes.counts(), (60, 60));
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_comes_behind_an_abort_or_a_fault_runs() {
    for (end, reason) in [("abort", "Aborted"), ("fault", "Wire")] {
        let (connection, mut peer, notes) = raw(&Settings::new(), 1 << 16);
        match end {
            "abort" => connection.abort(),
            _ => peer.write_all(&[0xff; 4]).await.expect("there is room"),
        }
        assert_eq!(peer.read(&mut [0; 8]).await.expect("it ends in order"), 0);
        peer.write_all(&note().repeat(2)).await.expect("it is still read");
        drop(peer);
        assert_eq!(word(&connection.closed().await), reason);
        assert_eq!(notes.counts(), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_an_orderly_end_takes_no_more_memory_and_time_than_before_it() {
    let settings = Settings::new().max_inbound(1_000).max_responders(1).close_timeout(Duration::from_secs(5));
    let (connection, mut peer, notes) = raw(&settings, 200);
    connection.close();
    assert_eq!(peer.read(&mut [0; 8]).await.expect("it ends in order"), 0);
    let slow = packed(&[("_command", "Note"), ("padding", ""), ("time", "1000")]);
    let start = tokio::time::Instant::now();
    // It is discarded when `linger` is over, or not taken.
    let _ = timeout(NEVER, peer.write_all(&slow.repeat(10_000))).await.expect("the transport is closed at last");
    drop(peer);
    assert_eq!(word(&connection.closed().await), "Closed");
    let (begun, finished) = notes.counts();
    assert!(start.elapsed() <= Duration::from_secs(5), "`close_timeout`");
    // A turn may take as much as a read finds; the rest waits in the transport.
    assert!((4..=6).contains(&begun) && begun - finished <= 1, "{begun} begun, {finished} finished");
}

#[tokio::test(start_paused = true)]
async fn who_has_closed_learns_why_the_peer_has_thrown_away_what_was_notified() {
    let notes = Notes::default();
    let (a, mut b) = tokio::io::duplex(1 << 16);
    let connection = notes.builder(&Settings::new()).start(a, Peer::other("script"));
    // The peer announces what it understands, before anything is sent.
    let greeting = packed(&[("_command", "amp.Hello"), ("_amp", "1 goodbye")]);
    b.write_all(&greeting).await.expect("there is room");
    sleep(Duration::from_secs(1)).await;
    notify(&connection, 3, 0, 0).await;
    connection.close();
    sleep(Duration::from_millis(1)).await;
    let goodbye = packed(&[("_command", "amp.Goodbye"), ("code", "TOO_MANY_NOTIFICATIONS"), ("text", "too many")]);
    b.write_all(&goodbye).await.expect("it is still read");
    b.shutdown().await.expect("it is open");
    let reason = connection.closed().await;
    assert_eq!(reason.to_string(), "the peer ended the connection with TOO_MANY_NOTIFICATIONS: too many");
}

/// A plain peer, which knows no credit, sends 20,000 notifications.
async fn flood(settings: &Settings) -> (String, (usize, usize)) {
    let (connection, mut peer, notes) = raw(settings, 1 << 16);
    let sends = async {
        // It may be over before all is written.
        let _ = peer.write_all(&note().repeat(20_000)).await;
        let _ = peer.shutdown().await;
        peer.read_to_end(&mut Vec::new()).await
    };
    timeout(NEVER, sends).await.expect("it takes all, or the connection ends").expect("no reset in memory");
    drop(peer);
    let reason = timeout(NEVER, connection.closed()).await.expect("it ends");
    (word(&reason), notes.counts())
}

#[tokio::test(start_paused = true)]
async fn all_that_a_plain_peer_sends_without_an_answer_runs_while_it_is_within_the_bound() {
    let (reason, counts) = flood(&Settings::new()).await;
    assert_eq!((reason.as_str(), counts), ("ClosedByPeer", (20_000, 20_000)));
}

#[tokio::test(start_paused = true)]
async fn a_plain_peer_that_goes_over_the_bound_loses_the_connection_with_that_reason_and_not_single_notifications() {
    let settings = Settings::new()
        .max_responders(2)
        .max_inbound(10_000)
        .boxes(BoxLimits::new().bytes(60_000).decoded_bytes(1_000));
    let (reason, (begun, finished)) = flood(&settings).await;
    assert_eq!(reason, "TooManyNotifications");
    // What had arrived goes on for `close_timeout`, two at a time, and is cut off then.
    assert!(finished >= 200 && begun - finished <= 2 && begun < 20_000, "{begun} begun, {finished} finished");
}
