//! Charges what a deserialized value takes to the budget of its box, by the sizes of the types that serde asks for.
//!
//! A collection does not say how it grows, so its entries are charged as the most wasteful one of the library takes them: a
//! B-tree, whose first leaf has room for eleven, and whose others are half full.
//!
//! Where serde buffers first, its buffer is charged. What it then builds of the buffer passes no deserializer of ours.

use std::cell::Cell;
use std::fmt;
use std::mem::needs_drop;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};

use crate::value::{DecodeError, RawValue};

/// The budget of one value, and why it was exceeded.
pub(super) struct Account<'r> {
    raw: RawValue<'r>,
    refusal: Cell<Option<DecodeError>>,
}

impl<'r> Account<'r> {
    pub(super) fn new(raw: RawValue<'r>) -> Self {
        Self { raw, refusal: Cell::new(None) }
    }

    /// Why a charge was refused, if one was.
    pub(super) fn refusal(&self) -> Option<DecodeError> {
        self.refusal.take()
    }

    pub(super) fn deserializer<D>(&self, inner: D) -> Charged<'_, 'r, D> {
        Charged { inner, account: self }
    }

    fn charge<E: Error>(&self, bytes: usize) -> Result<(), E> {
        self.noted(self.raw.charge(bytes))
    }

    /// Charges a text or bytes, as if they were kept.
    fn charge_bytes<E: Error>(&self, length: usize) -> Result<(), E> {
        self.noted(self.raw.charge_allocation(length))
    }

    /// Keeps why a charge was refused: an error of serde has no room for it.
    fn noted<E: Error>(&self, charged: Result<(), DecodeError>) -> Result<(), E> {
        charged.map_err(|refusal| {
            self.refusal.set(Some(refusal));
            E::custom("more than may be decoded")
        })
    }
}

/// A part of serde's machinery whose values are charged.
pub(super) struct Charged<'a, 'r, X> {
    inner: X,
    account: &'a Account<'r>,
}

/// A visitor. The fields of a struct and the items of a tuple are a part of it, and take no memory beside.
struct Visits<'a, 'r, V> {
    inner: V,
    account: &'a Account<'r>,
    is_inline: bool,
}

/// The entries of a collection.
struct Entries<'a, 'r, A> {
    inner: A,
    account: &'a Account<'r>,
    is_inline: bool,
    count: usize,
    /// The size of the last key.
    key: usize,
}

/// Forwards the methods of a deserializer. Each value is charged once by itself, as it may stand behind a pointer.
macro_rules! deserialize {
    ($is_inline:literal: $($method:ident($($name:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            self.account.charge(size_of::<V::Value>())?;
            let visitor = Visits { inner: visitor, account: self.account, is_inline: $is_inline };
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Charged<'_, '_, D> {
    type Error = D::Error;

    deserialize! {
        false:
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128() deserialize_f32() deserialize_f64()
        deserialize_char() deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_unit() deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str) deserialize_seq()
        deserialize_map() deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_ignored_any()
    }

    deserialize! {
        true:
        deserialize_tuple(length: usize) deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
    }

    /// The name of a field or a variant. It is compared, and kept only by what owns memory: that of a field that `flatten` collects.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if needs_drop::<V::Value>() {
            let visitor = Visits { inner: visitor, account: self.account, is_inline: false };
            self.inner.deserialize_identifier(visitor)
        } else {
            self.inner.deserialize_identifier(visitor)
        }
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Charged<'_, '_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.account.deserializer(deserializer))
    }
}

/// Forwards what needs no memory.
macro_rules! visit {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

/// Forwards what is kept, and charged first.
macro_rules! visit_kept {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.account.charge_bytes(value.len())?;
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visits<'_, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8) visit_u16(u16) visit_u32(u32)
        visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64) visit_char(char)
    }

    visit_kept! {
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String) visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(self.account.deserializer(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(self.account.deserializer(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { account, is_inline, .. } = self;
        self.inner.visit_seq(Entries { inner, account, is_inline, count: 0, key: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { account, is_inline, .. } = self;
        self.inner.visit_map(Entries { inner, account, is_inline, count: 0, key: 0 })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Charged { inner, account: self.account })
    }
}

impl<A> Entries<'_, '_, A> {
    /// Charges the place of an entry, before the collection makes room for it.
    fn charge_entry<E: Error>(&mut self, size: usize) -> Result<(), E> {
        if self.is_inline {
            return Ok(());
        }
        self.count += 1;
        let (entries, overhead) = if self.count == 1 { (11, 64) } else { (3, 16) };
        self.account.charge(size.saturating_mul(entries).saturating_add(overhead))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Entries<'_, '_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        let item = self.inner.next_element_seed(Charged { inner, account: self.account })?;
        item.map(|item| self.charge_entry(size_of::<S::Value>()).map(|()| item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, '_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<Option<S::Value>, A::Error> {
        self.key = size_of::<S::Value>();
        self.inner.next_key_seed(Charged { inner, account: self.account })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, inner: S) -> Result<S::Value, A::Error> {
        let value = self.inner.next_value_seed(Charged { inner, account: self.account })?;
        self.charge_entry(self.key + size_of::<S::Value>()).map(|()| value)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'a, 'r, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Charged<'a, 'r, A> {
    type Error = A::Error;
    type Variant = Charged<'a, 'r, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let account = self.account;
        self.inner.variant_seed(seed).map(|(variant, inner)| (variant, Charged { inner, account }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Charged<'_, '_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, inner: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Charged { inner, account: self.account })
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, inner: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(length, Visits { inner, account: self.account, is_inline: true })
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], inner: V) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Visits { inner, account: self.account, is_inline: true })
    }
}
