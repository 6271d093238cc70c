//! Values that a connection exposes to responders and to values. Imports nothing of this crate.

mod early;

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

pub(crate) use early::equal;
pub use early::{answers_early, joined};

/// A field that never travels: empty where the command is made, filled in where it is answered.
///
/// It dereferences to the exposed value. A test or a mock sets it by hand with [`Exposed::of`], except an `EarlyAnswer`, which only a
/// connection makes.
///
/// Any two are equal, and hash alike, so that a command that arrived compares equal to the one that was sent. Compare exposed
/// values through [`as_option`](Self::as_option).
///
/// # Panics
/// Dereferencing an empty one panics. A responder that answers over a connection never sees one. A responder that a test calls directly
/// sees what the test has made; use [`as_option`](Self::as_option) in code that may also run there, or at the caller.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{Exposed, Peer};
///
/// /// A field of a command, as its responder uses it.
/// fn greet(peer: &Exposed<Peer>) -> String {
///     format!("hello {}", **peer)
/// }
///
/// assert_eq!(greet(&Exposed::of(Peer::other("a test"))), "hello a test");
/// assert!(Exposed::<Peer>::empty().as_option().is_none());
/// ```
#[doc(alias("EXPOSED_PROTOCOL", "EXPOSED_RESPONDER_LOCATOR", "ExposingArgument", "_composer"))]
#[derive(Clone)]
pub struct Exposed<T>(Option<T>);

impl<T> Exposed<T> {
    /// An empty one, for a command that is about to be called.
    #[must_use]
    pub const fn empty() -> Self {
        Self(None)
    }

    /// One that holds `value`, for a test that plays the connection.
    #[must_use]
    pub const fn of(value: T) -> Self {
        Self(Some(value))
    }

    /// The exposed value, if it is there.
    #[must_use]
    pub const fn as_option(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Takes the exposed value, if it is there.
    #[must_use]
    pub fn into_option(self) -> Option<T> {
        self.0
    }
}

impl<T: Exposable> Exposed<T> {
    /// Fills the field in.
    pub(crate) fn fill(&mut self, context: &dyn Context) -> Result<(), ExposeError> {
        self.0 = Some(T::expose(context)?);
        Ok(())
    }
}

impl<T> Default for Exposed<T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T> Deref for Exposed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => panic!(
                "`{}` is exposed only where the command is answered; in a test set it with `Exposed::of`, or let a connection \
                 answer, as `amp::testing` does",
                type_name::<T>()
            ),
        }
    }
}

/// A field that does not travel makes no difference.
impl<T> PartialEq for Exposed<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Exposed<T> {}

/// Equal ones hash alike, and all are equal.
impl<T> Hash for Exposed<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl<T> fmt::Debug for Exposed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Exposed(..)" } else { "Exposed(empty)" })
    }
}

/// A type that a command can expose to its responder: the place of answering can provide it.
///
/// An `Option` of one is `None` where the value would be missing: `Exposed<Option<State<Login>>>` before the log-in.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exposed to a responder",
    label = "nothing provides this",
    note = "`Connection`, `Peer`, `Arc<dyn Locator>`, `Arc<dyn BoxSender>`, `EarlyAnswer<C>`, `State<T>` for a type of your own, and `Option`s of these can be exposed"
)]
pub trait Exposable: Sized + Send + 'static {
    /// The name of the command whose [`EarlyAnswer`](crate::locator::EarlyAnswer) it is, or contains. Only where it says so is there one to
    /// contain, so a type of your own that is made from one passes the constant on:
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// # use amp_derive::Command;
    /// use amp::error::ExposeError;
    /// use amp::locator::{Context, EarlyAnswer, Exposable};
    /// use amp::{Command, Exposed, Peer};
    ///
    /// #[derive(Command)]
    /// struct Order {
    ///     #[exposed]
    ///     desk: Exposed<Desk>,
    /// }
    ///
    /// struct Desk {
    ///     answer: EarlyAnswer<Order>,
    ///     customer: Peer,
    /// }
    ///
    /// impl Exposable for Desk {
    ///     const EARLY_ANSWER: Option<&'static str> = EarlyAnswer::<Order>::EARLY_ANSWER;
    ///
    ///     fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
    ///         Ok(Self { answer: context.exposed()?, customer: context.exposed()? })
    ///     }
    /// }
    /// ```
    ///
    /// A command that exposes the answer to another command does not compile. Of several answers to one, the first that is sent
    /// counts.
    const EARLY_ANSWER: Option<&'static str> = None;

    /// Takes the value from the place where the command is answered.
    ///
    /// # Errors
    /// If that place does not have it. The command is then answered with an error, and the log names the type.
    fn expose(context: &dyn Context) -> Result<Self, ExposeError>;
}

