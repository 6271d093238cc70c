//! The commands of Twisted's documentation, declared once for the server and the client.

use amp::{Arguments, Command, ErrorCodes, Reply, responder};

/// Adds two integers.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Sum {
    pub a: i64,
    pub b: i64,
}

#[derive(Arguments, Debug)]
pub struct Total {
    pub total: i64,
}

/// Divides one integer by another.
#[derive(Command, Debug)]
#[amp(response = Quotient, errors = DivideError)]
pub struct Divide {
    pub numerator: i64,
    pub denominator: i64,
}

#[derive(Arguments, Debug)]
pub struct Quotient {
    pub result: f64,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum DivideError {
    #[error("division by zero")]
    ZeroDivision,
}

#[responder]
pub trait Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
    async fn divide(&self, command: Divide) -> Reply<Divide>;
}
