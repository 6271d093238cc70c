//! The equivalents of txampext's `ResponderTestMixin`, and what a responder answers.

use std::sync::{Arc, Mutex, mpsc};

use amp::connection::{NewConnection, WeakConnection};
use amp::error::codes;
use amp::locator::{Ask, EarlyAnswer, Located, Locator, fallback};
use amp::testing::{ask, ask_with, has_responder, soon};
use amp::{AmpBox, Arguments, CallError, Command, Connection, Reply, Settings, responder};

use crate::panics::{assert_says, message_of_future};
use crate::sample::{Divide, DivideError, Divider, Nope, Note, Notes};

fn divide(left: i64, right: i64) -> Divide {
    Divide { left, right }
}

#[test]
fn a_responder_is_located_or_not_without_a_runtime() {
    let locator = Divider.into_locator();
    assert!(has_responder::<Divide>(&locator) && has_responder::<Note>(&locator));
    assert!(!has_responder::<Nope>(&locator));
    assert!(!has_responder::<Divide>(&()));
    assert!(has_responder::<Divide>(&((), Divider.into_locator())));
    let boxed: Box<dyn Locator> = Box::new(Divider.into_locator());
    assert!(has_responder::<Divide>(&*boxed));
    // It lists no command.
    assert!(has_responder::<Nope>(&fallback(|_, _| async { Ok(AmpBox::new()) })));
}

/// It has the name of one command in its list, and answers another.
struct Deceitful;

impl Locator for Deceitful {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Nope>() { ask.respond(|_: Nope| async { Ok(()) }) } else { Located::Unknown(ask) }
    }

    fn commands(&self) -> Vec<amp::schema::CommandDeclaration> {
        vec![Divide::DECLARATION]
    }
}

#[test]
fn what_a_locator_lists_is_not_what_it_answers() {
    assert!(has_responder::<Nope>(&Deceitful) && !has_responder::<Divide>(&Deceitful));
}

