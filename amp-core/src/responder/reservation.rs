use std::cell::Cell;

use super::asker::Asker;
use crate::value::Reserve;

/// What an ask holds beyond the bytes of its box while it is decoded. Dropped, as by a panic of a user's `decode`, it is counted no
/// more.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    asker: &'a Asker,
    bytes: Cell<usize>,
}

impl<'a> Reservation<'a> {
    #[inline]
    pub(super) fn new(asker: &'a Asker) -> Self {
        Self { asker, bytes: Cell::new(0) }
    }

    /// How much is counted: from now on it is another's to give back.
    #[inline]
    pub(super) fn keep(self) -> usize {
        self.bytes.take()
    }
}

impl Reserve for Reservation<'_> {
    fn reserve(&self, bytes: usize) -> bool {
        let is_reserved = self.asker.reserve(bytes);
        if is_reserved {
            self.bytes.set(self.bytes.get() + bytes);
        }
        is_reserved
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.bytes.get() > 0 {
            self.asker.release_reserved(self.bytes.get());
        }
    }
}
