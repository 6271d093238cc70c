//! The bytes of a command in each direction, and its errors.

use crate::call_error::Reply;
use crate::command::{Command, ErrorCodes, take_checked, violations};
use crate::connection::reply::take_reply;
use crate::packet::{AskTag, Packet, add_tag, put_answer, put_ask, put_declared};
use crate::testing::boxes::{ANY_SIZE, format_boxes, indented};
use crate::value::{Budget, DecodeError, EncodeError, EncodeErrorKind, Scope};
use crate::violation::Violations;
use crate::wire::{BoxDecoder, MAX_VALUE};

/// Encodes an ask for the command with the tag, also where the command itself [wants no answer](Command::ANSWERED): a peer may
/// want one all the same. Without a tag: [`notification_bytes`].
///
/// A connection counts its own tags up from `1`, in lowercase hexadecimal digits. Its first box also announces this library, unless that
/// is [switched off](crate::Settings::announce).
///
/// # Panics
/// If the arguments cannot be sent, because they break a constraint, say; or when the tag is too long for a value.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command};
/// use amp::testing::ask_bytes;
/// use amp::{Arguments, Command};
///
/// #[derive(Command)]
/// #[amp(response = Total)]
/// struct Sum {
///     a: i64,
///     b: i64,
/// }
///
/// #[derive(Arguments)]
/// struct Total {
///     total: i64,
/// }
///
/// let expected = b"\0\x04_ask\0\x017\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0";
/// assert_eq!(ask_bytes("7", &Sum { a: 13, b: 81 }), expected);
/// ```
#[doc(alias("CommandTestMixin"))]
#[must_use]
#[track_caller]
pub fn ask_bytes<C: Command>(tag: impl AsRef<[u8]>, command: &C) -> Vec<u8> {
    let mut bytes = notification_bytes(command);
    // In a box of any size there is room for it.
    add_tag(&mut bytes, checked_tag(&tag), ANY_SIZE);
    bytes
}

/// Encodes an ask for the command that wants no answer, as [`Connection::notify`](crate::Connection::notify) sends it to a peer that
/// has not announced this library: it has no tag.
///
/// # Panics
/// If the arguments cannot be sent.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::Command;
/// use amp::Command;
/// use amp::testing::{box_bytes, notification_bytes};
///
/// #[derive(Command)]
/// #[amp(no_answer)]
/// struct Note {
///     text: String,
/// }
///
/// let note = Note { text: "hello".to_owned() };
/// assert_eq!(notification_bytes(&note), box_bytes(&[("_command", "Note"), ("text", "hello")]));
/// ```
#[must_use]
#[track_caller]
pub fn notification_bytes<C: Command>(command: &C) -> Vec<u8> {
    encoded(C::NAME, violations(command), |buffer| put_ask(buffer, None, command, ANY_SIZE, None))
}

/// Encodes the answer to an ask with the tag.
///
/// # Panics
/// If the response cannot be sent.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command};
/// use amp::testing::answer_bytes;
/// use amp::{Arguments, Command};
///
/// #[derive(Command)]
/// #[amp(response = Load)]
/// struct GetLoad;
///
/// #[derive(Arguments)]
/// struct Load {
///     percent: u8,
/// }
///
/// assert_eq!(answer_bytes::<GetLoad>("7", &Load { percent: 93 }), b"\0\x07_answer\0\x017\0\x07percent\0\x0293\0\0");
/// ```
#[must_use]
#[track_caller]
pub fn answer_bytes<C: Command>(tag: impl AsRef<[u8]>, response: &C::Response) -> Vec<u8> {
    let tag = AskTag::of(checked_tag(&tag));
    encoded(C::NAME, violations(response), |buffer| put_answer(buffer, &tag, response, ANY_SIZE, None))
}

/// Encodes the declared error that answers an ask with the tag: its code, its description and its own fields.
///
/// # Panics
/// If a field of the error cannot be sent.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Command, ErrorCodes};
/// use amp::testing::{box_bytes, error_bytes};
/// use amp::{Command, ErrorCodes};
///
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// enum PutError {
///     #[error("it is full")]
///     Full,
/// }
///
/// #[derive(Command)]
/// #[amp(errors = PutError)]
/// struct Put;
///
/// let expected = box_bytes(&[("_error", "7"), ("_error_code", "FULL"), ("_error_description", "it is full")]);
/// assert_eq!(error_bytes::<Put>("7", &PutError::Full), expected);
/// ```
#[must_use]
#[track_caller]
pub fn error_bytes<C: Command>(tag: impl AsRef<[u8]>, error: &C::Errors) -> Vec<u8> {
    let (tag, description) = (AskTag::of(checked_tag(&tag)), error.describe());
    encoded(C::NAME, None, |buffer| put_declared(buffer, &tag, error, &description, ANY_SIZE, None))
}

/// Decodes one ask for the command, with or without a tag, and checks its constraints, as the end that answers does. Exposed fields
/// are empty. A box may have any size.
///
/// # Errors
/// If an argument is missing, does not decode or breaks a constraint: that end would answer with an error.
///
/// # Panics
/// If the bytes are not exactly one ask for this command.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::Command;
/// use amp::Command;
/// use amp::testing::{ask_bytes, box_bytes, decode_ask};
///
/// #[derive(Command, Debug, PartialEq)]
/// struct SetSpeed {
///     #[constrain(range = 0..=100)]
///     percent: u8,
/// }
///
/// let command = SetSpeed { percent: 80 };
/// assert_eq!(decode_ask::<SetSpeed>(&ask_bytes("1", &command)).expect("it decodes"), command);
///
/// let too_fast = box_bytes(&[("_ask", "1"), ("_command", "SetSpeed"), ("percent", "101")]);
/// assert!(decode_ask::<SetSpeed>(&too_fast).is_err());
/// ```
#[track_caller]
pub fn decode_ask<C: Command>(bytes: &[u8]) -> Result<C, DecodeError> {
    match try_decode_ask(bytes) {
        Ok(decoded) => decoded,
        Err(fault) => panic!("{fault}"),
    }
}

