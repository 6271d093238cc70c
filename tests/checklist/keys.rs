//! Keys that an extension adds to asks and replies, and sees in those of the peer.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use amp::connection::{BoxSender, WeakConnection, pair};
use amp::locator::{Ask, Located, Locator};
use amp::schema::CommandDeclaration;
use amp::value::{BoxReader, RawValue};
use amp::wire::BoxLimits;
use amp::{CallError, Connection, Settings};
use amp_core::extension::{Extension, Handler, Keys, SentBox};

use crate::announcing::greeted;
use crate::commands::{House, Note, Wait, sum};
use crate::raw_peer::{RawPeer, answer, ask, ended, error, packed, soon};

/// Adds `_span` and `_a` to every ask and reply, and notes what it sees.
#[derive(Clone, Default)]
struct Tracing(Arc<Seen>);

#[derive(Default)]
struct Seen {
    asks: Mutex<Vec<String>>,
    replies: Mutex<Vec<String>>,
    /// How many boxes had no room.
    left_out: AtomicUsize,
}

impl Seen {
    fn asks(&self) -> Vec<String> {
        std::mem::take(&mut self.asks.lock().expect("no panic"))
    }

    fn replies(&self) -> Vec<String> {
        std::mem::take(&mut self.replies.lock().expect("no panic"))
    }

    fn add(&self, sent: &mut SentBox<'_>, about: &[&[u8]]) {
        let about: Vec<_> = about.iter().filter_map(|key| sent.value(key)).collect();
        let span = about.concat();
        if !(sent.add("_span", &span) && sent.add("_a", b"")) {
            self.left_out.fetch_add(1, SeqCst);
        }
    }
}

impl Extension for Tracing {
    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
    }

    fn attach(&self, _: WeakConnection) -> Arc<dyn Handler> {
        Arc::clone(&self.0) as _
    }
}

impl Handler for Seen {
    fn handle(&self, _: usize, ask: Ask) {
        panic!("{ask:?}: it claims nothing")
    }

    fn keys(self: Arc<Self>) -> Option<Arc<dyn Keys>> {
        Some(self)
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or("none".to_owned(), |bytes| bytes.escape_ascii().to_string())
}

impl Keys for Seen {
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        self.add(ask, &[b"_command", b"_ask"]);
    }

    fn add_to_reply(&self, reply: &mut SentBox<'_>) {
        self.add(reply, &[b"_answer", b"_error", b"_error_code"]);
    }

    fn see_ask(&self, ask: &Ask) {
        let seen = format!("{} {}", text(Some(ask.command())), text(ask.value(b"_span")));
        self.asks.lock().expect("no panic").push(seen);
    }

    fn see_reply(&self, reply: &BoxReader<'_>) {
        let value = |key: &[u8]| text(reply.find(key).map(RawValue::as_bytes));
        self.replies.lock().expect("no panic").push(format!("{} {}", value(b"_answer"), value(b"_span")));
    }
}

/// A locator that sees the keys of the asks.
struct Layer(Arc<Mutex<Vec<String>>>, House);

impl Locator for Layer {
    fn locate(&self, ask: Ask) -> Located {
        self.0.lock().expect("no panic").push(text(ask.value(b"_span")));
        self.1.clone().into_locator().locate(ask)
    }
}

fn scripted(settings: Settings) -> (Tracing, Connection, RawPeer) {
    let tracing = Tracing::default();
    let builder = Connection::builder().extension(tracing.clone()).locator(House::new().into_locator());
    let (connection, peer) = RawPeer::of(1 << 20, builder.settings(settings.announce(false)));
    (tracing, connection, peer)
}

