//! The exposed answer: a responder sends it, and goes on working.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use amp::connection::pair;
use amp::error::codes;
use amp::locator::{Ask, EarlyAnswer, Located, Locator};
use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Exposed, Peer, Reply, Settings, responder};
use amp_core::extension::RunningAsks;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, ask, error, soon, unknown};

#[derive(Arguments, Debug, PartialEq)]
struct Ticket {
    number: u32,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum OrderError {
    #[error("no more today")]
    Closed,
}

/// What a responder does, step by step.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Ticket, errors = OrderError)]
struct Order {
    steps: String,
    #[exposed]
    answer: Exposed<EarlyAnswer<Order>>,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Command, Debug)]
#[amp(response = Ticket)]
struct Count {}

/// The same for whoever waits for no answer.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Note {
    #[exposed]
    answer: Exposed<EarlyAnswer<Note>>,
}

#[derive(Clone)]
struct Office {
    gate: Arc<Semaphore>,
    /// What responders have seen.
    seen: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Vec<EarlyAnswer<Order>>>>,
}

impl Office {
    fn new() -> Self {
        Self { gate: Arc::new(Semaphore::new(0)), seen: Arc::default(), kept: Arc::default() }
    }

    fn see(&self, seen: impl Into<String>) {
        self.seen.lock().expect("no panic").push(seen.into());
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().expect("no panic"))
    }
}

#[responder]
impl Office {
    async fn order(&self, order: Order) -> Reply<Order> {
        for (number, step) in (1..).zip(order.steps.chars()) {
            match step {
                'a' => self.see(format!("sent {}", order.answer.send(Ok(Ticket { number })))),
                'e' => self.see(format!("sent {}", order.answer.send(Err(OrderError::Closed.into())))),
                'w' => self.gate.acquire().await.map_err(CallError::failed)?.forget(),
                'k' => self.kept.lock().expect("no panic").push(EarlyAnswer::clone(&order.answer)),
                'c' | 't' => {
                    let connection = Connection::clone(&order.connection);
                    let call = timeout(Duration::from_secs(5), async move { connection.call(Count {}).await });
                    let called = if step == 'c' { call.await } else { tokio::spawn(call).await.expect("no panic") };
                    self.see(format!("called {}", called.is_ok()));
                }
                'f' => return Err(CallError::failed("the printer burns")),
                'p' => panic!("on purpose"),
                '?' => self.see(format!("wanted {}", order.answer.is_wanted())),
                other => panic!("{other}"),
            }
        }
        self.see("done");
        Ok(Ticket { number: 100 })
    }

    /// As a parameter, beside other context.
    async fn count(&self, _: Count, answer: EarlyAnswer<Count>, peer: Peer) -> Reply<Count> {
        answer.send(Ok(Ticket { number: 5 }));
        self.gate.acquire().await.map_err(CallError::failed)?.forget();
        self.see(format!("counted for {peer}"));
        Ok(Ticket { number: 6 })
    }

    #[amp(spawn)]
    async fn note(&self, note: Note) -> Reply<Note> {
        self.see(format!("wanted {}", note.answer.is_wanted()));
        self.see(format!("sent {} {}", note.answer.send(Ok(())), note.answer.send(Ok(()))));
        Ok(())
    }
}

fn order(tag: &str, steps: &str) -> Vec<u8> {
    ask(tag, "Order", &[("steps", steps)])
}

fn ticket(tag: &str, number: u32) -> Vec<u8> {
    answer(tag, &[("number", &number.to_string())])
}

fn office() -> (Connection, RawPeer, Office) {
    let office = Office::new();
    let (connection, peer) = RawPeer::with(office.clone().into_locator(), Settings::new());
    (connection, peer, office)
}

