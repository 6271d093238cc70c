//! The rules for a command, besides those for the struct of its arguments.

use crate::attributes::Settings;
use crate::errors::Errors;

/// The settings about the answer do not contradict each other.
pub(super) fn answer(settings: &Settings, errors: &mut Errors) {
    if let (Some(_), Some(response)) = (&settings.no_answer, &settings.response) {
        errors.push(response, "a command with `no_answer` has no response: remove one of the two");
    }
}
