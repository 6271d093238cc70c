//! `rename_all` that no name can be spelt by.
use amp::{Arguments, Command, ErrorCodes};

#[derive(Arguments)]
#[amp(rename_all = camelCase)]
struct Unquoted {
    one: u8,
}

#[derive(Command)]
#[amp(rename_all = "SHOUTING", rename_all = "snake_case")]
struct Twice {
    #[amp(rename_all = "snake_case")]
    one: u8,
}

#[derive(Arguments)]
#[amp(rename_all = "kebab-case")]
struct Same {
    a_b: u8,
    #[amp(name = "a-b")]
    other: u8,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
#[amp(rename_all = "lowercase")]
enum Fault {
    #[error("one")]
    NotFound,
    #[error("two")]
    #[amp(rename_all = "snake_case")]
    Notfound,
}

fn main() {}
