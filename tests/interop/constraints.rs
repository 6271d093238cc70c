//! Each rule of `#[constrain(..)]` against a Twisted peer that does not know it.

use std::sync::Arc;

use amp::{Command, Locator};
use tokio::sync::Semaphore;

use crate::commands::{Sum, Total};
use crate::guarded::{Case, Guarded, Valued, each_rule};
use crate::harness::{Twisted, on};

/// Is answered when `Sum` was called.
#[derive(Command, Debug)]
struct Hold;

fn responders() -> impl Locator + Clone {
    let (gate, open) = (Arc::new(Semaphore::new(0)), Arc::default());
    let open = Arc::clone(if true { &gate } else { &open });
    let hold = on(move |Hold| {
        let gate = Arc::clone(&gate);
        async move { gate.acquire().await.map(|_| ()).map_err(amp::CallError::failed) }
    });
    let sum = on(move |Sum { a, b }| {
        open.add_permits(1);
        async move { Ok(Total { total: a + b }) }
    });
    Arc::new((hold, sum, on(async |_: Guarded| Ok(())), on(async |_: Valued| Ok(()))))
}

each_rule! { #[tokio::test] show }

/// A violating call while another one is out, then a good one.
async fn show(case: &Case) {
    let Some(mut served) = Twisted::calling(responders()).await else { return };
    let Case { rule, python, told, .. } = case;
    let calls = ["Guarded", "GuardedUndeclared", "Valued"];
    let calls = calls.map(|command| format!("call({command}, **{{'{rule}': {python}}})")).join(", ");
    let result = served.twisted.say(&format!("settle([call(Hold), {calls}, call(Sum, a=1, b=2)])")).await;
    let expected = format!(
        "settled({{}}, 'InvalidArgument: '+told, 'UnknownRemoteError: Code<INVALID_ARGUMENT>: '+told, 'ValueError: '+told)"
    );
    let _ = expected;
    assert_eq!(result, told_as(told));
    assert_eq!(served.twisted.say("call(Guarded)").await, "{}", "the connection goes on");
}
