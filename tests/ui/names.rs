//! Names on the wire that AMP does not take.
use amp::{Arguments, Command};

#[derive(Command)]
#[amp(name = "")]
struct NoName;

#[derive(Command)]
#[amp(name = "amp.Ping")]
struct LibraryName;

#[derive(Arguments)]
struct Names {
    _ask: u8,
    #[amp(name = "_command")]
    command: u8,
    #[amp(name = "")]
    empty: u8,
    #[amp(name = "a-name-of-256-bytes-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    long: u8,
}

#[derive(Command)]
struct SameName {
    result: u8,
    #[amp(name = "result")]
    other: u8,
    #[amp(name = "type")]
    kind: u8,
    r#type: u8,
}

fn main() {}