#[tokio::test(start_paused = true)]
async fn keys_of_an_extension_stand_in_bytewise_order_in_asks_answers_and_errors() {
    let (tracing, connection, mut peer) = scripted(Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    let asked = [("_a", ""), ("_ask", "1"), ("_command", "Sum"), ("_span", "Sum1"), ("a", "1"), ("b", "2")];
    peer.expect(packed(&asked)).await;
    connection.notify(Note { text: "n".to_owned() }).await.expect("sent");
    peer.expect(packed(&[("_a", ""), ("_command", "Note"), ("_span", "Note"), ("text", "n")])).await;

    peer.send(packed(&[("_answer", "1"), ("_span", "back"), ("total", "3")])).await;
    assert_eq!(soon("an answer", call).await.expect("no panic").expect("an answer").total, 3);
    assert_eq!(tracing.0.replies(), ["1 back"]);

    peer.send(packed(&[("_ask", "x"), ("_command", "Sum"), ("_span", "s"), ("a", "1"), ("b", "2")])).await;
    peer.expect(packed(&[("_a", ""), ("_answer", "x"), ("_span", "x"), ("total", "3")])).await;
    peer.send(ask("y", "No", &[])).await;
    let words = [("_error_code", "UNHANDLED"), ("_error_description", "Unhandled Command: b'No'")];
    peer.expect(packed(&[&[("_a", ""), ("_error", "y")], &words[..], &[("_span", "yUNHANDLED")]].concat())).await;
    assert_eq!(tracing.0.asks(), ["Sum s", "No none"]);
    assert_eq!(tracing.0.left_out.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_box_that_has_no_room_for_a_key_goes_without_it_and_the_extension_is_told() {
    let plain = ask("1", "Wait", &[]);
    let limits = BoxLimits::new().bytes(plain.len());
    let (tracing, connection, mut peer) = scripted(Settings::new().boxes(limits));
    let call = tokio::spawn(connection.call(Wait));
    peer.expect(plain).await;
    peer.send(answer("1", &[])).await;
    soon("an answer", call).await.expect("no panic").expect("an answer");
    assert_eq!(tracing.0.left_out.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn locators_see_the_keys_of_asks_and_boxes_without_a_type_get_none() {
    let spans = Arc::default();
    let builder = Connection::builder().extension(Tracing::default()).settings(Settings::new().announce(false));
    let layer = Layer(Arc::clone(&spans), House::new());
    let (near, far) = pair(builder.clone(), builder.clone().locator(layer));
    assert_eq!(soon("an answer", near.call(sum())).await.expect("an answer").total, 3);
    assert_eq!(*spans.lock().expect("no panic"), ["Sum1"]);
    drop(far);

    let (connection, mut peer) = RawPeer::of(1 << 20, builder);
    let mut sent = amp::AmpBox::new();
    sent.insert("k", "v").expect("a short pair");
    connection.send_box(sent).expect("sent");
    peer.expect(packed(&[("k", "v")])).await;
}

#[tokio::test(start_paused = true)]
async fn every_notification_has_its_keys_also_one_that_is_marked_for_credit() {
    let (near, far) = (Tracing::default(), Tracing::default());
    let answering = Connection::builder().extension(far.clone()).locator(House::new().into_locator());
    let (caller, _answering) = pair(Connection::builder().extension(near), answering);
    // From its answer on the caller knows that its peer gives credit.
    soon("an answer", caller.call(sum())).await.expect("an answer");
    for _ in 0..300 {
        soon("a notification", caller.notify(Note { text: String::new() })).await.expect("sent");
    }
    soon("an answer", caller.call(sum())).await.expect("an answer");
    let mut asks = far.0.asks();
    asks.retain(|seen| !seen.starts_with("Sum"));
    assert_eq!(asks.len(), 300);
    assert!(asks.iter().all(|seen| seen.starts_with("Note Note")));
    assert!(asks.iter().any(|seen| seen != "Note Note"), "a marked one has a tag");
}

#[tokio::test(start_paused = true)]
async fn rule_98_a_command_of_this_librarys_own_has_no_keys_of_extensions() {
    let (_connection, mut peer) = RawPeer::of(1 << 20, Connection::builder().extension(Tracing::default()));
    greeted(&mut peer).await;
    peer.send(ask("1", "Nope", &[])).await;
    assert!(peer.read_some().await.windows(5).any(|bytes| bytes == b"_span"), "other boxes have them");
}

#[tokio::test(start_paused = true)]
async fn what_comes_behind_an_orderly_end_shows_extensions_no_keys() {
    let (tracing, house) = (Tracing::default(), House::new());
    let builder = Connection::builder().extension(tracing.clone()).locator(house.clone().into_locator());
    let (connection, mut peer) = RawPeer::of(1 << 20, builder.settings(Settings::new().announce(false)));
    let (told, mut is_told) = tokio::sync::oneshot::channel();
    connection.on_end(move |_| told.send(()).expect("the test listens"));
    let call = tokio::spawn(connection.call(Wait));
    peer.expect(packed(&[("_a", ""), ("_ask", "1"), ("_command", "Wait"), ("_span", "Wait1")])).await;
    call.abort();
    connection.close();
    peer.expect_end("").await;
    is_told.try_recv().expect("the end is known");

    peer.send(packed(&[("_command", "Note"), ("_span", "s"), ("text", "n")])).await;
    peer.send([ask("x", "Wait", &[]), answer("1", &[])].concat()).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
    assert_eq!(house.notes(), ["n"], "what was accepted runs");
    assert_eq!((tracing.0.asks(), tracing.0.replies()), (Vec::new(), Vec::new()));
}

/// Panics wherever it can.
struct Broken;

impl Extension for Broken {
    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
    }

    fn attach(&self, _: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(Self)
    }
}

impl Handler for Broken {
    fn handle(&self, _: usize, _: Ask) {}

    fn keys(self: Arc<Self>) -> Option<Arc<dyn Keys>> {
        Some(self)
    }
}

impl Keys for Broken {
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        assert!(!ask.add("_before", b""), "the key stays, and no more comes")
    }

    fn add_to_reply(&self, _: &mut SentBox<'_>) {
        panic!("no key")
    }

    fn see_ask(&self, _: &Ask) {
        panic!("an ask")
    }

    fn see_reply(&self, _: &BoxReader<'_>) {
        panic!("a reply")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_an_extensions_keys_costs_no_more_than_the_keys() {
    let builder = Connection::builder().extension(Broken).locator(House::new().into_locator());
    let (connection, mut peer) = RawPeer::of(1 << 20, builder.settings(Settings::new().announce(false)));
    for tag in ["1", "2"] {
        let call = tokio::spawn(connection.call(Wait));
        peer.expect(packed(&[("_ask", tag), ("_before", ""), ("_command", "Wait")])).await;
        peer.send(error(tag, "BUSY", "busy")).await;
        let reply = soon("an error", call).await.expect("no panic");
        assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == "BUSY"), "{reply:?}");
    }
    peer.expect_open().await;
}
