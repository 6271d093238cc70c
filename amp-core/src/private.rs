//! What the macros' expansions call. Not part of the public interface: it changes without notice.

pub use crate::command::{nested_decode, nested_decode_list, nested_encode, nested_encode_list};
pub use crate::value::Key;

use crate::command::{Argument, Context, Exposable, ExposeError, Exposed, take_required};
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError};

/// Writes one field.
pub fn put<T: Argument>(value: &T, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
    value.put(key, out)
}

/// Reads one field.
pub fn take<T: Argument>(key: Key, from: &mut BoxReader<'_>) -> Result<T, DecodeError> {
    take_required(key, from)
}

/// Fills one exposed field in.
pub fn expose<T: Exposable>(field: &mut Exposed<T>, context: &dyn Context) -> Result<(), ExposeError> {
    field.fill(context)
}

/// Answers one command by one method: what the locators do for each.
#[cfg(feature = "tokio")]
pub fn respond<C, R, F>(ask: crate::Ask, run: R) -> crate::Located
where
    C: crate::Command,
    R: FnOnce(C) -> F,
    F: Future<Output = crate::Reply<C>> + Send + 'static,
{
    ask.respond(run)
}
