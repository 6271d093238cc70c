//! Calls that responders make: they wait for nothing that only their own end could give.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::pair;
use amp::error::codes;
use amp::{Arguments, CallError, Command, Connection, Exposed, Reply, Settings, responder};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Whoever is not answered then is never answered: in paused time it passes when nobody can go on.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Is called back as often as `depth` says, from one end to the other, and answered with its own number.
#[derive(Command, Debug)]
#[amp(response = Bounced)]
struct Bounce {
    number: usize,
    depth: u32,
    via: u8,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Arguments, Debug)]
struct Bounced {
    number: usize,
}

const EXPOSED: u8 = 0;
const CLONE: u8 = 1;
const CLIENT: u8 = 2;
const WEAK: u8 = 3;
const SUB_TASK: u8 = 4;
/// A handle that came from no ask, used where the responder is polled.
const FOREIGN: u8 = 5;
/// The same in a task of its own, where nobody can see that a responder waits for it.
const FOREIGN_SUB_TASK: u8 = 6;

#[responder]
trait Bouncing {
    async fn bounce(&self, command: Bounce) -> Reply<Bounce>;
}

/// Where a responder finds the handle of its own connection, or of another one.
#[derive(Clone, Default)]
struct Wall(Arc<Mutex<Option<Connection>>>);

impl Wall {
    fn set(&self, handle: &Connection) {
        *self.0.lock().expect("nobody panics with it") = Some(handle.clone());
    }

    fn handle(&self) -> Connection {
        self.0.lock().expect("nobody panics with it").clone().expect("it is set")
    }
}

impl Bouncing for Wall {
    async fn bounce(&self, command: Bounce) -> Reply<Bounce> {
        let Bounce { number, depth, via, connection } = command;
        let Some(depth) = depth.checked_sub(1) else { return Ok(Bounced { number }) };
        let connection = connection.into_option().expect("it is filled in");
        let next = Bounce { number, depth, via, connection: Exposed::empty() };
        let in_a_task = |handle: Connection, next| async move {
            tokio::spawn(async move { handle.call(next).await }).await.map_err(CallError::failed)?
        };
        match via {
            CLONE => connection.clone().call(next).await,
            CLIENT => BouncingClient::new(&connection).bounce(next).await,
            WEAK => connection.downgrade().upgrade().expect("it is held").call(next).await,
            SUB_TASK => in_a_task(connection.clone(), next).await,
            FOREIGN => self.handle().call(next).await,
            FOREIGN_SUB_TASK => in_a_task(self.handle(), next).await,
            _ => connection.call(next).await,
        }
    }
}

fn two(settings: &Settings) -> [Connection; 2] {
    let walls = [Wall::default(), Wall::default()];
    let [near, far] = [0, 1]
        .map(|at| Connection::builder().settings(settings.clone()).locator(BouncingLocator::new(walls[at].clone())));
    let (near, far) = pair(near, far);
    walls[0].set(&near);
    walls[1].set(&far);
    [near, far]
}

fn bounce(number: usize, depth: u32, via: u8) -> Bounce {
    Bounce { number, depth, via, connection: Exposed::empty() }
}

/// So many callers at each of the ends, all at once. How many have an answer; the others failed in a way that is fitting.
async fn crowd(
    ends: &[Connection],
    callers: usize,
    depth: u32,
    via: u8,
    fits: fn(&CallError<amp::error::NoErrors>) -> bool,
) -> usize {
    let mut calls = JoinSet::new();
    for number in 0..callers * ends.len() {
        let call = ends[number % ends.len()].call(bounce(number, depth, via));
        calls.spawn(async move { (number, call.await) });
    }
    let mut answered = 0;
    for (number, reply) in timeout(NEVER, calls.join_all()).await.expect("nobody stands still") {
        match reply {
            Ok(bounced) => {
                assert_eq!(bounced.number, number);
                answered += 1;
            }
            Err(error) => assert!(fits(&error), "call {number}: {error:?}"),
        }
    }
    answered
}

