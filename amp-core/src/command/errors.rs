use std::error::Error;

use crate::schema::ErrorDeclaration;
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError};

/// The errors that a command declares: each has a code that both ends know. Twisted's `errors` and `fatalErrors`.
///
/// Derive it on an enum that is also an [`Error`], for example by `thiserror`: `Display` is the description.
///
/// Errors of the library itself arrive under the [`codes`](crate::error::codes) `UNKNOWN`, `UNHANDLED`, `BUSY` and so on. A command that declares
/// one of these codes takes them for its own error: a responder that panicked would look like one that has answered `UNKNOWN`.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{CallError, ErrorCodes};
///
/// /// The code on the wire of whatever a call ended with.
/// fn code<E: ErrorCodes>(error: &CallError<E>) -> Option<&str> {
///     error.declared().map(ErrorCodes::code).or(error.remote_code())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which error codes it stands for",
    label = "not a set of declared errors",
    note = "add `#[derive(ErrorCodes)]` to the enum, and `#[derive(thiserror::Error, Debug)]` for its texts",
    note = "errors are the variants of an enum of your own: `enum SumError {{ Overflow }}` declares the code `OVERFLOW`"
)]
#[doc(alias("asAMP", "errors", "fatalErrors", "reverseErrors"))]
pub trait ErrorCodes: Error + Sized + Send + Sync + 'static {
    /// The code that answers an argument which does not decode, or breaks a constraint.
    const INVALID_ARGUMENT: &'static str = crate::error::codes::INVALID_ARGUMENT;

    /// The errors as they are declared, for schemas.
    const ERRORS: &'static [ErrorDeclaration];

    /// The code on the wire.
    fn code(&self) -> &'static str;

    /// Whether the connection ends after the answer.
    fn is_fatal(&self) -> bool {
        false
    }

    /// The description on the wire.
    fn describe(&self) -> String {
        self.to_string()
    }

    /// Writes the error's own fields whose keys sort before `_`.
    ///
    /// # Errors
    /// If a field has no form on the wire.
    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let _ = out;
        Ok(())
    }

    /// Writes the error's other fields.
    ///
    /// # Errors
    /// If a field has no form on the wire.
    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let _ = out;
        Ok(())
    }

    /// Makes the error of a received code; `None` if the code is not declared.
    ///
    /// # Errors
    /// If the code is declared and the error's fields are missing or do not decode.
    fn from_error(code: &str, description: &str, fields: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError>;
}

/// What `?` lifts into `E` as a declared error: `E` itself, and the errors that its derive includes with `#[amp(include)]`.
///
/// The included error implements it and not `E`, so that `E` is inferred from an error that no other enum includes.
#[doc(hidden)]
pub trait IncludedIn<E> {
    fn include(self) -> E;
}

impl<E> IncludedIn<E> for E {
    fn include(self) -> E {
        self
    }
}

/// For commands that declare no errors. It has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoErrors {}

impl ErrorCodes for NoErrors {
    const ERRORS: &'static [ErrorDeclaration] = &[];

    fn code(&self) -> &'static str {
        match *self {}
    }

    fn from_error(_: &str, _: &str, _: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(None)
    }
}
