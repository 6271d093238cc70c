use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::ops::Deref;

/// A field that never travels: empty where the command is made, filled in where it is answered.
///
/// It dereferences to the exposed value. A test or a mock sets it by hand with [`Exposed::of`].
///
/// # Panics
/// Dereferencing an empty one panics. A responder never sees one; use [`as_option`](Self::as_option) in
/// code that may also run at the caller.
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
        let value = context.provide(TypeId::of::<T>()).and_then(|value| value.downcast().ok());
        self.0 = Some(*value.ok_or(ExposeError { wanted: type_name::<T>() })?);
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
                "`{}` is exposed only where the command is answered; in a test set it with `Exposed::of`",
                type_name::<T>()
            ),
        }
    }
}

impl<T> fmt::Debug for Exposed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Exposed(..)" } else { "Exposed(empty)" })
    }
}

/// What a command can expose to its responder: a type that the place of answering knows how to give.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be exposed to a responder",
    label = "nothing provides this",
    note = "`Connection` and `Peer` can be exposed"
)]
pub trait Exposable: Clone + Send + 'static {}

/// The place where a command is answered, as far as exposed fields see it.
pub trait Context {
    /// A value of the wanted type, if there is one.
    fn provide(&self, wanted: TypeId) -> Option<Box<dyn Any>>;
}

/// An exposed field wants something that the place of answering does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing provides the exposed `{wanted}`")]
pub struct ExposeError {
    wanted: &'static str,
}
