//! What the macros' expansions call. Not part of the public interface: it changes without notice.
//!
//! The user's types are named in qualified paths (`<Type as Field>::put(..)`), whichever function it is: so a type
//! that does not fit is reported once, on the user's own token, in the words of one `on_unimplemented`.

pub use crate::command::{nested_decode, nested_decode_list, nested_encode, nested_encode_list};
pub use crate::value::Key;

use crate::command::{Argument, Context, Exposable, ExposeError, Exposed, take_required};
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError};

#[cfg(feature = "tokio")]
pub use responding::{Answer, Dispatch, Dispatcher};

/// A field that travels.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "not an AMP value",
    note = "integers, floats, `bool`, `String`, `Vec<u8>`, `bytes::Bytes`, `[u8; N]`, lists of values, `Option` of these and types with `#[derive(Arguments)]` can",
    note = "for a type of your own implement `Value` (one value) or `Argument` (several keys of the box)"
)]
pub trait Field: Sized {
    /// Writes it.
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads it.
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;

    /// Reads it where it belongs to an error.
    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete>;
}

impl<T: Argument> Field for T {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        Argument::put(self, key, out)
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        take_required(key, from)
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete> {
        <T as Argument>::take(key, from).map_err(Incomplete::Broken)?.or_else(T::absent).ok_or(Incomplete::Missing)
    }
}

/// A field with `#[exposed]`: an [`Exposed`].
#[diagnostic::on_unimplemented(
    message = "a field with `#[exposed]` has the type `Exposed<..>`, this one is `{Self}`",
    label = "not an `Exposed<..>`"
)]
pub trait ExposedField {
    /// The field of a command that has just arrived.
    fn empty() -> Self;

    /// Fills it in.
    fn expose(&mut self, context: &dyn Context) -> Result<(), ExposeError>;
}

impl<T: Exposable> ExposedField for Exposed<T> {
    fn empty() -> Self {
        Self::empty()
    }

    fn expose(&mut self, context: &dyn Context) -> Result<(), ExposeError> {
        self.fill(context)
    }
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

/// Why a received error is not made of its declared code.
#[derive(Debug)]
pub enum Incomplete {
    /// The code is not declared, or a field of its variant was not sent.
    Missing,
    /// A field was sent and does not decode.
    Broken(DecodeError),
}

/// Makes a declared error, unless something that it needs was not sent.
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
    pub const NONE: Self = Self { names: [""; MOST], count: 0 };

    /// Adds a name. Run at compile time, it fails where it is called if the name is there.
    #[track_caller]
    #[must_use]
    pub const fn and(mut self, name: &'static str) -> Self {
        let mut at = 0;
        while at < self.count {
            assert!(
                !equal(self.names[at], name),
                "two methods answer commands of one name: rename one with `#[amp(name = \"..\")]`, or remove one method"
            );
            at += 1;
        }
        self.names[self.count] = name;
        self.count += 1;
        self
    }

    #[must_use]
    pub fn to_vec(&self) -> Vec<&'static str> {
        self.names[..self.count].to_vec()
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

#[cfg(feature = "tokio")]
mod responding {
    use std::sync::Arc;

    use crate::{Ask, Call, Command, Connection, Located, Locator, Reply};

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

        /// Calls it, as a client.
        fn call(self, connection: &Connection) -> Self::Call;

        /// Answers it by one method if the ask is for it and has no responder yet, as a locator.
        fn answer<T, F>(located: Located, responder: &Arc<T>, run: impl FnOnce(Arc<T>, Self) -> F) -> Located
        where
            F: Future<Output = Self::Reply> + Send + 'static;
    }

    impl<C: Command> Answer for C {
        type Call = Call<C>;
        type Reply = Reply<C>;
        const NAME: &'static str = <C as Command>::NAME;

        fn call(self, connection: &Connection) -> Call<C> {
            connection.call(self)
        }

        fn answer<T, F>(located: Located, responder: &Arc<T>, run: impl FnOnce(Arc<T>, Self) -> F) -> Located
        where
            F: Future<Output = Reply<C>> + Send + 'static,
        {
            match located {
                Located::Unknown(ask) if ask.is::<C>() => ask.respond(|command| run(Arc::clone(responder), command)),
                other => other,
            }
        }
    }

    /// A type whose `impl` block has `#[responder]`.
    pub trait Dispatch: Send + Sync + 'static {
        fn locate(this: &Arc<Self>, ask: Ask) -> Located;
        fn commands() -> Vec<&'static str>;
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

        fn commands(&self) -> Vec<&'static str> {
            T::commands()
        }
    }
}
