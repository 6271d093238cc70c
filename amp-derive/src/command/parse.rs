//! Reads a command.

use syn::DeriveInput;

use super::{Command, Constructor, check};
use crate::arguments::Struct;
use crate::attributes::{Place, Settings};
use crate::errors::Errors;
use crate::{docs, wire_name};

impl<'a> Command<'a> {
    pub(super) fn of(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut settings = Settings::of(&input.attrs, Place::Command, errors);
        check::answer(&settings, errors);
        Self {
            arguments: Struct::of(input, &mut settings, Place::Command, errors),
            name: wire_name::command(settings.name.as_ref(), &input.ident, errors),
            doc: docs::of(&input.attrs),
            response: settings.response,
            errors: settings.errors,
            answered: settings.no_answer.is_none(),
            detached: settings.detached.is_some(),
            constructor: settings.new.map(|word| Constructor { word, vis: &input.vis }),
        }
    }
}
