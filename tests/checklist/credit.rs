//! The credit of notifications (`wire.md`, section 7): who waits for it, and what gives it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::pair;
use amp::{Command, Connection, Exposed, Reply, Settings, responder};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::announcing::{WORDS, announcing, goodbye, greeted};
use crate::commands::{House, Note, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask_sum, ended, error, packed, soon};

/// Takes its time, and is counted.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Job {
    data: Vec<u8>,
}

/// Sends so many jobs back.
#[derive(Command, Debug)]
struct SendBack {
    jobs: u32,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Clone)]
struct Jobs {
    begun: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    takes: Duration,
    gate: Arc<Semaphore>,
}

impl Jobs {
    fn taking(takes: Duration) -> Self {
        Self { begun: Arc::default(), finished: Arc::default(), takes, gate: Arc::new(Semaphore::new(usize::MAX >> 4)) }
    }

    /// None finishes before [`Semaphore::add_permits`].
    fn closed() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), ..Self::taking(Duration::ZERO) }
    }

    fn counts(&self) -> (usize, usize) {
        (self.begun.load(SeqCst), self.finished.load(SeqCst))
    }
}

#[responder]
impl Jobs {
    async fn job(&self, _: Job) -> Reply<Job> {
        self.begun.fetch_add(1, SeqCst);
        self.gate.acquire().await.expect("open").forget();
        sleep(self.takes).await;
        self.finished.fetch_add(1, SeqCst);
        Ok(())
    }

    async fn send_back(&self, command: SendBack) -> Reply<SendBack> {
        for _ in 0..command.jobs {
            command.connection.notify(Job { data: Vec::new() }).await.map_err(amp::CallError::failed)?;
        }
        Ok(())
    }
}

fn with_jobs(jobs: &Jobs, settings: Settings) -> (Connection, RawPeer) {
    RawPeer::announcing(jobs.clone().into_locator(), settings)
}

fn job(more: &[(&str, &str)]) -> Vec<u8> {
    packed(&[more, &[("_command", "Job"), ("data", "")]].concat())
}

