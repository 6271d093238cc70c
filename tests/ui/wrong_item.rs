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

#[responder]
fn not_a_responder() {}

#[responder]
struct NotEither;

fn main() {}
