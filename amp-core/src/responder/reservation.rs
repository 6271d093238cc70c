use std::cell::Cell;

use super::asker::Asker;
use crate::value::{Reserve, Spent};

/// Decoding so few list items is not worth reporting.
const FEW_ITEMS: usize = 32;

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

/// What an ask took to decode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoded {
    pub(super) budget: Spent,
    /// Bytes reserved for it.
    pub(super) reserved: usize,
}

/// Not generic over the command, so that it is compiled once.
impl Decoded {
    /// As many items, for which all reserved bytes are needed.
    pub(super) fn items(items: usize, reserved: usize) -> Self {
        Self { budget: Spent { items, room: 0, is_refused: false }, reserved }
    }

    #[inline]
    pub(super) fn is_little(&self) -> bool {
        self.budget.items <= FEW_ITEMS && self.reserved == 0
    }
}
