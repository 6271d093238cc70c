//! Values: bytes to one Rust value and back.
//!
//! Encoding writes exactly what Twisted writes, and decoding accepts what Twisted accepts (`wire.md` 2.4), as far as the Rust
//! type can represent it.
// Imports `wire`, `exposed`, `violation` and `schema`.

mod address;
#[cfg(feature = "num-bigint")]
mod bigint;
mod box_reader;
mod box_writer;
mod budget;
mod bytes;
mod conversion;
mod date_time;
mod decimal;
mod duration;
mod error;
mod float;
mod holders;
mod integer;
#[cfg(feature = "json")]
mod json;
mod list;
mod number;
mod path;
mod scope;
#[cfg(feature = "serde")]
mod serde;
#[cfg(test)]
mod tests;
mod text;
#[cfg(feature = "url")]
mod url;
#[cfg(feature = "uuid")]
mod uuid;
mod with;
mod wrapper;
#[cfg(feature = "zlib")]
mod zlib;

pub use crate::command::{Argument, Big, FromTwo, FromZero, KeyNumbers};
pub use address::{Octets, OctetsOf};
pub use box_reader::{BoxReader, RawValue};
pub use box_writer::{BoxWriter, Key, ValueWriter};
#[cfg(feature = "tokio")]
pub(crate) use budget::{Budget, QUICK_ITEMS, Reserve, Spent};
pub use conversion::ConvertError;
pub use date_time::DateTime;
pub use decimal::Decimal;
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
#[cfg(feature = "serde")]
pub(crate) use integer::Digits;
#[cfg(feature = "json")]
pub use json::{AsciiJson, Json};
pub(crate) use list::{collect, count as count_items};
#[cfg(feature = "tokio")]
pub(crate) use scope::Scope;
pub use text::Text;
pub use with::With;
#[cfg(feature = "zlib")]
pub use zlib::Zlib;
#[cfg(all(feature = "serde", feature = "zlib"))]
pub(crate) use zlib::{compress, decompress};

use std::any::type_name;

use crate::schema::AmpType;
use crate::violation::{Place, Violations};

/// Counts the items of a list without decoding them; `None` when it is cut short.
#[doc(hidden)]
pub type Count = for<'a> fn(RawValue<'a>) -> Option<usize>;

/// One value of a box: a Rust type with a form in bytes. Twisted's `IArgumentType` for one key.
///
/// Derive it for newtypes and enums, and implement it for another type of your own; then it can be a field, an `Option` and an item
/// of a `Vec`. A type of another crate stands in a field by [`With`].
/// For an argument that uses several keys of the box implement [`Argument`] instead.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
/// use std::net::Ipv4Addr;
///
/// #[derive(Debug, PartialEq)]
/// struct Address(Ipv4Addr);
///
/// impl Value for Address {
///     fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
///         out.write(&self.0.octets());
///         Ok(())
///     }
///
///     fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
///         let octets: [u8; 4] = raw.as_bytes().try_into().map_err(|_| DecodeError::custom("not four bytes"))?;
///         Ok(Self(octets.into()))
///     }
/// }
///
/// let mut bytes = Vec::new();
/// Address(Ipv4Addr::LOCALHOST).encode(&mut ValueWriter::new(&mut bytes)).unwrap();
/// assert_eq!(bytes, [127, 0, 0, 1]);
/// assert_eq!(Address::decode(RawValue::new(&bytes)).unwrap(), Address(Ipv4Addr::LOCALHOST));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no form on the wire",
    label = "not an AMP value",
    note = "integers, floats, `bool`, `String`, `Vec<u8>`, `bytes::Bytes`, `[u8; N]`, lists and maps of values and types with `#[derive(Arguments)]` are values",
    note = "a newtype or an enum of your own has `#[derive(Value)]`; another type of your own implements `Value` (one value: `encode` writes its bytes, `decode` reads them) or `Argument` (several keys of the box)",
    note = "a type of another crate has a feature of this library (`uuid`, `url`, `ipnet`, `num-bigint`), stands in a field with `#[amp(text)]`, `#[amp(json)]`, or `#[amp(with = Type)]`, where `Type` is yours and implements `amp::value::With` for it"
)]
#[doc(alias("IArgumentType", "fromString", "toString", "fromStringProto", "toStringProto"))]
#[doc(alias("Boolean", "Float", "Integer", "ListOf", "Path", "String", "Unicode"))]
pub trait Value: Sized {
    /// The AMP type, for schemas.
    const TYPE: AmpType = AmpType::Custom(type_name::<Self>);

    /// The AMP type of a list of such values.
    #[doc(hidden)]
    const LIST_TYPE: AmpType = AmpType::ListOf(&Self::TYPE);

    /// For a list, the function that counts its items before it is decoded.
    #[doc(hidden)]
    const COUNT: Option<Count> = None;

    /// The same for a list of such values.
    #[doc(hidden)]
    const COUNT_LIST: Option<Count> = Some(list::count);

    /// Appends the value's bytes.
    ///
    /// It runs while the connection's outbound buffer is locked: it must not use the connection. It may run more than once for
    /// one box, and its bytes may not be sent in the end, for example if the box becomes too long. The [`context`] exposes values
    /// of the connection that need no lock of it.
    ///
    /// [`context`]: ValueWriter::context
    ///
    /// # Errors
    /// If the value has no form on the wire. The call fails then, and nothing is sent.
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError>;

    /// Decodes a value from received bytes. The [`context`](RawValue::context) exposes the connection that they came over.
    ///
    /// Values of this library are charged to the budget of their box
    /// ([`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes)). A value that allocates memory itself, as much as
    /// the peer wants, must [charge](RawValue::charge) it first.
    ///
    /// # Errors
    /// If the bytes are no such value. The one call fails then.
    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError>;

    /// Checks the constraints declared within the value; a nested box checks those of its fields.
    fn check(&self, place: Place<'_>, found: &mut Violations) {
        let _ = (place, found);
    }

    /// Appends a list of such values: a `ListOf`, unless the type has a list form of its own.
    #[doc(hidden)]
    fn encode_list(items: &[Self], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        list::encode(items, out)
    }

    /// Decodes a list from received bytes; the counterpart of [`encode_list`](Self::encode_list).
    #[doc(hidden)]
    fn decode_list(raw: RawValue<'_>) -> Result<Vec<Self>, DecodeError> {
        list::decode(raw)
    }

    /// Decodes a list of exactly `N` items.
    #[doc(hidden)]
    fn decode_array<const N: usize>(raw: RawValue<'_>) -> Result<[Self; N], DecodeError> {
        list::decode_array(raw)
    }
}
