use std::time::{Duration, Instant};

/// Time after a line in which nothing is logged: a peer that causes a shortage and ends it again and again must not fill the log.
const QUIET: Duration = Duration::from_secs(60);

/// Logs a shortage once when it begins and once when it is over, and counts the connections affected in between.
#[derive(Debug, Default)]
pub(crate) struct Shortage {
    /// How many were not reported yet.
    count: u64,
    is_told: bool,
    told_at: Option<Instant>,
}

impl Shortage {
    /// Counts one more. Returns whether to log that it has begun.
    pub(crate) fn begins(&mut self, now: Instant) -> bool {
        self.count += 1;
        let tells = !self.is_told && self.is_due(now);
        if tells {
            (self.is_told, self.told_at) = (true, Some(now));
        }
        tells
    }

    /// Whether its beginning was logged, and its end was not.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told
    }

    /// It is over. Returns how many there were, if that is to be logged.
    pub(crate) fn ends(&mut self) -> Option<u64> {
        std::mem::take(&mut self.is_told).then(|| std::mem::take(&mut self.count))
    }

    fn is_due(&self, now: Instant) -> bool {
        self.told_at.is_none_or(|at| now.saturating_duration_since(at) >= QUIET)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_that_comes_and_goes_is_told_of_once_a_minute_and_none_is_forgotten() {
        let (mut shortage, start) = (Shortage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(shortage.ends(), None, "there was none");
        assert_eq!([0, 1, 2].map(|seconds| shortage.begins(at(seconds))), [true, false, false]);
        assert_eq!((shortage.ends(), shortage.ends()), (Some(3), None));
        for seconds in 3..60 {
            assert_eq!((shortage.begins(at(seconds)), shortage.ends()), (false, None), "{seconds}");
        }
        assert!(shortage.begins(at(60)));
        assert_eq!(shortage.ends(), Some(58), "with those of the minute in which nothing was said");
    }
}
