//! What a barrier and the replacement of the transport are promised, towards a scripted peer in paused time.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::{WeakConnection, pair};
use amp::locator::{Answer, Ask};
use amp::schema::CommandDeclaration;
use amp::{Arguments, CallError, Command, Connection, Reply, Settings, responder};
use amp_core::extension::{Extension, Handler, Keys, SentBox, Upgrade};

use crate::masks::{GREETING, Masked, Masking, Pad, StartMask, start_mask};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, error, reason, soon, unknown};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

#[derive(Command, Debug)]
#[amp(response = Total)]
pub(crate) struct Sum {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Arguments, Debug)]
pub(crate) struct Total {
    pub(crate) total: i64,
}

pub(crate) struct Adding;

#[responder]
impl Adding {
    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }
}

pub(crate) fn sum() -> Sum {
    Sum { a: 1, b: 2 }
}

pub(crate) fn scripted(extension: impl Extension) -> (Connection, RawPeer) {
    scripted_with(1 << 20, extension, Settings::new().handshake_timeout(None))
}

pub(crate) fn scripted_with(room: usize, extension: impl Extension, settings: Settings) -> (Connection, RawPeer) {
    let settings = settings.announce(false).close_timeout(MINUTE);
    let builder = Connection::builder().locator(Adding.into_locator()).extension(extension).settings(settings);
    RawPeer::of(room, builder)
}

pub(crate) fn ask_mask(tag: &str) -> Vec<u8> {
    ask(tag, "StartMask", &[("key", "7")])
}

pub(crate) fn answer_mask(tag: &str) -> Vec<u8> {
    answer(tag, &[("key", "7")])
}

/// A connection that has asked for a mask, and has a call queued behind the ask.
pub(crate) async fn asked()
-> (Connection, RawPeer, tokio::task::JoinHandle<Reply<StartMask>>, tokio::task::JoinHandle<Reply<Sum>>) {
    let (connection, mut peer) = scripted(Masking::default());
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    peer.expect(ask_mask("1")).await;
    let call = tokio::spawn(connection.call(sum()));
    (connection, peer, mask, call)
}

