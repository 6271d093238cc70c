use std::marker::PhantomData;

use crate::command::{Command, violations};
use crate::exposed::ContextRef;
use crate::packet::{SentBox, Tag, put_ask, put_ask_box, put_ask_with};
use crate::value::{BoxWriter, EncodeError, EncodeErrorKind};
use crate::wire::{AmpBox, BoxLimits};

/// An ask to be sent: a typed command or a box.
pub(crate) trait Outgoing {
    /// Checks the declared constraints, before anything is locked or written.
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

/// Adds keys to boxes that are sent.
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

/// A command of the type `C` whose arguments are stored elsewhere.
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
pub(crate) struct Untyped<'a>(pub(crate) &'a [u8], pub(crate) AmpBox);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Arguments, NoErrors};
    use crate::sample_commands::{Item, Sum};
    use crate::schema::BoxDeclaration;
    use crate::value::{BoxReader, DecodeError};
    use crate::violation::{Place, Violations};

    /// A command that breaks a constraint, whatever its arguments.
    struct Unfit;

    impl Arguments for Unfit {
        const FIELDS: BoxDeclaration = Sum::FIELDS;

        fn put_leading(&self, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
            Ok(())
        }

        fn put_trailing(&self, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
            Ok(())
        }

        fn take(_: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
            Ok(Self)
        }

        fn check(&self, place: Place<'_>, found: &mut Violations) {
            found.add(place, "rule", "it is unfit");
        }
    }

    impl Command for Unfit {
        type Response = Item;
        type Errors = NoErrors;
        const NAME: &'static str = "Unfit";
    }

    #[test]
    fn a_command_that_breaks_a_constraint_is_refused_before_it_is_written() {
        assert!(Outgoing::check(&Unfit).is_err_and(|error| matches!(error.kind(), EncodeErrorKind::Constraints(_))));
        assert!(Outgoing::check(&Sum { a: 1, b: 2 }).is_ok());
    }

    #[test]
    fn a_command_goes_out_as_the_same_box_whether_typed_or_borrowed_or_without_a_type() {
        let put = |ask: &dyn Outgoing| {
            let mut bytes = Vec::new();
            ask.put(&mut bytes, Some(Tag::of(7)), BoxLimits::DEFAULT, None).expect("a short ask");
            bytes.escape_ascii().to_string()
        };
        let (sum, mut arguments) = (Sum { a: 1, b: 2 }, AmpBox::new());
        for (key, value) in [("a", "1"), ("b", "2")] {
            arguments.insert(key, value).expect("a short value");
        }
        let borrowed = Borrowed(|out: &mut BoxWriter<'_>| sum.put_trailing(out), PhantomData::<Sum>);
        let expected = put(&Untyped(b"Sum", arguments));
        assert!(expected.contains("Sum"));
        assert_eq!([put(&borrowed), put(&sum)], [expected.clone(), expected]);
    }
}
