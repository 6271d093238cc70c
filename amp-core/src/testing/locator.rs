//! Whether a locator has a responder, and what it answers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::call_error::{CallError, Reply};
use crate::command::Command;
use crate::connection::{Connection, ConnectionBuilder, pair};
use crate::locator::{Ask, Located, Locator};
use crate::packet::Packet;
use crate::peer::Peer;
use crate::testing::boxes::box_bytes;
use crate::testing::command::only_packet;

/// Whether the locator has a responder for the command.
///
/// The locator is given an ask without arguments, and the responder that it finds is not run. A locator that is written by hand sees the
/// ask in [`locate`](Locator::locate), whatever it does there. It needs no runtime.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Command, responder};
/// use amp::testing::answers;
/// use amp::{Command, Reply};
///
/// #[derive(Command)]
/// struct Start;
///
/// #[derive(Command)]
/// struct Stop;
///
/// struct Motor;
///
/// #[responder]
/// impl Motor {
///     async fn start(&self, _: Start) -> Reply<Start> {
///         Ok(())
///     }
/// }
///
/// let locator = Motor.into_locator();
/// assert!(answers::<Start>(&locator));
/// assert!(!answers::<Stop>(&locator));
/// ```
#[must_use]
pub fn answers<C: Command>(locator: &(impl Locator + ?Sized)) -> bool {
    let packet = only_packet(&box_bytes(&[("_command", C::NAME)]));
    let Packet::Ask { ask, .. } = packet else { unreachable!("it has no more than a command") };
    // It is never driven: what is answered goes nowhere, and nothing is logged of it.
    let (transport, _) = tokio::io::duplex(1);
    let (connection, _driver) = Connection::builder().unserved().build(transport, Peer::other("test"));
    !matches!(locator.locate(connection.received_ask(ask)), Located::Unknown(_))
}

/// What the locator answers to the command. The ask and its answer go through a connection in memory, as bytes, within all limits and
/// with all constraints.
///
/// A command that wants no answer returns when its responder has ended. A responder that panics fails the test.
///
/// # Errors
/// What the caller of the command gets. A responder that fails in a way that is not declared is a [`CallError::Remote`] with the code
/// `UNKNOWN`, and its error is in the log; where there is none, the code is `UNHANDLED`.
///
/// # Panics
/// When called outside a tokio runtime with time enabled, or when the responder panics.
///
/// # Cancel safety
/// Dropping it drops the responder.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command, ErrorCodes, responder};
/// use amp::testing::ask;
/// use amp::{Arguments, CallError, Command, ErrorCodes, Reply};
///
/// #[derive(Command)]
/// #[amp(response = Quotient, errors = DivideError)]
/// struct Divide {
///     numerator: i64,
///     denominator: i64,
/// }
///
/// #[derive(Arguments, Debug)]
/// struct Quotient {
///     result: i64,
/// }
///
/// #[derive(ErrorCodes, thiserror::Error, Debug)]
/// enum DivideError {
///     #[error("cannot divide by zero")]
///     ZeroDivision,
/// }
///
/// struct Calculator;
///
/// #[responder]
/// impl Calculator {
///     async fn divide(&self, command: Divide) -> Reply<Divide> {
///         let result = command.numerator.checked_div(command.denominator).ok_or(DivideError::ZeroDivision)?;
///         Ok(Quotient { result })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let locator = Calculator.into_locator();
/// assert_eq!(ask(&locator, Divide { numerator: 7, denominator: 2 }).await?.result, 3);
///
/// let failed = ask(&locator, Divide { numerator: 7, denominator: 0 }).await;
/// assert!(matches!(failed, Err(CallError::Declared(DivideError::ZeroDivision))));
/// # Ok(())
/// # }
/// ```
pub async fn ask<C: Command>(locator: &(impl Locator + ?Sized), command: C) -> Reply<C> {
    ask_with(Connection::builder(), locator, command).await
}

/// As [`ask`], where the connection that answers is `builder`'s: with its settings, and with the states that responders have exposed. Its
/// own locator is not used.
///
/// # Errors
/// As [`ask`].
///
/// # Panics
/// As [`ask`].
///
/// # Cancel safety
/// As [`ask`].
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command, responder};
/// use amp::testing::ask_with;
/// use amp::{Arguments, Command, Connection, Reply, State};
///
/// #[derive(Command)]
/// #[amp(response = User)]
/// struct WhoAmI;
///
/// #[derive(Arguments, Debug)]
/// struct User {
///     name: String,
/// }
///
/// struct Login(String);
/// struct Users;
///
/// #[responder]
/// impl Users {
///     async fn who(&self, _: WhoAmI, login: State<Login>) -> Reply<WhoAmI> {
///         Ok(User { name: login.0.clone() })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let logged_in = Connection::builder().state(Login("alice".to_owned()));
/// assert_eq!(ask_with(logged_in, &Users.into_locator(), WhoAmI).await?.name, "alice");
/// # Ok(())
/// # }
/// ```
pub async fn ask_with<C: Command>(
    builder: ConnectionBuilder,
    locator: &(impl Locator + ?Sized),
    command: C,
) -> Reply<C> {
    let (sender, asks) = unbounded_channel();
    let (asking, answering) = pair(Connection::builder(), builder.locator(HandOver(sender)));
    let mut call = pin!(asking.call(command).no_timeout());
    let mut responding = pin!(respond(asks, locator));
    let mut ended = pin!(answering.closed());
    let (mut reply, mut has_responded) = (None, false);
    poll_fn(|cx| {
        if reply.is_none()
            && let Poll::Ready(ready) = call.as_mut().poll(cx)
        {
            reply = Some(ready);
        }
        if !has_responded {
            has_responded = responding.as_mut().poll(cx).is_ready();
        }
        match reply.take() {
            Some(reply) if C::ANSWERED || has_responded || reply.is_err() => Poll::Ready(reply),
            // That of a command that wants no answer.
            Some(sent) => match ended.as_mut().poll(cx) {
                Poll::Ready(reason) => Poll::Ready(Err(CallError::Connection { reason, sent: true })),
                Poll::Pending => {
                    reply = Some(sent);
                    Poll::Pending
                }
            },
            None => Poll::Pending,
        }
    })
    .await
}

/// Answers the one ask that comes.
async fn respond(mut asks: UnboundedReceiver<Ask>, locator: &(impl Locator + ?Sized)) {
    let Some(ask) = asks.recv().await else { return };
    match locator.locate(ask) {
        Located::Responding(responding) | Located::Detached(responding) => responding.await,
        Located::Answered => {}
        Located::Unknown(ask) => ask.refuse_unhandled(),
    }
}

/// Hands each ask to where the locator under test is only borrowed.
struct HandOver(UnboundedSender<Ask>);

impl Locator for HandOver {
    fn locate(&self, ask: Ask) -> Located {
        match self.0.send(ask) {
            Ok(()) => Located::Answered,
            Err(unsent) => Located::Unknown(unsent.0),
        }
    }
}
