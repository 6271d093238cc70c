use crate::value::Spent;

/// Decoding so few list items is not worth reporting.
const FEW_ITEMS: usize = 32;

/// Memory is filled with what was decoded: so many bytes beyond those of the box take as long as an item. A kilobyte of zlib or of JSON
/// has no items and may take milliseconds.
const BYTES_PER_ITEM: usize = 256;

/// What an ask took to decode.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoded {
    pub(super) budget: Spent,
    /// Bytes reserved for it.
    pub(super) reserved: usize,
}

/// Not generic over the command, so that it is compiled once.
impl Decoded {
    /// An ask with this many items, which needs all reserved bytes.
    pub(super) fn items(items: usize, reserved: usize) -> Self {
        Self { budget: Spent { items, room: 0, released: 0, is_refused: false }, reserved }
    }

    /// The work that it was, in list items.
    pub(super) fn work(&self) -> usize {
        let spent = self.reserved.saturating_sub(self.budget.room);
        self.budget.items + spent / BYTES_PER_ITEM
    }

    /// Bytes that were reserved and are not needed, or not any more.
    pub(super) fn unneeded(&self) -> usize {
        (self.budget.room + self.budget.released).min(self.reserved)
    }

    #[inline]
    pub(super) fn is_little(&self) -> bool {
        self.budget.items <= FEW_ITEMS && self.reserved == 0
    }
}