#[tokio::test(start_paused = true)]
async fn the_first_answer_is_sent_at_once_and_no_other_and_the_responder_goes_on() {
    let (_connection, mut peer, office) = office();
    peer.send(order("1", "?aa?w")).await;
    peer.expect(ticket("1", 2)).await;
    assert_eq!(office.seen(), ["wanted true", "sent true", "sent false", "wanted false"]);
    // The tag is free for the next ask.
    peer.send(order("1", "")).await;
    peer.expect(ticket("1", 100)).await;
    office.gate.add_permits(1);
    peer.expect_silence().await;
    assert_eq!(office.seen(), ["done", "done"]);
}

#[tokio::test(start_paused = true)]
async fn without_an_early_answer_the_result_is_the_answer() {
    let (_connection, mut peer, office) = office();
    peer.send([order("1", "w"), order("2", "e"), order("3", "f"), order("4", "p")].concat()).await;
    peer.expect([error("2", "CLOSED", "no more today"), unknown("3"), unknown("4")].concat()).await;
    office.gate.add_permits(1);
    peer.expect(ticket("1", 100)).await;
    assert_eq!(office.seen(), ["sent true", "done", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_behind_the_answer_is_logged_and_a_panic_and_neither_is_sent() {
    let logged = logged(Level::WARN);
    let (_connection, mut peer, _) = office();
    peer.send([order("1", "af"), order("2", "ap"), order("3", "ewf")].concat()).await;
    peer.expect([ticket("1", 1), ticket("2", 1), error("3", "CLOSED", "no more today")].concat()).await;
    peer.expect_silence().await;
    let text = logged.text();
    assert!(text.contains("a responder failed after its answer") && text.contains("the printer burns"), "{text}");
    assert!(text.contains("Order") && text.contains("on purpose"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_kept_is_worth_nothing_when_the_responder_has_ended() {
    let (_connection, mut peer, office) = office();
    peer.send([order("1", "k"), order("2", "kp")].concat()).await;
    peer.expect([ticket("1", 100), unknown("2")].concat()).await;
    for kept in office.kept.lock().expect("no panic").drain(..) {
        assert!(!kept.is_wanted() && !kept.send(Ok(Ticket { number: 1 })));
    }
    peer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_kept_is_sent_from_another_task_while_the_responder_runs() {
    let (_connection, mut peer, office) = office();
    peer.send(order("1", "kw")).await;
    peer.expect_silence().await;
    let kept = office.kept.lock().expect("no panic").pop().expect("it is kept");
    assert!(kept.is_wanted() && kept.send(Ok(Ticket { number: 7 })) && !kept.is_wanted());
    peer.expect(ticket("1", 7)).await;
    office.gate.add_permits(1);
    peer.expect_silence().await;
    assert_eq!(office.seen(), ["done"]);
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_has_answered_counts_as_one_until_it_returns_and_closing_waits_for_it() {
    let office = Office::new();
    let settings = Settings::new().max_responders(1);
    let (connection, mut peer) = RawPeer::with(office.clone().into_locator(), settings);
    peer.send([order("1", "aw"), order("2", "")].concat()).await;
    let busy = error("2", codes::BUSY, "Too many commands are running; try again later");
    peer.expect([ticket("1", 1), busy].concat()).await;
    office.gate.add_permits(1);
    peer.expect_silence().await;
    peer.send(order("2", "")).await;
    peer.expect(ticket("2", 100)).await;
    peer.send(ask("3", "Count", &[])).await;
    peer.expect(ticket("3", 5)).await;
    connection.close();
    let closing = tokio::spawn(async move { connection.closed().await });
    peer.expect_silence_for(Duration::from_secs(1)).await;
    assert!(!closing.is_finished());
    office.gate.add_permits(1);
    peer.expect_end([]).await;
    assert_eq!(office.seen(), ["sent true", "done", "done", "counted for script"]);
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_responder_are_callbacks_behind_its_answer_too_and_those_of_its_tasks_are_not() {
    // One call at a time: a callback takes no place, and an ordinary call waits.
    let (near_office, far_office) = (Office::new(), Office::new());
    let far = Connection::builder().locator(far_office.clone().into_locator()).settings(Settings::new().max_calls(1));
    let (near, far) = pair(Connection::builder().locator(near_office.clone().into_locator()), far);
    let held = far.call(Order { steps: "w".into(), answer: Exposed::empty(), connection: Exposed::empty() });
    let held = tokio::spawn(held.into_future());
    let steps = |steps: &str| Order { steps: steps.into(), answer: Exposed::empty(), connection: Exposed::empty() };
    assert_eq!(soon("an answer", near.call(steps("ctact"))).await.expect("an answer"), Ticket { number: 3 });
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(far_office.seen(), ["called true", "called true", "sent true", "called true", "called false", "done"]);
    near_office.gate.add_permits(5);
    assert_eq!(soon("the held one", held).await.expect("no panic").expect("an answer"), Ticket { number: 100 });
}

#[tokio::test(start_paused = true)]
async fn of_a_notification_nothing_is_wanted_and_nothing_sent() {
    let (_connection, mut peer, office) = office();
    peer.send(crate::raw_peer::packed(&[("_command", "Note")])).await;
    peer.expect_silence().await;
    assert_eq!(office.seen(), ["wanted false", "sent true false"]);
}

/// Answers later, and so has an answer already.
struct Later;

impl Locator for Later {
    fn locate(&self, ask: Ask) -> Located {
        assert!(ask.accept::<Order>().is_none(), "its field cannot be filled in");
        Located::Answered
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_was_accepted_exposes_no_answer_and_the_log_says_what_to_use() {
    let logged = logged(Level::WARN);
    let (_connection, mut peer) = RawPeer::with(Later, Settings::new());
    peer.send(order("1", "")).await;
    peer.expect(unknown("1")).await;
    assert!(logged.text().contains("use the answer that `Ask::accept` returns"), "{}", logged.text());
}

#[tokio::test(start_paused = true)]
async fn an_early_answer_that_is_too_long_is_answered_with_that_once() {
    /// Too long for a value.
    #[derive(Command, Debug)]
    #[amp(response = Long)]
    struct Read {
        #[exposed]
        answer: Exposed<Option<EarlyAnswer<Read>>>,
    }

    #[derive(Arguments, Debug)]
    struct Long {
        text: String,
    }

    struct Reader;

    #[responder]
    impl Reader {
        async fn read(&self, read: Read) -> Reply<Read> {
            let answer = read.answer.as_ref().expect("it is exposed");
            assert!(answer.send(Ok(Long { text: "x".repeat(70_000) })));
            Ok(Long { text: "short".into() })
        }
    }

    let (near, _far) = pair(Connection::builder(), Connection::builder().locator(Reader.into_locator()));
    let error = soon("an answer", near.call(Read { answer: Exposed::empty() })).await.expect_err("it is too long");
    assert!(matches!(error, CallError::Remote { ref code, .. } if *code == *codes::TOO_LONG), "{error:?}");
}

/// The asks of the one connection whose responder says in its answer whether its own tag is noted still.
static ASKS: OnceLock<RunningAsks> = OnceLock::new();

fn is_noted() -> bool {
    ASKS.get().expect("it is set").contains(b"1")
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Looked {
    #[error("noted: {}", is_noted())]
    Back,
}

#[derive(Command, Debug)]
#[amp(errors = Looked)]
struct LookBack;

struct Looks;

#[responder]
impl Looks {
    async fn look(&self, _: LookBack, answer: EarlyAnswer<LookBack>) -> Reply<LookBack> {
        assert!(is_noted());
        assert!(answer.send(Err(Looked::Back.into())));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_tag_names_its_ask_no_more_when_the_answer_is_made() {
    let (connection, mut peer) = RawPeer::with(Looks.into_locator(), Settings::new());
    ASKS.set(RunningAsks::new(&connection)).expect("once");
    peer.send(ask("1", "LookBack", &[])).await;
    peer.expect(error("1", "BACK", "noted: false")).await;
}