/// A value of the user's own, passed to the connection's or server's builder or set by a responder.
///
/// It is kept by its type: one of each. Responders on all connections of a server share what the builder was given;
/// what [`Connection::set_state`](crate::Connection::set_state) sets is seen on that connection only.
///
/// ```
/// # extern crate amp_core as amp;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use amp::State;
///
/// /// What all responders of a server share.
/// struct Counter(AtomicU64);
///
/// /// A parameter of a responder behind its command, or an exposed field of it.
/// fn count(counter: &State<Counter>) -> u64 {
///     counter.0.fetch_add(1, Ordering::Relaxed)
/// }
///
/// let counter = State::new(Counter(AtomicU64::new(7)));
/// assert_eq!((count(&counter), count(&counter)), (7, 8));
/// ```
#[derive(Debug)]
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// A state of this value, for a test that plays the connection.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<Arc<T>> for State<T> {
    fn from(shared: Arc<T>) -> Self {
        Self(shared)
    }
}

impl<T: Send + Sync + 'static> Exposable for State<T> {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        // Looked up by its own type: a state that holds a built-in's type is another value than the built-in.
        find(context, TypeId::of::<Self>()).map(Self)
    }
}

impl<T: Exposable> Exposable for Option<T> {
    const EARLY_ANSWER: Option<&'static str> = T::EARLY_ANSWER;

    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        Ok(T::expose(context).ok())
    }
}

/// Extra parameters of a responder's method.
macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: Exposable),*> Exposable for ($($name,)*) {
            const EARLY_ANSWER: Option<&'static str> = joined(&[$($name::EARLY_ANSWER),*]);

            #[allow(unused_variables, reason = "the empty tuple wants nothing")]
            fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
                Ok(($($name::expose(context)?,)*))
            }
        }
    )*};
}

tuples! { () (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

/// The place where a command is answered, or a value is encoded or decoded, as far as exposed fields and values see it.
pub trait Context {
    /// Returns the value of the wanted type, if there is one. For a [`State<T>`](State) the wanted type is that of `State<T>`,
    /// and the value is the `T` itself.
    fn provide(&self, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>>;
}

impl dyn Context + '_ {
    /// Returns a value that the place exposes, such as the [`Peer`](crate::Peer).
    ///
    /// # Errors
    /// If there is no value of that type.
    pub fn exposed<X: Exposable>(&self) -> Result<X, ExposeError> {
        X::expose(self)
    }
}

/// A context behind a pointer of one word, because it is copied with every value.
#[derive(Clone, Copy)]
pub(crate) struct ContextRef<'a>(&'a &'a dyn Context);

impl<'a> ContextRef<'a> {
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn new(context: &'a &'a dyn Context) -> Self {
        Self(context)
    }

    pub(crate) fn context(self) -> &'a dyn Context {
        *self.0
    }
}

impl fmt::Debug for ContextRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextRef")
    }
}

/// The context's value of the type `T`.
#[cfg(feature = "tokio")]
pub(crate) fn provided<T: Send + Sync + 'static>(context: &dyn Context) -> Result<Arc<T>, ExposeError> {
    find(context, TypeId::of::<T>())
}

fn find<T: Send + Sync + 'static>(context: &dyn Context, wanted: TypeId) -> Result<Arc<T>, ExposeError> {
    let value = context.provide(wanted).and_then(|value| value.downcast().ok());
    value.ok_or(ExposeError::new::<T>("give it to the builder with `state`, or set it on the connection"))
}

/// An exposed field wants a value that the place of answering does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing provides the exposed `{wanted}`; {advice}")]
pub struct ExposeError {
    wanted: &'static str,
    advice: &'static str,
}

impl ExposeError {
    pub(crate) fn new<T>(advice: &'static str) -> Self {
        Self { wanted: type_name::<T>(), advice }
    }
}
