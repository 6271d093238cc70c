//! `split` on fields that cannot be split, and settings that do not go with it.
use amp::value::{DecodeError, EncodeError, RawValue, ValueWriter, With};
use amp::{Arguments, Command};

struct Plain;

struct AsText;

impl With<Plain> for AsText {
    fn encode(_: &Plain, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        unimplemented!()
    }

    fn decode(_: RawValue<'_>) -> Result<Plain, DecodeError> {
        unimplemented!()
    }
}

#[derive(Command)]
struct Settings {
    #[amp(split)]
    no_maximum: Vec<u8>,
    #[amp(from_zero)]
    not_split: Vec<u8>,
    #[amp(split = 100_000, with = AsText)]
    with: Plain,
    #[amp(split = 1, split = 2)]
    twice: Vec<u8>,
}

#[derive(Arguments)]
struct Inner {
    text: String,
}

#[derive(Arguments)]
struct Flattened {
    #[amp(flatten, split = 100_000)]
    inner: Inner,
}

#[derive(Arguments)]
struct Types {
    #[amp(split = 100_000)]
    no_value: Plain,
    #[amp(split = "many")]
    no_number: String,
}

#[derive(Arguments)]
struct Clashes {
    #[amp(split = 100_000)]
    data: Vec<u8>,
    #[amp(name = "data.2")]
    second: u8,
    #[amp(split = 100_000, from_zero)]
    optional: Option<String>,
}

fn main() {}
