//! Rules 13 and 17 to 26: who is answered, when, and who waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use amp::connection::Call;
use amp::{AmpBox, CallError, Reply, Settings, responder};

use crate::commands::{House, Note, Sum, Wait, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, packed, reason, soon};

fn house() -> (amp::Connection, RawPeer, House) {
    with(Settings::new())
}

fn with(settings: Settings) -> (amp::Connection, RawPeer, House) {
    let house = House::new();
    let (connection, peer) = RawPeer::with(house.clone().into_locator(), settings);
    (connection, peer, house)
}

#[tokio::test(start_paused = true)]
async fn rule_13_tags_are_hex_from_1_and_are_not_used_again() {
    let (connection, mut peer, _) = house();
    for tag in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "10", "11"] {
        let call = tokio::spawn(connection.call(sum()));
        peer.expect(ask_sum(tag)).await;
        peer.send(answer_sum(tag)).await;
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_15_an_answer_to_01_is_not_an_answer_to_1() {
    let (connection, mut peer, _) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("01")).await;
    assert_eq!(reason(soon("fails", call).await.expect("no panic")), "UnknownAnswer");
}

#[tokio::test(start_paused = true)]
async fn rule_16_a_box_with_answer_and_error_and_command_is_an_answer() {
    let (connection, mut peer, house) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    let all = [("_answer", "1"), ("_error", "1"), ("_command", "Note"), ("text", "no"), ("total", "3")];
    peer.send(packed(&all)).await;
    assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer").total, 3);
    assert_eq!(house.notes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn rule_17_answers_out_of_order_resolve_the_right_calls() {
    let (connection, mut peer, _) = house();
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(connection.call(sum()))).collect();
    peer.expect([ask_sum("1"), ask_sum("2"), ask_sum("3")].concat()).await;
    for (tag, total) in [("3", "30"), ("1", "10"), ("2", "20")] {
        peer.send(answer(tag, &[("total", total)])).await;
    }
    for (call, total) in calls.into_iter().zip([10, 20, 30]) {
        assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer").total, total);
    }
}

#[tokio::test(start_paused = true)]
async fn rule_18_a_reverse_call_before_our_answer_does_not_deadlock() {
    let (connection, mut peer, _) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(ask_sum("1")).await;
    peer.expect(answer_sum("1")).await;
    peer.send(ask("2", "CallBack", &[])).await;
    peer.expect(ask_sum("2")).await;
    peer.send([answer_sum("2"), answer_sum("1")].concat()).await;
    peer.expect(answer_sum("2")).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn rule_19_an_unknown_or_second_answer_closes() {
    for tag in ["2", "0", "", "zz", "ffffffffffffffff"] {
        let (connection, mut peer, _) = house();
        peer.send(answer_sum(tag)).await;
        peer.expect_end("").await;
        drop(peer);
        assert_eq!(ended(&connection).await, "UnknownAnswer", "{tag:?}");
    }
    let (connection, mut peer, _) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("1").repeat(2)).await;
    soon("the first counts", call).await.expect("no panic").expect("an answer");
    drop(peer);
    assert_eq!(ended(&connection).await, "UnknownAnswer");
}

#[tokio::test(start_paused = true)]
async fn rule_19_unknown_answers_are_passed_over_when_the_settings_say_so() {
    let (connection, mut peer, _) = with(Settings::new().ignore_unknown_answers(true));
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send([answer_sum("7"), packed(&[("_error", "zz")]), answer_sum("1"), answer_sum("1")].concat()).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rule_20_a_call_without_answer_has_no_tag_and_nobody_waits_for_it() {
    let (connection, mut peer, _) = house();
    connection.notify(Note { text: "hello".into() }).await.expect("sent");
    connection.call(Note { text: "again".into() }).await.expect("declared without answer, so done at once");
    peer.expect(packed(&[("_command", "Note"), ("text", "hello")])).await;
    peer.expect(packed(&[("_command", "Note"), ("text", "again")])).await;
    connection.close();
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn rule_21_an_ask_without_tag_runs_and_nothing_is_written() {
    let (_connection, mut peer, house) = house();
    peer.send(packed(&[("_command", "Note"), ("text", "hello")])).await;
    peer.send(packed(&[("_command", "Sum"), ("a", "1"), ("b", "2")])).await;
    peer.expect_silence().await;
    assert_eq!(house.notes(), ["hello"]);
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rule_22_a_command_without_answer_is_answered_when_it_has_a_tag() {
    let (_connection, mut peer, house) = house();
    peer.send(ask("1", "Note", &[("text", "hello")])).await;
    peer.expect(answer("1", &[])).await;
    assert_eq!(house.notes(), ["hello"]);
}

#[tokio::test(start_paused = true)]
async fn rule_23_two_asks_with_the_same_tag_are_both_answered() {
    let (_connection, mut peer, house) = house();
    peer.send([ask("1", "Wait", &[]), ask_sum("1"), ask("1", "Wait", &[])].concat()).await;
    peer.expect(answer_sum("1")).await;
    house.open(2);
    peer.expect(answer("1", &[]).repeat(2)).await;
}

#[tokio::test(start_paused = true)]
async fn rule_24_a_slow_responder_does_not_delay_later_fast_ones() {
    let (_connection, mut peer, house) = house();
    peer.send([ask("slow", "Wait", &[]), ask_sum("fast"), ask("note", "Note", &[("text", "n")])].concat()).await;
    peer.expect([answer_sum("fast"), answer("note", &[])].concat()).await;
    peer.expect_silence().await;
    house.open(1);
    peer.expect(answer("slow", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn rule_24_in_order_each_responder_finishes_before_the_next_one_starts() {
    let (_connection, mut peer, house) = with(Settings::new().in_order(true));
    peer.send([ask("1", "Wait", &[]), ask("2", "Note", &[("text", "n")]), ask("3", "Wait", &[])].concat()).await;
    peer.send(ask_sum("4")).await;
    peer.expect_silence().await;
    assert_eq!((house.notes().len(), house.waiting()), (0, 1), "the second one has not begun");
    house.open(1);
    peer.expect([answer("1", &[]), answer("2", &[])].concat()).await;
    peer.expect_silence().await;
    house.open(1);
    peer.expect([answer("3", &[]), answer_sum("4")].concat()).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rule_25_pending_calls_fail_when_the_connection_is_lost_and_later_ones_at_once() {
    let (connection, mut peer, _) = house();
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(connection.call(sum()))).collect();
    peer.expect([ask_sum("1"), ask_sum("2"), ask_sum("3")].concat()).await;
    peer.send(answer_sum("2")).await;
    drop(peer);
    let mut replies = Vec::new();
    for call in calls {
        replies.push(soon("told", call).await.expect("no panic"));
    }
    assert_eq!(replies.remove(1).expect("its answer came before the end").total, 3);
    for reply in replies {
        assert_eq!(reason(reply), "ClosedByPeer");
    }
    assert_eq!(reason(connection.call(Wait).await), "ClosedByPeer");
    assert_eq!(reason(connection.call_box("Sum", AmpBox::new()).await), "ClosedByPeer");
    let error = connection.notify(sum()).await.expect_err("closed");
    assert!(matches!(error, amp::error::NotifyError::Connection(_)), "{error:?}");
    assert!(connection.is_closed());
}

#[tokio::test(start_paused = true)]
async fn rule_26_the_connection_is_not_half_closed_while_calls_are_outstanding() {
    let (connection, mut peer, _) = with(Settings::new().close_timeout(std::time::Duration::from_secs(3600)));
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    connection.close();
    peer.expect_silence().await;
    peer.send(answer_sum("1")).await;
    peer.expect_end("").await;
    soon("answered", call).await.expect("no panic").expect("an answer");
}

/// Looks, when it is asked, whether a call of its own has been answered.
#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Option<Call<Sum>>>>);

impl Watcher {
    fn look(&self) -> Poll<Reply<Sum>> {
        let mut call = self.0.lock().expect("no test panics here");
        Pin::new(call.as_mut().expect("a call")).poll(&mut Context::from_waker(Waker::noop()))
    }
}

#[responder]
impl Watcher {
    async fn wait(&self, _command: Wait) -> Reply<Wait> {
        match self.look() {
            Poll::Ready(reply) => reply.map(|_| ()).map_err(CallError::failed),
            Poll::Pending => Err(CallError::failed("the answer is not there yet")),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_before_an_ask_is_there_when_the_responder_of_the_ask_begins() {
    let watcher = Watcher::default();
    let (connection, mut peer) = RawPeer::with(watcher.clone().into_locator(), Settings::new());
    *watcher.0.lock().expect("no test panics here") = Some(connection.call(sum()));
    assert!(watcher.look().is_pending());
    peer.expect(ask_sum("1")).await;
    peer.send([answer_sum("1"), ask("x", "Wait", &[])].concat()).await;
    peer.expect(answer("x", &[])).await;
}
