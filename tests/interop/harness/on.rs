use std::future::Future;
use std::marker::PhantomData;

use amp::locator::{Ask, Located, Locator};
use amp::{Command, Reply};

/// A locator of one responder, so that a test shows its responders where it uses them.
pub(crate) fn on<C, F, R>(responder: F) -> impl Locator
where
    C: Command,
    F: Fn(C) -> R + Send + Sync + 'static,
    R: Future<Output = Reply<C>> + Send + 'static,
{
    On(responder, PhantomData::<fn(C) -> R>)
}

struct On<C, F, R>(F, PhantomData<fn(C) -> R>);

impl<C, F, R> Locator for On<C, F, R>
where
    C: Command,
    F: Fn(C) -> R + Send + Sync + 'static,
    R: Future<Output = Reply<C>> + Send + 'static,
{
    fn locate(&self, ask: Ask) -> Located {
        if ask.is::<C>() { ask.respond(&self.0) } else { Located::Unknown(ask) }
    }

    fn commands(&self) -> Vec<amp::schema::CommandDeclaration> {
        vec![C::DECLARATION]
    }
}
