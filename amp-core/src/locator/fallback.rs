//! Answers commands that have no type.

use std::fmt;
use std::future::Future;

use super::locate::Locator;
use crate::call_error::CallError;
use crate::command::NoErrors;
use crate::responder::{Ask, Located};
use crate::wire::AmpBox;

/// A locator that answers every command: it receives the name as sent, and the arguments without a type. It goes behind the
/// locators of typed commands: `(calculator, fallback(..))`.
///
/// `respond` begins on the connection's reader, and must not block; its future runs as that of any responder. Commands of
/// extensions and of this library itself, whose names begin with `amp.`, do not reach it. See [`Ask::respond_box`] for its
/// argument and return value.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::connection::pair;
/// use amp::locator::fallback;
/// use amp::{AmpBox, CallError, Connection};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A gateway: what it does not know itself goes to another peer, and its answer or its error comes back as it is.
/// let echo = fallback(|_, arguments| async { Ok(arguments) });
/// let (backend, _echo) = pair(Connection::builder(), Connection::builder().locator(echo));
/// let gateway = fallback(move |command, arguments| {
///     let (command, backend) = (String::from_utf8_lossy(command).into_owned(), backend.clone());
///     async move { backend.call_box(&command, arguments).await }
/// });
/// let (client, _gateway) = pair(Connection::builder(), Connection::builder().locator(gateway));
///
/// let arguments = AmpBox::new().with("text", "hello")?;
/// assert_eq!(client.call_box("Anything", arguments.clone()).await?, arguments);
/// # Ok(())
/// # }
/// ```
#[doc(alias("SimpleStringLocator", "lookupFunction"))]
pub fn fallback<F, R>(respond: F) -> Fallback<F>
where
    F: Fn(&[u8], AmpBox) -> R + Send + Sync + 'static,
    R: Future<Output = Result<AmpBox, CallError<NoErrors>>> + Send + 'static,
{
    Fallback { respond }
}

/// A locator that answers every command; made by [`fallback`].
#[derive(Clone)]
pub struct Fallback<F> {
    respond: F,
}

impl<F, R> Locator for Fallback<F>
where
    F: Fn(&[u8], AmpBox) -> R + Send + Sync + 'static,
    R: Future<Output = Result<AmpBox, CallError<NoErrors>>> + Send + 'static,
{
    fn locate(&self, ask: Ask) -> Located {
        let command = ask.command().to_vec();
        ask.respond_box(|arguments| (self.respond)(&command, arguments))
    }
}

impl<F> fmt::Debug for Fallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").finish_non_exhaustive()
    }
}
