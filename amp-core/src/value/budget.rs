use std::cell::Cell;
use std::fmt;

use super::{DecodeError, DecodeErrorKind};
use crate::memory::ask;
use crate::wire::BoxLimits;

/// Cost of an allocation beside its bytes.
pub(super) const ALLOCATION: usize = 16;
/// A quick budget has so many items: about a third of a millisecond of work.
pub(crate) const QUICK_ITEMS: usize = 1024;
/// It has so many bytes beyond those of the box, which are as much work.
const QUICK_BYTES: usize = 256 * 1024;
/// Minimum and maximum number of bytes that are reserved at once: as many again as there were before, within these bounds.
const STEPS: (usize, usize) = (1024, 64 * 1024);

/// Counts decoded bytes beyond those of the received box.
pub(crate) trait Reserve: fmt::Debug {
    /// Counts more bytes, if there is room for them.
    fn reserve(&self, bytes: usize) -> bool;
}

/// The bytes that may be decoded from one box, charged before the memory is allocated.
///
/// The bytes of the box itself are counted by its owner, and are free when it is dropped. So as many may be decoded at once; more
/// must be reserved.
#[derive(Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a BoxLimits,
    /// Bytes that are counted and not spent.
    room: Cell<usize>,
    /// Bytes that may still be reserved.
    rest: Cell<usize>,
    items: Cell<usize>,
    /// Work besides, counted in items.
    work: Cell<usize>,
    is_quick: bool,
    /// Items and bytes that the limits allow, and a quick budget does not.
    kept_back: (usize, usize),
    /// Whether they were needed.
    is_heavy: Cell<bool>,
    /// Bytes that were spent and are free again.
    released: Cell<usize>,
    reserve: Option<&'a dyn Reserve>,
    is_refused: Cell<bool>,
}

#[cfg_attr(not(feature = "tokio"), expect(dead_code, reason = "only connections have budgets"))]
impl<'a> Budget<'a> {
    /// A budget of the limits, counted nowhere.
    #[inline]
    pub(crate) fn new(limits: &'a BoxLimits) -> Self {
        Self::with(limits, usize::MAX, None)
    }

    /// A budget for a box of which `counted` bytes are counted.
    #[inline]
    pub(crate) fn reserving(limits: &'a BoxLimits, counted: usize, reserve: &'a dyn Reserve) -> Self {
        Self::with(limits, counted + ask::DECODED, Some(reserve))
    }

    #[inline]
    fn with(limits: &'a BoxLimits, counted: usize, reserve: Option<&'a dyn Reserve>) -> Self {
        let room = counted.min(limits.decoded_bytes);
        Self {
            limits,
            room: Cell::new(room),
            rest: Cell::new(limits.decoded_bytes - room),
            items: Cell::new(limits.items),
            work: Cell::new(0),
            is_quick: false,
            kept_back: (0, 0),
            is_heavy: Cell::new(false),
            released: Cell::new(0),
            reserve,
            is_refused: Cell::new(false),
        }
    }

    /// Reduces the budget to little work. A box that needs more [is heavy](Self::is_heavy), and not wrong.
    #[inline]
    pub(crate) fn quick(mut self) -> Self {
        self.kept_back = (self.items.get().saturating_sub(QUICK_ITEMS), self.rest.get().saturating_sub(QUICK_BYTES));
        self.is_quick = true;
        self.items.set(self.items.get() - self.kept_back.0);
        self.rest.set(self.rest.get() - self.kept_back.1);
        self
    }

    #[inline]
    pub(super) fn charge(&self, bytes: usize) -> Result<(), DecodeError> {
        match self.room.get().checked_sub(bytes) {
            Some(left) => {
                self.room.set(left);
                Ok(())
            }
            None => self.charge_more(bytes),
        }
    }

    /// Memory that was charged is free again. It is no longer counted once the whole is decoded, and nothing else may be decoded for it: to fill it
    /// was work.
    pub(super) fn release(&self, bytes: usize) {
        self.released.set(self.released.get() + bytes);
    }

    #[inline]
    pub(super) fn charge_item(&self) -> Result<(), DecodeError> {
        match self.items.get().checked_sub(1) {
            Some(left) => {
                self.items.set(left);
                Ok(())
            }
            None => Err(self.too_many_items()),
        }
    }

    /// Counts work that is neither items nor memory. There is no limit to it, but a box that is much work is heavy.
    pub(super) fn charge_work(&self, items: usize) -> Result<(), DecodeError> {
        self.work.set(self.work.get().saturating_add(items));
        self.is_heavy.set(self.is_heavy.get() || (self.is_quick && self.work.get() > QUICK_ITEMS));
        // The error is not seen: the box is decoded once more.
        if self.is_heavy.get() { Err(DecodeErrorKind::TooManyItems { limit: QUICK_ITEMS }.into()) } else { Ok(()) }
    }

    #[cold]
    fn too_many_items(&self) -> DecodeError {
        self.is_heavy.set(self.kept_back.0 > 0);
        DecodeErrorKind::TooManyItems { limit: self.limits.items }.into()
    }

    #[cold]
    fn charge_more(&self, bytes: usize) -> Result<(), DecodeError> {
        let (room, rest, limit) = (self.room.get(), self.rest.get(), self.limits.decoded_bytes);
        let missing = bytes.saturating_sub(room);
        let Some(reserve) = self.reserve.filter(|_| missing <= rest) else {
            self.is_heavy.set(self.kept_back.1 > 0 && missing <= rest + self.kept_back.1);
            return Err(DecodeErrorKind::TooManyBytes { limit }.into());
        };
        let taken = limit - self.kept_back.1 - rest;
        let step = missing.max(taken.clamp(STEPS.0, STEPS.1)).min(rest);
        if !reserve.reserve(step) {
            self.is_refused.set(true);
            return Err(DecodeErrorKind::NoRoom.into());
        }
        self.room.set(room + step - bytes);
        self.rest.set(rest - step);
        Ok(())
    }

    /// Whether the box needed more than a quick budget has.
    #[inline]
    pub(crate) fn is_heavy(&self) -> bool {
        self.is_heavy.get()
    }

    /// Returns what decoding has taken.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn spent(&self) -> Spent {
        let items = (self.limits.items - self.kept_back.0 - self.items.get()).saturating_add(self.work.get());
        Spent { items, room: self.room.get(), released: self.released.get(), is_refused: self.is_refused.get() }
    }
}

/// What decoding one box has taken.
#[cfg(feature = "tokio")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// How many items were decoded, and how much work there was besides.
    pub(crate) items: usize,
    /// How many bytes are counted and not spent.
    pub(crate) room: usize,
    /// How many bytes were spent and are free again.
    pub(crate) released: usize,
    /// Whether a reservation was refused: a decode that failed for that may succeed later.
    pub(crate) is_refused: bool,
}
