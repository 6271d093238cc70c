use std::collections::VecDeque;

/// Bytes of an empty buffer that an idle connection keeps: it may have them for long.
const MAX_IDLE: usize = 64 * 1024;

/// A buffer that keeps its memory for the next use.
pub(super) trait Buffer: Default {
    type Item;

    fn is_empty(&self) -> bool;
    fn capacity(&self) -> usize;
}

impl<T> Buffer for Vec<T> {
    type Item = T;

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

impl<T> Buffer for VecDeque<T> {
    type Item = T;

    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

/// Releases the memory of a buffer that has grown large and is empty.
#[inline]
pub(super) fn give_back<B: Buffer>(buffer: &mut B) {
    if buffer.capacity() > MAX_IDLE / size_of::<B::Item>() && buffer.is_empty() {
        *buffer = Default::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_given_back_when_it_is_empty_and_large() {
        let (mut large, mut small) = (Vec::<u64>::with_capacity(8193), Vec::<u64>::with_capacity(8192));
        give_back(&mut large);
        give_back(&mut small);
        assert_eq!((large.capacity(), small.capacity()), (0, 8192));
        let mut full = VecDeque::from(vec![0_u8; 100_000]);
        give_back(&mut full);
        assert_eq!(full.len(), 100_000);
        full.clear();
        give_back(&mut full);
        assert_eq!(full.capacity(), 0);
    }
}
