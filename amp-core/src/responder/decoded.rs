use crate::value::Spent;

/// Decoding so few list items is not worth reporting.
const FEW_ITEMS: usize = 32;

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
        Self { budget: Spent { items, room: 0, is_refused: false }, reserved }
    }

    #[inline]
    pub(super) fn is_little(&self) -> bool {
        self.budget.items <= FEW_ITEMS && self.reserved == 0
    }
}
