//! `#[responder]`: a trait with its client and its locator, and an `impl` block.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use amp::connection::BoxSender;
use amp::locator::Locator;
use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Peer, Reply, Settings, State, responder};

/// Adds.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Sum {
    /// One.
    pub a: i64,
    /// The other.
    pub b: i64,
}

/// What a sum is.
#[derive(Arguments, Debug)]
pub struct Total {
    /// It.
    pub total: i64,
}

/// Divides.
#[derive(Command, Debug)]
#[amp(response = Total, errors = DivideError)]
pub struct Divide {
    /// What is divided.
    pub numerator: i64,
    /// By what.
    pub denominator: i64,
}

/// What can go wrong.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum DivideError {
    /// Division by zero.
    #[error("cannot divide by zero")]
    ZeroDivision,
}

/// Is called by nobody.
#[derive(Command, Debug)]
pub struct Never;

/// Calculates.
#[responder]
pub trait Calculator {
    /// Adds up.
    async fn sum(&self, command: Sum) -> Reply<Sum>;

    /// Divides; in the trait itself, unless an implementor knows better.
    async fn divide(&self, command: Divide) -> Reply<Divide> {
        let Divide { numerator, denominator } = command;
        let sum = self.sum(Sum { a: numerator, b: 0 }).await.map_err(CallError::failed)?;
        let total = sum.total.checked_div(denominator).ok_or(DivideError::ZeroDivision)?;
        Ok(Total { total })
    }

    /// Is not there.
    #[cfg(any())]
    async fn absent(&self, command: Absent) -> Reply<Absent>;

    /// Answers one of two, and the other is not there.
    #[cfg(not(any()))]
    async fn r#async(&self, command: Never) -> Reply<Never>;

    /// The other.
    #[cfg(any())]
    async fn other(&self, command: Never) -> Reply<Never>;
}

struct Abacus;

impl Calculator for Abacus {
    async fn sum(&self, Sum { a, b }: Sum) -> Reply<Sum> {
        tokio::task::yield_now().await;
        Ok(Total { total: a + b })
    }

    async fn r#async(&self, _: Never) -> Reply<Never> {
        Err(CallError::failed("never"))
    }
}

/// Counts in an `impl` block.
struct Counter {
    count: AtomicU32,
}

/// Adds to the count.
#[derive(Command, Debug)]
#[amp(response = Total)]
struct Count {
    by: u32,
}

#[responder]
impl Counter {
    /// Counts.
    async fn count(&self, command: Count) -> Reply<Count> {
        let before = self.count.fetch_add(command.by, Ordering::Relaxed);
        Ok(Total { total: (before + command.by).into() })
    }

    #[cfg(any())]
    async fn absent(&self, command: Absent) -> Reply<Absent> {}
}

/// Generic in what it holds.
#[derive(Debug)]
pub struct Echo<T>(T);

/// Gives it.
#[derive(Command, Debug)]
#[amp(response = Held<T>)]
pub struct Get<T: amp::value::Value + Send + 'static> {
    /// Unless there is another.
    pub instead: Option<T>,
}

/// What is held.
#[derive(Arguments, Debug)]
pub struct Held<T> {
    /// It.
    pub held: T,
}

#[responder]
impl<T: amp::value::Value + Clone + Send + Sync + 'static> Echo<T> {
    async fn get(&self, command: Get<T>) -> Reply<Get<T>> {
        Ok(Held { held: command.instead.unwrap_or_else(|| self.0.clone()) })
    }
}

/// Asks what the responder sees beside the command.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Look;

struct Seer;

#[responder]
impl Seer {
    async fn look(&self, _: Look, connection: Connection, number: State<i64>, none: Option<State<u8>>) -> Reply<Look> {
        assert!(none.is_none() && !connection.is_closed());
        Ok(Total { total: *number })
    }

    #[expect(clippy::too_many_arguments, reason = "as many as can be")]
    async fn everything(
        &self,
        _: Never,
        _: Connection,
        _: Peer,
        _: Arc<dyn Locator>,
        _: Arc<dyn BoxSender>,
        _: Option<State<u8>>,
        _: State<u16>,
    ) -> Reply<Never> {
        Ok(())
    }
}

