//! Values over several keys of one box: the two conventions of `wire.md`, section 6.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::{Argument, Constrained};
use crate::schema::{AmpType, Numbering};
use crate::value::{BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, Key, Value};
use crate::violation::{Place, Violations};

/// A value of up to `MAX` bytes, which travels over as many keys of its box as it needs: one pair has at most
/// [`MAX_VALUE`](crate::wire::MAX_VALUE) bytes.
///
/// Any [`Value`] can be big: bytes, text, a list as a whole, a struct with `#[derive(Arguments)]`. `MAX` counts its encoded bytes. Both ends
/// check it: a longer value is not sent, and one that arrives is refused before it takes memory. It is a part of the declaration, and
/// [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes) must have room for it at both ends.
///
/// `N` says how the keys are numbered: [`FromTwo`] (`name`, `name.2`, `name.3`, …), which reads and writes a value of up to 65,535 bytes
/// exactly as a plain field, or [`FromZero`] (`name.0`, `name.1`, …).
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command};
/// use amp::value::{Big, FromZero};
///
/// #[derive(Command, Debug)]
/// #[amp(response = Rows)]
/// pub struct Import {
///     pub file: Big<Vec<u8>, 1_000_000>,
///     pub note: Option<Big<String, 200_000>>,
/// }
///
/// #[derive(Arguments, Debug)]
/// pub struct Rows {
///     /// For a peer that numbers from 0, such as Flocker.
///     pub rows: Big<Vec<Row>, 1_000_000, FromZero>,
/// }
///
/// #[derive(Arguments, Debug)]
/// pub struct Row {
///     pub id: u64,
///     pub name: String,
/// }
///
/// let import = Import { file: vec![0; 300_000].into(), note: None };
/// assert_eq!(import.file.len(), 300_000);
/// let bytes: Vec<u8> = import.file.into_inner();
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Big<T, const MAX: usize, N = FromTwo> {
    value: T,
    numbering: PhantomData<N>,
}

/// The keys `name`, `name.2`, `name.3`, …: amp-protocol.net's `BigString`, and the default of a [`Big`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FromTwo;

/// The keys `name.0`, `name.1`, …: as Flocker, `CalendarServer` and `JoinMarket` number those of a [`Big`]. An empty value has no key, so
/// that an absent one means empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FromZero;

/// How the keys of a [`Big`] are numbered: [`FromTwo`] or [`FromZero`].
pub trait KeyNumbers: sealed::Sealed {
    /// The same for schemas.
    const NUMBERING: Numbering;
}

impl KeyNumbers for FromTwo {
    const NUMBERING: Numbering = Numbering::FromTwo;
}

impl KeyNumbers for FromZero {
    const NUMBERING: Numbering = Numbering::FromZero;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::FromTwo {}
    impl Sealed for super::FromZero {}
}

impl<T, const MAX: usize, N> Big<T, MAX, N> {
    /// Wraps a value. Its length is checked when it is sent.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self { value, numbering: PhantomData }
    }

    /// Returns the value.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T, const MAX: usize, N> From<T> for Big<T, MAX, N> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T, const MAX: usize, N> Deref for Big<T, MAX, N> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T, const MAX: usize, N> DerefMut for Big<T, MAX, N> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// As the value itself.
impl<T: fmt::Debug, const MAX: usize, N> fmt::Debug for Big<T, MAX, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: Value, const MAX: usize, N> Constrained for Big<T, MAX, N> {
    type Target = T;

    fn target(&self) -> Option<&T> {
        Some(&self.value)
    }
}

impl<T: Value, const MAX: usize, N: KeyNumbers> Argument for Big<T, MAX, N> {
    const DECLARED: AmpType = AmpType::Big { value: &T::TYPE, maximum: MAX, numbering: N::NUMBERING };
    /// An absent key means an empty value, where there is one.
    const OPTIONAL: bool = matches!(N::NUMBERING, Numbering::FromZero) && T::TYPE.may_be_empty();

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put_split(key, N::NUMBERING, MAX, &self.value)
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let parts = Parts::find(key, N::NUMBERING, from)?;
        let value = match parts {
            Some(parts) => parts.decode(MAX, from),
            // Of a type that the library does not know, no bytes may be no value.
            None if Self::OPTIONAL => T::decode(from.raw(&[])).map_err(|_| DecodeErrorKind::Missing.into()),
            None => return Ok(None),
        };
        value.map(|value| Some(Self::new(value))).map_err(|error| error.at_key(key.name()))
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        self.value.check(place, found);
    }
}

/// The parts of one value, as they lie in its box.
enum Parts<'a> {
    /// The whole value is one part.
    One(&'a [u8]),
    /// Those that are there come first.
    Several(Vec<Option<&'a [u8]>>),
}

impl<'a> Parts<'a> {
    /// Finds the parts, whatever their order; of several with one key the last counts. `None` if there is none.
    ///
    /// A peer may send very many parts, of no bytes: two passes over the box find them all, and what is missing between them.
    fn find(key: Key, numbering: Numbering, from: &BoxReader<'a>) -> Result<Option<Self>, DecodeError> {
        let numbered = || {
            let parts = from.pairs();
            parts.filter_map(|(found, part)| Some((numbering.index_of(found, key.name_bytes())?, part.as_bytes())))
        };
        let count = numbered().count();
        let mut parts = match count {
            0 => return Ok(None),
            1 => Vec::new(),
            _ => {
                from.raw(&[]).charge_allocation(count * size_of::<Option<&[u8]>>())?;
                vec![None; count]
            }
        };
        let missing =
            |index| Err(DecodeError::from(DecodeErrorKind::MissingPart).at_key(&numbering.key(key.name(), index)));
        let mut is_beyond = false;
        for (index, part) in numbered() {
            match parts.get_mut(index) {
                Some(place) => *place = Some(part),
                // Nearly always there is one part, which needs no list.
                None if count == 1 && index == 0 => return Ok(Some(Self::One(part))),
                // Fewer parts than numbers: one is missing.
                None => is_beyond = true,
            }
        }
        let whole = parts.iter().take_while(|part| part.is_some()).count();
        if is_beyond || parts.iter().skip(whole).any(Option::is_some) {
            return missing(whole);
        }
        match parts[..] {
            [Some(only), None, ..] | [Some(only)] => Ok(Some(Self::One(only))),
            _ => Ok(Some(Self::Several(parts))),
        }
    }

    fn decode<T: Value>(self, maximum: usize, from: &BoxReader<'a>) -> Result<T, DecodeError> {
        let within = |length: usize| {
            if length <= maximum { Ok(()) } else { Err(DecodeErrorKind::OverMaximum { limit: maximum }) }
        };
        match self {
            // It may stay a slice of the box.
            Self::One(bytes) => {
                within(bytes.len())?;
                T::decode(from.raw(bytes))
            }
            Self::Several(parts) => {
                let length = parts.iter().flatten().map(|part| part.len()).sum();
                within(length)?;
                let raw = from.raw(&[]);
                raw.charge_allocation(length)?;
                let mut whole = Vec::with_capacity(length);
                parts.iter().flatten().for_each(|part| whole.extend_from_slice(part));
                let value = T::decode(raw.with_bytes(&whole));
                // What the value keeps of it was charged as its own.
                raw.release(length + parts.len() * size_of::<Option<&[u8]>>());
                value
            }
        }
    }
}
