//! What is decoded is bounded before it takes memory, counts while its responder runs, and holds up nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::locator::{Answer, Ask, Located, Locator};
use amp::value::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use amp::wire::BoxLimits;
use amp::{Arguments, CallError, Command, Connection, Reply, Settings, responder};
use tokio::sync::Semaphore;

use crate::raw_peer::{RawPeer, answer, ask, ask_sum, error, packed, soon};

/// Waits for what happens on another thread, while paused time stands still.
pub(crate) async fn until(what: &str, mut happens: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !happens() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: this hangs");
        tokio::task::yield_now().await;
    }
}

/// A list, and its answer.
#[derive(Command, Debug)]
#[amp(response = Texts)]
struct Keep {
    texts: Vec<String>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Texts {
    texts: Vec<String>,
}

/// Eight optional texts: 192 bytes where the wire has two.
#[derive(Arguments, Debug)]
struct Eight {
    a: Option<String>,
    b: Option<String>,
    c: Option<String>,
    d: Option<String>,
    e: Option<String>,
    f: Option<String>,
    g: Option<String>,
    h: Option<String>,
}

#[derive(Command, Debug)]
struct Eights {
    list: Vec<Eight>,
}

/// Holds what it was given until the gate opens.
#[derive(Clone)]
struct Keeper(Arc<Semaphore>);

impl Keeper {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    async fn pass(&self) {
        self.0.acquire().await.expect("the gate is there").forget();
    }
}

#[responder]
impl Keeper {
    async fn keep(&self, command: Keep) -> Reply<Keep> {
        self.pass().await;
        let first = command.texts.into_iter().take(1).collect();
        Ok(Texts { texts: first })
    }

    async fn eights(&self, command: Eights) -> Reply<Eights> {
        self.pass().await;
        drop(command);
        Ok(())
    }
}

fn keeper(settings: Settings) -> (Keeper, Connection, RawPeer) {
    let keeper = Keeper::new();
    let (connection, peer) = RawPeer::with(keeper.clone().into_locator(), settings);
    (keeper, connection, peer)
}

pub(crate) fn busy(tag: &str) -> Vec<u8> {
    error(tag, "BUSY", "Too many commands are running; try again later")
}

/// So many empty texts: 24 bytes each where the wire has two.
fn ask_keep(tag: &str, texts: usize) -> Vec<u8> {
    ask(tag, "Keep", &[("texts", &"\0\0".repeat(texts))])
}

fn kept(tag: &str) -> Vec<u8> {
    answer(tag, &[("texts", "\0\0")])
}

#[tokio::test(start_paused = true)]
async fn what_a_command_decodes_to_counts_while_its_responder_runs_and_no_longer() {
    let (keeper, _connection, mut peer) = keeper(Settings::new().max_inbound(1_100_000));
    // Of each 240,000 bytes are held: four of them fit, beside the boxes of those that wait to be decoded.
    for round in 0..3 {
        for tag in 1..=6 {
            peer.send(ask_keep(&tag.to_string(), 10_000)).await;
        }
        peer.expect([busy("5"), busy("6")].concat()).await;
        keeper.0.add_permits(4);
        peer.expect([kept("1"), kept("2"), kept("3"), kept("4")].concat()).await;
        assert_eq!(keeper.0.available_permits(), 0, "{round}");
    }
}

#[tokio::test(start_paused = true)]
async fn lists_of_empty_boxes_hold_no_more_than_asks_may_hold_together() {
    let (keeper, _connection, mut peer) = keeper(Settings::new());
    // Each decodes to 6 MiB: 150 of them would be 900 MiB, and 64 MiB are allowed, in which 10 have room.
    let zeros = "\0".repeat(65_534);
    for tag in 100..250 {
        peer.send(ask(&tag.to_string(), "Eights", &[("list", &zeros)])).await;
    }
    let (answered, refused) = (answer("100", &[]).len(), busy("100").len());
    for _ in 0..140 {
        assert!(peer.read_bytes(refused).await.starts_with(b"\0\x06_error"));
    }
    keeper.0.add_permits(150);
    for _ in 0..10 {
        if peer.read_bytes(answered).await.starts_with(b"\0\x06_error") {
            peer.read_bytes(refused - answered).await;
        }
    }
    peer.send(ask("1", "Eights", &[("list", &zeros)])).await;
    peer.expect(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_over_the_limits_of_decoding_is_an_invalid_argument_that_names_the_limit() {
    let (_keeper, _connection, mut peer) =
        keeper(Settings::new().boxes(BoxLimits::new().decoded_bytes(100_000).items(5_000)));
    peer.send(ask_keep("1", 4_500)).await;
    let text = "texts[4096]: decodes to more than 100000 bytes; see `BoxLimits::decoded_bytes`";
    peer.expect(error("1", "INVALID_ARGUMENT", text)).await;
    let zeros = "\0".repeat(10_002);
    peer.send(ask("2", "Keep", &[("texts", &zeros)])).await;
    peer.expect(error("2", "INVALID_ARGUMENT", text)).await;
    let (_keeper, _connection, mut peer) = keeper_of_items(5_000);
    peer.send(ask("2", "Keep", &[("texts", &zeros)])).await;
    let text = "texts[5000]: more than 5000 items in the lists of one box; see `BoxLimits::items`";
    peer.expect(error("2", "INVALID_ARGUMENT", text)).await;
    peer.send(ask_sum("3")).await;
    peer.expect(error("3", "UNHANDLED", "Unhandled Command: b'Sum'")).await;
}

fn keeper_of_items(items: usize) -> (Keeper, Connection, RawPeer) {
    keeper(Settings::new().boxes(BoxLimits::new().items(items)))
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_limits_of_decoding_fails_its_one_call() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().boxes(BoxLimits::new().decoded_bytes(1_000)));
    let call = connection.call(Keep { texts: Vec::new() });
    let script = async {
        peer.expect(ask("1", "Keep", &[("texts", "")])).await;
        peer.send(answer("1", &[("texts", &"\0\0".repeat(1_000))])).await;
    };
    match soon("the answer", async { tokio::join!(call, script).0 }).await {
        Err(CallError::Response(error)) => {
            assert_eq!((error.path(), error.kind()), ("texts[32]", &DecodeErrorKind::TooManyBytes { limit: 1_000 }));
        }
        other => panic!("{other:?}"),
    }
    let call = connection.call(Keep { texts: Vec::new() });
    let script = async {
        peer.expect(ask("2", "Keep", &[("texts", "")])).await;
        peer.send(kept("2")).await;
    };
    let reply = soon("the next answer", async { tokio::join!(call, script).0 }).await;
    assert_eq!(reply.expect("it is small").texts, [""]);
}

/// Says how much memory a slice of it would keep.
#[derive(Debug)]
struct Pins(usize);

impl Value for Pins {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Err(EncodeError::custom("only received"))
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self(raw.pinned()))
    }
}

