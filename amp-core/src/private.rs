//! What the macros' expansions call. Not part of the public interface: it changes without notice.

pub use crate::command::{nested_decode, nested_decode_list, nested_encode, nested_encode_list};
pub use crate::value::Key;

#[cfg(feature = "tokio")]
use std::sync::Arc;

use crate::command::{Argument, Command, Context, Exposable, ExposeError, Exposed, take_required};
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError};
#[cfg(feature = "tokio")]
use crate::{Ask, Located, Locator, Reply};

/// Writes one field.
pub fn put<T: Argument>(value: &T, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
    value.put(key, out)
}

/// Reads one field.
pub fn take<T: Argument>(key: Key, from: &mut BoxReader<'_>) -> Result<T, DecodeError> {
    take_required(key, from)
}

/// A field with `#[exposed]`: an [`Exposed`].
#[diagnostic::on_unimplemented(
    message = "a field with `#[exposed]` has the type `Exposed<..>`, this one is `{Self}`",
    label = "not an `Exposed<..>`"
)]
pub trait ExposedField {
    fn empty() -> Self;
    fn fill_in(&mut self, context: &dyn Context) -> Result<(), ExposeError>;
}

impl<T: Exposable> ExposedField for Exposed<T> {
    fn empty() -> Self {
        Self::empty()
    }

    fn fill_in(&mut self, context: &dyn Context) -> Result<(), ExposeError> {
        self.fill(context)
    }
}

/// Makes one exposed field of a command that has just arrived.
pub fn unexposed<T: ExposedField>() -> T {
    T::empty()
}

/// Fills one exposed field in.
pub fn expose<T: ExposedField>(field: &mut T, context: &dyn Context) -> Result<(), ExposeError> {
    field.fill_in(context)
}

/// The one unnamed field of an error variant.
#[diagnostic::on_unimplemented(
    message = "the unnamed field of a declared error is its description, a `String`, and not `{Self}`",
    label = "not a `String`",
    note = "to send a value with the error give the field a name: `Variant {{ name: {Self} }}`"
)]
pub trait Description {
    fn to_text(&self) -> String;
    fn from_text(text: &str) -> Self;
}

impl Description for String {
    fn to_text(&self) -> String {
        self.clone()
    }

    fn from_text(text: &str) -> Self {
        text.to_owned()
    }
}

/// The description of an error variant that holds it.
pub fn describe<T: Description>(text: &T) -> String {
    text.to_text()
}

/// The unnamed field of a received error variant.
pub fn from_description<T: Description>(text: &str) -> T {
    T::from_text(text)
}

/// Why a received error is not made of its declared code.
#[derive(Debug)]
pub enum Incomplete {
    /// The code is not declared, or a field of its variant was not sent.
    Missing,
    /// A field was sent and does not decode.
    Broken(DecodeError),
}

/// Reads one field of an error variant.
pub fn take_if_present<T: Argument>(key: Key, from: &mut BoxReader<'_>) -> Result<T, Incomplete> {
    T::take(key, from).map_err(Incomplete::Broken)?.or_else(T::absent).ok_or(Incomplete::Missing)
}

/// Makes an error variant, unless something that it needs was not sent.
pub fn if_complete<T>(make: impl FnOnce() -> Result<T, Incomplete>) -> Result<Option<T>, DecodeError> {
    match make() {
        Ok(made) => Ok(Some(made)),
        Err(Incomplete::Missing) => Ok(None),
        Err(Incomplete::Broken(error)) => Err(error),
    }
}

/// The names of the commands that one locator answers.
#[derive(Debug)]
pub struct Names<const MOST: usize> {
    names: [&'static str; MOST],
    count: usize,
}

impl<const MOST: usize> Names<MOST> {
    pub const fn new() -> Self {
        Self { names: [""; MOST], count: 0 }
    }

    /// Adds the name of a command. Run at compile time, it fails on the command's type if the name is there.
    #[track_caller]
    pub const fn and<C: Command>(mut self) -> Self {
        let mut at = 0;
        while at < self.count {
            if equal(self.names[at], C::NAME) {
                panic!("another method answers a command of this name: a locator answers each name once");
            }
            at += 1;
        }
        self.names[self.count] = C::NAME;
        self.count += 1;
        self
    }

    pub fn to_vec(&self) -> Vec<&'static str> {
        self.names[..self.count].to_vec()
    }
}

impl<const MOST: usize> Default for Names<MOST> {
    fn default() -> Self {
        Self::new()
    }
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// Answers one command by one method: what the locators do for each.
#[cfg(feature = "tokio")]
pub fn respond<C, T, R, F>(ask: Ask, responder: &Arc<T>, run: R) -> Located
where
    C: Command,
    R: FnOnce(Arc<T>, C) -> F,
    F: Future<Output = Reply<C>> + Send + 'static,
{
    ask.respond(|command| run(Arc::clone(responder), command))
}

/// A type whose `impl` block has `#[responder]`.
#[cfg(feature = "tokio")]
pub trait Dispatch: Send + Sync + 'static {
    fn locate(this: &Arc<Self>, ask: Ask) -> Located;
    fn commands() -> Vec<&'static str>;
}

/// The locator of such a type.
#[cfg(feature = "tokio")]
#[derive(Debug)]
pub struct Dispatcher<T>(Arc<T>);

#[cfg(feature = "tokio")]
impl<T: Dispatch> Dispatcher<T> {
    pub fn new(responder: T) -> Self {
        Self(Arc::new(responder))
    }
}

#[cfg(feature = "tokio")]
impl<T: Dispatch> Locator for Dispatcher<T> {
    fn locate(&self, ask: Ask) -> Located {
        T::locate(&self.0, ask)
    }

    fn commands(&self) -> Vec<&'static str> {
        T::commands()
    }
}
