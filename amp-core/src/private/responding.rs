use std::sync::Arc;

use crate::schema::CommandDeclaration;
use crate::{Ask, Call, Command, Connection, Exposable, Located, Locator, Reply};

/// A command as clients and locators see it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    label = "not a command",
    note = "add `#[derive(Command)]` to the struct of its arguments"
)]
pub trait Answer: Sized {
    /// What the call of a client gives.
    type Call;

    /// What the responder gives.
    type Reply;

    /// The name on the wire.
    const NAME: &'static str;

    /// Everything that is declared.
    const DECLARATION: CommandDeclaration;

    /// Calls it, as a client.
    fn call(self, connection: &Connection) -> Self::Call;

    /// Answers it by one method if the ask is for it and has no responder yet, as a locator.
    fn answer<T, X, F>(located: Located, responder: &Arc<T>, run: impl FnOnce(Arc<T>, Self, X) -> F) -> Located
    where
        X: Exposable,
        F: Future<Output = Self::Reply> + Send + 'static;
}

impl<C: Command> Answer for C {
    type Call = Call<C>;
    type Reply = Reply<C>;
    const NAME: &'static str = <C as Command>::NAME;
    const DECLARATION: CommandDeclaration = <C as Command>::DECLARATION;

    fn call(self, connection: &Connection) -> Call<C> {
        connection.call(self)
    }

    fn answer<T, X, F>(located: Located, responder: &Arc<T>, run: impl FnOnce(Arc<T>, Self, X) -> F) -> Located
    where
        X: Exposable,
        F: Future<Output = Reply<C>> + Send + 'static,
    {
        match located {
            Located::Unknown(ask) if ask.is::<C>() => {
                ask.respond_exposed(|command, exposed| run(Arc::clone(responder), command, exposed))
            }
            other => other,
        }
    }
}

/// A type whose `impl` block has `#[responder]`.
pub trait Dispatch: Send + Sync + 'static {
    fn locate(this: &Arc<Self>, ask: Ask) -> Located;
    fn commands() -> Vec<CommandDeclaration>;
}

/// The locator of such a type.
#[derive(Debug)]
pub struct Dispatcher<T>(Arc<T>);

impl<T: Dispatch> Dispatcher<T> {
    pub fn new(responder: T) -> Self {
        Self(Arc::new(responder))
    }
}

impl<T: Dispatch> Locator for Dispatcher<T> {
    fn locate(&self, ask: Ask) -> Located {
        T::locate(&self.0, ask)
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        T::commands()
    }
}
