use std::cmp::Ordering;

use bytes::Bytes;

use super::budget::ALLOCATION;
use super::scope::Scope;
use super::{DecodeError, DecodeErrorKind, Key};
use crate::exposed::Context;
use crate::wire::{BoxLimits, END, MAX_KEY, Pairs, RawBox, length_at};

/// Values from this many bytes on may be kept as slices of the received buffer. Copying a smaller one costs less than sharing it.
const SLICE_FROM: usize = 8 * 1024;

/// Looks up the keys of one box. Fast when asked in ascending order, right in any order.
#[derive(Clone, Debug)]
pub struct BoxReader<'a> {
    bytes: &'a [u8],
    owner: Option<&'a RawBox>,
    scope: Option<&'a Scope<'a>>,
    next: Pairs<'a>,
    /// The last key that was passed.
    passed: &'a [u8],
    ascending: bool,
    depth: u8,
}

impl<'a> BoxReader<'a> {
    /// A reader of a received box, whose values may nest `nesting` levels deep. Only the box itself bounds what they decode to;
    /// at a connection there is a limit.
    #[must_use]
    pub fn new(raw: &'a RawBox, nesting: u8) -> Self {
        Self {
            bytes: raw.as_bytes(),
            owner: Some(raw),
            scope: None,
            next: raw.pairs(),
            passed: &[],
            ascending: raw.is_ascending(),
            depth: nesting,
        }
    }

    /// A reader that begins behind the pair that ends at `position`, which was read before.
    pub(crate) fn behind(raw: &'a RawBox, position: usize, nesting: u8) -> Self {
        let mut reader = Self::new(raw, nesting);
        if reader.ascending {
            reader.next = raw.pairs_from(position);
            // All keys that sort before AMP's own are behind the position.
            reader.passed = b"_";
        }
        reader
    }

    /// The same reader, whose values see a context and are charged to a budget.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn with_scope(self, scope: &'a Scope<'a>) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// Whether the box came over a connection.
    pub(crate) fn is_scoped(&self) -> bool {
        self.scope.is_some()
    }

    /// The context of the place of decoding; `None` in tests and tools, which have no connection. See [`RawValue::context`].
    #[must_use]
    pub fn context(&self) -> Option<&'a dyn Context> {
        self.scope.and_then(Scope::context)
    }

    /// The value of `key`; the last one if there are several (`wire.md` 2.1).
    #[inline(always)]
    pub fn value(&mut self, key: Key) -> Option<RawValue<'a>> {
        // A key that is asked for in order is the next one.
        if self.ascending
            && let Some(value) = self.next.next_if(key.as_wire())
        {
            self.passed = key.name_bytes();
            return Some(self.raw(value));
        }
        // A peer fills a list with empty boxes for two bytes each: none of them costs a look-up for each of its fields.
        if self.bytes.len() <= END.len() {
            return None;
        }
        self.value_elsewhere(key.name_bytes())
    }

    #[cold]
    fn value_elsewhere(&mut self, name: &[u8]) -> Option<RawValue<'a>> {
        if !self.ascending || name <= self.passed {
            return self.find(name);
        }
        let mut next = self.next.clone();
        while let Some((found, value)) = next.next() {
            if found.first() > name.first() {
                break;
            }
            match found.cmp(name) {
                Ordering::Less => self.passed = found,
                Ordering::Equal => {
                    (self.next, self.passed) = (next, found);
                    return Some(self.raw(value));
                }
                Ordering::Greater => break,
            }
            self.next = next.clone();
        }
        None
    }

    /// The value of a key that is known only at run time, such as `name.2`.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<RawValue<'a>> {
        // Nearly always there is one such key; of several the last one counts.
        Pairs::new(self.bytes).filter(|(key, _)| *key == name).last().map(|(_, value)| self.raw(value))
    }

    /// All pairs in the order of arrival, duplicates included.
    pub fn pairs(&self) -> impl Iterator<Item = (&'a [u8], RawValue<'a>)> + use<'a> {
        let whole = self.raw(self.bytes);
        Pairs::new(self.bytes).map(move |(key, bytes)| (key, RawValue { bytes, ..whole }))
    }

    /// Bytes of this box as a value.
    #[inline]
    pub(crate) fn raw(&self, bytes: &'a [u8]) -> RawValue<'a> {
        RawValue { bytes, owner: self.owner, scope: self.scope, depth: self.depth }
    }
}

/// The bytes of one received value, before they are decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawValue<'a> {
    bytes: &'a [u8],
    owner: Option<&'a RawBox>,
    scope: Option<&'a Scope<'a>>,
    depth: u8,
}

