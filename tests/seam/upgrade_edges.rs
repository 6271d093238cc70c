//! What becomes of a replacement of the transport when a part of it fails, comes late or is cut off.

use std::fmt;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use amp::connection::WeakConnection;
use amp::constraint::Violations;
use amp::locator::Ask;
use amp::schema::CommandDeclaration;
use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
use amp::{Arguments, CloseReason, Command, Connection, Peer, Settings};
use amp_core::extension::{BoxedTransport, Extension, Handler, PreviousTransport, Upgrade};

use crate::logged::{Level, logged};
use crate::masks::{GREETING, Masked, Masking, Pad, StartMask, start_mask};
use crate::raw_peer::{RawPeer, answer_sum, ask, ask_sum, ended, error, packed, soon, unknown};
use crate::upgrades::{MINUTE, Sum, answer_mask, ask_mask, asked, scripted, sum};

fn busy(tag: &str) -> Vec<u8> {
    error(tag, "BUSY", "The transport is being replaced already; try again later")
}

/// Keeps each ask to refuse it later.
#[derive(Clone, Default)]
struct Late(Arc<Mutex<Vec<Ask>>>);

impl Late {
    async fn has_one(&self) {
        while self.0.lock().expect("no panic").is_empty() {
            tokio::task::yield_now().await;
        }
    }

    fn refuse(&self) {
        self.0.lock().expect("no panic").drain(..).for_each(Upgrade::refuse);
    }
}

impl Extension for Late {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![StartMask::DECLARATION]
    }

    fn attach(&self, _: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(self.clone())
    }
}

impl Handler for Late {
    fn handle(&self, _: usize, ask: Ask) {
        self.0.lock().expect("no panic").push(ask);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_when_both_ends_have_agreed_goes_over_the_new_transport_in_its_order() {
    let late = Late::default();
    let (connection, mut peer) = scripted(late.clone());
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    peer.expect(ask_mask("1")).await;
    peer.send([ask_mask("8"), answer_mask("1")].concat()).await;
    peer.expect(GREETING).await;
    soon("the answer", mask).await.expect("no panic").expect("accepted");
    let mut early = connection.call(sum());
    assert!(early.poll_sent(&mut Context::from_waker(Waker::noop())).is_ready());
    late.refuse();
    peer.expect_silence_for(MINUTE).await;
    peer.send(GREETING).await;
    let (mut sent, mut received) = (Pad::new(7), Pad::new(7));
    peer.expect(received.next(&[ask_sum("2"), busy("8")].concat())).await;
    // And one for which the new transport is there.
    peer.send(sent.next(&[answer_sum("2"), ask_mask("9")].concat())).await;
    late.has_one().await;
    late.refuse();
    peer.expect(received.next(&busy("9"))).await;
    peer.send(sent.next(&ask_sum("10"))).await;
    peer.expect(received.next(&answer_sum("10"))).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_when_the_peer_has_refused_has_its_place_behind_what_waited() {
    let late = Late::default();
    let (connection, mut peer) = scripted(late.clone());
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    peer.expect(ask_mask("1")).await;
    let call = tokio::spawn(connection.call(sum()));
    peer.send([ask_mask("8"), error("1", "BUSY", "")].concat()).await;
    soon("the answer", mask).await.expect("no panic").expect_err("refused");
    peer.expect(ask_sum("2")).await;
    late.refuse();
    peer.expect(busy("8")).await;
    peer.send(answer_sum("2")).await;
    soon("the answer", call).await.expect("no panic").expect("an answer");
    peer.expect_open().await;
}

/// Queues a call when it is checked, and panics in the middle of its encoding.
struct Panicking(Mutex<Option<amp::connection::Call<Sum>>>);

impl Value for Panicking {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(b"half a value");
        panic!("a value that cannot be written")
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self(Mutex::new(None)))
    }

    fn check(&self, _: amp::constraint::Place<'_>, _: &mut Violations) {
        if let Some(call) = self.0.lock().expect("no panic").as_mut() {
            assert!(call.poll_sent(&mut Context::from_waker(Waker::noop())).is_ready());
        }
    }
}

impl fmt::Debug for Panicking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Panicking")
    }
}

#[derive(Arguments, Debug)]
struct Broken {
    value: Panicking,
}

#[derive(Command, Debug)]
#[amp(response = Broken)]
struct Break;

