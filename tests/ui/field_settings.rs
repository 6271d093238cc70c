//! `with`, `default` and `alias` where they do not fit.
use std::net::Ipv4Addr;

use amp::value::{DecodeError, EncodeError, RawValue, ValueWriter, With};
use amp::{Arguments, Value};

struct Dotted;

impl With<Ipv4Addr> for Dotted {
    fn encode(_: &Ipv4Addr, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        loop {}
    }

    fn decode(_: RawValue<'_>) -> Result<Ipv4Addr, DecodeError> {
        loop {}
    }
}

/// It has no form of its own.
struct Remote;

impl With<Remote> for Dotted {
    fn encode(_: &Remote, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        loop {}
    }

    fn decode(_: RawValue<'_>) -> Result<Remote, DecodeError> {
        loop {}
    }
}

struct Nothing;

#[derive(Arguments)]
struct Types {
    #[amp(with = Dotted)]
    number: u8,
    #[amp(with = Nothing)]
    address: Ipv4Addr,
    #[amp(with = Dotted)]
    #[constrain(range = 1..)]
    ranged: Remote,
    #[amp(with = Missing)]
    missing: Ipv4Addr,
}

#[derive(Value)]
struct Newtype(#[amp(with = Dotted)] u8);

#[derive(Arguments)]
struct Defaults {
    #[amp(default = "text")]
    text: String,
    #[amp(default = Some(3))]
    optional: Option<u8>,
    #[amp(default)]
    none: [u8; 40],
}

fn main() {}
