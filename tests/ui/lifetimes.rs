//! What travels is owned.
use amp::{Arguments, Command, ErrorCodes};

#[derive(Command)]
#[amp(response = Text<'static>)]
struct Say<'a> {
    text: &'a str,
}

#[derive(Arguments)]
struct Text<'a> {
    text: &'a str,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault<'a> {
    #[error("{text}")]
    Text { text: &'a str },
}

fn say<'a, C: Command>(_: C) -> C::Response {
    loop {}
}

fn main() {
    let _ = say(Say { text: "" });
}
