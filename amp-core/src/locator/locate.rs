//! Finds the responder that answers a command.

use std::sync::Arc;

use crate::exposed::{Context, Exposable, ExposeError, provided};
use crate::responder::{Ask, Located};
use crate::schema::CommandDeclaration;

/// Finds the responder for a command. `#[responder]` generates it; Twisted's `IResponderLocator`.
///
/// Locators compose: the first that knows the command answers it. A tuple `(a, b)`, a `Vec`, `a.or(b)`, and `()`, which has no
/// commands, are locators.
///
/// A locator written by hand hands an ask on to another one by calling its [`locate`](Self::locate), and may decide by
/// [what the ask says](Ask) whether it does:
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Command, responder};
/// # use amp::{Command, Reply};
/// use amp::State;
/// use amp::locator::{Ask, Located, Locator};
/// use amp::schema::CommandDeclaration;
///
/// struct Operator;
///
/// /// The commands of another locator, for operators: to anybody else they are unknown.
/// struct ForOperators<L>(L);
///
/// impl<L: Locator> Locator for ForOperators<L> {
///     fn locate(&self, ask: Ask) -> Located {
///         if ask.exposed::<State<Operator>>().is_ok() { self.0.locate(ask) } else { Located::Unknown(ask) }
///     }
///
///     fn commands(&self) -> Vec<CommandDeclaration> {
///         self.0.commands()
///     }
///
///     fn decodes_at_once(&self) -> bool {
///         self.0.decodes_at_once()
///     }
/// }
/// # #[derive(Command)]
/// # struct Restart;
/// # struct Machine;
/// # #[responder]
/// # impl Machine { async fn restart(&self, _: Restart) -> Reply<Restart> { Ok(()) } }
///
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use amp::{Connection, testing::{ask, ask_with}};
/// # let locator = std::sync::Arc::new(ForOperators(Machine.into_locator()));
/// # assert!(ask(locator.clone(), Restart).await.expect_err("nobody").is_unhandled());
/// # ask_with(Connection::builder().state(Operator), locator, Restart).await.expect("an operator");
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which commands it answers",
    label = "not a locator",
    note = "a trait `Calculator` with `#[responder]` has a `CalculatorLocator::new(..)` that makes a locator of its implementors",
    note = "a type whose `impl` block has `#[responder]` becomes one with `.into_locator()`"
)]
#[doc(alias("CommandLocator", "ComposedLocator", "IResponderLocator", "locateResponder"))]
pub trait Locator: Send + Sync + 'static {
    /// Begins to answer the ask, or returns it when this locator does not know the command.
    ///
    /// It runs on the connection's reader: it must not block.
    fn locate(&self, ask: Ask) -> Located;

    /// The commands that are answered, for schemas. A hand-written locator that lists none still answers them.
    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
    }

    /// Whether each ask is answered, decoded or returned within [`locate`](Self::locate). Generated locators do that. A locator that
    /// only hands asks on returns what the others return.
    ///
    /// `false`, the default, is for a locator that may keep an [`Ask`] to answer it later. It gets each ask in memory of its own,
    /// a copy if need be: otherwise the whole receive buffer would live as long as the ask.
    fn decodes_at_once(&self) -> bool {
        false
    }

    /// A locator that has the commands of both; `self` goes first.
    fn or<L: Locator>(self, other: L) -> (Self, L)
    where
        Self: Sized,
    {
        (self, other)
    }
}

impl Locator for () {
    fn locate(&self, ask: Ask) -> Located {
        Located::Unknown(ask)
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
    }

    fn decodes_at_once(&self) -> bool {
        true
    }
}

impl<L: Locator> Locator for Vec<L> {
    fn locate(&self, ask: Ask) -> Located {
        self.iter().fold(Located::Unknown(ask), |located, next| located.or_else(|ask| next.locate(ask)))
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        self.iter().flat_map(Locator::commands).collect()
    }

    fn decodes_at_once(&self) -> bool {
        self.iter().all(Locator::decodes_at_once)
    }
}

macro_rules! by_reference {
    ($($pointer:ident)*) => {$(
        impl<L: Locator + ?Sized> Locator for $pointer<L> {
            fn locate(&self, ask: Ask) -> Located {
                (**self).locate(ask)
            }

            fn commands(&self) -> Vec<CommandDeclaration> {
                (**self).commands()
            }

            fn decodes_at_once(&self) -> bool {
                (**self).decodes_at_once()
            }
        }
    )*};
}

by_reference! { Box Arc }

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Locator),*> Locator for ($($name,)*) {
            fn locate(&self, ask: Ask) -> Located {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)*) = self;
                let located = Located::Unknown(ask);
                $(let located = located.or_else(|ask| $name.locate(ask));)*
                located
            }

            fn commands(&self) -> Vec<CommandDeclaration> {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)*) = self;
                let mut commands = Vec::new();
                $(commands.extend($name.commands());)*
                commands
            }

            fn decodes_at_once(&self) -> bool {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)*) = self;
                $($name.decodes_at_once())&&*
            }
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

impl Exposable for Arc<dyn Locator> {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(|locator| (*locator).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answers {
        at_once: bool,
    }

    impl Locator for Answers {
        fn locate(&self, ask: Ask) -> Located {
            Located::Unknown(ask)
        }

        fn decodes_at_once(&self) -> bool {
            self.at_once
        }
    }

    #[test]
    fn a_locator_decodes_at_once_when_all_of_its_parts_do() {
        let (at_once, keeps) = (|| Answers { at_once: true }, || Answers { at_once: false });
        assert!(at_once().decodes_at_once() && !keeps().decodes_at_once());
        assert!(at_once().or(at_once()).decodes_at_once() && !at_once().or(keeps()).decodes_at_once());
        assert!(!(keeps(), at_once(), at_once()).decodes_at_once());
        assert!(vec![at_once(), at_once()].decodes_at_once() && !vec![keeps()].decodes_at_once());
        assert!(Box::new(at_once()).decodes_at_once() && !Arc::new(keeps()).decodes_at_once());
        let boxed: Arc<dyn Locator> = Arc::new(Box::new(at_once()));
        assert!(boxed.decodes_at_once());
    }
}