impl<'a> RawValue<'a> {
    /// A value that was not received in a box, for tests of a [`Value`](crate::value::Value) of your own.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, owner: None, scope: None, depth: BoxLimits::DEFAULT.nesting }
    }

    /// The same value, which may nest `nesting` levels deep.
    #[cfg(feature = "serde")]
    #[must_use]
    pub(crate) fn with_nesting(self, nesting: u8) -> Self {
        Self { depth: nesting, ..self }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The context of the place of decoding; `None` in tests and tools, which have no connection. Twisted's `proto`.
    ///
    /// It exposes values of the connection which the value came over: its [`Peer`](crate::Peer), its [`State`](crate::State)s and
    /// the [`Connection`](crate::Connection) itself, at the responder and at the caller.
    #[must_use]
    pub fn context(self) -> Option<&'a dyn Context> {
        self.scope.and_then(Scope::context)
    }

    /// Returns the bytes as an owned value: a slice of the received buffer if they are most of it, otherwise a copy. So the value
    /// never keeps more than twice its own length in memory.
    #[must_use]
    pub fn to_shared(self) -> Bytes {
        match self.sharing() {
            Some(owner) => owner.slice_of(self.bytes),
            None => Bytes::copy_from_slice(self.bytes),
        }
    }

    /// Returns how many bytes live as long as the result of [`to_shared`](Self::to_shared).
    #[inline]
    pub(super) fn shared_size(self) -> usize {
        self.sharing().map_or(self.bytes.len(), RawBox::pinned)
    }

    /// The box, if the value is shared with it.
    #[inline]
    fn sharing(self) -> Option<&'a RawBox> {
        self.owner.filter(|owner| self.bytes.len() >= SLICE_FROM && owner.pinned() / 2 <= self.bytes.len())
    }

    /// Returns the bytes as a slice of the received buffer, however small: for a type that decides itself when to copy, by how
    /// much [memory](Self::pinned) the slice keeps.
    #[doc(hidden)]
    #[must_use]
    pub fn to_slice(self) -> Bytes {
        self.owner.map_or_else(|| Bytes::copy_from_slice(self.bytes), |owner| owner.slice_of(self.bytes))
    }

    /// Returns how many bytes of memory live as long as a [slice](Self::to_slice) of this value: those of the whole allocation.
    #[doc(hidden)]
    #[must_use]
    pub fn pinned(self) -> usize {
        self.owner.map_or(self.bytes.len(), RawBox::pinned)
    }

    /// The same value with other bytes, such as decompressed ones.
    #[must_use]
    pub fn with_bytes<'b>(self, bytes: &'b [u8]) -> RawValue<'b>
    where
        'a: 'b,
    {
        RawValue { bytes, owner: None, ..self }
    }

    /// Charges memory that the value is about to take to the budget of its box,
    /// [`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes). While a responder runs, what its command has charged counts
    /// towards [`Settings::max_inbound`](crate::Settings::max_inbound), too.
    ///
    /// Text, byte strings and lists that are decoded by their own `decode` are charged already. Any other memory that grows with
    /// the received bytes must be charged before it is allocated. A value that was not received in a box has no budget, and every
    /// charge succeeds.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
    ///
    /// /// A byte that stands for many.
    /// struct Zeros(Vec<u8>);
    ///
    /// impl Value for Zeros {
    ///     fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    ///         out.write(self.0.len().to_string().as_bytes());
    ///         Ok(())
    ///     }
    ///
    ///     fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
    ///         let length = usize::decode(raw)?;
    ///         raw.charge(length)?;
    ///         Ok(Self(vec![0; length]))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the budget is used up: [`TooManyBytes`](DecodeErrorKind::TooManyBytes), or [`NoRoom`](DecodeErrorKind::NoRoom). The
    /// value must pass the error on.
    #[inline]
    pub fn charge(self, bytes: usize) -> Result<(), DecodeError> {
        self.scope.map_or(Ok(()), |scope| scope.budget().charge(bytes))
    }

    /// Charges work of a `decode` of your own that takes long and needs little memory: as much as decoding so many items of a list takes, each
    /// about a third of a microsecond. There is no limit to it. A command that is much work is decoded on another thread, and its peer
    /// has no other turn before other connections have theirs.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{DecodeError, RawValue};
    ///
    /// /// Each digit costs time that grows with the number.
    /// fn digits(raw: RawValue<'_>) -> Result<&[u8], DecodeError> {
    ///     let digits = raw.as_bytes();
    ///     raw.charge_work(digits.len() / 8)?;
    ///     // The conversion to a number, which may take long.
    ///     Ok(digits)
    /// }
    /// # assert!(digits(RawValue::new(b"123")).is_ok());
    /// ```
    ///
    /// # Errors
    /// If it is too much for this thread. The value must pass the error on: it is decoded once more.
    pub fn charge_work(self, items: usize) -> Result<(), DecodeError> {
        self.scope.map_or(Ok(()), |scope| scope.budget().charge_work(items))
    }

    /// Charges an allocation of `bytes` bytes, unless that is 0.
    #[inline]
    pub(crate) fn charge_allocation(self, bytes: usize) -> Result<(), DecodeError> {
        match self.scope {
            Some(scope) if bytes > 0 => scope.budget().charge(bytes.saturating_add(ALLOCATION)),
            _ => Ok(()),
        }
    }

    /// Memory that was charged for decoding alone is free again.
    pub(crate) fn release(self, bytes: usize) {
        if let Some(scope) = self.scope {
            scope.budget().release(bytes);
        }
    }

    /// The items of a `ListOf`: each behind a two-byte length.
    ///
    /// # Errors
    /// Items fail when the list is cut short or nests too deep. Twisted drops a cut item silently;
    /// here it is an error, because it is lost data (`wire.md` rule 53).
    pub fn items(self) -> impl Iterator<Item = Result<RawValue<'a>, DecodeError>> + use<'a> {
        self.parts(split_item).map(|part| part.map(|(bytes, value)| RawValue { bytes, ..value }))
    }

    /// The boxes of an `AmpList`, one behind the other.
    ///
    /// # Errors
    /// Boxes fail if the list is cut short or nests too deep; see [`items`](Self::items).
    pub fn boxes(self) -> impl Iterator<Item = Result<BoxReader<'a>, DecodeError>> + use<'a> {
        self.parts(split_box).map(|part| {
            part.map(|((bytes, ascending), value)| BoxReader {
                bytes,
                owner: value.owner,
                scope: value.scope,
                next: Pairs::new(bytes),
                passed: &[],
                ascending,
                depth: value.depth,
            })
        })
    }

    /// Returns how many [`items`](Self::items) there are; `None` if the list is cut short.
    pub(super) fn count_items(self) -> Option<usize> {
        count(self.bytes, split_item)
    }

    /// Returns how many [`boxes`](Self::boxes) there are; `None` if the list is cut short.
    pub(crate) fn count_boxes(self) -> Option<usize> {
        count(self.bytes, split_box)
    }

    /// Splits the bytes into parts one level deeper, until they are used up or one is not whole.
    fn parts<T>(
        self,
        split: impl Fn(&'a [u8]) -> Option<(T, &'a [u8])>,
    ) -> impl Iterator<Item = Result<(T, Self), DecodeError>> {
        let mut rest = self.bytes;
        let inner = self.depth.checked_sub(1).map(|depth| Self { depth, ..self });
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let Some(inner) = inner else {
                rest = &[];
                return Some(Err(DecodeErrorKind::TooDeep.into()));
            };
            if let Some((part, after)) = split(rest) {
                rest = after;
                if let Some(Err(error)) = inner.scope.map(|scope| scope.budget().charge_item()) {
                    rest = &[];
                    return Some(Err(error));
                }
                return Some(Ok((part, inner)));
            }
            rest = &[];
            Some(Err(DecodeErrorKind::Truncated.into()))
        })
    }
}

