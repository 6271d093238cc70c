//! A responder that calls a command of another peer and passes on what went wrong there.

use std::time::Duration;

use amp::connection::pair;
use amp::error::{NoErrors, codes};
use amp::{CallError, Command, Connection, ErrorCodes, Exposed, Reply, Settings, responder};

use crate::commands::{Fail, FailError, Total};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, ask, error, soon};

/// Calls `Fail` of another peer and passes on what it answers.
#[derive(Command, Debug)]
#[amp(response = Total)]
struct Relay {
    #[exposed]
    other: Exposed<amp::State<Connection>>,
}

/// The same, and knows one of the errors as its own.
#[derive(Command, Debug)]
#[amp(response = Total, errors = Translated)]
struct Translate {
    #[exposed]
    other: Exposed<amp::State<Connection>>,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum Translated {
    #[error("it is cold")]
    Cold,
    #[error("something else: {0}")]
    Else(String),
}

impl From<FailError> for Translated {
    fn from(error: FailError) -> Self {
        match error {
            FailError::Snowman => Self::Cold,
            other => Self::Else(other.to_string()),
        }
    }
}

struct Middle;

fn fail() -> Fail {
    Fail { how: "so".into() }
}

#[responder]
impl Middle {
    async fn relay(&self, command: Relay) -> Reply<Relay> {
        let total = command.other.call(fail()).await.map_err(CallError::forward)?;
        Ok(total)
    }

    async fn translate(&self, command: Translate) -> Reply<Translate> {
        command.other.call(fail()).await.map_err(|error| error.map_declared(Translated::from))
    }
}

/// A caller, and the script behind the peer that it calls.
fn scene() -> (Connection, Connection, RawPeer) {
    let (other, script) = RawPeer::with((), Settings::new().call_timeout(Duration::from_secs(5)));
    let middle = Connection::builder().state(other).locator(Middle.into_locator());
    let (caller, middle) = pair(Connection::builder(), middle);
    (caller, middle, script)
}

fn relay() -> Relay {
    Relay { other: Exposed::empty() }
}

/// The code and the words with which a call was answered.
fn remote<T, E>(reply: Result<T, CallError<E>>) -> (String, String) {
    match reply {
        Err(CallError::Remote { code, description }) => (code, description),
        Err(other) => panic!("{:?}", other.map_declared(drop)),
        Ok(_) => panic!("it was answered"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_a_peer_answered_goes_on_through_a_responder_of_another_command_with_code_and_description() {
    let (caller, middle, mut script) = scene();
    let rows = [
        ("ODD", "words of its own \u{2603}"),
        ("", ""),
        ("UNKNOWN", "Unknown Error"),
        ("UNHANDLED", "Unhandled Command: b'Fail'"),
        ("BUSY", "later"),
        // Nothing was done there; this says nothing of what was done here.
        ("DRAINING", "the connection is closing"),
        // Declared by the command that was called, not by the one that is answered.
        ("SNOWMAN", "snowman \u{2603}"),
        ("daemon is not ready", ""),
        ("NotImplementedError", "a description that is the error"),
        // Fatal where it is declared; here it is a code as any other.
        ("BROKEN", "the abacus is broken"),
    ];
    for (at, (code, description)) in rows.into_iter().enumerate() {
        let tag = format!("{:x}", at + 1);
        let call = tokio::spawn(caller.call(relay()));
        script.expect(ask(&tag, "Fail", &[("how", "so")])).await;
        script.send(error(&tag, code, description)).await;
        let reply = soon("answered", call).await.expect("no panic");
        assert_eq!(remote(reply), (code.to_owned(), description.to_owned()));
    }
    assert!(!caller.is_closed() && !middle.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_responder_that_had_no_answer_is_its_own_failure_and_the_log_says_why() {
    let logged = logged(Level::INFO);
    let (caller, _middle, script) = scene();
    let mut script = Some(script);
    for why in ["no answer within the call's time limit", "closed by the peer"] {
        let reply = soon("answered", caller.call(relay())).await;
        assert_eq!(remote(reply), (codes::UNKNOWN.into(), "Unknown Error".into()));
        assert!(logged.text().contains(why), "{why}: {}", logged.text());
        // Nobody answered in time, and then the peer goes. One failure a minute is told.
        drop(script.take());
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn declared_errors_are_translated_and_all_else_stays_as_it_is() {
    let (caller, _middle, mut script) = scene();
    let rows = [
        ("SNOWMAN", Ok(Translated::Cold)),
        ("NotImplementedError", Ok(Translated::Else("words".into()))),
        ("ODD", Err(("ODD".to_owned(), "words".to_owned()))),
    ];
    for (tag, (code, expected)) in ["1", "2", "3"].into_iter().zip(rows) {
        let call = tokio::spawn(caller.call(Translate { other: Exposed::empty() }));
        script.expect(ask(tag, "Fail", &[("how", "so")])).await;
        script.send(error(tag, code, "words")).await;
        match (soon("answered", call).await.expect("no panic"), expected) {
            (Err(CallError::Declared(error)), Ok(expected)) => assert_eq!(error, expected),
            (reply, Err(expected)) => assert_eq!(remote(reply), expected),
            (reply, Ok(expected)) => panic!("{reply:?} instead of {expected:?}"),
        }
    }
    let timeout = CallError::<FailError>::Timeout { sent: true }.map_declared(Translated::from);
    assert!(matches!(timeout, CallError::Timeout { sent: true }));
    assert!(
        matches!(timeout.forward::<NoErrors>(), CallError::Failed(source) if source.to_string().contains("no answer"))
    );
}

#[test]
fn unhandled_is_what_the_peer_says_unless_its_words_are_those_of_a_failure() {
    let unhandled = |code: &str, description: &str| {
        CallError::<NoErrors>::Remote { code: code.into(), description: description.into() }.is_unhandled()
    };
    // Twisted on Python 3 and 2, this library and asyncio-amp; amp-async; ampy; a router of one's own.
    for words in
        ["Unhandled Command: b'Nope'", "Unhandled Command: 'Nope'", "", "No handler for command", "no such route"]
    {
        assert!(unhandled("UNHANDLED", words), "{words}");
        assert!(!unhandled("UNKNOWN", words) && !unhandled("unhandled", words), "{words}");
    }
    // MAAS, whose responder failed.
    assert!(!unhandled("UNHANDLED", "Unknown Error [pid=4711 cmd=Identify ask=2a]"));
    assert!(!unhandled("UNHANDLED", "Unknown Error"));
}
