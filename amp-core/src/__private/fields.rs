use std::error::Error;

use crate::command::{Argument, take_required};
use crate::exposed::{Context, Exposable, ExposeError, Exposed, answers_early};
use crate::schema::AmpType;
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError, Key};
use crate::violation::{Place, Violations};

/// A field that travels.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "not an AMP value",
    note = "integers, floats, `bool`, `String`, `Vec<u8>`, `bytes::Bytes`, `[u8; N]`, lists and maps of values, `Option` of these and types with `#[derive(Arguments)]` can",
    note = "a newtype or an enum of your own has `#[derive(Value)]`; another type of your own implements `Value` (one value: `encode` writes its bytes, `decode` reads them) or `Argument` (several keys of the box)",
    note = "a type of another crate has a feature of this library (`uuid`, `url`, `ipnet`, `num-bigint`), stands in a field with `#[amp(text)]`, `#[amp(json)]`, or `#[amp(with = Type)]`, where `Type` is yours and implements `amp::value::With` for it",
    note = "an `Exposed<..>` does not travel: in a command mark its field with `#[exposed]`"
)]
pub trait Field: Sized {
    /// Its AMP type, and whether it may be absent.
    const DECLARED: (AmpType, bool);

    /// Whether it is an `Option` of an `Option`.
    const OPTIONAL_TWICE: bool;

    /// Whether it is one value, which has at most 65,535 bytes.
    const ONE_VALUE: bool;

    /// Writes it.
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads it.
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;

    /// Reads it; an absent one is what `default` makes.
    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> Self) -> Result<Self, DecodeError>;

    /// Reads it where it belongs to an error.
    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete>;

    /// Checks the constraints declared within it.
    fn check(&self, place: Place<'_>, found: &mut Violations);
}

impl<T: Argument> Field for T {
    const DECLARED: (AmpType, bool) = (T::DECLARED, T::OPTIONAL);
    const OPTIONAL_TWICE: bool = T::OPTIONAL_TWICE;
    const ONE_VALUE: bool = T::ONE_VALUE;

    #[inline(always)]
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        Argument::put(self, key, out)
    }

    #[inline(always)]
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        take_required(key, from)
    }

    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> Self) -> Result<Self, DecodeError> {
        Ok(<T as Argument>::take(key, from)?.unwrap_or_else(default))
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete> {
        <T as Argument>::take(key, from).map_err(Incomplete::Broken)?.or_else(T::absent).ok_or(Incomplete::Missing)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Argument::check(self, place, found);
    }
}

/// Evaluated at compile time, it fails at the call for a length that no single value has, or that every one has.
#[track_caller]
pub const fn fits_one_value(is_one: bool, mistake: &str) {
    assert!(!is_one, "{}", mistake);
}

/// Evaluated at compile time, it fails at the call if `name` is the key of a part of such a field with the name `of`.
#[track_caller]
pub const fn parts_apart((declared, _): (AmpType, bool), name: &str, of: &str, mistake: &str) {
    let is_part = match declared {
        AmpType::Big { numbering, .. } => numbering.index_of(name.as_bytes(), of.as_bytes()).is_some(),
        _ => false,
    };
    assert!(!is_part, "{}", mistake);
}

/// A field with `#[exposed]`: an [`Exposed`].
#[diagnostic::on_unimplemented(
    message = "a field with `#[exposed]` has the type `Exposed<..>`, this one is `{Self}`",
    label = "not an `Exposed<..>`"
)]
pub trait ExposedField {
    /// The command whose answer it is or contains.
    const EARLY_ANSWER: Option<&'static str>;

    /// The field of a command that has just arrived.
    fn empty() -> Self;

    /// Fills it in.
    fn expose(&mut self, context: &dyn Context) -> Result<(), ExposeError>;
}

impl<T: Exposable> ExposedField for Exposed<T> {
    const EARLY_ANSWER: Option<&'static str> = T::EARLY_ANSWER;

    fn empty() -> Self {
        Self::empty()
    }

    fn expose(&mut self, context: &dyn Context) -> Result<(), ExposeError> {
        self.fill(context)
    }
}

/// A parameter of a responder's method behind the command.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exposed to a responder",
    label = "nothing provides this",
    note = "`Connection`, `Peer`, `Arc<dyn Locator>`, `Arc<dyn BoxSender>`, `EarlyAnswer<C>`, `State<T>` for a type of your own, and `Option`s of these can be exposed"
)]
pub trait ExposedParameter {
    type Type;
}

impl<T: Exposable> ExposedParameter for T {
    type Type = T;
}

/// Evaluated at compile time, it fails at the call for a parameter that answers another command.
#[track_caller]
pub const fn parameter_answers<X: Exposable>(command: &str) -> bool {
    answers_early(X::EARLY_ANSWER, command)
}

/// Every [`Error`], under a name that tells how a type becomes one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares errors and is not a `std::error::Error` itself",
    label = "not an error",
    note = "add `#[derive(thiserror::Error, Debug)]` to the enum, and to each variant its text: `#[error(\"..\")]`"
)]
pub trait IsError {
    const IS: () = ();
}

impl<E: Error> IsError for E {}

/// The one unnamed field of an error variant.
#[diagnostic::on_unimplemented(
    message = "the unnamed field of a declared error is its description, a `String`, and not `{Self}`",
    label = "not a `String`",
    note = "to send a value with the error give the field a name: `Variant {{ name: {Self} }}`"
)]
pub trait Description {
    fn to_text(&self) -> String;
    fn from_text(text: &str) -> Self;
}

impl Description for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

/// Why the declared error of a received code could not be made.
#[derive(Debug)]
pub enum Incomplete {
    /// The code is not declared, or a field of its variant was not sent.
    Missing,
    /// A field was sent and does not decode.
    Broken(DecodeError),
}

/// A default and the choice of a name are not for errors alone.
impl From<DecodeError> for Incomplete {
    fn from(error: DecodeError) -> Self {
        Self::Broken(error)
    }
}

/// Makes a declared error, unless a field that it needs was not sent.
pub fn if_complete<T>(make: impl FnOnce() -> Result<T, Incomplete>) -> Result<Option<T>, DecodeError> {
    match make() {
        Ok(made) => Ok(Some(made)),
        Err(Incomplete::Missing) => Ok(None),
        Err(Incomplete::Broken(error)) => Err(error),
    }
}
