//! `text` and `json` that the macro itself refuses.
use amp::{Arguments, Command, Exposed, Peer};

#[derive(Arguments)]
struct Written {
    #[amp(text, json)]
    both: u8,
    #[amp(with = A, text)]
    with: u8,
    #[amp(json, json)]
    twice: u8,
    #[amp(text = "a")]
    value: u8,
    #[amp(jsn)]
    misspelt: u8,
    #[amp(json, split = 100_000)]
    split: u8,
    #[amp(json, flatten)]
    flattened: u8,
}

#[derive(Command)]
#[amp(text)]
struct Exposes {
    #[exposed]
    #[amp(text)]
    peer: Exposed<Peer>,
}

fn main() {}
