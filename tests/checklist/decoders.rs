//! What is large or heavy to decode is decoded on another thread, once or twice, and in its order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use amp::connection::pair;
use amp::locator::{Ask, Located, Locator};
use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter, Zlib};
use amp::wire::BoxLimits;
use amp::{Arguments, Command, Connection, Reply, Settings, responder};

use crate::commands::{House, Wait};
use crate::decoding::{busy, until};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, error, packed, soon, unknown};

/// More items than are decoded on the reader.
const HEAVY: usize = 1025;

#[derive(Command, Debug)]
#[amp(response = Counted)]
struct Count {
    #[amp(default)]
    texts: Vec<String>,
    zlib: Option<Zlib<String>>,
    #[amp(default)]
    padding: String,
}

#[derive(Arguments, Debug, PartialEq)]
struct Counted {
    bytes: usize,
    texts: usize,
}

struct Counter;

#[responder]
impl Counter {
    async fn count(&self, Count { texts, zlib, .. }: Count) -> Reply<Count> {
        Ok(Counted { bytes: zlib.map_or(0, |text| text.0.len()), texts: texts.len() })
    }
}

/// Notes the threads on which it locates.
#[derive(Clone)]
struct Noting<L> {
    threads: Arc<Mutex<Vec<ThreadId>>>,
    inner: L,
}

impl<L: Locator> Locator for Noting<L> {
    fn locate(&self, ask: Ask) -> Located {
        self.threads.lock().expect("no panic").push(thread::current().id());
        self.inner.locate(ask)
    }
}

fn noting<L: Locator>(inner: L, settings: Settings) -> (Arc<Mutex<Vec<ThreadId>>>, Connection, RawPeer) {
    let threads = Arc::default();
    let (connection, peer) = RawPeer::with(Noting { threads: Arc::clone(&threads), inner }, settings);
    (threads, connection, peer)
}

/// Whether each time since the last call was on this thread, which is the reader's.
fn here(threads: &Mutex<Vec<ThreadId>>) -> Vec<bool> {
    let threads = std::mem::take(&mut *threads.lock().expect("no panic"));
    threads.into_iter().map(|id| id == thread::current().id()).collect()
}

fn counted(tag: &str, texts: usize, bytes: usize) -> Vec<u8> {
    answer(tag, &[("bytes", &bytes.to_string()), ("texts", &texts.to_string())])
}

fn ask_count(tag: &str, texts: usize) -> Vec<u8> {
    ask(tag, "Count", &[("texts", &"\0\0".repeat(texts))])
}

/// A text of the length that zlib makes short.
fn ask_zlib(tag: &str, length: usize) -> Vec<u8> {
    let mut text = Vec::new();
    Zlib::<String>("a".repeat(length)).encode(&mut ValueWriter::new(&mut text)).expect("it is short");
    let mut ask = packed(&[("_ask", tag), ("_command", "Count")]);
    ask.truncate(ask.len() - 2);
    let length = u16::try_from(text.len()).expect("it is short").to_be_bytes();
    [&ask, b"\0\x04zlib".as_slice(), &length, &text, b"\0\0"].concat()
}

#[tokio::test(start_paused = true)]
async fn a_heavy_ask_is_located_once_more_on_another_thread_and_what_came_behind_it_begins_behind_it() {
    let (threads, _connection, mut peer) = noting(Counter.into_locator(), Settings::new());
    peer.send(ask_count("1", HEAVY - 1)).await;
    peer.expect(counted("1", HEAVY - 1, 0)).await;
    assert_eq!(here(&threads), [true]);
    peer.send([ask_count("2", HEAVY), ask_count("3", 1), ask_count("4", HEAVY), ask_count("5", 2)].concat()).await;
    peer.expect([counted("2", HEAVY, 0), counted("3", 1, 0), counted("4", HEAVY, 0), counted("5", 2, 0)].concat())
        .await;
    assert_eq!(here(&threads), [true, false, true, true, false, true]);
    // Memory is work, too.
    peer.send([ask_zlib("6", 100_000), ask_zlib("7", 400_000)].concat()).await;
    peer.expect([counted("6", 0, 100_000), counted("7", 0, 400_000)].concat()).await;
    assert_eq!(here(&threads), [true, true, false]);
}

/// Says how much work it is.
#[derive(Debug)]
struct Laborious(usize);

impl Value for Laborious {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Err(EncodeError::custom("only received"))
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let items = usize::decode(raw)?;
        raw.charge_work(items / 2)?;
        raw.charge_work(items - items / 2)?;
        Ok(Self(items))
    }
}

#[derive(Command, Debug)]
#[amp(response = Counted)]
struct Labor {
    work: Laborious,
}

struct Laborer;

