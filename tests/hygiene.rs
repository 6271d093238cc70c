//! The macros' expansions compile wherever a user may write them, whatever else has their names.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::ErrorCodes;
use amp::locator::Exposable;
use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter, With};

/// Something to expose.
#[derive(Clone, Debug)]
pub struct Place;

impl Exposable for Place {
    fn expose(_: &dyn amp::locator::Context) -> Result<Self, amp::error::ExposeError> {
        Ok(Self)
    }
}

/// An ASCII character as a byte.
#[derive(Debug)]
pub struct Octet;

impl With<char> for Octet {
    fn encode(value: &char, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(&[u8::try_from(*value).map_err(|_| EncodeError::custom("not ASCII"))?]);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<char, DecodeError> {
        raw.as_bytes().first().map(|byte| char::from(*byte)).ok_or_else(|| DecodeError::custom("empty"))
    }
}

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    bytes
}

/// No name is in scope here but those that are written out.
pub mod bare {
    #![no_implicit_prelude]

    /// A nested box.
    #[::core::prelude::v1::derive(::amp::Arguments, ::core::fmt::Debug)]
    pub struct Item {
        /// A field.
        #[constrain(in_set = [1, 2], range = 0..=5, with = |field: &::core::primitive::u8| *field != 3)]
        pub field: ::core::primitive::u8,
        /// Another.
        #[constrain(in_set = [b"a", b"bc"], length = 1..3, non_empty, each(not_in_set = [0]))]
        pub bytes: ::std::vec::Vec<::core::primitive::u8>,
        /// And another.
        #[constrain(pattern = "a+", length(bytes = 1))]
        pub text: ::core::option::Option<::std::string::String>,
    }

    /// A newtype.
    #[::core::prelude::v1::derive(::amp::Value, ::core::fmt::Debug)]
    pub struct Held(#[constrain(in_set = [1, 2], range = 0..)] pub ::core::primitive::u8);

    /// A newtype with a name and a parameter.
    #[::core::prelude::v1::derive(::amp::Value, ::core::fmt::Debug)]
    pub struct Named<T> {
        /// A field.
        #[constrain(non_empty)]
        pub items: ::std::vec::Vec<T>,
    }

    /// Codes.
    #[::core::prelude::v1::derive(::amp::Value, ::core::fmt::Debug)]
    pub enum Codes {
        /// One.
        One,
        /// Any other.
        #[amp(other)]
        Other(::std::string::String),
    }

    /// Boxes.
    #[::core::prelude::v1::derive(::amp::Value, ::core::fmt::Debug)]
    pub enum Boxes<T: ::amp::Value> {
        /// Nothing.
        Nothing,
        /// What another type has.
        Item(Item),
        /// Fields.
        Fields {
            /// One.
            #[constrain(non_empty)]
            code: ::std::vec::Vec<T>,
            /// Two.
            #[constrain(range = 1..)]
            out: ::core::primitive::u8,
            /// Three.
            found: Codes,
            /// Four.
            place: Held,
        },
        /// Any other.
        #[amp(other)]
        Other(::std::string::String),
    }

    /// Settings.
    #[::core::prelude::v1::derive(::amp::Arguments, ::core::fmt::Debug)]
    #[constrain(with = |it: &Settings| it.from > 0, at = [from, out])]
    pub struct Settings {
        /// One.
        #[amp(default = 3, alias = "key")]
        #[constrain(range = 1..)]
        pub from: ::core::primitive::u8,
        /// Two.
        #[amp(default, alias = "value")]
        pub out: ::std::string::String,
        /// Three.
        #[amp(with = super::Octet, default = 'a')]
        #[constrain(with = |it: &::core::primitive::char| it.is_ascii())]
        pub place: ::core::primitive::char,
        /// Four.
        #[amp(with = super::Octet)]
        pub found: ::core::option::Option<::std::vec::Vec<::core::primitive::char>>,
        /// Five.
        #[amp(flatten)]
        pub item: Item,
    }

    /// A command.
    #[::core::prelude::v1::derive(::amp::Command, ::core::fmt::Debug)]
    #[amp(response = Item, errors = Fault)]
    pub struct Get {
        /// A field.
        pub item: ::core::option::Option<Item>,
        /// An exposed one.
        #[exposed]
        pub place: ::amp::Exposed<super::Place>,
    }

    /// The errors.
    #[::core::prelude::v1::derive(::amp::ErrorCodes, ::core::fmt::Debug)]
    pub enum Fault {
        /// Unit.
        #[amp(fatal)]
        Unit,
        /// Text.
        Text(::std::string::String),
        /// Fields.
        Fields {
            /// Two.
            two: ::core::primitive::u8,
            /// One.
            one: ::core::primitive::u8,
        },
        /// Included.
        #[amp(include)]
        Included(Common),
    }

    /// Errors of other commands, too.
    #[::core::prelude::v1::derive(::amp::ErrorCodes, ::core::fmt::Debug)]
    pub enum Common {
        /// Unit.
        Other,
    }

    impl ::core::fmt::Display for Common {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str("common")
        }
    }

