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
///     fn keeps_asks(&self) -> bool {
///         self.0.keeps_asks()
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
/// # ask_with(Connection::builder().locator(locator).state(Operator), Restart).await.expect("an operator");
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which commands it answers",
    label = "not a locator",
    note = "a trait `Calculator` with `#[responder]` has a `CalculatorLocator::new(..)` that makes a locator of its implementors",
    note = "a type whose `impl` block has `#[responder]` becomes one with `.into_locator()`",
    note = "`locator(..)` takes a locator for all connections, and `locator_with(..)` a closure that makes one for each"
)]
#[doc(alias("CommandLocator", "ComposedLocator", "IResponderLocator", "locateResponder"))]
pub trait Locator: Send + Sync + 'static {
    /// Begins to answer the ask, or returns it when this locator does not know the command.
    ///
    /// It runs on the connection's reader: it must not block. An ask that is much to decode comes a second time, on another thread, when the
    /// first result was [`Located::Heavy`]; a large one comes there at once.
    fn locate(&self, ask: Ask) -> Located;

    /// The commands that are answered: for schemas, and for the check of a new connection that its boxes have room for each
    /// [`Big`](crate::value::Big) that they declare. A hand-written locator that lists none still answers them.
    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
    }

    /// Whether it may keep an [`Ask`] longer than [`locate`](Self::locate) runs, to answer it later. Such a locator, which is the default,
    /// gets each ask in memory of its own, a copy if need be.
    ///
    /// `false` saves that copy. It is a promise that each ask is answered, decoded or returned within `locate`, as generated locators
    /// do. A locator that only hands asks on returns what the others return.
    ///
    /// A connection asks this once, when it begins. A locator that changes later, as one that gets another locator within, returns
    /// `true` if it may ever keep one. Where `false` is wrong, each ask that is kept keeps the whole receive buffer that it came in: no
    /// limit counts that memory.
    fn keeps_asks(&self) -> bool {
        true
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

    fn keeps_asks(&self) -> bool {
        false
    }
}

impl<L: Locator> Locator for Vec<L> {
    fn locate(&self, ask: Ask) -> Located {
        self.iter().fold(Located::Unknown(ask), |located, next| located.or_else(|ask| next.locate(ask)))
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        self.iter().flat_map(Locator::commands).collect()
    }

    fn keeps_asks(&self) -> bool {
        self.iter().any(Locator::keeps_asks)
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

            fn keeps_asks(&self) -> bool {
                (**self).keeps_asks()
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

            fn keeps_asks(&self) -> bool {
                #[expect(non_snake_case, reason = "one name for the type and its value")]
                let ($($name,)*) = self;
                $($name.keeps_asks())||*
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

    struct Hands {
        keeps: bool,
    }

    impl Locator for Hands {
        fn locate(&self, ask: Ask) -> Located {
            Located::Unknown(ask)
        }

        fn keeps_asks(&self) -> bool {
            self.keeps
        }
    }

    /// Says nothing of it.
    struct Silent;

    impl Locator for Silent {
        fn locate(&self, ask: Ask) -> Located {
            Located::Unknown(ask)
        }
    }

    #[test]
    fn a_locator_keeps_asks_when_one_of_its_parts_does() {
        let (keeps, passes) = (|| Hands { keeps: true }, || Hands { keeps: false });
        assert!(keeps().keeps_asks() && !passes().keeps_asks() && Silent.keeps_asks() && !().keeps_asks());
        assert!(passes().or(keeps()).keeps_asks() && !passes().or(passes()).keeps_asks());
        assert!((passes(), keeps(), passes()).keeps_asks());
        assert!(vec![passes(), keeps()].keeps_asks() && !vec![passes()].keeps_asks());
        assert!(!Box::new(passes()).keeps_asks() && Arc::new(keeps()).keeps_asks());
        let boxed: Arc<dyn Locator> = Arc::new(Box::new(passes()));
        assert!(!boxed.keeps_asks());
    }
}
