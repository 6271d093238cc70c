//! The conversions that `?` makes in a responder.

use std::error::Error;

use super::{CallError, NotifyError};
use crate::command::{ErrorCodes, IncludedIn};
use crate::exposed::ExposeError;
use crate::reason::CloseReason;
use crate::value::{ConvertError, DecodeError, EncodeError};
use crate::wire::{InsertError, WireError};

/// Errors that `?` lifts into a [`CallError`].
///
/// - An error that the command declares becomes [`CallError::Declared`], and so does one of another enum that the command's errors
///   include with `#[amp(include)]`. `?` looks one enum deep: what the included enum itself includes is converted into that first.
/// - An error of the standard library, of tokio or of this library that a responder meets becomes [`CallError::Failed`]: errors of io,
///   of parsing and converting, of tasks, time limits and channels, of boxes, connections and streams; and a
///   `Box<dyn Error + Send + Sync>`. The implementations are listed below.
///
/// For any other error the `?` itself must say whether it is a failure, by [`OrFail::or_fail`] or [`CallError::failed`]: it may
/// have been meant as a declared one. An error type of your own that is always a failure can have a `From`:
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{CallError, ErrorCodes};
///
/// #[derive(thiserror::Error, Debug)]
/// #[error("the database is gone")]
/// struct DatabaseError;
///
/// impl<E: ErrorCodes> From<DatabaseError> for CallError<E> {
///     fn from(error: DatabaseError) -> Self {
///         Self::failed(error)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`?` does not lift `{X}` into `{Self}`",
    // At a `?` the compiler shows only the label.
    label = "not a declared error of this command, `#[amp(errors = TheErrors)]`, nor of an enum with `#[derive(ErrorCodes)]` that its errors include: \
             to answer with a declared error, write `.map_err(TheErrors::from)?`; \
             to fail with `UNKNOWN`, `.map_err(CallError::failed)?`; \
             to pass on the error of another call, `.map_err(CallError::forward)?`",
    note = "to answer with the errors of another enum, include it: a variant `#[amp(include)] Other(#[from] OtherErrors)`",
    note = "to fail with it, write `.map_err(CallError::failed)?`, or `.or_fail()?` with `amp::error::OrFail` in scope"
)]
pub trait LiftFrom<X>: Sized {
    #[doc(hidden)]
    fn lift_from(error: X) -> Self;
}

impl<E, X> From<X> for CallError<E>
where
    Self: LiftFrom<X>,
{
    /// The conversion of `?`; [`LiftFrom`] lists the errors.
    fn from(error: X) -> Self {
        Self::lift_from(error)
    }
}

// The compiler would show it, and each of those below, when it rejects another error.
#[diagnostic::do_not_recommend]
impl<E, X: ErrorCodes + IncludedIn<E>> LiftFrom<X> for CallError<E> {
    fn lift_from(error: X) -> Self {
        Self::Declared(error.include())
    }
}

/// Errors that are failures of a responder. [`ErrorCodes`] keeps them apart from declared errors: no crate can implement it for these,
/// because neither they nor the trait are its own.
macro_rules! failures {
    ($($error:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<E: ErrorCodes> LiftFrom<$error> for CallError<E> {
            fn lift_from(error: $error) -> Self {
                Self::failed(error)
            }
        }
    )*};
}

failures! {
    Box<dyn Error + Send + Sync>,
    std::array::TryFromSliceError,
    std::char::CharTryFromError,
    std::char::ParseCharError,
    std::convert::Infallible,
    std::env::VarError,
    std::ffi::NulError,
    std::fmt::Error,
    std::io::Error,
    std::net::AddrParseError,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::path::StripPrefixError,
    std::str::ParseBoolError,
    std::str::Utf8Error,
    std::string::FromUtf16Error,
    std::string::FromUtf8Error,
    std::time::SystemTimeError,
    tokio::sync::AcquireError,
    tokio::sync::broadcast::error::RecvError,
    tokio::sync::oneshot::error::RecvError,
    tokio::sync::watch::error::RecvError,
    tokio::task::JoinError,
    tokio::time::error::Elapsed,
    CloseReason,
    ConvertError,
    DecodeError,
    EncodeError,
    ExposeError,
    InsertError,
    NotifyError,
    WireError,
}

#[cfg(feature = "serde")]
failures! { crate::json::JsonError }

#[diagnostic::do_not_recommend]
impl<E: ErrorCodes, T> LiftFrom<tokio::sync::mpsc::error::SendError<T>> for CallError<E> {
    fn lift_from(error: tokio::sync::mpsc::error::SendError<T>) -> Self {
        // The box that was not sent need not be `Sync`.
        Self::failed(error.to_string())
    }
}

/// Fails a responder with any error that is neither declared nor meant for the peer: `.or_fail()?`.
///
/// Short for [`CallError::failed`]: the peer is answered [`codes::UNKNOWN`](crate::error::codes::UNKNOWN), and the error is
/// logged with its sources. Text is such an error, too; for an `Option`, write `.ok_or("no such row").or_fail()?`.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::error::OrFail;
/// use amp::{Command, Reply};
///
/// fn checked<C: Command>(row: Option<u64>, read: fn(u64) -> Result<C::Response, String>) -> Reply<C> {
///     let row = row.ok_or("no such row").or_fail()?;
///     let response = read(row).or_fail()?;
///     Ok(response)
/// }
/// ```
pub trait OrFail<T> {
    /// Converts the error into [`CallError::Failed`].
    ///
    /// # Errors
    /// If it is an error.
    fn or_fail<E>(self) -> Result<T, CallError<E>>;
}

impl<T, X: Into<Box<dyn Error + Send + Sync>>> OrFail<T> for Result<T, X> {
    fn or_fail<E>(self) -> Result<T, CallError<E>> {
        self.map_err(CallError::failed)
    }
}
