//! The commands of Twisted's documentation, declared once for the server and the client.

use amp::{Arguments, Command, ErrorCodes, Reply, responder};

/// Adds two integers.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub(crate) struct Sum {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Arguments, Debug)]
pub(crate) struct Total {
    pub(crate) total: i64,
}

/// Divides one integer by another.
#[derive(Command, Debug)]
#[amp(response = Quotient, errors = DivideError)]
pub(crate) struct Divide {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
}

#[derive(Arguments, Debug)]
pub(crate) struct Quotient {
    pub(crate) result: f64,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub(crate) enum DivideError {
    #[error("division by zero")]
    ZeroDivision,
}

#[responder]
pub(crate) trait Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
    async fn divide(&self, command: Divide) -> Reply<Divide>;
}
