//! Errors that calls, notifications and exposed context fail with, beside [`CallError`](crate::CallError); what `?` makes of an error in a
//! responder; the codes that the library itself answers with; and text of a peer's making as it may stand in a log.
//!
//! Those of values are in [`value`](crate::value), those of boxes in [`wire`](crate::wire), and why a connection has ended is a
//! `CloseReason`.

pub mod codes;

pub use crate::command::NoErrors;
pub use crate::escaped::Escaped;
pub use crate::exposed::ExposeError;

#[cfg(feature = "tokio")]
pub use crate::{
    boxes::SendBoxError,
    call_error::{LiftFrom, NotifyError, OrFail},
};