#[tokio::test(start_paused = true)]
async fn a_responder_answers_a_response_a_declared_error_or_a_failure() {
    let locator = Arc::new(Divider.into_locator());
    assert_eq!(ask(locator.clone(), divide(6, 2)).await.expect("an answer").result, 3);
    assert!(matches!(ask(locator.clone(), divide(6, 0)).await, Err(CallError::Declared(DivideError::ByZero))));
    // Its fields went over the wire.
    let left = ask(locator.clone(), divide(7, 2)).await;
    assert!(matches!(left, Err(CallError::Declared(DivideError::Remainder { remainder: 1 }))), "{left:?}");
    // The connection ends behind it.
    assert!(matches!(ask(locator.clone(), divide(97, 1)).await, Err(CallError::Declared(DivideError::Memory))));
    assert_eq!(ask(locator.clone(), divide(98, 1)).await.expect_err("it fails").remote_code(), Some(codes::UNKNOWN));
    // A response that breaks its own constraint is the responder's fault.
    assert_eq!(ask(locator.clone(), divide(99, 1)).await.expect_err("it fails").remote_code(), Some(codes::UNKNOWN));
    assert!(ask(locator.clone(), Nope).await.expect_err("there is none").is_unhandled());
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_cannot_be_sent_never_reaches_the_responder() {
    let failed = ask(Divider.into_locator(), divide(101, 1)).await;
    assert!(matches!(failed, Err(CallError::Invalid(_))), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_wants_no_answer_has_run_when_its_ask_returns_and_its_failure_is_an_error() {
    let notes = Arc::new(Notes(Mutex::default()));
    let builder = || Connection::builder().locator(Divider.into_locator()).shared_state(Arc::clone(&notes));
    let note = |text: &str| Note { text: text.to_owned() };
    ask_with(builder(), note("hello")).await.expect("it succeeds");
    assert_eq!(*notes.0.lock().expect("no panic"), ["hello"]);
    // Without the state it fails before it begins, which a notification would not tell.
    let lost = ask(Divider.into_locator(), note("lost")).await;
    assert_eq!(lost.expect_err("there is no state").remote_code(), Some(codes::UNKNOWN));
    // And here within it.
    let full = ask_with(builder(), note("full")).await;
    assert_eq!(full.expect_err("it fails").remote_code(), Some(codes::UNKNOWN));
    assert!(ask((), note("nobody")).await.expect_err("there is none").is_unhandled());
}

/// Tells what its responder has exposed.
struct Inquirer;

#[derive(Command, Debug)]
#[amp(response = Names)]
struct ListNames;

#[derive(Arguments, Debug)]
struct Names {
    names: Vec<String>,
}

#[responder]
impl Inquirer {
    async fn list(&self, _: ListNames, locator: Arc<dyn Locator>) -> Reply<ListNames> {
        // What waits is a task of its own.
        tokio::task::yield_now().await;
        Ok(Names { names: locator.commands().iter().map(|command| command.name.to_owned()).collect() })
    }
}

/// Answers nothing. It looks at the locator that an ask exposes.
struct Onlooker;

impl Locator for Onlooker {
    fn locate(&self, ask: Ask) -> Located {
        let whole = ask.exposed::<Arc<dyn Locator>>().expect("a connection has it");
        assert!(!whole.keeps_asks());
        Located::Unknown(ask)
    }

    fn keeps_asks(&self) -> bool {
        false
    }
}

#[tokio::test(start_paused = true)]
async fn the_exposed_locator_is_the_one_under_test() {
    let whole = (Onlooker, Inquirer.into_locator(), Divider.into_locator());
    assert_eq!(ask(whole, ListNames).await.expect("an answer").names, ["ListNames", "Divide", "Note"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_an_ask_drops_its_responder() {
    struct Hangs(Arc<()>);
    #[responder]
    impl Hangs {
        async fn nope(&self, _: Nope) -> Reply<Nope> {
            let _held = Arc::clone(&self.0);
            std::future::pending().await
        }
    }
    let held = Arc::new(());
    let hangs = tokio::spawn(ask(Hangs(Arc::clone(&held)).into_locator(), Nope));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&held), 3);
    hangs.abort();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_the_connection_refuses_does_not_hang() {
    let tiny = Settings::new().boxes(amp::wire::BoxLimits::DEFAULT.bytes(60));
    let tiny = Connection::builder().locator(Divider.into_locator()).settings(tiny);
    let notes = ask_with(tiny, Note { text: "x".repeat(100) }).await;
    assert!(matches!(notes, Err(CallError::Connection { sent: true, .. })), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_panics_fails_the_test() {
    let message = message_of_future(async { ask(Divider.into_locator(), divide(13, 1)).await }).await;
    assert_says(&message, &["unlucky"]);
}

/// Panics where it locates, and in a task.
struct Unlucky;

impl Locator for Unlucky {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Note>() {
            return ask.respond(|_: Note| async {
                tokio::task::yield_now().await;
                panic!("unlucky in a task")
            });
        }
        panic!("unlucky at once")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_fails_the_test_wherever_it_happens() {
    for _ in 0..100 {
        let message = message_of_future(async { ask(Unlucky, Note { text: String::new() }).await }).await;
        assert_says(&message, &["unlucky in a task"]);
    }
    assert_says(&message_of_future(async { ask(Unlucky, Nope).await }).await, &["unlucky at once"]);
}

/// What is known of one connection: made for each.
struct Session {
    connection: WeakConnection,
}

impl Session {
    fn new(new: &NewConnection) -> Self {
        Self { connection: new.connection().clone() }
    }
}

#[responder]
impl Session {
    async fn note(&self, note: Note) -> Reply<Note> {
        assert_ne!(note.text, "panic");
        assert!(self.connection.upgrade().is_some_and(|connection| !connection.is_closed()));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_locator_that_each_connection_makes_is_made_and_watched() {
    let builder = || Connection::builder().locator_with(|new| Session::new(new).into_locator());
    let note = |text: &str| Note { text: text.to_owned() };
    ask_with(builder(), note("hello")).await.expect("it succeeds");
    let message = message_of_future(async move { ask_with(builder(), note("panic")).await }).await;
    assert_says(&message, &["panic"]);
}

/// Answers early, and then holds its thread until it is told to go on.
struct Busy(Mutex<mpsc::Receiver<()>>);

#[responder]
impl Busy {
    async fn nope(&self, _: Nope, answer: EarlyAnswer<Nope>) -> Reply<Nope> {
        // Not in the poll of the one who asks.
        tokio::task::yield_now().await;
        answer.send(Ok(()));
        let _told = self.0.lock().expect("no panic").recv();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_responder_that_goes_on_behind_its_answer_is_not_waited_for() {
    let (go_on, wait) = mpsc::channel();
    let asked = soon("the answer", ask(Busy(Mutex::new(wait)).into_locator(), Nope)).await;
    asked.expect("an answer");
    go_on.send(()).expect("it waits still");
}