/// As [`decode_ask`], with the message in place of a panic: an async function panics at its own line and not at its caller's.
pub(super) fn try_decode_ask<C: Command>(bytes: &[u8]) -> Result<Result<C, DecodeError>, String> {
    let (Packet::Ask { ask, .. } | Packet::Marked { ask, .. }) = only_packet(bytes)? else {
        return Err(with_bytes("this asks nothing", bytes));
    };
    if ask.command() != C::NAME.as_bytes() {
        return Err(with_bytes(&format!("this does not ask for `{}`", C::NAME), bytes));
    }
    let scope = Scope::new(Budget::new(&ANY_SIZE), None);
    Ok(take_checked(&mut ask.fields(ANY_SIZE.nesting).with_scope(&scope)))
}

/// Decodes one answer or error answer, to the result that the caller of the command would get.
///
/// # Errors
/// Those of the caller: a declared error, a code that is not declared, or an answer that does not fit the declaration.
///
/// # Panics
/// If the bytes are not exactly one answer or error.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command};
/// use amp::testing::{answer_bytes, box_bytes, decode_reply};
/// use amp::{Arguments, CallError, Command};
///
/// #[derive(Command)]
/// #[amp(response = Load)]
/// struct GetLoad;
///
/// #[derive(Arguments, Debug, PartialEq)]
/// struct Load {
///     percent: u8,
/// }
///
/// let load = Load { percent: 93 };
/// assert_eq!(decode_reply::<GetLoad>(&answer_bytes::<GetLoad>("1", &load)).expect("an answer"), load);
///
/// let unknown = box_bytes(&[("_error", "1"), ("_error_code", "UNKNOWN"), ("_error_description", "Unknown Error")]);
/// assert!(matches!(decode_reply::<GetLoad>(&unknown), Err(CallError::Remote { code, .. }) if code == "UNKNOWN"));
/// ```
#[track_caller]
pub fn decode_reply<C: Command>(bytes: &[u8]) -> Reply<C> {
    match try_decode_reply::<C>(bytes) {
        Ok(reply) => reply,
        Err(fault) => panic!("{fault}"),
    }
}

/// As [`decode_reply`], with the message in place of a panic.
pub(super) fn try_decode_reply<C: Command>(bytes: &[u8]) -> Result<Reply<C>, String> {
    match only_packet(bytes)? {
        Packet::Reply { reply, .. } => Ok(take_reply(&reply, &ANY_SIZE, None)),
        Packet::Ask { .. } | Packet::Marked { .. } => Err(with_bytes("this answers nothing", bytes)),
    }
}

/// Returns the codes of the errors that the command declares, in the order of their declaration. Those of [`fatal_codes`] are among
/// them.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Command, ErrorCodes};
/// use amp::testing::{declared_codes, fatal_codes};
/// use amp::{Command, ErrorCodes};
///
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// enum PutError {
///     #[error("it is full")]
///     Full,
///     #[error("it is broken")]
///     #[amp(code = "BROKEN_DISK", fatal)]
///     Broken,
/// }
///
/// #[derive(Command)]
/// #[amp(errors = PutError)]
/// struct Put;
///
/// assert_eq!(declared_codes::<Put>(), ["FULL", "BROKEN_DISK"]);
/// assert_eq!(fatal_codes::<Put>(), ["BROKEN_DISK"]);
/// ```
#[must_use]
pub fn declared_codes<C: Command>() -> Vec<&'static str> {
    C::Errors::ERRORS.iter().map(|error| error.code).collect()
}

/// Returns the codes of those declared errors that end the connection. [`declared_codes`] has an example.
#[must_use]
pub fn fatal_codes<C: Command>() -> Vec<&'static str> {
    C::Errors::ERRORS.iter().filter(|error| error.fatal).map(|error| error.code).collect()
}

#[track_caller]
fn checked_tag(tag: &impl AsRef<[u8]>) -> &[u8] {
    let tag = tag.as_ref();
    assert!(tag.len() <= MAX_VALUE, "a tag of {} bytes where {MAX_VALUE} is the most", tag.len());
    tag
}

#[track_caller]
fn encoded(
    name: &str,
    broken: Option<Violations>,
    put: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let put = match broken {
        Some(found) => Err(EncodeErrorKind::Constraints(found).into()),
        None => put(&mut bytes),
    };
    match put {
        Ok(()) => bytes,
        Err(error) => panic!("this cannot be sent, `{name}`: {error}"),
    }
}

/// The packet that the bytes of exactly one box hold.
pub(super) fn only_packet(bytes: &[u8]) -> Result<Packet, String> {
    let mut decoder = BoxDecoder::with_leftover(ANY_SIZE, bytes.into());
    let raw = match decoder.next_box() {
        Ok(Some(raw)) if decoder.into_leftover().is_empty() => raw,
        Ok(_) => return Err(with_bytes("this is not exactly one box", bytes)),
        Err(error) => return Err(with_bytes(&format!("this is no box, {error}"), bytes)),
    };
    Packet::parse(raw).map_err(|error| with_bytes(&format!("this is {error}"), bytes))
}

fn with_bytes(fault: &str, bytes: &[u8]) -> String {
    format!("{fault}:\n{}", indented(&format_boxes(bytes)))
}
