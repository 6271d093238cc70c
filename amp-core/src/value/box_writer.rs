use std::fmt;

use super::{EncodeError, EncodeErrorKind, Value};
use crate::exposed::{Context, ContextRef};
use crate::schema::Numbering;
use crate::wire::{BoxLimits, END, MAX_KEY, MAX_VALUE, Pairs, is_ascending, length_bytes, put_first, put_pair};

/// A key known at compile time, with its length before it as on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(&'static [u8]);

impl Key {
    /// Makes a key from its wire form: two length bytes, then the name.
    ///
    /// # Panics
    /// If the length does not match the name. The macros call it in constants only.
    #[must_use]
    pub const fn from_wire(wire: &'static [u8]) -> Self {
        assert!(
            wire.len() > 2 && wire.len() <= MAX_KEY + 2 && wire[0] == 0 && wire[1] as usize == wire.len() - 2,
            "a key has 1 to 255 bytes, and its length stands before it"
        );
        Self(wire)
    }

    /// The length and the name, as on the wire.
    #[must_use]
    pub const fn as_wire(self) -> &'static [u8] {
        self.0
    }

    /// The bytes of the name.
    #[must_use]
    pub const fn name_bytes(self) -> &'static [u8] {
        self.0.split_at(2).1
    }

    /// The name as text.
    #[must_use]
    pub fn name(self) -> &'static str {
        std::str::from_utf8(self.name_bytes()).unwrap_or("?")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name())
    }
}

/// Writes one box at the end of a buffer.
#[derive(Debug)]
pub struct BoxWriter<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    context: Option<ContextRef<'a>>,
    depth: u8,
    /// A key was written whose place in the order is known only at run time.
    unordered: bool,
}

impl<'a> BoxWriter<'a> {
    /// Begins a box at the end of `buffer`, whose values may nest `nesting` levels deep.
    #[must_use]
    pub fn new(buffer: &'a mut Vec<u8>, nesting: u8) -> Self {
        Self::within(buffer, None, nesting)
    }

    /// Begins a box whose values see a context.
    #[inline]
    pub(crate) fn within(buffer: &'a mut Vec<u8>, context: Option<ContextRef<'a>>, nesting: u8) -> Self {
        Self { start: buffer.len(), buffer, context, depth: nesting, unordered: false }
    }