fn count<'a, T>(mut rest: &'a [u8], split: impl Fn(&'a [u8]) -> Option<(T, &'a [u8])>) -> Option<usize> {
    let mut count = 0;
    while !rest.is_empty() {
        rest = split(rest)?.1;
        count += 1;
    }
    Some(count)
}

/// The first item of `bytes`, and the bytes behind it.
fn split_item(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.get(2..)?.split_at_checked(length_at(bytes, 0)?)
}

/// The bytes of a nested box, and whether its keys ascend.
type Part<'a> = (&'a [u8], bool);

/// The first box of `bytes`, and the bytes behind it.
#[inline]
fn split_box(bytes: &[u8]) -> Option<(Part<'_>, &[u8])> {
    if let Some((&END, rest)) = bytes.split_first_chunk() {
        return Some(((&bytes[..END.len()], true), rest));
    }
    split_pairs(bytes)
}

fn split_pairs(bytes: &[u8]) -> Option<(Part<'_>, &[u8])> {
    let mut pairs = Pairs::new(bytes);
    let mut last: Option<&[u8]> = None;
    let mut ascending = true;
    for (key, _) in pairs.by_ref() {
        if key.len() > MAX_KEY {
            return None;
        }
        ascending &= last.is_none_or(|last| last < key);
        last = Some(key);
    }
    let end = pairs.position();
    (length_at(bytes, end) == Some(0)).then(|| ((&bytes[..end + 2], ascending), &bytes[end + 2..]))
}
