use std::cell::Cell;

use super::Answering;
use crate::value::Reserve;

/// What an ask holds beyond the bytes of its box while it is decoded. Dropped, as by a panic of a user's `decode`, it is counted no
/// more.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    answering: &'a dyn Answering,
    wants_answer: bool,
    bytes: Cell<usize>,
}

impl<'a> Reservation<'a> {
    pub(super) fn new(answering: &'a dyn Answering, wants_answer: bool) -> Self {
        Self { answering, wants_answer, bytes: Cell::new(0) }
    }

    /// How much is counted.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// From now on what is counted is another's to give back.
    #[inline]
    pub(super) fn keep(self) {
        self.bytes.set(0);
    }
}

impl Reserve for Reservation<'_> {
    fn reserve(&self, bytes: usize) -> bool {
        let is_reserved = self.answering.reserve(bytes, self.wants_answer);
        if is_reserved {
            self.bytes.set(self.bytes.get() + bytes);
        }
        is_reserved
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.bytes.get() > 0 {
            self.answering.release(self.bytes.get());
        }
    }
}
