//! `#[exposed]` where it does not belong.
use amp::{Arguments, Command, Exposed, Peer};

#[derive(Arguments)]
struct NotACommand {
    #[exposed]
    peer: Exposed<Peer>,
}

#[derive(Command)]
#[exposed]
struct OnTheStruct {
    #[exposed]
    #[amp(name = "peer")]
    peer: Exposed<Peer>,
    #[exposed(always)]
    #[exposed]
    again: Exposed<Peer>,
}

#[derive(Command)]
struct WrongType {
    #[exposed]
    peer: Peer,
    #[exposed]
    number: Exposed<u64>,
}

fn main() {}