#[tokio::test(start_paused = true)]
async fn every_64th_notification_asks_for_credit_and_those_over_it_wait() {
    let (connection, mut peer) = announcing(Settings::new());
    greeted(&mut peer).await;
    let sender = connection.clone();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            sender.notify(Note { text: "n".into() }).await.expect("sent");
            count.fetch_add(1, SeqCst);
        }
    });
    let plain = packed(&[("_command", "Note"), ("text", "n")]);
    // The greeting took the first tag.
    let marked = |tag: &str| packed(&[("_ask", tag), ("_command", "Note"), ("_notify", ""), ("text", "n")]);
    peer.expect([plain.repeat(63), marked("41"), plain.repeat(63), marked("81")].concat()).await;
    peer.expect_silence().await;
    assert_eq!(sent.load(SeqCst), 128);
    // A call needs no credit, and closing waits for none.
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("82")).await;
    peer.send(answer_sum("82")).await;
    soon("a call", call).await.expect("no panic").expect("an answer");
    peer.send(answer("41", &[])).await;
    peer.expect([plain.repeat(63), marked("c2")].concat()).await;
    peer.expect_silence().await;
    assert_eq!(sent.load(SeqCst), 192);
    // An error is credit, too: the peer has dealt with it.
    peer.send(error("81", "UNKNOWN", "Unknown Error")).await;
    peer.expect(plain.repeat(8)).await;
    soon("all are sent", sending).await.expect("no panic");
    connection.close();
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn a_marked_notification_is_answered_when_its_responder_starts_and_runs_to_its_end_without_its_sender() {
    let jobs = Jobs::closed();
    let (connection, mut peer) = with_jobs(&jobs, Settings::new().max_responders(1));
    peer.send([job(&[WORDS, ("_ask", "a"), ("_notify", "")]), job(&[("_ask", "b"), ("_notify", "")])].concat()).await;
    peer.expect(packed(&[WORDS, ("_answer", "a")])).await;
    peer.expect_silence().await;
    assert_eq!(jobs.counts(), (1, 0));
    jobs.gate.add_permits(1);
    peer.expect(answer("b", &[])).await;
    peer.expect_silence().await;
    drop(peer);
    jobs.gate.add_permits(1);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!(jobs.counts(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_mark_of_a_peer_means_nothing_where_announcing_is_off() {
    let jobs = Jobs::closed();
    let (_connection, mut peer) = with_jobs(&jobs, Settings::new().announce(false));
    peer.send(job(&[WORDS, ("_ask", "a"), ("_notify", "")])).await;
    peer.expect_silence().await;
    jobs.gate.add_permits(1);
    peer.expect(answer("a", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_notified_runs_however_many_there_are_and_however_long_each_takes() {
    for (count, bytes, takes) in [(20_000, 1, 50), (1_500, 60_000, 500)] {
        let jobs = Jobs::taking(Duration::from_millis(takes));
        let (client, server) = pair(Connection::builder(), Connection::builder().locator(jobs.clone().into_locator()));
        for _ in 0..count {
            soon("a notification", client.notify(Job { data: vec![0; bytes] })).await.expect("sent");
        }
        client.close();
        assert_eq!(ended(&server).await, "ClosedByPeer");
        assert_eq!(jobs.counts(), (count, count));
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_a_responder_makes_waits_for_no_credit() {
    let jobs = Jobs::closed();
    let builder = || Connection::builder().locator(jobs.clone().into_locator());
    let (client, _server) = pair(builder(), builder());
    let command = SendBack { jobs: 1000, connection: Exposed::empty() };
    soon("the call", client.call(command)).await.expect("an answer");
    assert_eq!(jobs.counts().1, 0, "none has finished");
    jobs.gate.add_permits(1000);
}

#[tokio::test(start_paused = true)]
async fn notifications_over_what_is_kept_end_the_connection_with_a_reason_that_both_ends_see() {
    let boxes = amp::wire::BoxLimits::new().bytes(1000).decoded_bytes(100);
    let settings = || Settings::new().max_inbound(1).max_responders(1).boxes(boxes);
    let jobs = Jobs::closed();
    let (connection, mut peer) = with_jobs(&jobs, settings());
    greeted(&mut peer).await;
    // Credit lets out 128, and a peer that has none of it sends more.
    for _ in 0..1000 {
        peer.send(job(&[])).await;
    }
    let limit = 1 + 2 * (1000 + 1536) + 2 * (2 * 1000 + 64 * 1024 + 64 * 1536) + 100;
    let text =
        format!("the peer sent too many notifications: over {limit} bytes of them wait; see `Settings::max_inbound`");
    peer.expect_end(goodbye("TOO_MANY_NOTIFICATIONS", &text)).await;
    drop(peer);
    jobs.gate.add_permits(1000);
    assert_eq!(ended(&connection).await, "TooManyNotifications");
    let (begun, finished) = jobs.counts();
    assert!(begun == finished && begun > 128, "what was kept has run: {begun} and {finished}");
}

#[tokio::test(start_paused = true)]
async fn notifications_that_leave_no_room_for_a_mark_have_one_behind_them() {
    let note = |text: &str| packed(&[("_command", "Note"), ("text", text)]);
    let full = "n".repeat(50);
    let limits = amp::wire::BoxLimits::new().bytes(note(&full).len());
    let (connection, mut peer) = announcing(Settings::new().boxes(limits));
    greeted(&mut peer).await;
    let sending = tokio::spawn(async move {
        for _ in 0..200 {
            connection.notify(Note { text: "n".repeat(50) }).await.expect("sent");
        }
    });
    let mark = |tag: &str| packed(&[("_ask", tag), ("_command", "amp.Hello"), ("_notify", "")]);
    peer.expect([note(&full).repeat(64), mark("42"), note(&full).repeat(64), mark("83")].concat()).await;
    peer.expect_silence().await;
    peer.send([answer("42", &[]), answer("83", &[])].concat()).await;
    peer.expect([note(&full).repeat(64), mark("c4")].concat()).await;
    peer.expect(note(&full).repeat(8)).await;
    soon("all are sent", sending).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_marked_greeting_gives_credit_when_what_came_before_it_has_started() {
    let jobs = Jobs::closed();
    let (_connection, mut peer) = with_jobs(&jobs, Settings::new().max_responders(1));
    greeted(&mut peer).await;
    let mark = packed(&[("_ask", "a"), ("_command", "amp.Hello"), ("_notify", "")]);
    peer.send([job(&[]), job(&[]), mark].concat()).await;
    peer.expect_silence().await;
    jobs.gate.add_permits(1);
    peer.expect_silence().await;
    jobs.gate.add_permits(1);
    peer.expect(answer("a", &[])).await;
    assert_eq!(jobs.counts(), (2, 2));
}

/// Keeps the connection that it came over.
#[derive(Command, Debug)]
struct Keep {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Clone, Default)]
struct Keeper(Arc<Mutex<Vec<Connection>>>);

#[responder]
impl Keeper {
    async fn keep(&self, command: Keep) -> Reply<Keep> {
        self.0.lock().expect("no panic").push(command.connection.into_option().expect("a connection"));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_kept_when_its_ask_is_answered_is_one_like_any_other() {
    let (keeper, jobs) = (Keeper::default(), Jobs::closed());
    let hub = Connection::builder().locator(keeper.clone().into_locator()).settings(Settings::new().max_calls(1));
    let agent = Connection::builder().locator((jobs.clone().into_locator(), House::new().into_locator()));
    let (_hub, agent) = pair(hub, agent.settings(Settings::new().max_responders(1)));
    agent.call(Keep { connection: Exposed::empty() }).await.expect("kept");
    let kept = keeper.0.lock().expect("no panic").pop().expect("a connection");
    // It waits for a place among the calls.
    let first = tokio::spawn(kept.call(crate::commands::Wait));
    tokio::task::yield_now().await;
    let second = kept.call(sum()).timeout(Duration::from_secs(1)).await;
    assert!(!second.expect_err("there is no place").was_sent());
    // And for credit.
    let sent = Arc::new(AtomicUsize::new(0));
    let (count, sender) = (Arc::clone(&sent), kept.clone());
    tokio::spawn(async move {
        while sender.notify(Job { data: Vec::new() }).await.is_ok() {
            count.fetch_add(1, SeqCst);
        }
    });
    sleep(Duration::from_secs(1)).await;
    let unstarted = sent.load(SeqCst) - jobs.counts().0;
    assert!(unstarted <= 192, "{unstarted}");
    drop(first);
}

#[tokio::test(start_paused = true)]
async fn no_notification_is_marked_before_the_peer_knows_what_a_mark_means() {
    let jobs = Jobs::taking(Duration::ZERO);
    let (connection, mut peer) = with_jobs(&jobs, Settings::new());
    // A box without a type is not this connection's to add to: nothing has announced.
    let raw = amp::AmpBox::new().with("_command", "Note").expect("a pair that fits");
    amp::connection::BoxSender::send_box(&connection, raw).expect("sent");
    for _ in 0..63 {
        connection.notify(Note { text: "n".into() }).await.expect("sent");
    }
    let plain = packed(&[("_command", "Note"), ("text", "n")]);
    peer.expect([packed(&[("_command", "Note")]), plain.repeat(63)].concat()).await;
    // The responder runs in the read that brings the peer's announcement.
    peer.send(packed(&[WORDS, ("_ask", "1"), ("_command", "SendBack"), ("jobs", "1")])).await;
    peer.expect([job(&[]), answer("1", &[]), packed(&[WORDS, ("_command", "amp.Hello")])].concat()).await;
    peer.send(packed(&[("_ask", "2"), ("_command", "SendBack"), ("jobs", "1")])).await;
    let marked = packed(&[("_ask", "42"), ("_command", "Job"), ("_notify", ""), ("data", "")]);
    peer.expect([marked, answer("2", &[])].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_keeps_to_its_credit_is_not_ended_whatever_its_calls_hold() {
    const BOX: usize = 60_000;
    // Calls hold as much as they may, and a limit is less than one box.
    for (max_inbound, calls) in [(1_000_000, 0), (1_000_000, 16), (1_000_000, 20), (3_000, 0), (3_000, 1), (1_600, 0)] {
        let jobs = Jobs::taking(Duration::from_secs(1));
        let settings = Settings::new().boxes(amp::wire::BoxLimits::new().bytes(BOX)).max_inbound(max_inbound);
        let locator = (jobs.clone().into_locator(), House::new().into_locator());
        let (near, far) = pair(Connection::builder(), Connection::builder().settings(settings).locator(locator));
        near.call(sum()).await.expect("both have announced");
        for _ in 0..calls {
            let held = amp::AmpBox::new().with("held", vec![b'x'; BOX - 100]).expect("a pair that fits");
            let near = near.clone();
            drop(tokio::spawn(async move { near.call_box("Wait", held).await }));
        }
        sleep(Duration::from_secs(1)).await;
        for sent in 0..40 {
            let data = vec![b'x'; BOX - 100];
            near.notify(Job { data }).await.unwrap_or_else(|error| panic!("{max_inbound}, {calls}: {sent}, {error}"));
        }
        sleep(Duration::from_secs(100)).await;
        assert_eq!(jobs.counts(), (40, 40), "{max_inbound}, {calls}");
        assert!(!far.is_closed());
    }
}
