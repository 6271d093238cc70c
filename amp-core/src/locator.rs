//! Locators: which responder answers a command. Imports `responder`.

use std::sync::Arc;

use crate::exposed::{Context, Exposable, ExposeError, provided};
use crate::responder::{Ask, Located};
use crate::schema::CommandDeclaration;

/// Finds the responder for a command. What `#[responder]` generates; Twisted's `IResponderLocator`.
///
/// Locators compose, the first that has the command answers it: a tuple `(a, b)`, a `Vec`, `a.or(b)`,
/// and `()` which has no commands.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which commands it answers",
    label = "not a locator",
    note = "a trait `Calculator` with `#[responder]` has a `CalculatorLocator::new(..)` that makes a locator of its implementors",
    note = "a type whose `impl` block has `#[responder]` becomes one with `.into_locator()`"
)]
pub trait Locator: Send + Sync + 'static {
    /// Begins to answer the ask, or gives it back when the command is not known here.
    ///
    /// It runs while the connection is read: it must not block.
    fn locate(&self, ask: Ask) -> Located;

    /// The commands that are answered, for schemas. A hand-written locator that lists none answers all the same.
    fn commands(&self) -> Vec<CommandDeclaration> {
        Vec::new()
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
}

impl<L: Locator> Locator for Vec<L> {
    fn locate(&self, ask: Ask) -> Located {
        self.iter().fold(Located::Unknown(ask), |located, next| located.or_else(|ask| next.locate(ask)))
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        self.iter().flat_map(Locator::commands).collect()
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
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

impl Exposable for Arc<dyn Locator> {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(|locator| (*locator).clone())
    }
}
