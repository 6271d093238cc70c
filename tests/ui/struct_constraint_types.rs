//! Rules for a struct of other types.
use amp::Arguments;

fn other(_: &u8) -> bool {
    true
}

#[derive(Arguments)]
#[constrain(with = other, at = [from, to])]
struct Span {
    from: u32,
    to: u32,
}

fn main() {}
