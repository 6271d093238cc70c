use std::any::type_name;

use super::{DecodeError, EncodeError, RawValue, ValueWriter};
use crate::schema::AmpType;

/// Writes and reads values of `T`, which are no [`Value`](super::Value)s themselves: for `#[amp(with = ..)]` on a field.
///
/// So a type of another crate stands in a field as it is. Implement it for a type of your own, which needs no values. The field
/// may also be an `Option` or a `Vec` of `T`.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::Command;
/// use std::net::Ipv4Addr;
///
/// use amp::Command;
/// use amp::schema::AmpType;
/// use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter, With};
///
/// /// An address as text.
/// struct Dotted;
///
/// impl With<Ipv4Addr> for Dotted {
///     const TYPE: AmpType = AmpType::Unicode;
///
///     fn encode(address: &Ipv4Addr, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
///         address.to_string().encode(out)
///     }
///
///     fn decode(raw: RawValue<'_>) -> Result<Ipv4Addr, DecodeError> {
///         String::decode(raw)?.parse().map_err(|_| DecodeError::custom("not an IPv4 address"))
///     }
/// }
///
/// #[derive(Command)]
/// struct Ping {
///     #[amp(with = Dotted)]
///     address: Ipv4Addr,
///     #[amp(with = Dotted)]
///     hops: Vec<Ipv4Addr>,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not write and read `{T}`",
    label = "not for `{T}`",
    note = "implement `amp::value::With<{T}>` for it"
)]
pub trait With<T> {
    /// The AMP type, for schemas: that of the values that it writes.
    const TYPE: AmpType = AmpType::Custom(type_name::<Self>);

    /// Appends the value's bytes; see [`Value::encode`](super::Value::encode).
    ///
    /// # Errors
    /// If the value has no form on the wire.
    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError>;

    /// Decodes a value from received bytes; see [`Value::decode`](super::Value::decode).
    ///
    /// # Errors
    /// If the bytes are no such value.
    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError>;
}
