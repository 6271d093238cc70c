//! Options that the wire cannot tell apart.
use amp::{Arguments, Command, ErrorCodes};

type Maybe = Option<u8>;

#[derive(Arguments)]
struct Total {
    total: Option<Option<i64>>,
    once: Option<i64>,
}

#[derive(Command)]
struct Sum<T> {
    behind_a_name: Option<Maybe>,
    unknown: Option<T>,
    items: Option<Vec<T>>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("fields")]
    Fields { text: Option<Option<String>> },
}

fn main() {}