async fn calculate(calculator: &impl Calculator) -> (i64, Option<DivideError>) {
    let sum = calculator.sum(Sum { a: 2, b: 3 }).await.unwrap();
    let Err(CallError::Declared(error)) = calculator.divide(Divide { numerator: 1, denominator: 0 }).await else {
        return (sum.total, None);
    };
    (sum.total, Some(error))
}

/// The caller's end, and the answering one to keep.
fn serving(locator: impl Locator) -> (Connection, Connection) {
    amp::connection::pair(Connection::builder(), Connection::builder().locator(locator))
}

#[tokio::test]
async fn code_that_takes_a_trait_runs_against_a_responder_and_against_its_client() {
    let (caller, _answering) = serving(CalculatorLocator::new(Abacus));
    let client = CalculatorClient::new(&caller);
    let expected = (5, Some(DivideError::ZeroDivision));
    assert_eq!(calculate(&Abacus).await, expected);
    assert_eq!(calculate(&client).await, expected);
    assert_eq!(calculate(&CalculatorClient::new(client.connection())).await, expected);
}

/// Never answers.
struct Silent;

impl Calculator for Silent {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        std::future::pending().await
    }

    async fn r#async(&self, _: Never) -> Reply<Never> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_clients_calls_take_no_longer_than_it_says_whatever_the_settings_do() {
    let limits = Settings::new().call_timeout(Duration::from_secs(60));
    let answering = Connection::builder().locator(CalculatorLocator::new(Silent));
    let (caller, _answering) = amp::connection::pair(Connection::builder().settings(limits), answering);
    let client = CalculatorClient::new(&caller);
    let quick = client.with_timeout(Duration::from_secs(5));
    for (client, seconds) in [(&client, 60), (&quick, 5), (&quick.with_timeout(Duration::from_secs(7)), 7)] {
        let start = tokio::time::Instant::now();
        let error = client.sum(Sum { a: 2, b: 3 }).await.expect_err("nothing is answered");
        assert!(matches!(error, CallError::Timeout { sent: true }), "{error}");
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
    let patient = quick.with_no_timeout();
    let waited = tokio::time::timeout(Duration::from_secs(3600), patient.sum(Sum { a: 2, b: 3 })).await;
    assert!(waited.is_err(), "{waited:?}");
}

#[tokio::test]
async fn an_impl_block_answers_commands() {
    let (caller, _answering) =
        serving((Counter { count: AtomicU32::new(1) }.into_locator(), Echo("held".to_owned()).into_locator()));
    assert_eq!(caller.call(Count { by: 2 }).await.unwrap().total, 3);
    assert_eq!(caller.call(Count { by: 2 }).await.unwrap().total, 5);
    assert_eq!(caller.call(Get::<String> { instead: None }).await.unwrap().held, "held");
}

fn names(locator: &impl Locator) -> Vec<&'static str> {
    locator.commands().iter().map(|command| command.name).collect()
}

#[tokio::test]
async fn parameters_behind_the_command_are_what_is_exposed_to_it() {
    let answering = Connection::builder().locator(Seer.into_locator()).state(7_i64);
    let (caller, _answering) = amp::connection::pair(Connection::builder(), answering);
    assert_eq!(caller.call(Look).await.unwrap().total, 7);
    // Nobody gave the builder a `u16`: the one call fails, and the next is answered.
    assert!(matches!(caller.call(Never).await, Err(CallError::Remote { .. })));
    assert_eq!(caller.call(Look).await.unwrap().total, 7);
}

#[test]
fn a_locator_lists_its_commands() {
    let locator = CalculatorLocator::from_arc(Arc::new(Abacus));
    let same = locator.clone();
    assert_eq!(names(&locator), ["Sum", "Divide", "Never"]);
    assert_eq!(names(&same), names(&locator));
    let divide = locator.commands()[1];
    assert_eq!((divide.doc, divide.errors[0].code, divide.answered), ("Divides.", "ZERO_DIVISION", true));
    assert_eq!(format!("{locator:?}"), "CalculatorLocator");
    assert_eq!(names(&Echo(1_u8).into_locator()), ["Get"]);
}
