use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::connection::Call;
use crate::locator::{Ask, Exposable, Located, Locator};
use crate::schema::CommandDeclaration;
use crate::{CallError, Command, Connection};

/// The return type of a responder of the command `C`: [`Reply<C>`](crate::Reply), by which clients and locators see the command.
#[diagnostic::on_unimplemented(
    message = "a responder that takes the command `{C}` returns `Reply<{C}>`",
    label = "not the reply to `{C}`",
    note = "if `{C}` is no command, take one: the arguments are the fields of one struct with `#[derive(Command)]`",
    note = "`Reply<..>` names the command, and not its response"
)]
pub trait ReplyTo<C>: Sized {
    /// The declaration of the command.
    const DECLARATION: CommandDeclaration;

    /// Calls the command, as a client.
    fn call(command: C, caller: &Caller) -> impl Future<Output = Self> + Send;

    /// Whether the ask is for the command, as a locator.
    fn is_asked(ask: &Ask) -> bool;

    /// Answers the command by one method, as a locator.
    fn answer<T, X, F>(ask: Ask, responder: &Arc<T>, run: impl FnOnce(Arc<T>, C, X) -> F) -> Located
    where
        X: Exposable,
        F: Future<Output = Self> + Send + 'static;
}

// For another return type the compiler shows the message above, and not which part of the type differs.
#[diagnostic::do_not_recommend]
impl<C: Command<Response = R, Errors = E>, R, E> ReplyTo<C> for Result<R, CallError<E>> {
    const DECLARATION: CommandDeclaration = C::DECLARATION;

    fn call(command: C, caller: &Caller) -> impl Future<Output = Self> + Send {
        caller.call(command)
    }

    fn is_asked(ask: &Ask) -> bool {
        ask.is::<C>()
    }

    fn answer<T, X, F>(ask: Ask, responder: &Arc<T>, run: impl FnOnce(Arc<T>, C, X) -> F) -> Located
    where
        X: Exposable,
        F: Future<Output = Self> + Send + 'static,
    {
        ask.respond_exposed(|command, exposed| run(Arc::clone(responder), command, exposed))
    }
}

/// Implemented by [`Clients`] if `T` is a client of the commands of the responder trait whose locator is `L`: of its own trait, or of one that
/// this extends. `T` itself does not implement it, because the compiler would then speak of the responder trait alone.
#[diagnostic::on_unimplemented(
    message = "`{T}` does not implement the responder trait of `{L}`",
    label = "does not implement the trait",
    note = "write the `impl` of that trait for `{T}`; an `Arc` of an implementor is one, too",
    note = "if `{T}` is the client of a trait that extends that one, name it there: `#[responder(extends(TheTrait))]`"
)]
pub trait ClientOf<T, L> {
    fn caller(client: &T) -> &Caller;
}

/// All clients.
#[derive(Debug)]
pub struct Clients;

/// The parts of a client: a connection, and the time limit of its calls.
#[derive(Clone, Debug)]
pub struct Caller {
    connection: Connection,
    /// The time limit of its calls, or `Some(None)` for none; `None` for that of the connection's settings.
    timeout: Option<Option<Duration>>,
}

impl Caller {
    pub fn new(connection: &Connection) -> Self {
        Self { connection: connection.clone(), timeout: None }
    }

    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { connection: self.connection.clone(), timeout: Some(Some(timeout)) }
    }

    pub fn with_no_timeout(&self) -> Self {
        Self { connection: self.connection.clone(), timeout: Some(None) }
    }

    fn call<C: Command>(&self, command: C) -> Call<C> {
        let mut call = self.connection.call(command);
        if let Some(timeout) = self.timeout {
            call.set_timeout(timeout);
        }
        call
    }
}

/// The commands of one responder trait, without those of the traits that it extends. Implemented by its locator.
pub trait OwnCommands<T> {
    /// `None` where a command is left out.
    const COMMANDS: &'static [Option<CommandDeclaration>];
    fn locate(shared: &Arc<T>, ask: Ask) -> Located;
    fn commands() -> Vec<CommandDeclaration>;
}

/// The future of a method with its type hidden: where it is awaited the compiler has nothing left to say about that type.
pub fn given<R>(future: impl Future<Output = R>) -> impl Future<Output = R> {
    future
}

/// Ready when it is polled again. The first poll of a responder runs on the reader, and every other one in a task.
pub fn in_a_task() -> impl Future<Output = ()> + Send {
    let mut is_polled = false;
    poll_fn(move |cx| {
        if is_polled {
            return Poll::Ready(());
        }
        is_polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}

/// States the type of a reply where none is made.
///
/// # Panics
/// Always: the expansions never call it.
pub fn never<R>() -> R {
    unreachable!("it stands behind `if false`")
}

/// A type with an `impl` block that has `#[responder]`. Of a second such block the compiler names this trait.
pub trait OneResponderBlock: Send + Sync + 'static {
    fn locate(this: &Arc<Self>, ask: Ask) -> Located;
    fn commands() -> Vec<CommandDeclaration>;
}

/// The locator of such a type.
#[derive(Debug)]
pub struct Dispatcher<T>(Arc<T>);

impl<T: OneResponderBlock> Dispatcher<T> {
    pub fn new(responder: T) -> Self {
        Self(Arc::new(responder))
    }
}

impl<T: OneResponderBlock> Locator for Dispatcher<T> {
    fn locate(&self, ask: Ask) -> Located {
        T::locate(&self.0, ask)
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        T::commands()
    }

    fn keeps_asks(&self) -> bool {
        false
    }
}