#[tokio::test(start_paused = true)]
async fn behind_an_ask_for_another_transport_nothing_is_written_but_by_that() {
    let (connection, mut peer, mask, call) = asked().await;
    // The peer may still ask; the answers wait, too.
    peer.send(ask_sum("1")).await;
    peer.expect_silence_for(MINUTE).await;
    peer.send(answer_mask("1")).await;
    assert_eq!(soon("the answer", mask).await.expect("no panic").expect("accepted").key, 7);
    peer.expect(GREETING).await;
    peer.expect_silence_for(MINUTE).await;
    peer.send(GREETING).await;
    let (mut sent, mut received) = (Pad::new(7), Pad::new(7));
    peer.expect(received.next(&[ask_sum("2"), answer_sum("1")].concat())).await;
    peer.send(sent.next(&answer_sum("2"))).await;
    assert_eq!(soon("the answer", call).await.expect("no panic").expect("an answer").total, 3);
    peer.send(sent.next(&ask_sum("3"))).await;
    peer.expect(received.next(&answer_sum("3"))).await;
    connection.close();
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_behind_the_answer_is_read_by_the_new_transport() {
    let (_connection, mut peer, _, call) = asked().await;
    let mut sent = Pad::new(7);
    // The answer that the mask hides is to an ask that goes out before it is read: the greeting orders nothing.
    let early = [answer_mask("1"), GREETING.to_vec(), sent.next(&ask_sum("1"))].concat();
    peer.send(early).await;
    peer.expect(GREETING).await;
    let mut received = Pad::new(7);
    peer.expect(received.next(&[ask_sum("2"), answer_sum("1")].concat())).await;
    peer.send(sent.next(&answer_sum("2"))).await;
    assert_eq!(soon("the answer", call).await.expect("no panic").expect("an answer").total, 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_behind_the_ask_is_read_by_the_new_transport() {
    let (_connection, mut peer) = scripted(Masking::default());
    let (mut sent, mut received) = (Pad::new(7), Pad::new(7));
    peer.send([ask_sum("1"), ask_mask("2"), GREETING.to_vec(), sent.next(&ask_sum("3"))].concat()).await;
    peer.expect([answer_sum("1"), answer_mask("2"), GREETING.to_vec()].concat()).await;
    peer.expect(received.next(&answer_sum("3"))).await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_refused_keeps_the_transport_and_what_waited_goes_out() {
    let (connection, mut peer, mask, call) = asked().await;
    peer.send([ask_sum("1"), error("1", "NO", "not now"), ask_sum("2")].concat()).await;
    let refused = soon("the answer", mask).await.expect("no panic");
    assert!(matches!(&refused, Err(CallError::Remote { code, .. }) if code == "NO"), "{refused:?}");
    peer.expect([ask_sum("2"), answer_sum("1"), answer_sum("2")].concat()).await;
    peer.send(answer_sum("2")).await;
    soon("the answer", call).await.expect("no panic").expect("an answer");
    // It may ask again.
    let again = tokio::spawn(async move { start_mask(&connection, 7).await });
    peer.expect(ask_mask("3")).await;
    peer.send([answer_mask("3"), GREETING.to_vec()].concat()).await;
    soon("the answer", again).await.expect("no panic").expect("accepted");
}

#[tokio::test(start_paused = true)]
async fn two_ends_that_ask_at_once_both_have_an_error_in_front_of_what_waits() {
    let (_connection, mut peer, mask, _call) = asked().await;
    peer.send(ask_mask("1")).await;
    peer.expect(error("1", "BUSY", "The transport is being replaced already; try again later")).await;
    peer.expect_silence_for(MINUTE).await;
    peer.send(error("1", "BUSY", "")).await;
    soon("the answer", mask).await.expect("no panic").expect_err("refused");
    peer.expect(ask_sum("2")).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_ask_of_one_end_is_refused_before_it_is_sent() {
    let (connection, mut peer, _mask, _call) = asked().await;
    let second = soon("the refusal", start_mask(&connection, 8)).await;
    assert!(matches!(&second, Err(CallError::Invalid(_))), "{second:?}");
    peer.expect_silence_for(MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_sent_keeps_the_transport() {
    let (_connection, mut peer) = scripted(Masking { answers: Some(1_000) });
    peer.send([ask_mask("1"), ask_sum("2")].concat()).await;
    peer.expect([unknown("1"), answer_sum("2")].concat()).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_sends_garbage_in_place_of_its_handshake_ends_the_connection() {
    let (connection, mut peer, _mask, call) = asked().await;
    peer.send([answer_mask("1"), vec![b'x'; GREETING.len()]].concat()).await;
    peer.expect_end(GREETING).await;
    assert_eq!(ended(&connection).await, "Io");
    assert_eq!(reason(soon("the call", call).await.expect("no panic")), "Io");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_during_the_handshake_ends_the_connection() {
    let (connection, mut peer, _mask, call) = asked().await;
    peer.send(answer_mask("1")).await;
    peer.expect(GREETING).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Io");
    assert_eq!(reason(soon("the call", call).await.expect("no panic")), "Io");
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_never_ends_is_dropped_by_abort() {
    let (connection, mut peer, _mask, call) = asked().await;
    peer.send(answer_mask("1")).await;
    peer.expect(GREETING).await;
    peer.expect_silence_for(MINUTE).await;
    connection.abort();
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Aborted");
    let failed = soon("the call", call).await.expect("no panic").expect_err("no transport for it");
    assert!(!failed.was_sent(), "what waited for the new transport never left: {failed:?}");
    assert!(matches!(failed, CallError::Connection { reason: amp::CloseReason::Aborted, .. }), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_waits_for_a_replacement_and_what_waits_for_that() {
    let (connection, mut peer, _mask, _call) = asked().await;
    peer.send(answer_mask("1")).await;
    peer.expect(GREETING).await;
    connection.close();
    peer.expect_silence_for(MINUTE / 2).await;
    peer.send(GREETING).await;
    peer.expect(Pad::new(7).next(&ask_sum("2"))).await;
    peer.send(Pad::new(7).next(&answer_sum("2"))).await;
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_never_ends_is_dropped_when_the_time_for_closing_is_over() {
    let (connection, mut peer, _mask, _call) = asked().await;
    peer.send(answer_mask("1")).await;
    peer.expect(GREETING).await;
    connection.close();
    peer.expect_silence_for(MINUTE - Duration::from_secs(1)).await;
    peer.expect_end("").await;
    // What waited for the new transport is lost, and that is told.
    assert_eq!(ended(&connection).await, "Unwritten");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_another_transport_never_goes_out_over_the_old_one() {
    let (connection, mut peer, _mask, _call) = asked().await;
    connection.abort();
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Aborted");

    let (connection, mut peer, _mask, _call) = asked().await;
    connection.close();
    peer.expect_silence_for(MINUTE - Duration::from_secs(1)).await;
    peer.finish().await;
    peer.expect_end("").await;
    assert_ne!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn calls_keep_their_time_limits_while_the_transport_is_replaced() {
    let (connection, mut peer, _mask, _call) = asked().await;
    peer.send(answer_mask("1")).await;
    peer.expect(GREETING).await;
    let late = soon("the call", connection.call(sum()).timeout(Duration::from_secs(5))).await;
    assert!(matches!(&late, Err(CallError::Timeout { .. })), "{late:?}");
}

/// Ends in the way that the key names.
struct Ending;

impl Extension for Ending {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![StartMask::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(EndingHandler { connection, upgrade: Mutex::new(None) })
    }
}

struct EndingHandler {
    connection: WeakConnection,
    upgrade: Mutex<Option<(Upgrade, Answer<StartMask>)>>,
}

impl Handler for EndingHandler {
    fn handle(&self, _: usize, mut ask: Ask) {
        let Some(connection) = self.connection.upgrade() else { return };
        let Some(upgrade) = Upgrade::begin(&connection, &mut ask) else { return Upgrade::refuse(ask) };
        let Some((StartMask { key }, answer)) = ask.accept() else { return };
        let response = Masked { key: key.into() };
        match key {
            0 => drop(upgrade),
            1 => {
                tokio::spawn(async move {
                    tokio::time::sleep(MINUTE).await;
                    drop(upgrade);
                    answer.send(Ok(response));
                });
            }
            2 => upgrade.accept(answer, &response, |_| async { panic!("the replacement panics") }),
            3 => upgrade.accept(answer, &response, |_| async { Err(io::Error::other(amp::CloseReason::Failure)) }),
            4 => upgrade.accept(answer, &response, |previous| async {
                let _kept = previous;
                pending().await
            }),
            5 => {
                drop((upgrade, answer));
                drop(Upgrade::ask(&connection, &StartMask { key: 7 }, |_| pending()).expect("none is under way"));
            }
            _ => *self.upgrade.lock().expect("no panic") = Some((upgrade, answer)),
        }
    }
}

fn ask_end(tag: &str, key: &str) -> Vec<u8> {
    ask(tag, "StartMask", &[("key", key)])
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_when_the_replacement_is_given_up_at_once_or_later() {
    let (_connection, mut peer) = scripted(Ending);
    peer.send([ask_end("1", "0"), ask_sum("2")].concat()).await;
    peer.expect([unknown("1"), answer_sum("2")].concat()).await;
    peer.send([ask_end("3", "1"), ask_sum("4")].concat()).await;
    peer.expect_silence_for(MINUTE - Duration::from_secs(1)).await;
    peer.expect(answer("3", &[("key", "1")])).await;
    peer.expect(answer_sum("4")).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn reading_goes_on_when_the_replacement_is_given_up_and_this_end_asks_for_one_at_once() {
    let (_connection, mut peer) = scripted(Ending);
    peer.send([ask_end("1", "5"), ask_sum("2")].concat()).await;
    peer.expect([unknown("1"), ask_mask("1")].concat()).await;
    peer.send([ask_sum("3"), error("1", "NO", "")].concat()).await;
    peer.expect([answer_sum("2"), answer_sum("3")].concat()).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_fails_ends_the_connection_with_its_reason() {
    for (key, expected) in [("2", "Io"), ("3", "Failure")] {
        let (connection, mut peer) = scripted(Ending);
        peer.send([ask_end("1", key), ask_sum("2")].concat()).await;
        peer.expect_end(answer("1", &[("key", key)])).await;
        assert_eq!(ended(&connection).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_waits_for_an_answer_to_an_ask_for_another_transport() {
    let (connection, mut peer) = scripted(Ending);
    peer.send(ask_end("1", "9")).await;
    peer.expect_silence_for(MINUTE).await;
    connection.close();
    peer.expect_silence_for(MINUTE - Duration::from_secs(1)).await;
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");

    let (connection, mut peer) = scripted(Ending);
    peer.send(ask_end("1", "4")).await;
    peer.expect(answer("1", &[("key", "4")])).await;
    connection.close();
    peer.expect_silence_for(MINUTE - Duration::from_secs(1)).await;
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed", "nothing waited for the new transport");
}

#[tokio::test(start_paused = true)]
async fn one_replacement_follows_another_from_either_end() {
    let builder = || Connection::builder().locator(Adding.into_locator()).extension(Masking::default());
    let (one, other) = pair(builder(), builder());
    for key in 0..10 {
        let (asking, asked) = if key % 3 == 0 { (&one, &other) } else { (&other, &one) };
        soon("the answer", start_mask(asking, key)).await.expect("accepted");
        for caller in [asked, asking] {
            assert_eq!(soon("an answer", caller.call(sum())).await.expect("an answer").total, 3);
        }
    }
}

#[tokio::test]
async fn a_peer_that_never_reads_and_asks_again_and_again_is_ended_while_this_end_asks_too() {
    let settings = Settings::new().announce(false).max_outbound(64 * 1024).outbound_high_water(4096);
    let builder = Connection::builder().extension(Masking::default()).settings(settings);
    let (connection, mut peer) = RawPeer::of(64, builder);
    let asking = connection.clone();
    drop(tokio::spawn(async move { start_mask(&asking, 7).await }));
    peer.expect(ask("1", "StartMask", &[("key", "7")])).await;
    // Each is refused, and the refusal goes before the barrier.
    let refused = (0..5_000).take_while(|_| !connection.is_closed());
    for tag in refused {
        peer.send(ask(&tag.to_string(), "StartMask", &[("key", "7")])).await;
    }
    assert!(connection.is_closed());
    drop(peer);
    assert_eq!(ended(&connection).await, "NotReading");
}

/// Adds a key to every reply.
struct Keyed(Masking);

impl Extension for Keyed {
    fn commands(&self) -> Vec<CommandDeclaration> {
        self.0.commands()
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(KeyedHandler(self.0.attach(connection)))
    }
}

struct KeyedHandler(Arc<dyn Handler>);

impl Handler for KeyedHandler {
    fn handle(&self, command: usize, ask: Ask) {
        self.0.handle(command, ask);
    }

    fn keys(self: Arc<Self>) -> Option<Arc<dyn Keys>> {
        Some(self)
    }
}

impl Keys for KeyedHandler {
    fn add_to_reply(&self, sent: &mut SentBox<'_>) {
        assert!(sent.add("_x", b""), "there is room");
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_before_a_barrier_has_the_keys_of_extensions_as_any_other() {
    let (_connection, mut peer) = scripted(Keyed(Masking::default()));
    peer.send(ask("1", "Nobody", &[])).await;
    let unknown = peer.read_some().await;
    peer.send(ask("2", "StartMask", &[("key", "2")])).await;
    let accepted = peer.read_some().await;
    for reply in [unknown, accepted] {
        assert!(reply.windows(2).any(|key| key == b"_x"), "{}", reply.escape_ascii());
    }
}