    impl ::core::error::Error for Common {}

    impl ::core::fmt::Display for Fault {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str("fault")
        }
    }

    impl ::core::error::Error for Fault {}
}

/// The crate under another name.
pub mod renamed {
    mod other {
        pub(crate) use ::amp as rpc;
    }

    #[derive(other::rpc::Command)]
    #[amp(crate = other::rpc, errors = Fault)]
    struct Ping {
        item: Item,
    }

    #[derive(other::rpc::Arguments)]
    #[amp(crate = self::other::rpc)]
    struct Item {
        #[constrain(range = 1.., with = |field: &u8| *field < 9)]
        field: u8,
    }

    #[derive(other::rpc::ErrorCodes, thiserror::Error, Debug)]
    #[amp(crate = crate::renamed::other::rpc)]
    enum Fault {
        #[error("fault")]
        Fault,
    }

    #[test]
    fn the_crate_may_have_another_name() {
        let ping = Ping { item: Item { field: 1 } };
        assert_eq!(super::encoded(&ping.item), b"\0\x05field\0\x011\0\0");
        assert_eq!(super::ErrorCodes::code(&Fault::Fault), "FAULT");
    }
}

/// Names that the expansions use themselves.
pub mod shadowed {
    #![allow(dead_code)]

    struct Result;
    struct Option;
    struct Ok;
    struct Vec;
    struct Send;
    mod core {}
    mod std {}
    mod amp {}

    /// Uses none of them.
    #[derive(::amp::Command, Debug)]
    pub struct Shadowed {
        /// A field.
        #[constrain(in_set = [1], range = 1..5)]
        pub out: u8,
        /// Names of the parameters of `check`.
        #[constrain(non_empty, pattern = "[a-z]*", length = 1..)]
        pub found: ::std::string::String,
        /// And another.
        #[constrain(with = is_some, each(range = ..9))]
        pub place_: ::std::vec::Vec<u32>,
        /// An exposed one.
        #[exposed]
        pub place: ::amp::Exposed<super::Place>,
    }

    #[allow(clippy::ptr_arg)]
    fn is_some(found: &::std::vec::Vec<u32>) -> bool {
        !found.is_empty()
    }

    /// Neither does this.
    #[derive(::amp::ErrorCodes, thiserror::Error, Debug)]
    pub enum Fault {
        /// Text.
        #[error("x")]
        Text(String),
        /// Fields.
        #[error("x")]
        Fields {
            /// A field.
            code: u8,
            /// Another.
            from: u8,
        },
    }
}

/// Items with names that the expansions give to what they make.
pub mod same_names {
    #![allow(dead_code)]

    use ::amp::{Command, Reply, responder};

    /// A type parameter of a locator once had this name.
    #[derive(Command, Debug)]
    pub struct Implementor;

    /// So had a constant.
    #[derive(Command, Debug)]
    pub struct COMMANDS;

    /// Answers both.
    #[responder]
    pub trait Both {
        /// One.
        async fn one(&self, command: Implementor) -> Reply<Implementor>;

