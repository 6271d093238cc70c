//! The equivalents of txampext's `ResponderTestMixin`, and what a responder answers.

use std::sync::Mutex;

use amp::error::codes;
use amp::locator::{Ask, Located, Locator, fallback};
use amp::testing::{answers, ask, ask_with};
use amp::{AmpBox, CallError, Connection, Settings};

use crate::panics::{assert_says, message_of_future};
use crate::sample::{Divide, DivideError, Divider, Nope, Note, Notes};

fn divide(left: i64, right: i64) -> Divide {
    Divide { left, right }
}

#[test]
fn a_responder_is_located_or_not_without_a_runtime() {
    let locator = Divider.into_locator();
    assert!(answers::<Divide>(&locator) && answers::<Note>(&locator));
    assert!(!answers::<Nope>(&locator));
    assert!(!answers::<Divide>(&()));
    assert!(answers::<Divide>(&((), Divider.into_locator())));
    let boxed: Box<dyn Locator> = Box::new(Divider.into_locator());
    assert!(answers::<Divide>(&*boxed));
    // It lists no command.
    assert!(answers::<Nope>(&fallback(|_, _| async { Ok(AmpBox::new()) })));
}

/// It has the name of one command in its list, and answers another.
struct Deceitful;

impl Locator for Deceitful {
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<Nope>() { ask.respond(|_: Nope| async { Ok(()) }) } else { Located::Unknown(ask) }
    }

    fn commands(&self) -> Vec<amp::schema::CommandDeclaration> {
        vec![<Divide as amp::Command>::DECLARATION]
    }
}

#[test]
fn what_a_locator_lists_is_not_what_it_answers() {
    assert!(answers::<Nope>(&Deceitful) && !answers::<Divide>(&Deceitful));
}

#[tokio::test(start_paused = true)]
async fn a_responder_answers_a_response_a_declared_error_or_a_failure() {
    let locator = Divider.into_locator();
    assert_eq!(ask(&locator, divide(6, 2)).await.expect("an answer").result, 3);
    assert!(matches!(ask(&locator, divide(6, 0)).await, Err(CallError::Declared(DivideError::ByZero))));
    // Its fields went over the wire.
    let left = ask(&locator, divide(7, 2)).await;
    assert!(matches!(left, Err(CallError::Declared(DivideError::Remainder { remainder: 1 }))), "{left:?}");
    // The connection ends behind it.
    assert!(matches!(ask(&locator, divide(97, 1)).await, Err(CallError::Declared(DivideError::Memory))));
    assert_eq!(ask(&locator, divide(98, 1)).await.expect_err("it fails").remote_code(), Some(codes::UNKNOWN));
    // A response that breaks its own constraint is the responder's fault.
    assert_eq!(ask(&locator, divide(99, 1)).await.expect_err("it fails").remote_code(), Some(codes::UNKNOWN));
    assert!(ask(&locator, Nope).await.expect_err("there is none").is_unhandled());
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_cannot_be_sent_never_reaches_the_responder() {
    let failed = ask(&Divider.into_locator(), divide(101, 1)).await;
    assert!(matches!(failed, Err(CallError::Invalid(_))), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_wants_no_answer_has_run_when_its_ask_returns() {
    let notes = std::sync::Arc::new(Notes(Mutex::default()));
    let builder = Connection::builder().shared_state(std::sync::Arc::clone(&notes));
    let locator = Divider.into_locator();
    ask_with(builder, &locator, Note { text: "hello".to_owned() }).await.expect("nothing to wait for");
    assert_eq!(*notes.0.lock().expect("no panic"), ["hello"]);
    // Without the state it fails, which nobody is told, and it returns all the same.
    ask(&locator, Note { text: "lost".to_owned() }).await.expect("nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_the_connection_refuses_does_not_hang() {
    let tiny = || Connection::builder().settings(Settings::new().boxes(amp::wire::BoxLimits::DEFAULT.bytes(60)));
    let notes = ask_with(tiny(), &Divider.into_locator(), Note { text: "x".repeat(100) }).await;
    assert!(matches!(notes, Err(CallError::Connection { sent: true, .. })), "{notes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_panics_fails_the_test() {
    let message = message_of_future(async { ask(&Divider.into_locator(), divide(13, 1)).await }).await;
    assert_says(&message, &["unlucky"]);
}
