use crate::command::{Command, violations};
use crate::packet::{Tag, put_ask, put_ask_box};
use crate::value::{EncodeError, EncodeErrorKind};
use crate::wire::{AmpBox, BoxLimits};

/// What can be asked: a typed command or a box.
pub(super) trait Outgoing {
    /// Checks what is declared, before anything is locked or written.
    fn check(&self) -> Result<(), EncodeError>;

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError>;
}

impl<C: Command> Outgoing for C {
    fn check(&self) -> Result<(), EncodeError> {
        violations(self).map_or(Ok(()), |found| Err(EncodeErrorKind::Constraints(found).into()))
    }

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError> {
        put_ask(buffer, tag, self, limits)
    }
}

/// A command whose arguments have no type.
pub(super) struct Untyped<'a>(pub(super) &'a str, pub(super) AmpBox);

impl Outgoing for Untyped<'_> {
    fn check(&self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError> {
        put_ask_box(buffer, tag, self.0, self.1.clone(), limits)
    }
}
