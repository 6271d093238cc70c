//! Types that do not travel: the compiler points at the user's field.
use amp::{Arguments, Command, ErrorCodes, Reply};
use std::rc::Rc;

struct Plain;

#[derive(Arguments)]
struct Holder {
    fine: u8,
    plain: Plain,
    many: Vec<Plain>,
    maybe: Option<Plain>,
}

#[derive(Command)]
#[amp(response = Plain, errors = Plain)]
struct Ask {
    shared: Rc<u8>,
}

#[derive(Arguments)]
struct Generic<T> {
    both: (T, u8),
    plain: Plain,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("number {0}")]
    Number(u32),
    #[error("plain")]
    Fields { plain: Plain },
}

#[derive(ErrorCodes)]
enum NotAnError {
    Fault,
}

fn reply() -> Reply<Plain> {
    loop {}
}

fn main() {}
