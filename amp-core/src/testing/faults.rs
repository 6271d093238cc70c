//! The faults of one direction of a transport. Pure: `faulty_transport` applies them.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The faults of one direction of a [`FaultyTransport`](super::FaultyTransport). They are deterministic: nothing is left to chance.
///
/// ```
/// # extern crate amp_core as amp;
/// use std::time::Duration;
/// use amp::testing::Faults;
///
/// let slow = Faults::new().split(vec![1, 2, 300]).delay(Duration::from_millis(5));
/// let short = Faults::new().split_randomly(7, 1..=20).cut_after(1000);
/// # let _ = (slow, short);
/// ```
#[derive(Debug, Default)]
pub struct Faults {
    sizes: Sizes,
    delay: Duration,
    end: Option<(u64, End)>,
}

#[derive(Debug, Default)]
enum Sizes {
    #[default]
    Any,
    /// In this order, again and again.
    Given { sizes: Vec<usize>, next: usize },
    /// From a random number generator with this state.
    Random { state: u64, sizes: RangeInclusive<usize> },
}

/// The end of a direction, after the last byte that passes.
#[derive(Debug)]
pub(super) enum End {
    Cut,
    Stall,
    Fail(io::Error),
}

impl Faults {
    /// No faults: bytes pass as they come.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Limits each read or write to the next of these sizes. After the last one, the first is used again.
    ///
    /// # Panics
    /// If there is no size, or one is 0.
    #[must_use]
    #[track_caller]
    pub fn split(mut self, sizes: impl Into<Vec<usize>>) -> Self {
        let sizes = sizes.into();
        assert!(!sizes.is_empty() && !sizes.contains(&0), "pieces of {sizes:?} bytes: each has at least one");
        self.sizes = Sizes::Given { sizes, next: 0 };
        self
    }

    /// Limits each read or write to a random size from this range. The same seed makes the same sizes.
    ///
    /// # Panics
    /// If the range is empty or has 0 in it.
    #[must_use]
    #[track_caller]
    pub fn split_randomly(mut self, seed: u64, sizes: RangeInclusive<usize>) -> Self {
        assert!(!sizes.is_empty() && *sizes.start() > 0, "pieces of {sizes:?} bytes: each has at least one");
        self.sizes = Sizes::Random { state: seed, sizes };
        self
    }

    /// Delays each piece that is read or written. The next piece waits for the one before it.
    ///
    /// In paused time the delay takes no real time, if the transport beneath is in memory.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Cuts the transport after `bytes` bytes in this direction. In both directions reads then return the end, and writes fail
    /// as [`BrokenPipe`](io::ErrorKind::BrokenPipe), also those of a direction that [stalls](Self::stall_after). Replaces any
    /// other end of this direction.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.end = Some((bytes, End::Cut));
        self
    }

    /// Fails this direction after `bytes` bytes: first with this error, then with others of its kind. The other direction
    /// continues. Replaces any other end of this direction.
    #[must_use]
    pub fn fail_after(mut self, bytes: u64, error: impl Into<io::Error>) -> Self {
        self.end = Some((bytes, End::Fail(error.into())));
        self
    }

    /// Stalls this direction after `bytes` bytes: reads or writes wait, until the other direction is
    /// [cut](Self::cut_after). Replaces any other end of this direction.
    #[must_use]
    pub fn stall_after(mut self, bytes: u64) -> Self {
        self.end = Some((bytes, End::Stall));
        self
    }

    pub(super) fn delay_of_piece(&self) -> Option<Duration> {
        (!self.delay.is_zero()).then_some(self.delay)
    }

    /// How many bytes the next piece has at most.
    pub(super) fn next_size(&mut self) -> usize {
        match &mut self.sizes {
            Sizes::Any => usize::MAX,
            Sizes::Given { sizes, next } => {
                let size = sizes[*next % sizes.len()];
                *next = (*next + 1) % sizes.len();
                size
            }
            Sizes::Random { state, sizes } => {
                let (span, number) = ((sizes.end() - sizes.start()) as u64, random(state));
                // The span is small beside the numbers, so that the remainder favours none that a test would notice.
                let offset = span.checked_add(1).map_or(number, |count| number % count);
                sizes.start() + usize::try_from(offset).unwrap_or(0)
            }
        }
    }

    /// How many more bytes may pass when so many have, or what happens instead.
    pub(super) fn room(&mut self, passed: u64) -> Result<usize, &mut End> {
        match &mut self.end {
            None => Ok(usize::MAX),
            Some((bytes, _)) if *bytes > passed => Ok(usize::try_from(*bytes - passed).unwrap_or(usize::MAX)),
            Some((_, end)) => Err(end),
        }
    }

    /// Whether the transport is cut when so many bytes have passed.
    pub(super) fn is_cut(&self, passed: u64) -> bool {
        matches!(&self.end, Some((bytes, End::Cut)) if *bytes <= passed)
    }
}

impl End {
    /// The error that was given, and then others of its kind, because an error has no copies.
    pub(super) fn next_error(error: &mut io::Error) -> io::Error {
        let again = io::Error::new(error.kind(), error.to_string());
        std::mem::replace(error, again)
    }
}

/// `SplitMix64`: a few lines, and the same numbers everywhere.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_sizes_are_the_same_for_the_same_seed_and_keep_to_their_range() {
        let sizes = |seed| {
            let mut faults = Faults::new().split_randomly(seed, 3..=9);
            (0..200).map(|_| faults.next_size()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(1), sizes(1));
        assert_ne!(sizes(1), sizes(2));
        assert_eq!((sizes(1).into_iter().min(), sizes(1).into_iter().max()), (Some(3), Some(9)));
        let mut any = Faults::new().split_randomly(1, 1..=usize::MAX);
        assert!(any.next_size() > 0);
    }

    #[test]
    fn given_sizes_come_again() {
        let mut faults = Faults::new().split([1, 5]);
        assert_eq!([(); 3].map(|()| faults.next_size()), [1, 5, 1]);
    }
}
