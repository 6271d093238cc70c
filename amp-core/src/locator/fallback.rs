//! Answers commands that have no type.

use std::fmt;
use std::future::Future;

use super::locate::Locator;
use crate::call_error::CallError;
use crate::command::NoErrors;
use crate::responder::{Ask, Located};
use crate::wire::AmpBox;

/// A locator that answers every command, by the ask and its arguments without a type. It goes behind those that have commands:
/// `(calculator, fallback(..))`.
///
/// `respond` begins while the connection is read, and must not block; its future runs as that of any responder. Commands of this end's
/// extensions, and of this library itself, whose names begin with `amp.`, do not come here. See [`Ask::respond_box`] for what it returns.
///
/// # Gateways
/// A gateway between clients that do not trust each other needs limits of its own, because they share the connection behind it. The limits
/// of the peer there (`max_responders`, `max_inbound`, the credit of notifications) hold for all of them together, and a call that a
/// responder makes takes no place among [`max_calls`](crate::Settings::max_calls). Give each client a semaphore, or a connection of its own.
/// Pass on only names that clients may call: `Connect`, where this end has no streams, is a name like any other, and the stream that it
/// opens belongs to the gateway and outlives the client.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::connection::pair;
/// use amp::locator::fallback;
/// use amp::{AmpBox, Connection};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A gateway: what it does not know itself goes to another peer, and its answer or its error comes back as it is.
/// let echo = fallback(|_, arguments| async { Ok(arguments) });
/// let (backend, _echo) = pair(Connection::builder(), Connection::builder().locator(echo));
/// let gateway = fallback(move |ask, arguments| {
///     let (command, wants_answer, backend) = (ask.command().to_vec(), ask.wants_answer(), backend.clone());
///     async move {
///         if wants_answer {
///             return backend.call_box(&command, arguments).await;
///         }
///         backend.notify_box(&command, arguments).await?;
///         Ok(AmpBox::new())
///     }
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
    F: Fn(&Ask, AmpBox) -> R + Send + Sync + 'static,
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
    F: Fn(&Ask, AmpBox) -> R + Send + Sync + 'static,
    R: Future<Output = Result<AmpBox, CallError<NoErrors>>> + Send + 'static,
{
    fn locate(&self, ask: Ask) -> Located {
        // Passed on by a gateway, they would say something of its own connection to a peer of this library.
        if ask.is_own() {
            return Located::Unknown(ask);
        }
        ask.respond_box(&self.respond)
    }

    /// The ask is copied out of the receive buffer by itself, so that those before it are not.
    fn keeps_asks(&self) -> bool {
        false
    }
}

impl<F> fmt::Debug for Fallback<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fallback").finish_non_exhaustive()
    }
}
