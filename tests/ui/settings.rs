//! Settings that are unknown, misplaced, given twice or of the wrong form: all reported at once.
use amp::{Arguments, Command, ErrorCodes};

#[derive(Command)]
#[amp(nam = "Sum", response = "Total", errors, no_answer = true, name = 5, name)]
struct Unknown;

#[derive(Command)]
#[amp(name = "a", name = "b", crate = "amp")]
#[amp(name = "c", fatal, code = "X", errors = )]
struct Twice;

#[derive(Command)]
#[amp]
#[amp = "Sum"]
#[amp("Sum", no_answer no_answer)]
struct Form;

#[derive(Command)]
#[amp(response = Total<)]
struct Unfinished;

#[derive(Command)]
#[amp(errors = [Fault, Other])]
struct InBrackets;

#[derive(Command)]
#[amp(errors = (Fault, Other), name = "a")]
struct InParentheses;

#[derive(Command)]
#[amp(no_answer, response = Total)]
struct Contradiction;

#[derive(Arguments)]
#[amp(name = "total", response = Total)]
struct Total {
    #[amp(nmae = "total", fatal)]
    total: i64,
    #[amp(name = b"bytes")]
    bytes: i64,
}

#[derive(Command)]
#[amp(new, new = 1, new(a))]
struct Made {
    #[amp(new)]
    a: u8,
}

#[derive(Arguments)]
#[amp(new)]
struct NotMade;

#[derive(Arguments)]
#[amp(bound, bound = T)]
struct Unbounded<T> {
    items: Vec<T>,
}

#[derive(Arguments)]
#[amp(bound = "T")]
struct NoBounds<T> {
    #[amp(bound = "T: amp::value::Value")]
    items: Vec<T>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
#[amp(fatal)]
enum Fault {
    #[error("broken")]
    #[amp(name = "BROKEN", fatal(true))]
    Broken,
    #[error("{0}")]
    Text(#[amp(name = "text")] String),
}

fn main() {}
