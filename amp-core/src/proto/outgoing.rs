use std::marker::PhantomData;

use crate::command::{Command, violations};
use crate::exposed::ContextRef;
use crate::packet::{SentBox, Tag, put_ask, put_ask_box, put_ask_with};
use crate::value::{BoxWriter, EncodeError, EncodeErrorKind};
use crate::wire::{AmpBox, BoxLimits};

/// What can be asked: a typed command or a box.
pub(crate) trait Outgoing {
    /// Checks what is declared, before anything is locked or written.
    fn check(&self) -> Result<(), EncodeError>;

    /// Appends the ask, whose values see the context.
    fn put(
        &self,
        buffer: &mut Vec<u8>,
        tag: Option<Tag>,
        limits: BoxLimits,
        context: Option<ContextRef<'_>>,
    ) -> Result<(), EncodeError>;
}

/// What adds keys to boxes that are sent.
pub(crate) trait AddKeys: Send {
    fn add_to_ask(&self, ask: &mut SentBox<'_>);
    fn add_to_reply(&self, reply: &mut SentBox<'_>);
}

impl<C: Command> Outgoing for C {
    fn check(&self) -> Result<(), EncodeError> {
        violations(self).map_or(Ok(()), |found| Err(EncodeErrorKind::Constraints(found).into()))
    }

    fn put(
        &self,
        buffer: &mut Vec<u8>,
        tag: Option<Tag>,
        limits: BoxLimits,
        context: Option<ContextRef<'_>>,
    ) -> Result<(), EncodeError> {
        put_ask(buffer, tag, self, limits, context)
    }
}

/// A command of the type `C` whose arguments lie somewhere else.
pub(crate) struct Borrowed<C, F>(pub(crate) F, pub(crate) PhantomData<C>);

impl<C: Command, F: Fn(&mut BoxWriter<'_>) -> Result<(), EncodeError>> Outgoing for Borrowed<C, F> {
    fn check(&self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(
        &self,
        buffer: &mut Vec<u8>,
        tag: Option<Tag>,
        limits: BoxLimits,
        context: Option<ContextRef<'_>>,
    ) -> Result<(), EncodeError> {
        put_ask_with(buffer, tag, C::NAME, &self.0, limits, context)
    }
}

/// A command whose arguments have no type.
pub(crate) struct Untyped<'a>(pub(crate) &'a str, pub(crate) AmpBox);

impl Outgoing for Untyped<'_> {
    fn check(&self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(
        &self,
        buffer: &mut Vec<u8>,
        tag: Option<Tag>,
        limits: BoxLimits,
        _: Option<ContextRef<'_>>,
    ) -> Result<(), EncodeError> {
        put_ask_box(buffer, tag, self.0, self.1.clone(), limits)
    }
}
