//! What the macros expand to compiles wherever a user may write it, and means what the declaration says.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use std::any::Any;
use std::sync::Arc;

use amp::{
    Arguments, BoxDecoder, BoxLimits, BoxReader, BoxWriter, Command, DecodeError, ErrorCodes, Exposable, Exposed,
    RawBox, RawValue, State, Value, ValueWriter, Violations,
};

/// A list of names that a user may well choose.
#[derive(Arguments, Debug, PartialEq, Default)]
pub struct Names {
    /// Sorts before `_`.
    #[amp(name = "Upper")]
    pub upper: u8,
    /// A raw identifier.
    pub r#async: u8,
    /// Not an identifier.
    #[amp(name = "foo-bar")]
    pub foo_bar: u8,
    /// The name of a function's parameter in the expansion.
    pub from: u8,
    /// And of another.
    pub out: u8,
    /// A keyword of one language only.
    pub r#type: u8,
    /// Not sent when it is `None`.
    pub note: Option<String>,
}

/// What is deprecated is for the users of the type, not for its expansion.
#[derive(Command, Debug)]
pub struct Old {
    /// A field that nobody should use.
    #[deprecated]
    pub old: Option<u8>,
}

/// A box in a box.
#[derive(Arguments, Debug, PartialEq)]
pub struct Nested {
    /// One box.
    pub one: Names,
    /// Any number of boxes.
    pub many: Vec<Empty>,
}

/// A box without pairs.
#[derive(Arguments, Debug, PartialEq, Clone, Copy)]
pub struct Empty;

/// A box without pairs in another notation.
#[derive(Arguments, Debug, PartialEq, Clone, Copy)]
pub struct Braces {}

/// Generic in a value.
#[derive(Arguments, Debug, PartialEq)]
pub struct Page<T, const N: usize>
where
    T: PartialEq,
{
    /// A list of the values.
    pub items: Vec<T>,
    /// Further pages.
    pub more: Vec<Page<T, N>>,
    /// A cursor.
    pub cursor: [u8; N],
}

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    bytes
}

fn decoded<T: Value>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(RawValue::new(bytes))
}

#[test]
fn pairs_are_written_in_bytewise_order_of_their_names() {
    let names = Names { upper: 1, r#async: 2, foo_bar: 3, from: 4, out: 5, r#type: 6, note: Some("n".into()) };
    let bytes = encoded(&names);
    assert_eq!(
        bytes,
        b"\0\x05Upper\0\x011\0\x05async\0\x012\0\x07foo-bar\0\x013\0\x04from\0\x014\
          \0\x04note\0\x01n\0\x03out\0\x015\0\x04type\0\x016\0\0"
    );
    assert_eq!(decoded::<Names>(&bytes).unwrap(), names);
}

#[test]
fn an_optional_field_is_absent_when_it_is_none() {
    let bytes = encoded(&Names::default());
    assert!(!bytes.windows(4).any(|window| window == b"note"));
    assert_eq!(decoded::<Names>(&bytes).unwrap(), Names::default());
}

#[test]
fn a_missing_field_is_named() {
    let error = decoded::<Names>(b"\0\x05Upper\0\x011\0\0").unwrap_err();
    assert_eq!(error.path(), "async");
}

#[test]
fn boxes_nest_in_boxes() {
    let nested = Nested { one: Names::default(), many: vec![Empty, Empty] };
    let bytes = encoded(&nested);
    assert!(bytes.starts_with(b"\0\x04many\0\x04\0\0\0\0\0\x03one\0"));
    assert_eq!(decoded::<Nested>(&bytes).unwrap(), nested);
    assert_eq!(encoded(&Empty), encoded(&Braces {}));
}

#[test]
fn a_struct_may_be_generic_and_hold_itself() {
    let last = Page { items: vec![3_u8], more: vec![], cursor: *b"ab" };
    let page = Page { items: vec![1_u8, 2], more: vec![last], cursor: *b"cd" };
    assert_eq!(decoded::<Page<u8, 2>>(&encoded(&page)).unwrap(), page);
}

/// A command with everything that one can have.
#[derive(Command, Debug)]
#[amp(name = "divide.two", response = Quotient, errors = DivideError)]
pub struct Divide {
    /// The numerator.
    pub numerator: i64,
    /// Where it is answered.
    #[exposed]
    pub place: Exposed<Place>,
}

/// The answer.
#[derive(Arguments, Debug)]
pub struct Quotient {
    /// The result.
    pub result: f64,
}

/// A command with nothing but a name.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub struct Forget;

/// A command with a generic response.
#[derive(Command, Debug)]
#[amp(response = Page<T, 1>)]
pub struct List<T: Value + Send + PartialEq + 'static> {
    /// After which one.
    pub after: Option<T>,
}

/// Something to expose.
#[derive(Clone, Debug, PartialEq)]
pub struct Place(&'static str);

impl Exposable for Place {
    fn expose(context: &dyn amp::Context) -> Result<Self, amp::ExposeError> {
        State::<Self>::expose(context).map(|place| Self::clone(&place))
    }
}

struct Here;

impl amp::Context for Here {
    fn provide(&self, _: std::any::TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(Place("here")))
    }
}

#[test]
fn a_command_knows_its_name_and_whether_it_is_answered() {
    assert_eq!(Divide::NAME, "divide.two");
    assert_eq!(Forget::NAME, "Forget");
    assert_eq!(List::<u8>::NAME, "List");
    const { assert!(Divide::ANSWERED && !Forget::ANSWERED) };
    let _: fn() -> <Forget as Command>::Response = || ();
}

