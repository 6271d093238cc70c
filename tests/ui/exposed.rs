//! `#[exposed]` where it does not belong.
use amp::{Arguments, Command, ErrorCodes, Exposed, Peer};

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

#[derive(ErrorCodes, thiserror::Error, Debug)]
#[exposed]
enum Fault {
    #[error("fields")]
    #[exposed]
    Fields {
        #[exposed]
        #[constrain(non_empty)]
        text: String,
    },
    #[error("{0}")]
    Text(#[exposed] String),
}

fn main() {}
