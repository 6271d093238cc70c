//! Many calls at once, answers in another order, and calls back before the answer.

use std::sync::Arc;

use amp::{CallError, Connection, Reply};
use tokio::sync::{Semaphore, mpsc};

use crate::commands::{CallBack, Gather, Gathered, Hold, Sum, Total};
use crate::harness::{Twisted, on, soon};

async fn sum(Sum { a, b }: Sum) -> Reply<Sum> {
    Ok(Total { total: a + b })
}

#[tokio::test]
async fn rule_17_200_calls_that_twisted_answers_in_reverse_order_get_their_own_answers() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let (done, mut order) = mpsc::unbounded_channel();
    for number in 0..200 {
        let (connection, done) = (connection.clone(), done.clone());
        tokio::spawn(async move {
            let gathered = soon(connection.call(Gather { number, most: 200 })).await.unwrap();
            assert_eq!(gathered, Gathered { number });
            done.send(()).unwrap();
        });
    }
    drop(done);
    let mut count = 0;
    while soon(order.recv()).await.is_some() {
        count += 1;
    }
    assert_eq!(count, 200);
}

#[tokio::test]
async fn rules_17_24_twisted_gets_answers_in_the_order_in_which_rust_completes_them() {
    let gate = Arc::new(Semaphore::new(0));
    let hold = {
        let gate = Arc::clone(&gate);
        move |Hold| {
            let gate = Arc::clone(&gate);
            async move { gate.acquire().await.map(drop).map_err(CallError::failed) }
        }
    };
    let Some(mut served) = Twisted::calling(Arc::new((on(hold), on(sum)))).await else { return };
    served.twisted.begin("call(Hold).addCallback(lambda _: 'slow')").await;
    assert_eq!(served.twisted.say("call(Sum, a=1, b=2)").await, "{'total': 3}", "the slow one delays nobody");
    served.twisted.begin("settle([call(Sum, a=n, b=n) for n in range(200)])").await;
    let totals: Vec<_> = (0..200).map(|n| format!("{{'total': {}}}", 2 * n)).collect();
    assert_eq!(served.twisted.result().await, format!("[{}]", totals.join(", ")));
    gate.add_permits(1);
    assert_eq!(served.twisted.result().await, "'slow'");
}

#[tokio::test]
async fn rule_18_a_twisted_responder_may_call_rust_back_before_it_answers() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder().locator(on(sum))).await else { return };
    for number in 0..20 {
        let total = soon(connection.call(CallBack { number, caller: amp::Exposed::empty() })).await.unwrap();
        assert_eq!(total, Total { total: number * 2 });
    }
}

#[tokio::test]
async fn rule_18_a_rust_responder_may_call_twisted_back_before_it_answers() {
    let call_back = on(async |CallBack { number, caller }: CallBack| {
        caller.call(Sum { a: number, b: number }).await.map_err(CallError::failed)
    });
    let Some(mut served) = Twisted::calling(Arc::new(call_back)).await else { return };
    let totals: Vec<_> = (0..20).map(|n| format!("{{'total': {}}}", 2 * n)).collect();
    let result = served.twisted.say("settle([call(CallBack, number=n) for n in range(20)])").await;
    assert_eq!(result, format!("[{}]", totals.join(", ")));
}

#[tokio::test]
async fn rule_26_a_rust_caller_that_closes_does_not_half_close_while_twisted_owes_an_answer() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let held = tokio::spawn(connection.call(Hold));
    while twisted.say("len(held)").await != "1" {}
    connection.close();
    // Twisted would drop the connection at a half-close, and the answer with it.
    assert_eq!(twisted.say("connections[-1].lost").await, "[]");
    assert_eq!(twisted.say("release()").await, "1");
    soon(held).await.unwrap().unwrap();
    assert_eq!(twisted.say("lost()").await, "'ConnectionDone'");
}
