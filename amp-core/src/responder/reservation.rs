use std::cell::Cell;

use super::asker::Asker;
use super::decoded::Decoded;
use crate::value::{Reserve, Spent};

/// Memory that an ask holds beyond the bytes of its box while it is decoded. Dropping it, as a panic of a user's `decode` does,
/// releases the bytes.
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

    /// Ends decoding: from now on the caller releases the bytes.
    #[inline]
    pub(super) fn keep(self, budget: Spent) -> Decoded {
        Decoded { budget, reserved: self.bytes.take() }
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
