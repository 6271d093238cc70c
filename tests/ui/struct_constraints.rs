//! Rules for a struct that do not fit it.
use amp::{Arguments, Command, Exposed, Peer};

fn holds(_: &Span) -> bool {
    true
}

#[derive(Arguments)]
#[constrain(with = holds)]
#[constrain(at = [from, to])]
#[constrain]
#[constrain()]
#[constrain(range = 1.., with = holds, at = from)]
#[constrain(with = holds, with = holds, at = [])]
#[constrain(with = holds, at = [form, step, to])]
#[constrain(with, at)]
#[constrain(with = 3, at = [from])]
#[constrain(with = holds, at = ["from", to])]
#[constrain(with = holds, at = [from to])]
#[constrain(with = holds, at = [from.to])]
#[constrain(with = holds, at = [1])]
struct Span {
    from: u32,
    to: u32,
}

#[derive(Command)]
#[constrain(with = ask, at = [peer])]
struct Ask {
    #[exposed]
    peer: Exposed<Peer>,
}

fn main() {}
