//! An `Exposed` field without `#[exposed]`.
use amp::{Arguments, Command, Exposed, Peer, State};

#[derive(Command)]
struct Put {
    key: String,
    peer: Exposed<Peer>,
    state: Exposed<State<u8>>,
}

#[derive(Arguments)]
struct Done {
    peer: Exposed<Peer>,
}

fn main() {}
