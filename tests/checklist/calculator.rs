//! Code that takes `impl Calculator` cannot tell a responder, a client and a mock apart.

use amp::connection::pair;
use amp::{Arguments, CallError, CloseReason, Command, Connection, ErrorCodes, Reply, Settings, responder};

use crate::raw_peer::{RawPeer, answer, ask, soon};

#[derive(Command, Debug)]
#[amp(response = Quotient, errors = DivideError)]
struct Divide {
    numerator: i64,
    denominator: i64,
}

#[derive(Arguments, Debug, PartialEq)]
struct Quotient {
    result: f64,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum DivideError {
    #[error("cannot divide by zero")]
    ZeroDivision,
}

#[derive(Command, Debug)]
#[amp(response = Total)]
struct Sum {
    a: i64,
    b: i64,
}

#[derive(Arguments, Debug, PartialEq)]
struct Total {
    total: i64,
}

#[responder]
trait Calculator {
    async fn divide(&self, command: Divide) -> Reply<Divide>;
    async fn sum(&self, command: Sum) -> Reply<Sum>;
}

/// The code that takes any calculator.
async fn average(calculator: &impl Calculator, numbers: &[i64]) -> Result<f64, CallError<DivideError>> {
    let mut total = 0;
    for number in numbers {
        total = calculator.sum(Sum { a: total, b: *number }).await.map_err(CallError::failed)?.total;
    }
    let denominator = i64::try_from(numbers.len()).map_err(CallError::failed)?;
    Ok(calculator.divide(Divide { numerator: total, denominator }).await?.result)
}

/// The real one.
struct Abacus;

impl Calculator for Abacus {
    async fn divide(&self, command: Divide) -> Reply<Divide> {
        tokio::task::yield_now().await;
        match command.denominator {
            0 => Err(DivideError::ZeroDivision)?,
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            denominator => Ok(Quotient { result: command.numerator as f64 / denominator as f64 }),
        }
    }

    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }
}

/// The mock: knows one question.
struct Mock;

impl Calculator for Mock {
    async fn divide(&self, command: Divide) -> Reply<Divide> {
        match (command.numerator, command.denominator) {
            (10, 4) => Ok(Quotient { result: 2.5 }),
            (0, 0) => Err(CallError::Declared(DivideError::ZeroDivision)),
            other => panic!("{other:?}"),
        }
    }

    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }
}

async fn check(calculator: &impl Calculator) {
    assert_eq!(soon("an average", average(calculator, &[1, 2, 3, 4])).await.expect("four numbers"), 2.5);
    let error = soon("an average", average(calculator, &[])).await.expect_err("no numbers");
    assert_eq!(error.declared(), Some(&DivideError::ZeroDivision));
}

#[tokio::test]
async fn code_that_takes_a_calculator_runs_against_a_responder_a_client_and_a_mock() {
    check(&Abacus).await;
    check(&Mock).await;
    let serving = Connection::builder().locator(CalculatorLocator::new(Abacus));
    let (connection, other) = pair(Connection::builder(), serving);
    check(&CalculatorClient::new(&connection)).await;
    // A client is a responder too: this end passes on what it is asked.
    let proxy = Connection::builder().locator(CalculatorLocator::new(CalculatorClient::new(&connection)));
    let (through, _proxy) = pair(Connection::builder(), proxy);
    check(&CalculatorClient::new(&through)).await;
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn a_client_tells_why_it_cannot_ask() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let client = CalculatorClient::new(&connection);
    let (reply, ()) = tokio::join!(client.sum(Sum { a: 1, b: 2 }), async {
        peer.expect(ask("1", "Sum", &[("a", "1"), ("b", "2")])).await;
        peer.send(answer("1", &[("total", "3")])).await;
    });
    assert_eq!(reply.expect("an answer"), Total { total: 3 });
    drop(peer);
    let lost = client.sum(Sum { a: 1, b: 2 }).await.expect_err("the peer is gone");
    assert!(matches!(lost, CallError::Connection { reason: CloseReason::ClosedByPeer, .. }), "{lost:?}");
}
