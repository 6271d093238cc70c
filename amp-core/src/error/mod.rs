//! Errors of calls, notifications and exposed context, beside [`CallError`](crate::CallError); the conversions of `?` in a
//! responder; the codes that the library itself answers with; and text from a peer, made safe for logs.
//!
//! Errors of values are in [`value`](crate::value), errors of boxes in [`wire`](crate::wire), and the reason why a connection has
//! ended is a `CloseReason`.

pub mod codes;

pub use crate::command::NoErrors;
pub use crate::escaped::Escaped;
pub use crate::exposed::ExposeError;

#[cfg(feature = "tokio")]
pub use crate::{
    boxes::SendBoxError,
    call_error::{LiftFrom, NotifyError, OrFail},
};