    /// The context of the place of encoding; `None` in tests and tools, which have no connection. See [`ValueWriter::context`].
    #[must_use]
    pub fn context(&self) -> Option<&'a dyn Context> {
        self.context.map(ContextRef::context)
    }

    /// Writes a pair. The caller must put its key in its place in the order.
    ///
    /// # Errors
    /// If the value cannot be written or has more than [`MAX_VALUE`] bytes.
    #[inline(always)]
    pub fn put<T: Value>(&mut self, key: Key, value: &T) -> Result<(), EncodeError> {
        self.buffer.extend_from_slice(key.as_wire());
        match self.put_value(value) {
            Ok(()) => Ok(()),
            Err(error) => Err(at_key(error, key)),
        }
    }

    /// As [`put`](Self::put), for the bytes that `write` appends.
    pub(crate) fn put_with(
        &mut self,
        key: Key,
        write: impl FnOnce(&mut ValueWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.buffer.extend_from_slice(key.as_wire());
        self.put_counted(write).map_err(|error| at_key(error, key))
    }

    /// Writes a pair whose key is known only at run time, such as `name.2`; the box is put in order at its end.
    ///
    /// # Errors
    /// If the key is empty or has more than [`MAX_KEY`] bytes, begins with `_` (AMP's own keys do), or the value cannot be
    /// written.
    pub fn put_named<T: Value>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        self.begin_named(name)?;
        self.put_value(value).map_err(|error| error.at_key(name))
    }

    /// As [`put_named`](Self::put_named), for a value that is already encoded.
    ///
    /// # Errors
    /// If the key does not fit, or there are more than [`MAX_VALUE`] bytes.
    pub fn put_bytes(&mut self, name: &str, value: &[u8]) -> Result<(), EncodeError> {
        self.begin_named(name)?;
        self.put_counted(|writer| {
            writer.write(value);
            Ok(())
        })
        .map_err(|error| error.at_key(name))
    }

    /// As [`put`](Self::put), for a value that is already encoded.
    ///
    /// # Errors
    /// If there are more than [`MAX_VALUE`] bytes.
    pub fn put_raw(&mut self, key: Key, value: &[u8]) -> Result<(), EncodeError> {
        self.buffer.extend_from_slice(key.as_wire());
        let put = self.put_counted(|writer| {
            writer.write(value);
            Ok(())
        });
        put.map_err(|error| at_key(error, key))
    }

    /// Writes a value of up to `maximum` bytes over as many pairs as it needs. They are full but for the last one.
    pub(crate) fn put_split<T: Value>(
        &mut self,
        key: Key,
        numbering: Numbering,
        maximum: usize,
        value: &T,
    ) -> Result<(), EncodeError> {
        let start = self.buffer.len();
        match numbering {
            Numbering::FromTwo => self.buffer.extend_from_slice(key.as_wire()),
            Numbering::FromZero => self.begin_named(&numbering.key(key.name(), 0))?,
        }
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&[0, 0]);
        let written = value.encode(&mut ValueWriter { buffer: self.buffer, context: self.context, depth: self.depth });
        let length = self.buffer.len() - at - 2;
        match written {
            Ok(()) if length > maximum => {
                return Err(at_key(EncodeErrorKind::OverMaximum { length, maximum }.into(), key));
            }
            Ok(()) => {}
            Err(error) => return Err(at_key(error, key)),
        }
        if numbering == Numbering::FromZero && length == 0 {
            self.buffer.truncate(start);
            return Ok(());
        }
        let first = length.min(MAX_VALUE);
        let rest = self.buffer.split_off(at + 2 + first);
        self.buffer[at..at + 2].copy_from_slice(&length_bytes(first));
        let mut parts = rest.chunks(MAX_VALUE).zip(1..);
        parts.try_for_each(|(part, index)| self.put_bytes(&numbering.key(key.name(), index), part))
    }

    fn begin_named(&mut self, name: &str) -> Result<(), EncodeError> {
        if name.is_empty() || name.len() > MAX_KEY || name.starts_with('_') {
            return Err(EncodeError::from(EncodeErrorKind::Key).at_key(name));
        }
        self.unordered = true;
        self.buffer.extend_from_slice(&length_bytes(name.len()));
        self.buffer.extend_from_slice(name.as_bytes());
        Ok(())
    }

    /// Puts the box in order at its end.
    pub(crate) fn sort_at_end(&mut self) {
        self.unordered = true;
    }

    fn put_value<T: Value>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.put_counted(|writer| value.encode(writer))
    }

    #[inline]
    fn put_counted(
        &mut self,
        write: impl FnOnce(&mut ValueWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        ValueWriter { buffer: self.buffer, context: self.context, depth: self.depth }.put_counted(write)
    }

    /// Writes one of AMP's own pairs in its place in the order.
    #[inline]
    pub(crate) fn put_reserved(&mut self, key: Key, value: &[u8]) {
        self.buffer.extend_from_slice(key.as_wire());
        self.buffer.extend_from_slice(&length_bytes(value.len()));
        self.buffer.extend_from_slice(value);
    }

    /// As [`put_reserved`](Self::put_reserved), with the value that `put` appends.
    #[inline]
    pub(crate) fn put_reserved_with(&mut self, key: Key, put: impl FnOnce(&mut Vec<u8>)) {
        self.buffer.extend_from_slice(key.as_wire());
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&[0, 0]);
        put(self.buffer);
        let length = self.buffer.len() - at - 2;
        self.buffer[at..at + 2].copy_from_slice(&length_bytes(length));
    }

    /// Ends the box.
    ///
    /// # Errors
    /// If the box has more than `most` bytes.
    #[inline]
    pub fn finish(self, most: usize) -> Result<(), EncodeError> {
        self.buffer.extend_from_slice(&END);
        if self.buffer.len() - self.start > most {
            return Err(box_too_long(most));
        }
        if self.unordered && !is_ascending(&self.buffer[self.start..]) {
            self.sort();
        }
        Ok(())
    }

    /// Sorts the pairs in bytewise order of their keys; of equal keys the last one stays.
    #[cold]
    fn sort(self) {
        let written = self.buffer.split_off(self.start);
        let pairs: std::collections::BTreeMap<_, _> = Pairs::new(&written).collect();
        for (key, value) in pairs {
            put_pair(self.buffer, key, value);
        }
        self.buffer.extend_from_slice(&END);
    }
}

