//! The macros' expansions compile where the user forbids lints that others allow.
#![forbid(dead_code, deprecated, missing_docs, unreachable_pub, unused, unused_qualifications)]

use amp::{Arguments, Command, ErrorCodes, Reply, Value, responder};

/// A box.
#[derive(Arguments, Debug)]
pub struct Total<T: Value> {
    /// A field.
    #[constrain(non_empty)]
    pub total: Vec<T>,
}

/// A newtype.
#[derive(Value, Debug)]
pub struct Held<T>(#[constrain(non_empty)] pub Vec<T>);

/// Codes.
#[derive(Value, Debug)]
pub enum Codes {
    /// One.
    One,
}

/// Boxes.
#[derive(Value, Debug)]
pub enum Boxes {
    /// Nothing.
    Nothing,
    /// Fields.
    Fields {
        /// A field.
        field: Codes,
    },
    /// Any other.
    #[amp(other)]
    Other(String),
}

/// Settings.
#[derive(Arguments, Debug)]
pub struct Settings {
    /// A field.
    #[amp(default = 3, alias = "old")]
    pub new: u8,
    /// Another.
    #[amp(default)]
    pub text: String,
    /// Those of another.
    #[amp(flatten)]
    pub fields: Count,
}

/// Taken in.
#[derive(Arguments, Debug)]
pub struct Count {
    /// A field.
    pub count: u8,
}

/// Errors.
#[derive(ErrorCodes, Debug)]
pub enum Fault {
    /// Text.
    Text(String),
    /// Fields.
    Fields {
        /// A field.
        field: u8,
    },
    /// Included.
    #[amp(include)]
    Included(Common),
}

/// Errors of other commands, too.
#[derive(ErrorCodes, Debug)]
pub enum Common {
    /// Unit.
    Other,
}

impl std::fmt::Display for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("common")
    }
}

impl std::error::Error for Common {}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fault")
    }
}

impl std::error::Error for Fault {}

/// A command.
#[derive(Command, Debug)]
#[amp(response = Total<u8>, errors = Fault)]
pub struct Sum {
    /// A field.
    #[constrain(range = 1..)]
    pub field: Option<u8>,
    /// An exposed one.
    #[exposed]
    pub peer: amp::Exposed<amp::Peer>,
}

/// Answers nothing.
#[derive(Command, Debug)]
pub struct Ping;

/// A trait.
#[responder(dyn)]
pub trait Adds {
    /// A method.
    async fn sum(&self, command: Sum) -> Reply<Sum>;

    /// One with a body.
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

#[responder]
pub(crate) trait Inner {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

mod private {
    use super::{Ping, Reply, Sum, responder};

    #[responder(dyn)]
    pub(super) trait Pings {
        async fn ping(&self, command: Ping) -> Reply<Ping>;
    }

    pub(super) struct Abacus;

    #[responder]
    impl Abacus {
        async fn ping(&self, _: Ping) -> Reply<Ping> {
            Ok(())
        }

        async fn sum(&self, _: Sum) -> Reply<Sum> {
            Err(super::Fault::Fields { field: 1 }.into())
        }
    }

    impl Pings for Abacus {
        async fn ping(&self, _: Ping) -> Reply<Ping> {
            Ok(())
        }
    }
}

impl Inner for () {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

#[test]
fn forbidden_lints_are_not_allowed_by_an_expansion() {
    use amp::locator::Locator;
    use private::Pings;

    fn answers<T: Pings + Inner + Copy>() {}
    let _: fn(InnerClient) = |client| drop(client);
    let _ = InnerLocator::new(());
    let _ = answers::<Both>;
    assert_eq!(private::Abacus.into_locator().commands().len(), 2);
    assert_eq!(private::PingsLocator::new(private::Abacus).commands().len(), 1);
}

#[derive(Clone, Copy)]
struct Both;

impl private::Pings for Both {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

impl Inner for Both {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}
