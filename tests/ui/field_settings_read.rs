//! `with`, `default` and `alias` that the macro itself refuses.
use amp::{Arguments, Command, Exposed, Peer, Value};

#[derive(Arguments)]
struct Written {
    #[amp(with, default = )]
    with: u8,
    #[amp(with = "Dotted", default(3))]
    quoted: u8,
    #[amp(default, default = 3, with = A, with = B)]
    twice: u8,
    #[amp(alias)]
    alias: u8,
    #[amp(alias = "_x", alias = "")]
    names: u8,
}

#[derive(Arguments)]
struct Names {
    #[amp(alias = "one", alias = "two", alias = "two")]
    one: u8,
    two: u8,
    #[amp(name = "three", alias = "one")]
    four: u8,
}

#[derive(Command)]
#[amp(default, alias = "x", with = A)]
struct Exposes {
    #[exposed]
    #[amp(with = A, default, alias = "x", flatten)]
    peer: Exposed<Peer>,
}

#[derive(Value)]
struct Held(#[amp(default, alias = "x")] u8);

fn main() {}
