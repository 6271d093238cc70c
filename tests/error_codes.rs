//! `#[derive(ErrorCodes)]`: errors on the wire.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::ErrorCodes;
use amp::value::{BoxReader, BoxWriter};
use amp::wire::{BoxDecoder, BoxLimits, RawBox};

/// The errors.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum DivideError {
    /// Unit.
    #[error("cannot divide by zero")]
    ZeroDivision,
    /// Fatal, with a code of its own.
    #[error("the abacus is broken")]
    #[amp(code = "BROKEN", fatal)]
    BrokenAbacus,
    /// The description.
    #[error("bad value: {0}")]
    #[amp(code = "VALUE_ERROR", invalid_argument)]
    Value(String),
    /// Further keys.
    #[error("try again in {seconds} s")]
    Busy {
        /// How long.
        seconds: u32,
        /// Who says so.
        #[amp(name = "By")]
        r#by: Option<String>,
    },
    /// Braces without fields.
    #[error("nothing")]
    Nothing {},
}

/// Has no values.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum Never {}

/// All variants are their description.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum OnlyTexts {
    /// One.
    #[error("{0}")]
    #[amp(fatal)]
    One(String),
}

/// Generic in a field.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum Conflict<T: std::fmt::Debug> {
    /// What was there.
    #[error("there is {existing:?}")]
    Exists {
        /// The one that is there.
        existing: T,
    },
}

/// What several commands have in common.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum Common {
    /// Fatal, with a field.
    #[error("banned for {days} days")]
    #[amp(fatal)]
    Banned {
        /// For how long.
        days: u8,
    },
    /// Text, for invalid arguments.
    #[error("{0}")]
    #[amp(invalid_argument)]
    Invalid(String),
}

/// Includes others, in between and what these include.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum DeleteError {
    /// Its own.
    #[error("not found")]
    NotFound,
    /// Those of all commands.
    #[error(transparent)]
    #[amp(include)]
    Common(#[from] Common),
    /// Its own, with a field that the other has, too.
    #[error("wait")]
    Wait {
        /// For how long.
        days: u8,
    },
    /// Another.
    #[error("{0:?}")]
    #[amp(include)]
    Locked(Locked),
}

/// Includes nothing but that.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum Locked {
    /// Others.
    #[error(transparent)]
    #[amp(include)]
    By(By),
}

/// The last one.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum By {
    /// It.
    #[error("locked")]
    Somebody,
}

fn raw(bytes: &[u8]) -> RawBox {
    BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes.into()).next_box().unwrap().unwrap()
}

/// What a caller makes of the error.
fn sent<E: ErrorCodes>(error: &E) -> Option<E> {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 1);
    error.put_leading(&mut out).unwrap();
    error.put_trailing(&mut out).unwrap();
    out.finish(1000).unwrap();
    E::from_error(error.code(), &error.describe(), &mut BoxReader::new(&raw(&bytes), 1)).unwrap()
}

#[test]
fn a_declared_error_arrives_as_it_was_sent() {
    for error in [
        DivideError::ZeroDivision,
        DivideError::BrokenAbacus,
        DivideError::Value("a: too large".into()),
        DivideError::Busy { seconds: 5, r#by: Some("me".into()) },
        DivideError::Busy { seconds: 5, r#by: None },
        DivideError::Nothing {},
    ] {
        assert_eq!(sent(&error), Some(error));
    }
    assert!(matches!(sent(&Conflict::Exists { existing: 5_u8 }), Some(Conflict::Exists { existing: 5 })));
}

#[test]
fn codes_descriptions_and_fatality_are_those_of_the_declaration() {
    assert_eq!(DivideError::ZeroDivision.code(), "ZERO_DIVISION");
    assert_eq!(DivideError::ZeroDivision.describe(), "cannot divide by zero");
    assert_eq!(DivideError::BrokenAbacus.code(), "BROKEN");
    assert_eq!(DivideError::Value("text".into()).describe(), "text");
    assert!(DivideError::BrokenAbacus.is_fatal() && !DivideError::ZeroDivision.is_fatal());
    assert!(OnlyTexts::One(String::new()).is_fatal());
    assert_eq!(DivideError::INVALID_ARGUMENT, "VALUE_ERROR");
    assert_eq!(Never::INVALID_ARGUMENT, amp::error::codes::INVALID_ARGUMENT);
}

#[test]
fn an_error_without_its_fields_is_not_made_and_one_with_broken_fields_is_an_error() {
    let from = |bytes: &[u8]| DivideError::from_error("BUSY", "busy", &mut BoxReader::new(&raw(bytes), 1));
    assert_eq!(from(b"\0\x01x\0\0\0\0").unwrap(), None);
    assert_eq!(from(b"\0\x02By\0\x02me\0\0").unwrap(), None);
    assert_eq!(from(b"\0\x07seconds\0\x03abc\0\0").unwrap_err().path(), "seconds");
    assert!(Never::from_error("X", "", &mut BoxReader::new(&raw(b"\0\x01x\0\0\0\0"), 1)).unwrap().is_none());
}

#[test]
fn errors_of_an_included_enum_travel_as_if_they_were_declared_here() {
    for error in [
        DeleteError::NotFound,
        DeleteError::Common(Common::Banned { days: 3 }),
        DeleteError::Common(Common::Invalid("a: too large".into())),
        DeleteError::Wait { days: 4 },
        DeleteError::Locked(Locked::By(By::Somebody)),
    ] {
        assert_eq!(sent(&error), Some(error));
    }
    let banned = DeleteError::from(Common::Banned { days: 3 });
    assert_eq!((banned.code(), banned.describe().as_str(), banned.is_fatal()), ("BANNED", "banned for 3 days", true));
    assert!(!DeleteError::NotFound.is_fatal() && !DeleteError::Wait { days: 1 }.is_fatal());
    assert_eq!(DeleteError::Common(Common::Invalid("text".into())).describe(), "text");
    assert_eq!(DeleteError::INVALID_ARGUMENT, "INVALID");
    assert_eq!(Locked::INVALID_ARGUMENT, amp::error::codes::INVALID_ARGUMENT);
}

#[test]
fn a_declaration_lists_included_errors_where_they_are_included() {
    let codes: Vec<_> = DeleteError::ERRORS.iter().map(|error| error.code).collect();
    assert_eq!(codes, ["NOT_FOUND", "BANNED", "INVALID", "WAIT", "SOMEBODY"]);
    let [_, banned, invalid, ..] = DeleteError::ERRORS else { unreachable!("there are five") };
    assert!(banned.fatal && banned.fields.len() == 1 && invalid.invalid_argument);
    let missing = DeleteError::from_error("BANNED", "", &mut BoxReader::new(&raw(b"\0\x01x\0\0\0\0"), 1));
    assert_eq!(missing.unwrap(), None);
}
