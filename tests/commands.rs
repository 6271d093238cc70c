//! `#[derive(Command)]`: what a command declares, and what is exposed to it.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use std::any::Any;
use std::sync::Arc;

use amp::constraint::Violations;
use amp::locator::Exposable;
use amp::value::{BoxReader, BoxWriter, Value};
use amp::wire::{BoxDecoder, BoxLimits, RawBox};
use amp::{Arguments, Command, ErrorCodes, Exposed, State};

/// What is deprecated is for the users of the type, not for its expansion.
#[derive(Command, Debug)]
pub struct Old {
    /// A field that nobody should use.
    #[deprecated]
    pub old: Option<u8>,
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
    fn expose(context: &dyn amp::locator::Context) -> Result<Self, amp::error::ExposeError> {
        State::<Self>::expose(context).map(|place| Self::clone(&place))
    }
}

struct Here;

impl amp::locator::Context for Here {
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
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum DivideError {
    /// Unit.
    #[error("cannot divide by zero")]
    ZeroDivision,
}

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

fn raw(bytes: &[u8]) -> RawBox {
    BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes.into()).next_box().unwrap().unwrap()
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
    Declared { b: -6, a: Some(0) }.check(amp::constraint::Place::WHOLE, &mut found);
    assert_eq!(found.to_string(), "a: in [0, 0]; b: not in -5..5");
}
