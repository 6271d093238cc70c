//! Each rule of `#[constrain(..)]` at both ends, when Twisted knows it too.

use amp::{AmpBox, CallError};

use super::{Remarks, called, calling};
use crate::guarded::{Case, Give, Guarded, LooseValued, Refused, each_rule};
use crate::harness::soon;

each_rule! { #[tokio::test] show }

async fn show(case: &Case) {
    refused_by_python_before_it_is_sent(case).await;
    refused_by_python_when_it_comes(case).await;
}

/// Whether only Rust knows the rule.
fn is_of_the_program(case: &Case) -> bool {
    case.told.contains("does not hold")
}

async fn refused_by_python_before_it_is_sent(case: &Case) {
    let Some(mut served) = calling(&Remarks::default()).await else { return };
    let Case { rule, told, .. } = case;
    let refused = if is_of_the_program(case) { "InvalidArgument: " } else { "ConstraintError: " };
    let said = served.twisted.say(&format!("call(learned.Guarded, {rule}=BROKEN[{rule:?}])")).await;
    assert_eq!(said, format!("{refused}{told}"));
    let refused = if is_of_the_program(case) { "Value: " } else { "ConstraintError: " };
    let said = served.twisted.say(&format!("call(learned.Valued, {rule}=BROKEN[{rule:?}])")).await;
    assert_eq!(said, format!("{refused}{told}"));
    // The Rust end refuses to give what breaks the rule.
    let said = served.twisted.say(&format!("call(learned.Give, rule={rule:?})")).await;
    assert_eq!(said, "UnknownRemoteError: Code<UNKNOWN>: Unknown Error");
    assert_eq!(served.twisted.say("call(learned.Sum, a=1, b=2)").await, "{'total': 3}");
}

async fn refused_by_python_when_it_comes(case: &Case) {
    let Some((connection, mut twisted)) = called().await else { return };
    for (command, expected) in [("Guarded", "INVALID_ARGUMENT"), ("Valued", "VALUE_ERROR")] {
        let broken = AmpBox::new().with(case.rule, case.wire).unwrap();
        match soon(connection.call_box(command, broken)).await {
            Err(CallError::Remote { code, description }) => {
                assert_eq!((&*code, &*description), (expected, case.told));
            }
            Ok(_) => assert!(is_of_the_program(case), "{command} takes {}", case.rule),
            other => panic!("{other:?}"),
        }
    }
    let typed: LooseValued = case.breaking();
    match soon(connection.call(typed)).await {
        Err(error) => assert_eq!(error.declared(), Some(&Refused::Value(case.told.into()))),
        Ok(()) => assert!(is_of_the_program(case)),
    }
    // Python refuses to give what breaks the rule, and Rust to take it.
    let given = soon(connection.call(Give { rule: case.rule.into() })).await.unwrap_err();
    match given {
        CallError::Response(wrong) if is_of_the_program(case) => assert_eq!(wrong.to_string(), case.told),
        CallError::Remote { code, .. } => assert_eq!(code, "UNKNOWN"),
        other => panic!("{other:?}"),
    }
    soon(connection.call(Guarded::default())).await.expect("the connection goes on");
    assert_eq!(twisted.say("connections[-1].lost").await, "[]");
}

#[tokio::test]
async fn python_names_what_is_missing_or_does_not_decode() {
    let Some((connection, _twisted)) = called().await else { return };
    let number = || AmpBox::new().with("a", "1").unwrap();
    for (broken, expected) in [
        (number(), "b: missing"),
        (number().with("b", "x").unwrap(), "b: does not decode"),
        (number().with("b", u64::MAX.to_string()).unwrap(), "b: out of range for i64"),
    ] {
        let refused = soon(connection.call_box("Sum", broken)).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("the peer answered INVALID_ARGUMENT: {expected}"));
    }
    soon(connection.call(Guarded::default())).await.expect("the connection goes on");
}