#[derive(Command, Debug)]
#[amp(response = Total)]
struct Look {
    data: Pins,
}

#[derive(Arguments, Debug)]
struct Total {
    total: usize,
}

struct Looker;

#[responder]
impl Looker {
    async fn look(&self, command: Look) -> Reply<Look> {
        Ok(Total { total: command.data.0 })
    }
}

fn ask_look(tag: &str, length: usize) -> Vec<u8> {
    ask(tag, "Look", &[("data", &"d".repeat(length))])
}

/// How much the next answer, to an ask with the tag, says.
async fn total(peer: &mut RawPeer, tag: &str, digits: usize) -> usize {
    let bytes = peer.read_bytes(answer(tag, &[("total", &"0".repeat(digits))]).len()).await;
    let text = &bytes[bytes.len() - 2 - digits..bytes.len() - 2];
    String::from_utf8_lossy(text).parse().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn a_small_box_behind_a_large_one_keeps_no_more_than_twice_its_length() {
    let (_connection, mut peer) = RawPeer::with(Looker.into_locator(), Settings::new());
    let value = "v".repeat(65_000);
    let keys: Vec<String> = (0..14).map(|at| format!("k{at:02}")).collect();
    let pairs: Vec<_> = keys.iter().map(|key| (key.as_str(), value.as_str())).collect();
    for tag in 1..10 {
        let tag = tag.to_string();
        peer.send([packed(&[&[("_command", "Unknown")], &pairs[..]].concat()), ask_look(&tag, 8_200)].concat()).await;
        let pinned = total(&mut peer, &tag, 4).await;
        assert!((8_200..2 * 8_300).contains(&pinned), "{pinned}");
    }
}

/// Keeps whole asks.
#[derive(Clone, Default)]
struct Hoard(Arc<Mutex<Vec<Ask>>>);

impl Locator for Hoard {
    fn locate(&self, ask: Ask) -> Located {
        self.0.lock().expect("no panic").push(ask);
        Located::Answered
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_its_locator_keeps_is_in_memory_of_its_own() {
    let hoard = Hoard::default();
    let (_connection, mut peer) = RawPeer::with(hoard.clone(), Settings::new());
    let asks: Vec<u8> = (0..100).flat_map(|tag| ask_look(&format!("{tag:02}"), 50)).collect();
    peer.send(asks).await;
    // All have come when the last one has.
    until("100 asks", || hoard.0.lock().expect("no panic").len() == 100).await;
    for ask in hoard.0.lock().expect("no panic").drain(..) {
        let (look, answer) = ask.accept::<Look>().expect("it decodes");
        assert!(look.data.0 <= 2 * 100, "{}", look.data.0);
        answer.send(Ok(Total { total: 0 }));
    }
}

/// Takes what it is asked, and answers later.
#[derive(Clone, Default)]
struct Takes(Arc<Mutex<Vec<Taken>>>);

type Taken = (Keep, Answer<Keep>);

impl Locator for Takes {
    fn locate(&self, ask: Ask) -> Located {
        self.0.lock().expect("no panic").extend(ask.accept::<Keep>());
        Located::Answered
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_counts_no_longer_whatever_it_decoded_to() {
    let takes = Takes::default();
    let (_connection, mut peer) = RawPeer::with(takes.clone(), Settings::new().max_inbound(500_000));
    for tag in 1..=6 {
        peer.send(ask_keep(&tag.to_string(), 10_000)).await;
    }
    until("six asks", || takes.0.lock().expect("no panic").len() == 6).await;
    for (_, answer) in takes.0.lock().expect("no panic").drain(..) {
        answer.send(Ok(Texts { texts: Vec::new() }));
    }
    let answers: Vec<u8> = (1..=6).flat_map(|tag| answer(&tag.to_string(), &[("texts", "")])).collect();
    peer.expect(answers).await;
}

static DECODED: Mutex<Option<HashMap<String, usize>>> = Mutex::new(None);

/// Counts how often one was decoded, by what it says.
#[derive(Debug)]
struct Counted;

impl Counted {
    fn times(name: &str) -> usize {
        let decoded = DECODED.lock().expect("no panic");
        decoded.as_ref().and_then(|decoded| decoded.get(name)).copied().unwrap_or_default()
    }
}

impl Value for Counted {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Err(EncodeError::custom("only received"))
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let name = String::decode(raw)?;
        *DECODED.lock().expect("no panic").get_or_insert_default().entry(name).or_default() += 1;
        Ok(Self)
    }
}

#[derive(Command, Debug)]
#[allow(dead_code, reason = "only its decoding counts")]
struct Bounded {
    #[constrain(length = 1..=2)]
    items: Option<Vec<Counted>>,
    #[constrain(non_empty, length = ..=1)]
    boxes: Option<Vec<Holds>>,
    inner: Option<Vec<Inner>>,
}

#[derive(Arguments, Debug)]
#[allow(dead_code, reason = "only its decoding counts")]
struct Holds {
    one: Counted,
}

#[derive(Arguments, Debug)]
#[allow(dead_code, reason = "only its decoding counts")]
struct Inner {
    #[constrain(length = ..=1)]
    items: Vec<Counted>,
}

struct Judge;

#[responder]
impl Judge {
    async fn bounded(&self, _command: Bounded) -> Reply<Bounded> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_its_length_is_refused_before_an_item_of_it_is_decoded() {
    let (_connection, mut peer) = RawPeer::with(Judge.into_locator(), Settings::new());
    let inner = [packed(&[("items", "\0\x01z")]), packed(&[("items", "\0\x01e\0\x01e")])].concat();
    let inner = String::from_utf8(inner).expect("short lengths are text");
    let rows: [(&str, &str, &str, usize, &str); 6] = [
        ("items", "\0\x01a\0\x01a\0\x01a", "a", 0, "items: length not in 1..=2"),
        ("items", "\0\x01b\0\x01b", "b", 2, ""),
        ("boxes", "\0\x03one\0\x01c\0\0\0\x03one\0\x01c\0\0", "c", 0, "boxes: length not in ..=1"),
        ("boxes", "\0\x03one\0\x01d\0\0", "d", 1, ""),
        ("boxes", "", "f", 0, "boxes: empty"),
        ("inner", &inner, "e", 0, "inner[1].items: length not in ..=1"),
    ];
    for (key, list, name, times, told) in rows {
        peer.send(ask("1", "Bounded", &[(key, list)])).await;
        let expected = if told.is_empty() { answer("1", &[]) } else { error("1", "INVALID_ARGUMENT", told) };
        peer.expect(expected).await;
        assert_eq!(Counted::times(name), times, "{key} {name}");
    }
}
