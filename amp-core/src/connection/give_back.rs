use std::collections::VecDeque;

/// So many bytes of an empty buffer are kept by a connection that has nothing to do: it may have them for long.
const MOST_IDLE: usize = 64 * 1024;

/// What keeps its memory for the next time, in bytes.
pub(super) trait Buffer: Default {
    fn is_empty(&self) -> bool;
    fn allocated(&self) -> usize;
}

impl<T> Buffer for Vec<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn allocated(&self) -> usize {
        self.capacity().saturating_mul(size_of::<T>())
    }
}

impl<T> Buffer for VecDeque<T> {
    fn is_empty(&self) -> bool {
        self.is_empty()
    }

    fn allocated(&self) -> usize {
        self.capacity().saturating_mul(size_of::<T>())
    }
}

/// Gives back the memory of a buffer that has grown large and is empty.
pub(super) fn give_back(buffer: &mut impl Buffer) {
    if buffer.allocated() > MOST_IDLE && buffer.is_empty() {
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
