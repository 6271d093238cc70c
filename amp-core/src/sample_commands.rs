//! Commands for the unit tests, written by hand because the macros name the facade.

use crate::__private::{nested_decode, nested_decode_list, nested_encode, nested_encode_list};
use crate::command::{Argument, Arguments, Command, ErrorCodes, NoErrors, take_required};
use crate::schema::BoxDeclaration;
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError, Key, RawValue, Value, ValueWriter};

const A: Key = Key::from_wire(b"\0\x01a");
const B: Key = Key::from_wire(b"\0\x01b");
const KIDS: Key = Key::from_wire(b"\0\x04kids");
const NAME: Key = Key::from_wire(b"\0\x04name");
const K: Key = Key::from_wire(b"\0\x01k");
const UPPER: Key = Key::from_wire(b"\0\x05Upper");

/// Arguments whose keys all sort behind `_`, save those in the first list.
macro_rules! arguments {
    ($type:ident { $($leading:ident $lead_key:expr),*; $($field:ident $key:expr),* }) => {
        impl Arguments for $type {
            const FIELDS: BoxDeclaration = crate::__private::fields(stringify!($type), &[]);

            fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
                let _ = &out;
                $(self.$leading.put($lead_key, out)?;)*
                Ok(())
            }

            fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
                let _ = &out;
                $(self.$field.put($key, out)?;)*
                Ok(())
            }

            fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
                let _ = &from;
                Ok(Self {
                    $($leading: take_required($lead_key, from)?,)*
                    $($field: take_required($key, from)?,)*
                })
            }
        }

        impl Value for $type {
            const COUNT_LIST: Option<crate::__private::Count> = Some(crate::__private::nested_count_list);

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                nested_encode(self, out)
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                nested_decode(raw)
            }

            fn encode_list(items: &[Self], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                nested_encode_list(items, out)
            }

            fn decode_list(raw: RawValue<'_>) -> Result<Vec<Self>, DecodeError> {
                nested_decode_list(raw)
            }
        }
    };
}

/// The arguments of `wire.md` 2.1: `a` and `b`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) a: i64,
    pub(crate) b: i64,
}
arguments!(Sum { ; a A, b B });

impl Command for Sum {
    type Response = Item;
    type Errors = NoErrors;
    const NAME: &'static str = "Sum";
}

/// The AmpList item of `wire.md` 2.4.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) a: i64,
    pub(crate) b: Option<String>,
}
arguments!(Item { ; a A, b B });

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Empty {}
arguments!(Empty { ; });

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kid {
    pub(crate) k: i64,
}
arguments!(Kid { ; k K });

/// The nested AmpList of `wire.md` 2.4.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parent {
    pub(crate) kids: Vec<Kid>,
    pub(crate) name: String,
}
arguments!(Parent { ; kids KIDS, name NAME });

/// A box that holds one box.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Holder {
    pub(crate) upper: i64,
    pub(crate) a: Item,
}
arguments!(Holder { upper UPPER; a A });

impl Command for Holder {
    type Response = Holder;
    type Errors = NoErrors;
    const NAME: &'static str = "Hold";
}

/// A declared error with fields on both sides of AMP's own keys.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("snowman \u{2603}")]
pub(crate) struct Fault {
    pub(crate) upper: i64,
    pub(crate) a: i64,
}

impl ErrorCodes for Fault {
    const ERRORS: &'static [crate::schema::ErrorDeclaration] = &[];

    fn code(&self) -> &'static str {
        "daemon is not ready"
    }

    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        self.upper.put(UPPER, out)
    }

    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        self.a.put(A, out)
    }

    fn from_error(_: &str, _: &str, _: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(None)
    }
}