struct Breaking;

struct BreakingHandler(WeakConnection);

impl Extension for Breaking {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Break::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(BreakingHandler(connection))
    }
}

impl Handler for BreakingHandler {
    fn handle(&self, _: usize, mut ask: Ask) {
        let Some(connection) = self.0.upgrade() else { return };
        let Some(upgrade) = Upgrade::begin(&connection, &mut ask) else { return Upgrade::refuse(ask) };
        let Some((Break, answer)) = ask.accept() else { return };
        let response = Broken { value: Panicking(Mutex::new(Some(connection.call(sum())))) };
        upgrade.accept(answer, &response, |previous| async { Ok(previous.into_parts().1) });
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_whose_encode_panics_loses_no_call_that_was_queued_meanwhile_and_the_transport_stays() {
    let (_connection, mut peer) = scripted(Breaking);
    for (tag, call) in [("1", "1"), ("2", "2")] {
        peer.send([ask(tag, "Break", &[]), ask_sum("behind")].concat()).await;
        peer.expect([ask_sum(call), unknown(tag), answer_sum("behind")].concat()).await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_for_another_transport_that_wants_no_answer_keeps_the_transport() {
    let (_connection, mut peer) = scripted(Masking::default());
    peer.send([packed(&[("_command", "StartMask"), ("key", "7")]), ask_sum("1")].concat()).await;
    peer.expect(answer_sum("1")).await;
    peer.expect_open().await;
}

/// Answers no ask by `refuse`: it takes the arguments and drops the answer, or panics, in the way that the key names. A replacement
/// that begins is given up, and this end asks for one.
struct Careless;

struct CarelessHandler(WeakConnection);

impl Extension for Careless {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![StartMask::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(CarelessHandler(connection))
    }
}

impl Handler for CarelessHandler {
    fn handle(&self, _: usize, mut ask: Ask) {
        let Some(connection) = self.0.upgrade() else { return };
        if let Some(upgrade) = Upgrade::begin(&connection, &mut ask) {
            drop(upgrade);
            drop(Upgrade::ask(&connection, &StartMask { key: 7 }, |_| pending()).expect("none is under way"));
        }
        let Some((StartMask { key }, _answer)) = ask.accept() else { return };
        assert_ne!(key, 1, "a handler that panics");
    }
}

#[tokio::test(start_paused = true)]
async fn two_ends_that_ask_at_once_both_have_an_error_however_the_ask_is_answered() {
    let (connection, mut peer) = scripted(Careless);
    // The first ask begins, and is answered when this end has asked, too.
    peer.send(ask("1", "StartMask", &[("key", "0")])).await;
    peer.expect([ask_mask("1"), unknown("1")].concat()).await;
    let call = tokio::spawn(connection.call(sum()));
    for (tag, key) in [("2", "0"), ("3", "1")] {
        peer.send(ask(tag, "StartMask", &[("key", key)])).await;
        peer.expect(unknown(tag)).await;
    }
    peer.send(ask("4", "StartMask", &[("key", "none")])).await;
    let invalid = peer.read_some().await;
    assert!(invalid.starts_with(&packed(&[("_error", "4"), ("_error_code", "INVALID_ARGUMENT")])[..40]));
    // What may be read by another transport waits, errors, too.
    peer.send([ask("5", "Nobody", &[]), ask_sum("6")].concat()).await;
    peer.expect_silence_for(MINUTE).await;
    peer.send(error("1", "NO", "")).await;
    peer.expect(ask_sum("2")).await;
    peer.expect([error("5", "UNHANDLED", "Unhandled Command: b'Nobody'"), answer_sum("6")].concat()).await;
    peer.send(answer_sum("2")).await;
    soon("the answer", call).await.expect("no panic").expect("an answer");
}

#[tokio::test]
async fn a_replacement_that_waits_is_dropped_with_the_driver_though_it_holds_a_handle() {
    let (here, _there) = tokio::io::duplex(64);
    let (connection, driver) = Connection::builder().build(here, Peer::other("script"));
    let (held, handle) = (Arc::new(()), connection.clone());
    let kept = (Arc::clone(&held), handle);
    let replace = move |previous: PreviousTransport| async move {
        let _kept = kept;
        Ok(previous.into_parts().1)
    };
    let reply = Upgrade::ask(&connection, &StartMask { key: 7 }, replace).expect("none is under way");
    drop(driver);
    assert_eq!(Arc::strong_count(&held), 1);
    drop(reply);
}

/// Keeps each ask with the upgrade that was begun for it.
#[derive(Clone, Default)]
struct Begun(Arc<Mutex<Vec<(Upgrade, Ask)>>>);

struct Begins(Begun, WeakConnection);

impl Extension for Begun {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![StartMask::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(Begins(self.clone(), connection))
    }
}

impl Handler for Begins {
    fn handle(&self, _: usize, mut ask: Ask) {
        let connection = self.1.upgrade().expect("it is open");
        let upgrade = Upgrade::begin(&connection, &mut ask).expect("none is under way");
        self.0.0.lock().expect("no panic").push((upgrade, ask));
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_is_not_accepted_with_the_answer_to_another_connections_ask() {
    let begun = Begun::default();
    let ((_one, mut peer), (_other, mut its_peer)) = (scripted(begun.clone()), scripted(begun.clone()));
    for peer in [&mut peer, &mut its_peer] {
        peer.send(ask_mask("1")).await;
        peer.expect_silence_for(Duration::from_secs(1)).await;
    }
    let mut begun = std::mem::take(&mut *begun.0.lock().expect("no panic"));
    let ((its_upgrade, its_ask), (upgrade, ask)) = (begun.remove(1), begun.remove(0));
    let (_, its_answer) = its_ask.accept::<StartMask>().expect("it decodes");
    upgrade.accept(its_answer, &Masked { key: 7 }, |previous| async { Ok(previous.into_parts().1) });
    drop((its_upgrade, ask));
    for peer in [&mut peer, &mut its_peer] {
        peer.expect(unknown("1")).await;
        peer.send(ask_sum("2")).await;
        peer.expect(answer_sum("2")).await;
    }
}

/// What a replacement holds, and panics when it is dropped.
struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("it is dropped"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_panics_when_it_is_dropped_unused_costs_nothing_else() {
    for is_declined in [true, false] {
        let (connection, mut peer) = scripted(Masking::default());
        let panics = PanicsInDrop;
        let replace = move |previous: PreviousTransport| {
            drop(panics);
            async { Ok(previous.into_parts().1) }
        };
        let reply = Upgrade::ask(&connection, &StartMask { key: 7 }, replace).expect("none is under way");
        peer.expect(ask_mask("1")).await;
        let call = tokio::spawn(connection.call(sum()));
        if is_declined {
            peer.send(error("1", "NO", "not now")).await;
            peer.expect(ask_sum("2")).await;
            peer.send(answer_sum("2")).await;
            soon("answered", call).await.expect("no panic").expect("the transport stays");
            assert!(soon("told", reply).await.is_err_and(|error| error.to_string().contains("NO")));
        } else {
            drop(peer);
            assert_eq!(ended(&connection).await, "ClosedByPeer");
        }
    }
}

/// Replaces nothing, at once, and panics when it is dropped.
struct Same(Option<PreviousTransport>, PanicsInDrop);

impl Future for Same {
    type Output = io::Result<BoxedTransport>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let previous = self.0.take().expect("it is polled once");
        Poll::Ready(Ok(previous.into_parts().1))
    }
}

#[tokio::test(start_paused = true)]
async fn a_replacement_that_panics_when_it_is_dropped_behind_its_end_costs_nothing_else() {
    let (connection, mut peer) = scripted(Masking::default());
    let replace = |previous: PreviousTransport| Same(Some(previous), PanicsInDrop);
    let reply = Upgrade::ask(&connection, &StartMask { key: 7 }, replace).expect("none is under way");
    peer.expect(ask_mask("1")).await;
    peer.send(answer_mask("1")).await;
    soon("agreed", reply).await.expect("an answer");
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("2")).await;
    peer.send(answer_sum("2")).await;
    soon("answered", call).await.expect("no panic").expect("the transport is there");
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_whose_peer_reads_no_more_while_an_ask_for_another_transport_is_queued() {
    let (connection, mut peer) = announced(1).await;
    for _ in 0..2 {
        drop(tokio::spawn(connection.call(sum()).no_timeout()));
        tokio::task::yield_now().await;
    }
    let replace = |previous: PreviousTransport| async { Ok(previous.into_parts().1) };
    let reply = Upgrade::ask(&connection, &StartMask { key: 7 }, replace).expect("none is under way");
    connection.close();
    let reason = tokio::time::timeout(3 * MINUTE, connection.closed()).await.expect("it ends");
    assert!(matches!(reason, CloseReason::Unwritten), "{reason:?}");
    drop((reply, &mut peer));
}

#[tokio::test(start_paused = true)]
async fn it_is_logged_that_nothing_is_received_of_what_a_peer_sends_over_a_transport_that_is_not_there_yet() {
    let logged = logged(Level::INFO);
    let (connection, mut peer) = scripted(Masking::default());
    let replace = |_: PreviousTransport| pending();
    let reply = Upgrade::ask(&connection, &StartMask { key: 7 }, replace).expect("none is under way");
    peer.expect(ask_mask("1")).await;
    peer.send(answer_mask("1")).await;
    soon("agreed", reply).await.expect("an answer");
    connection.close();
    let reason = tokio::time::timeout(3 * MINUTE, connection.closed()).await.expect("it ends");
    assert!(matches!(reason, CloseReason::Closed), "{reason:?}");
    assert!(logged.text().contains("may be lost"), "{}", logged.text());
}

const WORDS: (&str, &str) = ("_amp", "1 goodbye");
const HELLO: (&str, &str) = ("_command", "amp.Hello");

/// A connection to a peer that understands why a connection ends.
async fn announced(room: usize) -> (Connection, RawPeer) {
    let settings = Settings::new().close_timeout(MINUTE);
    let builder = Connection::builder().extension(Masking::default()).settings(settings);
    let (connection, mut peer) = RawPeer::of(room, builder);
    peer.send(packed(&[WORDS, HELLO])).await;
    peer.expect(packed(&[("_amp", "1 goodbye notify"), HELLO])).await;
    (connection, peer)
}

#[tokio::test(start_paused = true)]
async fn the_reason_of_an_end_goes_in_front_of_an_ask_for_another_transport_that_has_not_left() {
    let (connection, mut peer) = announced(64).await;
    let long = Sum { a: i64::MAX, b: i64::MAX };
    let arguments = [("a", "9223372036854775807"), ("b", "9223372036854775807")];
    let calls: Vec<_> = (0..3).map(|_| tokio::spawn(connection.call(Sum { ..long }))).collect();
    // The first write does not end before the peer reads.
    tokio::time::sleep(MINUTE / 12).await;
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    tokio::time::sleep(MINUTE / 12).await;
    peer.send([0, 0]).await;
    let rest = soon("the rest", peer.rest()).await;
    let mut expected: Vec<_> = ["2", "3", "4"].iter().flat_map(|tag| ask(tag, "Sum", &arguments)).collect();
    expected
        .extend(packed(&[("_command", "amp.Goodbye"), ("code", "PROTOCOL")]).split_last_chunk::<2>().expect("a box").0);
    assert!(rest.starts_with(&expected), "{} does not begin with {}", rest.escape_ascii(), expected.escape_ascii());
    assert!(rest.ends_with(&ask_mask("5")), "{} does not end with the ask", rest.escape_ascii());
    assert_eq!(ended(&connection).await, "Packet");
    drop((calls, mask));
}

#[tokio::test(start_paused = true)]
async fn behind_an_ask_for_another_transport_or_its_answer_no_reason_of_an_end_is_written() {
    let (connection, mut peer) = announced(1 << 20).await;
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    peer.expect(ask_mask("2")).await;
    peer.send([0, 0]).await;
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Packet");
    soon("the end", mask).await.expect("no panic").expect_err("the connection has ended");

    let (connection, mut peer) = announced(1 << 20).await;
    peer.send(ask_mask("1")).await;
    peer.expect([answer_mask("1"), GREETING.to_vec()].concat()).await;
    connection.abort();
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Aborted");
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_an_ask_is_written_once_the_peer_has_refused_also_while_this_end_closes() {
    let (connection, mut peer, mask, call) = asked().await;
    tokio::task::yield_now().await;
    connection.close();
    peer.send(error("1", "NO", "")).await;
    soon("the answer", mask).await.expect("no panic").expect_err("refused");
    peer.expect(ask_sum("2")).await;
    peer.send(answer_sum("2")).await;
    soon("the answer", call).await.expect("no panic").expect("an answer");
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");
}
