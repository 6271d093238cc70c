//! Each rule of `#[constrain(..)]` against a Twisted peer that does not know it.

use std::sync::Arc;

use amp::locator::Locator;
use amp::value::DecodeErrorKind;
use amp::{CallError, Command, Connection};
use tokio::sync::Semaphore;

use crate::commands::{Sum, Total};
use crate::guarded::{Case, Give, Guarded, Valued, each_rule};
use crate::harness::{Twisted, on, soon};

/// Is answered once `Sum` was called.
#[derive(Command, Debug)]
struct Hold;

fn responders() -> impl Locator + Clone {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let hold = on(move |Hold| {
        let gate = Arc::clone(&gate);
        async move { gate.acquire().await.map(drop).map_err(CallError::failed) }
    });
    let sum = on(move |Sum { a, b }| {
        opened.add_permits(1);
        async move { Ok(Total { total: a + b }) }
    });
    Arc::new((hold, sum, on(async |_: Guarded| Ok(())), on(async |_: Valued| Ok(()))))
}

each_rule! { #[tokio::test] show }

async fn show(case: &Case) {
    refused_to_twisted(case).await;
    refused_from_twisted(case).await;
}

/// Violating calls from Twisted while another one is out: declared, not declared, and as `ValueError`.
async fn refused_to_twisted(Case { rule, told, .. }: &Case) {
    let Some(mut served) = Twisted::calling(responders()).await else { return };
    let calls = ["Guarded", "GuardedUndeclared", "Valued"];
    let calls = calls.map(|command| format!("call({command}, {rule}=BROKEN[{rule:?}])")).join(", ");
    let expected = format!(
        "[{{}}, 'InvalidArgument: ' + {told:?}, 'UnknownRemoteError: Code<UNKNOWN>: ' + {told:?}, \
         'ValueError: ' + {told:?}, {{'total': 3}}]"
    );
    let all = format!("settle([call(Hold), {calls}, call(Sum, a=1, b=2)])");
    let same = served.twisted.say(&format!("{all}.addCallback(lambda it: it == {expected} or it)")).await;
    assert_eq!(same, "True");
    assert_eq!(served.twisted.say("call(Guarded)").await, "{}", "the connection goes on");
}

/// Twisted's answer breaks the rule, which it does not know.
async fn refused_from_twisted(case: &Case) {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let out = connection.call(Sum { a: 1, b: 2 });
    let (wrong, good) = soon(async { tokio::join!(connection.call(Give { rule: case.rule.into() }), out) }).await;
    let Err(CallError::Response(wrong)) = wrong else { panic!("{wrong:?}") };
    assert_eq!(wrong.to_string(), case.told);
    assert!(matches!(wrong.kind(), DecodeErrorKind::Constraints(_)));
    assert_eq!(good.unwrap().total, 3);
    soon(connection.call(Give { rule: String::new() })).await.expect("the connection goes on");
}
