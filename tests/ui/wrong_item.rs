//! Macros on items that they do not fit.
use amp::{Arguments, Command, ErrorCodes, responder};

#[derive(Command)]
enum Choice {
    This,
}

#[derive(Arguments)]
union Either {
    a: u8,
}

#[derive(Command)]
struct Positional(i64, i64);

#[derive(Arguments)]
struct Positions(u8);

#[derive(ErrorCodes)]
struct NotAnEnum;

#[derive(ErrorCodes, thiserror::Error, Debug)]
#[error("an error, and no enum")]
struct AnError;

#[derive(Command)]
#[amp(errors = AnError)]
struct Fails;

#[responder]
fn not_a_responder() {}

#[responder]
struct NotEither;

fn main() {}