        /// The other.
        async fn other(&self, command: COMMANDS) -> Reply<COMMANDS>;
    }

    mod a_trait {
        use super::COMMANDS;

        #[::amp::responder(dyn)]
        trait Implementor {
            async fn one(&self, command: COMMANDS) -> ::amp::Reply<COMMANDS>;
        }
    }
}

/// Items that nobody should use any more; who defines them is not told so.
pub mod deprecated {
    use ::amp::{Arguments, Command, ErrorCodes, responder};

    /// A command.
    #[deprecated]
    #[derive(Command, Debug)]
    pub struct Old {
        /// A field.
        #[deprecated]
        #[constrain(range = 1..)]
        pub field: u8,
        /// An exposed one.
        #[exposed]
        #[deprecated]
        pub place: ::amp::Exposed<super::Place>,
    }

    /// A box.
    #[deprecated]
    #[derive(Arguments, Debug)]
    pub struct OldBox<T> {
        /// A field.
        pub field: Vec<T>,
    }

    /// Errors.
    #[deprecated]
    #[derive(ErrorCodes, Debug)]
    pub enum OldFault {
        /// Text.
        Text(String),
        /// Fields.
        #[deprecated]
        Fields {
            /// A field.
            field: u8,
        },
    }

    #[allow(deprecated)]
    impl std::fmt::Display for OldFault {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("fault")
        }
    }

    #[allow(deprecated)]
    impl std::error::Error for OldFault {}

    /// A trait.
    #[deprecated]
    #[responder(dyn)]
    #[allow(deprecated)]
    pub trait OldTrait {
        /// A method.
        #[deprecated]
        async fn old(&self, command: Old) -> amp::Reply<Old>;
    }

    /// A responder.
    #[deprecated]
    #[derive(Debug)]
    pub struct OldResponder;

    #[responder]
    #[allow(deprecated)]
    impl OldResponder {
        async fn old(&self, _: Old) -> amp::Reply<Old> {
            Ok(())
        }
    }
}

/// A trait that everything has, whose methods come before those that borrow.
pub mod captured {
    #![allow(dead_code)]

    use ::amp::{Arguments, Command, ErrorCodes, Reply, responder};

    trait Blanket: Sized {
        fn and<T>(self, _: T) {}
        fn check(self) {}
        fn clone(self) {}
        fn encode(self) {}
        fn key<T>(self, _: T) {}
        fn locate(self) {}
        fn put(self) {}
        fn take(self) {}
        fn to_string(self) {}
        fn to_vec(self) {}
        fn write_str(self) {}
    }

    impl<T> Blanket for T {}

    /// A command.
    #[derive(Command, Debug)]
    #[amp(errors = Fault)]
    pub struct Ping {
        /// A field.
        #[constrain(range = 1.., in_set = [1, 2])]
        pub field: u8,
        /// A box.
        pub boxed: Boxed,
    }

    /// A box.
    #[derive(Arguments, Debug)]
    pub struct Boxed {
        /// A field.
        #[constrain(pattern = "[a-z]*")]
        pub field: String,
    }

    /// Errors.
    #[derive(ErrorCodes, thiserror::Error, Debug)]
    pub enum Fault {
        /// Text.
        #[error("x")]
        Text(String),
        /// Nothing.
        #[error("x")]
        Nothing,
    }

    /// A trait.
    #[responder]
    pub trait Pinger {
        /// A method.
        async fn ping(&self, command: Ping) -> Reply<Ping>;
    }

    /// A responder.
    #[derive(Debug)]
    pub struct Inherent;

    #[responder]
    impl Inherent {
        async fn ping(&self, _: Ping) -> Reply<Ping> {
            Ok(())
        }
    }

    /// A responder with a parameter.
    #[derive(Debug)]
    pub struct Generic<T>(pub T);

    #[responder]
    impl<T> Generic<T> {
        async fn ping(&self, _: Ping) -> Reply<Ping> {
            Ok(())
        }
    }
}
