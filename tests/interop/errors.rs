//! Errors as both ends see them.

use amp::error::codes;
use amp::{Arguments, CallError, Command, Connection, Reply};

use crate::commands::{Fail, FailError, Nope, Note, Noted, Notes, Sum, Total};
use crate::harness::{Served, Twisted, on, soon};

async fn fail(Fail { kind, text }: Fail) -> Reply<Fail> {
    Err(match kind.as_str() {
        "NotReady" => FailError::NotReady(text),
        "Unimplemented" => FailError::Unimplemented(text),
        "Plain" => FailError::Plain(text),
        _ => FailError::Broken(text),
    }
    .into())
}

async fn sum(Sum { a, b }: Sum) -> Reply<Sum> {
    let total = a.checked_add(b).ok_or_else(|| CallError::failed("the sum is too large"))?;
    Ok(Total { total })
}

async fn calling_rust() -> Option<Served> {
    Twisted::calling(std::sync::Arc::new((on(fail), on(sum)))).await
}

const SUM: Sum = Sum { a: 1, b: 2 };
const SAID: &str = "call(Sum, a=1, b=2)";

#[tokio::test]
async fn rules_29_30_35_errors_that_twisted_declares_arrive_as_declared() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    for (kind, text, expected) in [
        ("NotReady", "wait", FailError::NotReady("wait".into())),
        ("NotReady", "", FailError::NotReady(String::new())),
        ("Unimplemented", "snowman \u{2603}", FailError::Unimplemented("snowman \u{2603}".into())),
        ("Plain", "", FailError::Plain(String::new())),
    ] {
        let error = soon(connection.call(Fail { kind: kind.into(), text: text.into() })).await.unwrap_err();
        assert_eq!(error.declared(), Some(&expected));
    }
    assert_eq!(soon(connection.call(SUM)).await.unwrap().total, 3, "the connection stays open");
}

#[tokio::test]
async fn rules_29_30_errors_that_rust_declares_arrive_at_twisted_as_declared() {
    let Some(mut served) = calling_rust().await else { return };
    for (kind, text) in [("NotReady", "wait"), ("NotReady", ""), ("Unimplemented", "snowman \u{2603}"), ("Plain", "")] {
        let result = served.twisted.say(&format!("call(Fail, kind='{kind}', text='{text}')")).await;
        assert_eq!(result, format!("{kind}: {text}"));
    }
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}");
}

/// The caller knows the command by another declaration, without any errors.
#[derive(Command, Debug)]
#[amp(name = "Fail")]
struct FailUndeclared {
    kind: String,
    text: String,
}

#[tokio::test]
async fn rule_35_a_code_that_is_not_declared_here_keeps_its_code_and_its_description() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let call = connection.call(FailUndeclared { kind: "NotReady".into(), text: "\u{2603}".into() });
    let error = soon(call).await.unwrap_err();
    let CallError::Remote { code, description } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), description.as_str()), ("daemon is not ready", "\u{2603}"));
}

#[tokio::test]
async fn rule_27_a_command_that_twisted_does_not_know_is_unhandled() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let error = soon(connection.call(Nope)).await.unwrap_err();
    let CallError::Remote { code, description } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), description.as_str()), (codes::UNHANDLED, "Unhandled Command: b'Nope'"));
    assert_eq!(soon(connection.call(SUM)).await.unwrap().total, 3, "the connection stays open");
}

#[tokio::test]
async fn rule_27_a_command_that_rust_does_not_know_is_unhandled_to_twisted() {
    let Some(mut served) = calling_rust().await else { return };
    assert_eq!(
        served.twisted.say("call(Nope)").await,
        "UnhandledCommand: (b'UNHANDLED', \"Unhandled Command: b'Nope'\")"
    );
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}");
}

#[tokio::test]
async fn rule_28_an_unknown_command_without_answer_costs_twisted_nothing_at_rust() {
    let Some(mut served) = calling_rust().await else { return };
    assert_eq!(served.twisted.say("call(NopeUnanswered)").await, "None");
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}", "the connection stays open");
}

#[tokio::test]
async fn rule_31_a_failure_that_rust_does_not_declare_is_unknown_to_twisted_and_isolated() {
    let Some(mut served) = calling_rust().await else { return };
    let result = served.twisted.say(&format!("call(Sum, a={}, b=1)", i64::MAX)).await;
    assert_eq!(result, "UnknownRemoteError: Code<UNKNOWN>: Unknown Error");
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}");
}

#[tokio::test]
async fn rule_31_an_argument_that_does_not_decode_is_named_to_twisted_and_isolated() {
    let Some(mut served) = calling_rust().await else { return };
    let wrong = served.twisted.say("call(SumOfText, a='1', b='x')").await;
    assert_eq!(wrong, "InvalidArgument: b: not an integer");
    let missing = served.twisted.say("call(SumOfOne, a=1)").await;
    assert_eq!(missing, "InvalidArgument: b: missing");
    // A Twisted caller that does not declare the code still reads what is wrong.
    let large = served.twisted.say("call(Sum, a=1, b=2**63)").await;
    assert_eq!(large, "UnknownRemoteError: Code<UNKNOWN>: b: out of range for i64");
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}");
}

/// Expects more of the answer than Twisted gives.
#[derive(Command, Debug)]
#[amp(name = "Sum", response = TotalAndMore)]
struct SumAndMore {
    a: i64,
    b: i64,
}

#[derive(Arguments, Debug)]
struct TotalAndMore {
    total: i64,
    more: i64,
}

#[tokio::test]
async fn rule_38_an_answer_that_does_not_fit_fails_only_its_call() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let error = soon(connection.call(SumAndMore { a: 1, b: 2 })).await.unwrap_err();
    let CallError::Response(error) = error else { panic!("{error:?}") };
    assert_eq!(error.path(), "more");
    assert_eq!(soon(connection.call(SUM)).await.unwrap().total, 3);
}

#[tokio::test]
async fn rule_38_an_answer_that_does_not_fit_fails_only_its_call_at_twisted() {
    let Some(mut served) = calling_rust().await else { return };
    assert_eq!(served.twisted.say("call(SumAndMore, a=1, b=2)").await, "KeyError: b'more'");
    assert_eq!(served.twisted.say(SAID).await, "{'total': 3}");
}

#[tokio::test]
async fn rules_20_21_a_rust_command_without_answer_runs_at_twisted() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    for text in ["one", "two"] {
        connection.notify(Note { text: text.into() }).await.unwrap();
    }
    assert_eq!(soon(connection.call(Notes)).await.unwrap().texts, ["one", "two"]);
    // `call` of such a command asks for no answer either, and is done when it is sent.
    soon(connection.call(Note { text: "three".into() })).await.unwrap();
    assert_eq!(soon(connection.call(Notes)).await.unwrap().texts.len(), 3);
}

#[tokio::test]
async fn rules_20_21_a_twisted_command_without_answer_runs_at_rust() {
    let notes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let read = std::sync::Arc::clone(&notes);
    let note = move |Note { text }| {
        notes.lock().unwrap().push(text);
        async { Ok(()) }
    };
    let all = move |Notes| {
        let texts = read.lock().unwrap().clone();
        async { Ok(Noted { texts }) }
    };
    let Some(mut served) = Twisted::calling(std::sync::Arc::new((on(note), on(all)))).await else { return };
    assert_eq!(served.twisted.say("[call(Note, text=text) for text in ('one', 'two')]").await, "[None, None]");
    assert_eq!(served.twisted.say("call(Notes)").await, "{'texts': ['one', 'two']}");
}