#[responder]
impl Laborer {
    async fn labor(&self, Labor { work }: Labor) -> Reply<Labor> {
        Ok(Counted { bytes: 0, texts: work.0 })
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_a_value_charges_makes_an_ask_heavy_and_has_no_limit() {
    let limits = BoxLimits::new().items(10);
    let (threads, _connection, mut peer) = noting(Laborer.into_locator(), Settings::new().boxes(limits));
    for (work, located) in
        [(0, vec![true]), (1_024, vec![true]), (1_025, vec![true, false]), (10_000_000, vec![true, false])]
    {
        peer.send(ask("1", "Labor", &[("work", &work.to_string())])).await;
        peer.expect(counted("1", work, 0)).await;
        assert_eq!(here(&threads), located, "{work}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_ask_is_never_located_on_the_reader_and_twice_if_it_is_heavy() {
    let (threads, _connection, mut peer) = noting(Counter.into_locator(), Settings::new());
    for (texts, located) in [(1, vec![false]), (HEAVY, vec![false, false])] {
        let list = "\0\0".repeat(texts);
        peer.send(ask("1", "Count", &[("texts", &list), ("padding", &"p".repeat(65_000)), ("q", &"q".repeat(1_000))]))
            .await;
        peer.expect(counted("1", texts, 0)).await;
        assert_eq!(here(&threads), located, "{texts}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_below_those_of_little_work_refuse_at_once_and_others_after_the_second_time() {
    for (items, located) in
        [(1, vec![true]), (1_024, vec![true]), (1_025, vec![true, false]), (1_500, vec![true, false])]
    {
        let limits = BoxLimits::new().items(items);
        let (threads, _connection, mut peer) = noting(Counter.into_locator(), Settings::new().boxes(limits));
        peer.send(ask_count("1", 1_600)).await;
        let text = format!("texts[{items}]: more than {items} items in the lists of one box; see `BoxLimits::items`");
        peer.expect(error("1", "INVALID_ARGUMENT", &text)).await;
        assert_eq!(here(&threads), located, "{items}");
        peer.send(ask_count("2", 1)).await;
        peer.expect(counted("2", 1, 0)).await;
    }
}

/// Bytes that the first time has reserved are free again the second time, and after an ask that was refused.
#[tokio::test(start_paused = true)]
async fn what_the_first_time_has_reserved_does_not_count_the_second_time() {
    // The texts of one ask have room, 48 KB, and those of the other have not, 192 KB.
    let (_threads, _connection, mut peer) = noting(Counter.into_locator(), Settings::new().max_inbound(130_000));
    for _ in 0..10 {
        peer.send([ask_count("1", 2_000), ask_count("2", 8_000)].concat()).await;
        peer.expect([counted("1", 2_000, 0), busy("2")].concat()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn many_pairs_of_a_command_without_a_type_are_heavy() {
    let passes_on = amp::locator::fallback(|_, arguments| async { Ok(arguments) });
    let limits = BoxLimits::new().pairs(2_000);
    let (threads, _connection, mut peer) = noting(passes_on, Settings::new().boxes(limits));
    let keys: Vec<String> = (1_000..1_000 + HEAVY).map(|key| format!("k{key}")).collect();
    for (count, located) in [(HEAVY - 3, vec![true]), (HEAVY, vec![true, false])] {
        let pairs: Vec<(&str, &str)> = keys[..count].iter().map(|key| (key.as_str(), "")).collect();
        peer.send(ask("1", "Unknown", &pairs)).await;
        peer.expect(answer("1", &pairs)).await;
        assert_eq!(here(&threads), located, "{count}");
    }
}

/// Calls everything heavy.
struct Heavy;

impl Locator for Heavy {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Count>() { Located::Heavy(ask) } else { Located::Unknown(ask) }
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_heavy_twice_is_answered_with_an_error() {
    let (threads, _connection, mut peer) = noting(Heavy.or(House::new().into_locator()), Settings::new());
    peer.send([ask_count("1", 1), ask_sum("2")].concat()).await;
    peer.expect([unknown("1"), answer_sum("2")].concat()).await;
    assert_eq!(here(&threads), [true, false, true]);
}

/// What decodes only when the test says so, wherever that is.
struct Gates {
    inside: Receiver<()>,
    opens: Sender<Opens>,
}

#[derive(Clone, Copy, PartialEq)]
enum Opens {
    Well,
    Panics,
}

/// A locator that stands still for asks of `Wide`, and has a house behind it.
struct Gated {
    inside: Sender<()>,
    opens: Mutex<Receiver<Opens>>,
    begun: Arc<AtomicUsize>,
}

#[derive(Command, Debug)]
struct Wide {
    data: Vec<u8>,
}

impl Locator for Gated {
    fn locate(&self, ask: Ask) -> Located {
        if !ask.is::<Wide>() {
            return Located::Unknown(ask);
        }
        self.inside.send(()).expect("the test is there");
        // A real wait: if it were on the test's thread, the gate would stay closed.
        let opens = self.opens.lock().expect("no panic").recv_timeout(Duration::from_secs(20));
        if opens.expect("the gate opens while an ask is decoded") == Opens::Panics {
            drop(ask);
            panic!("while an ask is decoded");
        }
        let begun = Arc::clone(&self.begun);
        ask.respond(async move |_: Wide| {
            begun.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

fn gated(settings: Settings) -> (Gates, Arc<AtomicUsize>, House, Connection, RawPeer) {
    let ((inside, is_inside), (opens, opened)) = (mpsc::channel(), mpsc::channel());
    let (begun, house) = (Arc::default(), House::new());
    let gated = Gated { inside, opens: Mutex::new(opened), begun: Arc::clone(&begun) };
    let (connection, peer) = RawPeer::with(gated.or(house.clone().into_locator()), settings);
    (Gates { inside: is_inside, opens }, begun, house, connection, peer)
}

impl Gates {
    /// Waits until an ask is being decoded, while the runtime goes on.
    async fn entered(&self) {
        until("an ask is decoded", || self.inside.try_recv().is_ok()).await;
    }

    fn open(&self, how: Opens) {
        self.opens.send(how).expect("the locator is there");
    }
}

fn ask_wide(tag: &str) -> Vec<u8> {
    ask(tag, "Wide", &[("data", &"d".repeat(65_535))])
}

#[tokio::test(start_paused = true)]
async fn others_go_on_while_a_large_ask_is_decoded_and_what_came_behind_it_begins_behind_it() {
    let (gates, begun, _house, _connection, mut peer) = gated(Settings::new());
    peer.send([ask_wide("1"), ask_sum("2")].concat()).await;
    gates.entered().await;
    let (other, _served) = pair(Connection::builder(), Connection::builder().locator(House::new().into_locator()));
    soon("another connection", other.call(crate::commands::sum())).await.expect("it is answered");
    peer.send(ask_sum("3")).await;
    assert_eq!(begun.load(Ordering::SeqCst), 0);
    gates.open(Opens::Well);
    peer.expect([answer("1", &[]), answer_sum("2"), answer_sum("3")].concat()).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_decoded_counts_among_those_that_run_and_a_panic_costs_it_alone() {
    let (gates, _, _house, _connection, mut peer) = gated(Settings::new().max_responders(2));
    peer.send([ask_wide("1"), ask_sum("2"), ask_sum("3")].concat()).await;
    peer.expect(busy("3")).await;
    gates.entered().await;
    gates.open(Opens::Panics);
    peer.expect([unknown("1"), answer_sum("2")].concat()).await;
    peer.send(ask_wide("4")).await;
    gates.open(Opens::Well);
    peer.expect(answer("4", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn closing_waits_for_an_ask_that_is_decoded() {
    let (gates, begun, _house, connection, mut peer) = gated(Settings::new());
    peer.send([ask_wide("1"), ask_sum("2")].concat()).await;
    gates.entered().await;
    connection.close();
    // The driver has seen that it closes when what waits is refused.
    tokio::task::yield_now().await;
    gates.open(Opens::Well);
    let draining = crate::raw_peer::draining("2");
    let mut got = peer.read_bytes(answer("1", &[]).len() + draining.len()).await;
    // Which is written first depends on when the driver looks.
    got.sort_unstable();
    let mut expected = [answer("1", &[]), draining].concat();
    expected.sort_unstable();
    assert_eq!(got, expected);
    peer.expect_end([]).await;
    drop(peer);
    assert_eq!((ended(&connection).await.as_str(), begun.load(Ordering::SeqCst)), ("Closed", 1));
}

#[tokio::test(start_paused = true)]
async fn an_ask_whose_caller_leaves_while_it_is_decoded_does_not_begin() {
    for (aborts, reason) in [(true, "Aborted"), (false, "ClosedByPeer")] {
        let (gates, begun, _house, connection, mut peer) = gated(Settings::new());
        peer.send(ask_wide("1")).await;
        gates.entered().await;
        if aborts {
            connection.abort();
        }
        drop(peer);
        until("the end", || connection.is_closed()).await;
        gates.open(Opens::Well);
        assert_eq!(ended(&connection).await, reason);
        assert_eq!(begun.load(Ordering::SeqCst), 0, "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_order_a_large_ask_begins_when_the_one_before_it_has_finished_and_before_those_behind_it() {
    let (gates, begun, house, _connection, mut peer) = gated(Settings::new().in_order(true));
    peer.send([ask("1", Wait::NAME, &[]), ask_wide("2"), ask_sum("3")].concat()).await;
    until("the first one runs", || house.waiting() == 1).await;
    assert!(gates.inside.try_recv().is_err(), "the first one runs");
    house.open(1);
    peer.expect(answer("1", &[])).await;
    gates.entered().await;
    gates.open(Opens::Well);
    peer.expect([answer("2", &[]), answer_sum("3")].concat()).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}
