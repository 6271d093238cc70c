//! The rows of `wire.md` 2.4, and what must hold for every value.

mod addresses;
mod big;
mod boxes;
#[cfg(feature = "tokio")]
mod budget;
mod date_time;
mod decimal;
mod duration;
mod float;
mod foreign_decimals;
mod foreign_times;
#[cfg(feature = "tokio")]
mod held;
mod holders;
mod integer;
#[cfg(feature = "json")]
mod json;
mod list;
mod map;
mod path;
mod properties;
#[cfg(feature = "serde")]
mod serde;
mod text;
#[cfg(feature = "zlib")]
mod zlib;

use std::fmt::Debug;

use proptest::prelude::*;

use super::*;

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).expect("a value that has a form on the wire");
    bytes
}

fn refused<T: Value + Debug>(value: &T) -> EncodeErrorKind {
    match value.encode(&mut ValueWriter::new(&mut Vec::new())) {
        Ok(()) => panic!("{value:?} was encoded"),
        Err(error) => error.kind().clone(),
    }
}

fn decoded<T: Value>(bytes: &[u8]) -> Result<T, DecodeErrorKind> {
    T::decode(RawValue::new(bytes)).map_err(|error| error.kind().clone())
}

fn writes<T: Value + Debug>(rows: impl IntoIterator<Item = (T, &'static str)>) {
    for (value, text) in rows {
        assert_eq!(String::from_utf8_lossy(&encoded(&value)), text, "{value:?}");
    }
}

fn accepts<T: Value + Debug + PartialEq>(rows: impl IntoIterator<Item = (&'static str, T)>) {
    for (text, value) in rows {
        assert_eq!(decoded::<T>(text.as_bytes()), Ok(value), "{text:?}");
    }
}

fn rejects<T: Value + Debug>(what: &'static str, rows: &[&[u8]]) {
    for bytes in rows {
        match decoded::<T>(bytes) {
            Err(kind) => assert_eq!(kind, DecodeErrorKind::NotA(what), "\"{}\"", bytes.escape_ascii()),
            Ok(value) => panic!("\"{}\" was taken for {value:?}", bytes.escape_ascii()),
        }
    }
}

fn comes_back<T: Value + Debug + PartialEq>(value: &T) -> Result<(), TestCaseError> {
    let read = decoded::<T>(&encoded(value));
    prop_assert_eq!(read.as_ref(), Ok(value));
    Ok(())
}
