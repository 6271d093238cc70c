//! How many received boxes are handled before their answers are written.

use std::time::Instant;

use crate::settings::Batching;

/// The first part of one read; each further part is twice as long as the one before.
const PART: usize = 16;
/// Number of boxes in one measurement.
const EPOCH: usize = 16 * 1024;
/// One in this many measurements is of the other way.
const TRIAL: u32 = 32;
/// How much faster parts must be to justify their system calls, and to stay so.
const WORTH: [f64; 2] = [1.25, 1.1];

/// Chooses between two ways, unless [`Settings::batching`](crate::Settings::batching) has. Whole: everything that a read brought
/// is handled, then there is one write and the peer wakes up once, which is the least work. In parts: the peer has the first
/// boxes while this end handles the rest, so that both work at once instead of in turns. That is up to twice as fast where each
/// has a CPU, and a third slower where they share one or are busy. Only the number of boxes per second shows which it is. So the
/// other way is tried now and then, between two measurements of the current one: a load that rises or falls in the meantime
/// decides nothing.
#[derive(Debug)]
pub(super) struct BatchSize {
    batching: Batching,
    in_parts: bool,
    trial: bool,
    /// The next part, in boxes.
    part: usize,
    /// Boxes handled in this measurement, and when it began.
    boxes: usize,
    begun: Option<Instant>,
    measurements: u32,
    /// Boxes per second of the last three measurements, the oldest first.
    rates: [f64; 3],
}

impl BatchSize {
    pub(super) fn new(batching: Batching) -> Self {
        let in_parts = batching == Batching::InParts;
        Self { batching, in_parts, trial: false, part: PART, boxes: 0, begun: None, measurements: 0, rates: [0.0; 3] }
    }

    /// Returns how many boxes to handle now.
    pub(super) fn next(&mut self) -> usize {
        let part = self.part;
        self.part = part.saturating_mul(2);
        if self.in_parts != self.trial { part } else { usize::MAX }
    }

    /// `boxes` boxes were handled. `all` says that no whole one is left.
    pub(super) fn handled(&mut self, boxes: usize, all: bool, now: impl FnOnce() -> Instant) {
        self.boxes += boxes;
        if !all {
            return;
        }
        self.part = PART;
        if self.batching == Batching::Adaptive && (self.boxes >= EPOCH || self.begun.is_none()) {
            self.measure(now());
        }
    }

    fn measure(&mut self, now: Instant) {
        let boxes = std::mem::take(&mut self.boxes) as f64;
        let Some(begun) = self.begun.replace(now) else { return };
        let rate = boxes / now.saturating_duration_since(begun).as_secs_f64();
        self.rates = [self.rates[1], self.rates[2], rate];
        self.measurements = (self.measurements + 1) % TRIAL;
        self.trial = self.measurements == 1;
        if self.measurements == 3 {
            let [before, tried, after] = self.rates;
            let current = f64::midpoint(before, after);
            let (whole, in_parts) = if self.in_parts { (tried, current) } else { (current, tried) };
            self.in_parts = in_parts > whole * WORTH[usize::from(self.in_parts)];
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How often each way is taken while `batches` of 64 boxes come, each taking so many microseconds whole and in parts.
    fn taken(batching: &mut BatchSize, now: &mut Instant, batches: usize, [whole, in_parts]: [u64; 2]) -> [usize; 2] {
        let mut taken = [0; 2];
        for _ in 0..batches {
            let mut left = 64;
            let in_parts = loop {
                let part = batching.next();
                let boxes = left.min(part);
                left -= boxes;
                if left == 0 {
                    *now += Duration::from_micros(if part == usize::MAX { whole } else { in_parts });
                    batching.handled(boxes, true, || *now);
                    break part != usize::MAX;
                }
                batching.handled(boxes, false, || *now);
            };
            taken[usize::from(in_parts)] += 1;
        }
        taken
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_tried_now_and_then() {
        let (mut batching, mut now) = (BatchSize::new(Batching::Adaptive), Instant::now());
        let [whole, in_parts] = taken(&mut batching, &mut now, 100_000, [100, 50]);
        assert!(in_parts > 90_000 && whole > 1_000, "{whole} whole, {in_parts} in parts");
        let [whole, in_parts] = taken(&mut batching, &mut now, 100_000, [50, 70]);
        assert!(whole > 90_000 && in_parts > 1_000, "{whole} whole, {in_parts} in parts");
    }

    #[test]
    fn a_load_that_rises_or_falls_is_not_taken_for_a_faster_way() {
        for (more, less) in [(3, 4), (4, 3)] {
            let (mut batching, mut now, mut each) = (BatchSize::new(Batching::Adaptive), Instant::now(), 1_000_000);
            for _ in 0..40 {
                taken(&mut batching, &mut now, EPOCH / 64, [each; 2]);
                each = each * more / less;
                assert!(!batching.in_parts, "{each} microseconds a batch");
            }
        }
    }

    #[test]
    fn parts_that_are_hardly_faster_are_not_worth_it() {
        let [whole, in_parts] = taken(&mut BatchSize::new(Batching::Adaptive), &mut Instant::now(), 100_000, [100, 90]);
        assert!(whole > 90_000, "{whole} whole, {in_parts} in parts");
    }

    #[test]
    fn parts_grow_until_all_is_handled() {
        let now = Instant::now();
        let mut batching = BatchSize { in_parts: true, ..BatchSize::new(Batching::Adaptive) };
        for _ in 0..2 {
            assert_eq!([batching.next(), batching.next(), batching.next()], [PART, 2 * PART, 4 * PART]);
            batching.handled(10, true, || now);
        }
    }

    #[test]
    fn a_way_that_is_set_is_kept_however_fast_the_other_one_is() {
        for (batching, times) in [(Batching::Whole, [100, 10]), (Batching::InParts, [10, 100])] {
            let [whole, in_parts] = taken(&mut BatchSize::new(batching), &mut Instant::now(), 10_000, times);
            assert_eq!((whole == 0, in_parts == 0), (batching == Batching::InParts, batching == Batching::Whole));
        }
    }

    #[test]
    fn a_clock_that_stands_still_stops_nothing() {
        let now = Instant::now();
        let mut batching = BatchSize::new(Batching::Adaptive);
        for _ in 0..100_000 {
            assert!(batching.next() >= PART);
            batching.handled(PART, true, || now);
        }
    }
}
