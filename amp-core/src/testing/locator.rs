//! Tests of locators and of their responders.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::watch;

use crate::call_error::{CallError, Reply};
use crate::command::Command;
use crate::connection::{Call, Connection, ConnectionBuilder};
use crate::error::codes;
use crate::locator::{Ask, Located, Locator};
use crate::packet::Packet;
use crate::peer::Peer;
use crate::schema::CommandDeclaration;
use crate::testing::boxes::box_bytes;
use crate::testing::command::only_packet;

/// How many bytes the pipe between the two ends holds in each direction.
const PIPE: usize = 64 * 1024;

/// Returns whether the locator has a responder for the command. It needs no runtime.
///
/// The locator gets an ask without arguments, and the responder that it finds is not run. A hand-written locator may do more in
/// [`locate`](Locator::locate) than find one, and that is done. The ask comes over a connection without states: a locator that decides by
/// one, such as who has logged in, decides as without it; use [`ask_with`] for that.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Command, responder};
/// use amp::testing::has_responder;
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
/// assert!(has_responder::<Start>(&locator));
/// assert!(!has_responder::<Stop>(&locator));
/// ```
#[must_use]
pub fn has_responder<C: Command>(locator: &(impl Locator + ?Sized)) -> bool {
    let packet = only_packet(&box_bytes(&[("_command", C::NAME)]));
    let Ok(Packet::Ask { ask, .. }) = packet else { unreachable!("it has no more than a command") };
    // It is never driven: what is answered goes nowhere, and nothing is logged of it.
    let (transport, _) = tokio::io::duplex(1);
    let (connection, _driver) = Connection::builder().unserved().build(transport, Peer::other("test"));
    !matches!(locator.locate(connection.received_ask(ask)), Located::Unknown(_))
}

/// Asks a locator for the command, and returns what it answers. The ask and its answer go through a connection in memory, as bytes,
/// within all limits and with all constraints. The locator is that connection's, so that responders see it and its settings as in a
/// program.
///
/// The ask has a tag even if the command wants no answer. So it returns when the responder has ended, and an error of the responder
/// is an error here. A responder that panics fails the test. A responder that has sent an
/// [early answer](crate::locator::EarlyAnswer) and goes on is dropped when this returns: test what it does then over a
/// [`pair`](super::pair) or with a [`ScriptedPeer`](super::ScriptedPeer), whose connection stays open.
///
/// The locator is passed by value: an `Arc` of one is a locator too, for a test that asks more than once.
///
/// # Errors
/// Those of the caller of the command. An undeclared failure of the responder is a [`CallError::Remote`](crate::CallError::Remote) with
/// the code `UNKNOWN`, and its text is in the log. Without a responder the code is `UNHANDLED`.
///
/// # Panics
/// If polled outside a tokio runtime with time enabled, or if the responder panics.
///
/// # Cancel safety
/// Dropping it ends the connection, which drops the responder.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command, ErrorCodes, responder};
/// use std::sync::Arc;
///
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
/// let locator = Arc::new(Calculator.into_locator());
/// assert_eq!(ask(locator.clone(), Divide { numerator: 7, denominator: 2 }).await?.result, 3);
///
/// let failed = ask(locator, Divide { numerator: 7, denominator: 0 }).await;
/// assert!(matches!(failed, Err(CallError::Declared(DivideError::ZeroDivision))));
/// # Ok(())
/// # }
/// ```
#[doc(alias("ResponderTestMixin"))]
pub async fn ask<C: Command>(locator: impl Locator, command: C) -> Reply<C> {
    ask_with(Connection::builder().locator(locator), command).await
}

/// As [`ask`], where the connection that answers is `builder`'s: with its locator, its settings, its extensions and the states that
/// responders have exposed. A locator that [each connection makes](ConnectionBuilder::locator_with) is made for it.
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
/// let logged_in = Connection::builder().locator(Users.into_locator()).state(Login("alice".to_owned()));
/// assert_eq!(ask_with(logged_in, WhoAmI).await?.name, "alice");
/// # Ok(())
/// # }
/// ```
pub async fn ask_with<C: Command>(builder: ConnectionBuilder, command: C) -> Reply<C> {
    let panics = Panics::default();
    let (here, there) = tokio::io::duplex(PIPE);
    let (asking, its_driver) = Connection::builder().build(here, Peer::other("memory"));
    let watching = panics.clone();
    let builder = builder.map_locator(move |locator| Arc::new(Watched { locator, panics: watching.clone() }));
    // The handle keeps the connection open.
    let (_answering, other_driver) = builder.build(there, Peer::other("memory"));
    // Polled here and not in tasks of their own: nothing of them is left when this future is dropped.
    let mut drivers = [Some(its_driver), Some(other_driver)];
    let mut call = Call::tagged(asking, command).no_timeout();
    let reply = poll_fn(|cx| {
        let polled = Pin::new(&mut call).poll(cx);
        if polled.is_pending() {
            for driver in &mut drivers {
                if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(cx).is_ready()) {
                    *driver = None;
                }
            }
        }
        polled
    })
    .await;
    // A panic is answered before it is kept.
    if reply.as_ref().err().and_then(CallError::remote_code) == Some(codes::UNKNOWN) {
        panics.settled().await;
    }
    panics.rethrow();
    reply
}

/// The locator under test: what panics in it is kept for the test, where a connection would only log it.
struct Watched {
    locator: Arc<dyn Locator>,
    panics: Panics,
}

impl Locator for Watched {
    fn locate(&self, ask: Ask) -> Located {
        let watch = |responding| -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(WatchedResponder { responding, panics: self.panics.clone() })
        };
        match self.panics.watch(|| self.locator.locate(ask)) {
            Some(Located::Responding(responding)) => Located::Responding(watch(responding)),
            Some(Located::Detached(responding)) => Located::Detached(watch(responding)),
            Some(located) => located,
            // The ask was dropped in the panic, which has answered it.
            None => Located::Answered,
        }
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        self.locator.commands()
    }

    fn keeps_asks(&self) -> bool {
        self.locator.keeps_asks()
    }
}

struct WatchedResponder {
    responding: Pin<Box<dyn Future<Output = ()> + Send>>,
    panics: Panics,
}

impl Future for WatchedResponder {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { responding, panics } = self.get_mut();
        panics.watch(|| responding.as_mut().poll(cx)).unwrap_or(Poll::Ready(()))
    }
}

/// The first panic of the locator under test and of its responders.
#[derive(Clone, Default)]
struct Panics(Arc<Watch>);

#[derive(Default)]
struct Watch {
    first: Mutex<Option<Box<dyn Any + Send>>>,
    /// How many pieces of user code run now.
    running: watch::Sender<usize>,
}

impl Panics {
    fn watch<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        self.0.running.send_modify(|running| *running += 1);
        let returned = match catch_unwind(AssertUnwindSafe(run)) {
            Ok(returned) => Some(returned),
            Err(payload) => {
                self.first().get_or_insert(payload);
                None
            }
        };
        self.0.running.send_modify(|running| *running -= 1);
        returned
    }

    fn first(&self) -> MutexGuard<'_, Option<Box<dyn Any + Send>>> {
        self.0.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no user code runs.
    async fn settled(&self) {
        // Its sender is here.
        let _ = self.0.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Panics in the test as the first one did, if there was one.
    fn rethrow(&self) {
        let first = self.first().take();
        if let Some(payload) = first {
            resume_unwind(payload);
        }
    }
}
