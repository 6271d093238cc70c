//! Two equal peers, as much as they can.

use std::time::Duration;

use amp::{Connection, Peer, Settings};
use tokio::task::JoinSet;

use crate::commands::{CallBack, Echo, House, Sum};
use crate::raw_peer::{ended, soon};

/// Two connections to each other through a pipe that holds so many bytes in each direction.
fn two(room: usize, settings: &Settings) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(room);
    let start = |transport| {
        let builder = Connection::builder().locator(House::new().into_locator()).settings(settings.clone());
        builder.start(transport, Peer::other("flood"))
    };
    (start(a), start(b))
}

fn flood(connection: &Connection, calls: i64) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for a in 0..calls {
        let connection = connection.clone();
        tasks.spawn(async move {
            let reply = connection.call(Sum { a, b: 1 }).await;
            assert_eq!(reply.expect("an answer").total, a + 1);
        });
    }
    tasks
}

async fn all(tasks: JoinSet<()>) {
    soon("every call is answered", tasks.join_all()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_peers_that_flood_each_other_with_20_000_calls_through_256_bytes_finish() {
    let (one, other) = two(256, &Settings::new());
    let (there, back) = (flood(&one, 20_000), flood(&other, 20_000));
    tokio::join!(all(there), all(back));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_finishes_with_every_bound_as_small_as_it_goes() {
    let settings = Settings::new().max_calls(1).outbound_high_water(1).in_order(true);
    let (one, other) = two(1, &settings);
    let (there, back) = (flood(&one, 200), flood(&other, 200));
    tokio::join!(all(there), all(back));
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_large_values_finishes_on_one_thread() {
    let (one, other) = two(4096, &Settings::new());
    let mut tasks = JoinSet::new();
    for at in 0..200_u8 {
        let connection = if at % 2 == 0 { one.clone() } else { other.clone() };
        tasks.spawn(async move {
            let reply = connection.call(Echo { data: vec![at; 65_535] }).await.expect("an answer");
            assert!(reply.data == vec![at; 65_535]);
        });
    }
    all(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responders_that_call_back_before_they_answer_do_not_deadlock() {
    let (one, other) = two(256, &Settings::new());
    let mut tasks = JoinSet::new();
    for at in 0..1000 {
        let connection = if at % 2 == 0 { one.clone() } else { other.clone() };
        tasks.spawn(async move {
            let reply = connection.call(CallBack { connection: amp::Exposed::empty() }).await;
            assert_eq!(reply.expect("an answer").total, 3);
        });
    }
    all(tasks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_both_ends_in_the_middle_of_a_flood_answers_what_was_asked() {
    let (one, other) = two(256, &Settings::new());
    let mut tasks = JoinSet::new();
    for at in 0..2000 {
        let connection = if at % 2 == 0 { one.clone() } else { other.clone() };
        tasks.spawn(async move { connection.call(Sum { a: at, b: 0 }).await.is_ok() });
    }
    assert!(soon("the first answer", tasks.join_next()).await.expect("a task").expect("no panic"));
    one.close();
    assert_eq!(ended(&one).await, "Closed");
    let ok = soon("everybody is told", tasks.join_all()).await;
    assert!(ok.len() == 1999);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_dropped_at_any_moment_cost_no_other_call_its_answer() {
    let settings = Settings::new().max_calls(64).close_timeout(Duration::MAX);
    let (one, other) = two(256, &settings);
    let mut tasks = JoinSet::new();
    for a in 0..6000 {
        let connection = if a % 2 == 0 { one.clone() } else { other.clone() };
        let call = connection.call(Sum { a, b: 1 });
        tasks.spawn(async move {
            match a % 3 {
                0 => assert_eq!(call.await.expect("an answer").total, a + 1),
                1 => drop(call.timeout(Duration::from_micros(a.unsigned_abs() % 500)).await),
                // Polled a few times, then dropped.
                _ => {
                    tokio::select! {
                        biased;
                        reply = call => assert_eq!(reply.expect("an answer").total, a + 1),
                        () = yields(a % 7) => {}
                    }
                }
            }
        });
    }
    all(tasks).await;
    one.close();
    assert_eq!(ended(&one).await, "Closed", "every answer has arrived or is not awaited");
    assert_eq!(ended(&other).await, "ClosedByPeer");
}

async fn yields(count: i64) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}