fn never(_: &CallError<amp::error::NoErrors>) -> bool {
    false
}

fn timed_out(error: &CallError<amp::error::NoErrors>) -> bool {
    // What has timed out at the other end failed there.
    matches!(error, CallError::Timeout { .. }) || error.remote_code() == Some(codes::UNKNOWN)
}

#[tokio::test(start_paused = true)]
async fn more_callers_at_each_end_than_calls_may_be_out_are_answered_when_their_responders_call_back() {
    for callers in [1_100, 3_000] {
        assert_eq!(crowd(&two(&Settings::new()), callers, 1, EXPOSED, never).await, 2 * callers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_one_through_whatever_handle_it_is_made() {
    for via in [EXPOSED, CLONE, CLIENT, WEAK, SUB_TASK, FOREIGN] {
        for (callers, max_calls) in [(1_100, 1_024), (20, 1)] {
            let ends = two(&Settings::new().max_calls(max_calls));
            assert_eq!(crowd(&ends, callers, 1, via, never).await, 2 * callers, "via {via}");
            assert_eq!(crowd(&ends, callers / 10, 4, via, never).await, callers / 10 * 2, "nested, via {via}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_3_000_nested_calls_is_answered() {
    for max_calls in [1, 1_024] {
        let ends = two(&Settings::new().max_calls(max_calls));
        assert_eq!(crowd(&ends[..1], 1, 3_000, EXPOSED, never).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_more_nested_calls_than_responders_may_run_is_answered_busy() {
    let ends = two(&Settings::new().max_responders(100).max_calls(1));
    let busy = |error: &CallError<amp::error::NoErrors>| error.remote_code() == Some(codes::BUSY);
    assert_eq!(crowd(&ends[..1], 1, 199, EXPOSED, busy).await, 1, "200 run at once");
    assert_eq!(crowd(&ends[..1], 1, 200, EXPOSED, busy).await, 0);
    assert_eq!(crowd(&ends, 1, 0, EXPOSED, never).await, 2, "and all is as it was");
}

/// What A asks of B goes on to C, comes back to B and goes on to A; what C asks goes the other way round.
#[tokio::test(start_paused = true)]
async fn calls_that_are_passed_on_over_a_third_connection_are_answered_in_both_directions() {
    let settings = Settings::new().max_calls(1);
    let walls: [Wall; 4] = Default::default();
    let [a, to_a, to_c, c] = [0, 1, 2, 3].map(|at: usize| {
        Connection::builder().settings(settings.clone()).locator(BouncingLocator::new(walls[at].clone()))
    });
    let ((a, to_a), (to_c, c)) = (pair(a, to_a), pair(to_c, c));
    for (wall, next) in walls.iter().zip([&a, &to_c, &to_a, &c]) {
        wall.set(next);
    }
    assert_eq!(crowd(&[a, c], 100, 3, FOREIGN, never).await, 200);
}

#[tokio::test(start_paused = true)]
async fn responders_in_order_that_call_each_other_back_are_bounded_by_the_time_limit_of_calls() {
    let ends = two(&Settings::new().in_order(true).call_timeout(Duration::from_secs(1)));
    crowd(&ends, 20, 1, EXPOSED, timed_out).await;
    // Those that nobody waits for any more still have their turns.
    sleep(Duration::from_secs(60)).await;
    assert_eq!(crowd(&ends, 20, 0, EXPOSED, never).await, 40, "those that call nobody back are answered");
}

#[tokio::test(start_paused = true)]
async fn a_sub_task_with_a_foreign_handle_waits_for_a_place_as_any_caller_and_is_bounded_by_the_time_limit_of_calls() {
    let ends = two(&Settings::new().max_calls(1).call_timeout(Duration::from_secs(1)));
    let answered = crowd(&ends, 20, 1, FOREIGN_SUB_TASK, timed_out).await;
    assert!(answered < 40, "they wait for places that their own callers hold");
    assert_eq!(crowd(&ends, 20, 0, EXPOSED, never).await, 40, "and all is as it was");
}