#[test]
fn an_exposed_field_never_travels_and_is_filled_in_where_the_command_is_answered() {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 1);
    let divide = Divide { numerator: 6, place: Exposed::of(Place("there")) };
    divide.put_leading(&mut out).unwrap();
    divide.put_trailing(&mut out).unwrap();
    out.finish(100).unwrap();
    assert_eq!(bytes, b"\0\x09numerator\0\x016\0\0");

    let mut arrived = Divide::take(&mut BoxReader::new(&raw(&bytes), 1)).unwrap();
    assert!(arrived.place.as_option().is_none());
    arrived.expose(&Here).unwrap();
    assert_eq!(*arrived.place, Place("here"));
}

/// The errors.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub enum DivideError {
    /// Unit.
    #[error("cannot divide by zero")]
    ZeroDivision,
    /// Fatal, with a code of its own.
    #[error("the abacus is broken")]
    #[amp(code = "BROKEN", fatal)]
    BrokenAbacus,
    /// The description.
    #[error("bad value: {0}")]
    #[amp(code = "VALUE_ERROR", invalid_argument)]
    Value(String),
    /// Further keys.
    #[error("try again in {seconds} s")]
    Busy {
        /// How long.
        seconds: u32,
        /// Who says so.
        #[amp(name = "By")]
        r#by: Option<String>,
    },
    /// Braces without fields.
    #[error("nothing")]
    Nothing {},
}

/// Has no values.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum Never {}

/// All variants are their description.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum OnlyTexts {
    /// One.
    #[error("{0}")]
    #[amp(fatal)]
    One(String),
}

/// Generic in a field.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum Conflict<T: std::fmt::Debug> {
    /// What was there.
    #[error("there is {existing:?}")]
    Exists {
        /// The one that is there.
        existing: T,
    },
}

fn raw(bytes: &[u8]) -> RawBox {
    BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes.into()).next_box().unwrap().unwrap()
}

/// What a caller makes of the error.
fn sent<E: ErrorCodes>(error: &E) -> Option<E> {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 1);
    error.put_leading(&mut out).unwrap();
    error.put_trailing(&mut out).unwrap();
    out.finish(1000).unwrap();
    E::from_error(error.code(), &error.describe(), &mut BoxReader::new(&raw(&bytes), 1)).unwrap()
}

#[test]
fn a_declared_error_arrives_as_it_was_sent() {
    for error in [
        DivideError::ZeroDivision,
        DivideError::BrokenAbacus,
        DivideError::Value("a: too large".into()),
        DivideError::Busy { seconds: 5, r#by: Some("me".into()) },
        DivideError::Busy { seconds: 5, r#by: None },
        DivideError::Nothing {},
    ] {
        assert_eq!(sent(&error), Some(error));
    }
    assert!(matches!(sent(&Conflict::Exists { existing: 5_u8 }), Some(Conflict::Exists { existing: 5 })));
}

#[test]
fn codes_descriptions_and_fatality_are_those_of_the_declaration() {
    assert_eq!(DivideError::ZeroDivision.code(), "ZERO_DIVISION");
    assert_eq!(DivideError::ZeroDivision.describe(), "cannot divide by zero");
    assert_eq!(DivideError::BrokenAbacus.code(), "BROKEN");
    assert_eq!(DivideError::Value("text".into()).describe(), "text");
    assert!(DivideError::BrokenAbacus.is_fatal() && !DivideError::ZeroDivision.is_fatal());
    assert!(OnlyTexts::One(String::new()).is_fatal());
    assert_eq!(DivideError::INVALID_ARGUMENT, "VALUE_ERROR");
    assert_eq!(Never::INVALID_ARGUMENT, amp::codes::INVALID_ARGUMENT);
}

#[test]
fn an_error_without_its_fields_is_not_made_and_one_with_broken_fields_is_an_error() {
    let from = |bytes: &[u8]| DivideError::from_error("BUSY", "busy", &mut BoxReader::new(&raw(bytes), 1));
    assert_eq!(from(b"\0\x01x\0\0\0\0").unwrap(), None);
    assert_eq!(from(b"\0\x02By\0\x02me\0\0").unwrap(), None);
    assert_eq!(from(b"\0\x07seconds\0\x03abc\0\0").unwrap_err().path(), "seconds");
    assert!(Never::from_error("X", "", &mut BoxReader::new(&raw(b"\0\x01x\0\0\0\0"), 1)).unwrap().is_none());
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
    }

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

macro_rules! declare {
    ($name:ident { $($field:ident: $ty:ty = $low:literal, $range:expr),* } $wire:literal $response:ty) => {
        /// Declared by a macro.
        #[derive(Command, Debug)]
        #[amp(name = $wire, response = $response)]
        pub struct $name {
            $(
                /// A field.
                #[constrain(range = $range, not_in_set = [$low, $low])]
                pub $field: $ty,
            )*
        }
    };
}

declare! { Declared { b: i64 = 1, -5..5, a: Option<u8> = 0, 0..=250 } "declared" Quotient }

#[test]
fn a_declaration_may_come_from_a_macro() {
    assert_eq!(Declared::NAME, "declared");
    let mut found = Violations::new();
    Declared { b: -6, a: Some(0) }.check(amp::Place::WHOLE, &mut found);
    assert_eq!(found.to_string(), "a: in [0, 0]; b: not in -5..5");
}