#[cold]
fn box_too_long(limit: usize) -> EncodeError {
    EncodeErrorKind::BoxTooLong { limit }.into()
}

#[cold]
fn too_long(length: usize) -> EncodeError {
    EncodeErrorKind::TooLong { length }.into()
}

#[cold]
fn at_key(error: EncodeError, key: Key) -> EncodeError {
    error.at_key(key.name())
}

/// Writes one value at the end of a buffer. It does not check lengths: the box or list around it does.
#[derive(Debug)]
pub struct ValueWriter<'a> {
    buffer: &'a mut Vec<u8>,
    context: Option<ContextRef<'a>>,
    depth: u8,
}

impl<'a> ValueWriter<'a> {
    /// A writer outside a box, for tests of a [`Value`] of your own.
    #[must_use]
    pub fn new(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer, context: None, depth: BoxLimits::DEFAULT.nesting }
    }

    /// A writer to another buffer, for a value that is written there first, for example to be compressed.
    #[must_use]
    pub fn with_buffer<'b>(&self, buffer: &'b mut Vec<u8>) -> ValueWriter<'b>
    where
        'a: 'b,
    {
        ValueWriter { buffer, context: self.context, depth: self.depth }
    }

    /// The context of the place of encoding; `None` in tests and tools, which have no connection. Twisted's `proto`.
    ///
    /// It exposes values of the connection to which the value is sent: its [`Peer`](crate::Peer) and its
    /// [`State`](crate::State)s. Handles of the connection are not exposed here, because its outbound buffer is locked meanwhile
    /// and dropping the last handle locks it.
    #[must_use]
    pub fn context(&self) -> Option<&'a dyn Context> {
        self.context.map(ContextRef::context)
    }

    /// Appends the first `length` bytes of an array to the value.
    #[inline]
    pub(super) fn write_first<const N: usize>(&mut self, bytes: &[u8; N], length: usize) {
        put_first(self.buffer, bytes, length);
    }

    /// Appends bytes to the value.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Appends one item of a `ListOf` to the value: its length, then the bytes that `write` appends.
    ///
    /// # Errors
    /// If the item has more than [`MAX_VALUE`] bytes or nests too deep.
    pub fn put_item(
        &mut self,
        write: impl FnOnce(&mut ValueWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.deeper()?.put_counted(write)
    }

    /// Appends one nested box to the value, with the pairs that `write` writes.
    ///
    /// # Errors
    /// If a pair cannot be written or the box nests too deep.
    pub fn put_box(
        &mut self,
        write: impl FnOnce(&mut BoxWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let inner = self.deeper()?;
        let mut writer = BoxWriter::within(inner.buffer, inner.context, inner.depth);
        write(&mut writer)?;
        writer.finish(usize::MAX)
    }

    fn deeper(&mut self) -> Result<ValueWriter<'_>, EncodeError> {
        let depth = self.depth.checked_sub(1).ok_or(EncodeErrorKind::TooDeep)?;
        Ok(ValueWriter { buffer: self.buffer, context: self.context, depth })
    }

    /// Writes a length, then the bytes that `write` appends, and then the true length in its place.
    #[inline]
    fn put_counted(
        &mut self,
        write: impl FnOnce(&mut ValueWriter<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&[0, 0]);
        write(self)?;
        let length = self.buffer.len() - at - 2;
        if length > MAX_VALUE {
            return Err(too_long(length));
        }
        self.buffer[at..at + 2].copy_from_slice(&length_bytes(length));
        Ok(())
    }
}

impl fmt::Write for ValueWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.write(text.as_bytes());
        Ok(())
    }
}
