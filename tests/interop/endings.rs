//! How connections end, and that everybody who waits learns it.

use std::future::pending;
use std::sync::Arc;

use amp::error::NoErrors;
use amp::{CallError, CloseReason, Connection};

use crate::commands::{Abort, Crash, Fail, FailError, Hold, Quit, Sum};
use crate::harness::{Served, Twisted, on, soon};

type Held = Vec<tokio::task::JoinHandle<Result<(), CallError<NoErrors>>>>;

/// Ten calls that Twisted holds.
async fn held(connection: &Connection, twisted: &mut Twisted) -> Held {
    let held = (0..10).map(|_| tokio::spawn(connection.call(Hold))).collect();
    while twisted.say("len(held)").await != "10" {}
    held
}

/// Every waiter learns the same reason, and so does whoever calls too late.
async fn all_are_told(held: Held, connection: &Connection) -> CloseReason {
    for call in held {
        let error = soon(call).await.unwrap().unwrap_err();
        assert!(matches!(error, CallError::Connection { .. }), "{error:?}");
    }
    let late = soon(connection.call(Sum { a: 1, b: 2 })).await.unwrap_err();
    let CallError::Connection { reason: late, .. } = late else { panic!("{late:?}") };
    let reason = soon(connection.closed()).await;
    assert_eq!(late.to_string(), reason.to_string());
    reason
}

#[tokio::test]
async fn rule_25_killing_twisted_wakes_every_rust_waiter_with_the_reason() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = held(&connection, &mut twisted).await;
    twisted.kill().await;
    let reason = all_are_told(held, &connection).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer | CloseReason::Io(_)), "{reason:?}");
}

#[tokio::test]
async fn rules_25_31_an_undeclared_exception_at_twisted_is_unknown_and_ends_all_other_calls() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = held(&connection, &mut twisted).await;
    let error = soon(connection.call(Crash)).await.unwrap_err();
    let CallError::Remote { code, description } = &error else { panic!("{error:?}") };
    assert_eq!((code.as_str(), description.as_str()), ("UNKNOWN", "Unknown Error"));
    let reason = all_are_told(held, &connection).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer), "{reason:?}");
}

#[tokio::test]
async fn rule_33_a_fatal_error_of_twisted_is_declared_and_then_the_connection_ends() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = held(&connection, &mut twisted).await;
    let error = soon(connection.call(Fail { kind: "Broken".into(), text: "for good".into() })).await.unwrap_err();
    assert_eq!(error.declared(), Some(&FailError::Broken("for good".into())));
    let reason = all_are_told(held, &connection).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer), "{reason:?}");
}

#[tokio::test]
async fn rule_34_twisted_answers_with_a_quit_box_and_then_ends_the_connection() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = held(&connection, &mut twisted).await;
    soon(connection.call(Quit { caller: amp::Exposed::empty() })).await.unwrap();
    all_are_told(held, &connection).await;
}

#[tokio::test]
async fn rule_25_aborting_the_rust_caller_wakes_every_waiter_here_and_loses_the_connection_there() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = held(&connection, &mut twisted).await;
    connection.abort();
    let reason = all_are_told(held, &connection).await;
    assert!(matches!(reason, CloseReason::Aborted), "{reason:?}");
    assert_eq!(twisted.say("lost()").await, "'ConnectionDone'");
}

/// A Twisted client that five held calls wait for, at a Rust server that can end in several ways.
async fn held_by_rust() -> Option<Served> {
    let fail = on(async |Fail { text, .. }| Err(FailError::Broken(text).into()));
    let quit = on(async |Quit { caller }: Quit| {
        caller.close();
        Ok(())
    });
    let abort = on(async |Abort { caller }: Abort| {
        caller.abort();
        Ok(())
    });
    let hold = on(|Hold| pending());
    let mut served = Twisted::calling(Arc::new((fail, quit, abort, hold))).await?;
    served.twisted.begin("settle([call(Hold) for _ in range(5)])").await;
    Some(served)
}

/// The five waiters failed, and so does whoever calls too late.
async fn twisted_is_told(mut served: Served) {
    let lost = ["'ConnectionDone: Connection was closed cleanly.'"; 5].join(", ");
    assert_eq!(served.twisted.result().await, format!("[{lost}]"));
    assert_eq!(served.twisted.say("call(Sum, a=1, b=2)").await, "ConnectionDone: Connection was closed cleanly.");
}

#[tokio::test]
async fn rule_25_every_twisted_waiter_fails_when_the_rust_end_aborts() {
    let Some(mut served) = held_by_rust().await else { return };
    served.twisted.begin("call(Abort).addErrback(lambda _: None) and 0").await;
    assert_eq!(served.twisted.result().await, "0");
    twisted_is_told(served).await;
}

#[tokio::test]
async fn rule_33_twisted_gets_the_fatal_error_of_rust_and_then_the_end_of_the_connection() {
    let Some(mut served) = held_by_rust().await else { return };
    served.twisted.begin("call(Fail, kind='Broken', text='for good')").await;
    assert_eq!(served.twisted.result().await, "Broken: for good");
    twisted_is_told(served).await;
}

#[tokio::test]
async fn rule_34_twisted_gets_the_answer_of_a_responder_that_closes_the_connection() {
    let quit = on(async |Quit { caller }: Quit| {
        caller.close();
        Ok(())
    });
    let Some(mut served) = Twisted::calling(Arc::new(quit)).await else { return };
    assert_eq!(served.twisted.say("call(Quit)").await, "{}");
    assert_eq!(served.twisted.say("lost()").await, "'ConnectionDone'");
}

#[tokio::test]
async fn a_closing_rust_server_lets_twisted_go() {
    let Some(mut served) = held_by_rust().await else { return };
    assert_eq!(served.twisted.say("call(Nope)").await.split(':').next(), Some("UnhandledCommand"));
    assert_eq!(served.server.connections(), 1);
    served.twisted.kill().await;
    served.server.close();
    soon(served.server.closed()).await;
    assert_eq!(served.server.connections(), 0);
}
