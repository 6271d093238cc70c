//! Commands: declarations of arguments, response and errors. Imports `value`, `exposed`, `violation` and `schema`.

mod arguments;
mod big;
pub mod constraint;
mod errors;
mod map;
mod tagged;
#[cfg(test)]
mod tests;

pub(crate) use arguments::judge_count;
#[cfg(feature = "tokio")]
pub(crate) use arguments::take_checked;
pub(crate) use arguments::take_required;
pub(crate) use arguments::violations;
pub use arguments::{
    Argument, Arguments, Constrained, nested_count_list, nested_decode, nested_decode_list, nested_encode,
    nested_encode_list, optional_once,
};
use arguments::{nested_box, nested_list};
pub use big::{Big, FromTwo, FromZero, KeyNumbers};
pub use constraint::Constraint;
pub use errors::{ErrorCodes, IncludedIn, NoErrors};
pub use tagged::{Tagged, tagged_decode, tagged_decode_list, tagged_encode, tagged_encode_list};

use crate::exposed::{Context, ExposeError};
use crate::schema::CommandDeclaration;

/// A command: its name, its arguments, its response and the errors that it declares.
///
/// Derive it; the macro's documentation lists the attributes. The trait is implemented for the struct of arguments.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{Command, Connection};
///
/// /// What every command has, whatever it is.
/// async fn timed<C: Command>(connection: &Connection, command: C) -> amp::Reply<C> {
///     let start = std::time::Instant::now();
///     let reply = connection.call(command).await;
///     println!("{} took {:?}", C::NAME, start.elapsed());
///     reply
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    label = "not a command",
    note = "add `#[derive(Command)]` to the struct of its arguments",
    note = "where it is a response: `Reply<..>` and `Call<..>` name the command"
)]
#[doc(alias("amp.Command"))]
pub trait Command: Arguments {
    /// The fields of a successful answer.
    type Response: Arguments;
    /// The errors that a responder may answer with; [`NoErrors`] when there are none.
    type Errors: ErrorCodes;
    /// The name on the wire, case-sensitive.
    const NAME: &'static str;
    /// Whether the caller waits for an answer. Twisted's `requiresAnswer`.
    #[doc(alias("requiresAnswer"))]
    const ANSWERED: bool = true;
    /// Whether a running responder goes on when its caller has left, for up to `Settings::close_timeout`. A responder whose
    /// caller wants no answer does so in any case.
    const DETACHED: bool = false;
    /// The command whose answer is one of its exposed fields: its own name, if there is one.
    #[doc(hidden)]
    const EARLY_ANSWER: Option<&'static str> = None;
    /// The doc comment, for schemas.
    const DOC: &'static str = "";
    /// Everything that is declared, as data.
    const DECLARATION: CommandDeclaration = CommandDeclaration {
        name: Self::NAME,
        doc: Self::DOC,
        answered: Self::ANSWERED,
        arguments: Self::FIELDS,
        response: <Self::Response as Arguments>::FIELDS,
        errors: <Self::Errors as ErrorCodes>::ERRORS,
    };

    /// Fills in the exposed fields where the command is answered.
    ///
    /// # Errors
    /// If the place where the command is answered does not have a value that a field wants.
    fn expose(&mut self, context: &dyn Context) -> Result<(), ExposeError> {
        let _ = context;
        Ok(())
    }
}
