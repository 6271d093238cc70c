use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::window::Window;
use crate::machine::{PROBE_TIMEOUT, WindowBounds};

const CHUNK: usize = 32 * 1024;
const BOUNDS: WindowBounds = WindowBounds { initial: 256 * 1024, max: 16 << 20 };

/// A writer that always has more, over a path with this round trip and rate (bytes a second), for so long. Returns the
/// window at the end and the bytes that were acknowledged in the last second.
fn run(rtt: Duration, rate: usize, lasting: Duration) -> (usize, usize) {
    let (begin, mut window) = (Instant::now(), Window::new(BOUNDS));
    let (mut now, mut free) = (begin, begin);
    let (mut out, mut in_flight, mut last_second) = (VecDeque::new(), 0, 0);
    let each = Duration::from_secs_f64(CHUNK as f64 / rate as f64);
    while now < begin + lasting {
        while in_flight + CHUNK <= window.allowed(in_flight, now) {
            window.sent(in_flight);
            free = free.max(now) + each;
            out.push_back((now, free + rtt));
            in_flight += CHUNK;
        }
        let (sent, answered) = out.pop_front().expect("a window holds a chunk");
        now = answered;
        in_flight -= CHUNK;
        window.acknowledged(CHUNK, sent, now);
        assert!(window.size() <= BOUNDS.max, "over the cap");
        last_second += if now + Duration::from_secs(1) > begin + lasting { CHUNK } else { 0 };
    }
    (window.size(), last_second)
}

#[test]
fn on_a_long_fast_path_the_window_does_not_cap_the_rate() {
    let (window, rate) = run(Duration::from_millis(100), 100 << 20, Duration::from_secs(5));
    assert!(rate > 80 << 20, "{rate} bytes a second of 100 MiB with a window of {window}");
}

#[test]
fn the_window_never_goes_over_its_maximum() {
    let (window, _) = run(Duration::from_secs(1), 1 << 30, Duration::from_secs(20));
    assert_eq!(window, BOUNDS.max);
}

#[test]
fn with_a_reader_that_is_the_bottleneck_the_window_stays_small() {
    let (window, rate) = run(Duration::from_millis(1), 100_000, Duration::from_secs(60));
    assert!(window <= 2 * BOUNDS.initial, "{window} for {rate} bytes a second");
}

#[test]
fn on_a_short_path_the_window_stays_small() {
    let (window, rate) = run(Duration::from_micros(200), 100 << 20, Duration::from_secs(5));
    assert!(window <= 2 * BOUNDS.initial, "{window} for {rate} bytes a second");
    assert!(rate > 80 << 20, "{rate} bytes a second");
}

#[test]
fn a_clock_that_stands_still_is_no_trouble() {
    let (mut window, now) = (Window::new(BOUNDS), Instant::now());
    (0..1000).for_each(|_| window.acknowledged(CHUNK, now, now));
    assert!((BOUNDS.initial..=BOUNDS.max).contains(&window.size()));
}

#[test]
fn a_path_that_becomes_longer_is_kept_full_too() {
    let (begin, mut window) = (Instant::now(), Window::new(BOUNDS));
    let (mut now, mut out, mut in_flight, mut free) = (begin, VecDeque::new(), 0, begin);
    let each = Duration::from_secs_f64(CHUNK as f64 / f64::from(100 << 20));
    let mut last = 0;
    while now < begin + Duration::from_secs(60) {
        let lengthened = now > begin + Duration::from_secs(1);
        let rtt = Duration::from_millis(if lengthened { 100 } else { 1 });
        while in_flight + CHUNK <= window.allowed(in_flight, now) {
            window.sent(in_flight);
            free = free.max(now) + each;
            out.push_back((now, free + rtt));
            in_flight += CHUNK;
        }
        let (sent, answered) = out.pop_front().expect("a chunk");
        now = now.max(answered);
        in_flight -= CHUNK;
        window.acknowledged(CHUNK, sent, now);
        last += if now > begin + Duration::from_secs(59) { CHUNK } else { 0 };
    }
    assert!(last > 50 << 20, "a minute later: {last} bytes a second of 100 MiB, window {}", window.size());
}

const SMALL: WindowBounds = WindowBounds { initial: 10_000, max: 50_000 };
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A window whose path was measured with one acknowledgement of so many bytes, and when that came.
fn measured(begin: Instant, rtt: Duration, bytes: usize) -> (Window, Instant) {
    let mut window = Window::new(SMALL);
    window.sent(0);
    window.acknowledged(bytes, begin, begin + rtt);
    (window, begin + rtt)
}

#[test]
fn the_window_after_a_series_of_acknowledgements_is_exactly_that_of_the_rate_and_the_round_trip() {
    let begin = Instant::now();
    let at = |milliseconds| begin + milliseconds * MILLISECOND;
    let (mut window, _) = measured(begin, 100 * MILLISECOND, 8_000);
    assert_eq!(window.size(), 16_000, "twice what a round trip brought");
    window.acknowledged(7_000, at(50), at(150));
    assert_eq!(window.size(), 16_000, "half of a round trip has passed");
    window.acknowledged(2_000, at(100), at(200));
    assert_eq!(window.size(), 18_000, "both count");
    window.acknowledged(30_000, at(200), at(300));
    assert_eq!(window.size(), 36_000, "it doubles at most");
    window.acknowledged(10_000, at(300), at(400));
    assert_eq!(window.size(), 36_000, "it does not shrink");
    window.acknowledged(40_000, at(350), at(525));
    assert_eq!(window.size(), 36_000, "behind a queue, and less than a round trip of that after the last");
    window.acknowledged(40_000, at(400), at(600));
    assert_eq!(
        window.size(),
        50_000,
        "80,000 bytes in two round trips are 40,000 in one, and a quarter; not over the maximum"
    );
}

#[test]
fn a_long_path_without_a_queue_has_twice_what_it_carries_and_others_a_quarter_more() {
    let begin = Instant::now();
    let long = MILLISECOND + Duration::from_micros(4);
    for (rtt, wanted) in [(MILLISECOND, 11_250), (long, 18_000), (100 * MILLISECOND, 18_000)] {
        assert_eq!(measured(begin, rtt, 9_000).0.size(), wanted, "{rtt:?}");
    }
    for (queued, wanted) in [(124, 18_000), (125, 11_250), (200, 11_250)] {
        let (mut window, now) = measured(begin, 100 * MILLISECOND, 1);
        assert_eq!(window.size(), 10_000);
        // As much as makes 9,000 bytes in a round trip of the empty path.
        window.acknowledged(90 * queued as usize, now, now + queued * MILLISECOND);
        assert_eq!(window.size(), wanted, "{queued} milliseconds instead of 100");
    }
}

#[test]
fn acknowledgements_within_ten_microseconds_are_no_round_trip() {
    let begin = Instant::now();
    let mut window = Window::new(SMALL);
    window.acknowledged(20_000, begin, begin + Duration::from_micros(9));
    assert_eq!(window.size(), 10_000);
    window.acknowledged(0, begin, begin + Duration::from_micros(10));
    assert_eq!(window.size(), 20_000);
}

#[test]
fn a_writer_that_uses_no_more_than_half_of_its_window_is_not_held_up_for_a_measurement() {
    let (mut window, measured_at) = measured(Instant::now(), 100 * MILLISECOND, 1);
    let now = measured_at + 11 * SECOND;
    window.acknowledged(1, now - 200 * MILLISECOND, now);
    assert_eq!((window.allowed(5_000, now), window.is_draining()), (10_000, false));
    assert_eq!((window.allowed(5_001, now), window.is_draining()), (0, true));
}

#[test]
fn a_writer_is_held_up_only_when_the_measurement_is_old_and_the_reader_reads() {
    let begin = Instant::now();
    for (age, idle, holds_up) in [
        (10 * SECOND, Duration::ZERO, false),
        (10 * SECOND + MILLISECOND, Duration::ZERO, true),
        (20 * SECOND, PROBE_TIMEOUT - MILLISECOND, true),
        (20 * SECOND, PROBE_TIMEOUT, false),
    ] {
        let (mut window, measured_at) = measured(begin, 100 * MILLISECOND, 1);
        let now = measured_at + age;
        window.acknowledged(1, now - idle - 200 * MILLISECOND, now - idle);
        assert_eq!(window.allowed(6_000, now) == 0, holds_up, "{age:?} {idle:?}");
    }
}

#[test]
fn a_measurement_holds_the_writer_up_until_all_is_acknowledged_or_its_time_is_over() {
    let (mut window, measured_at) = measured(Instant::now(), 100 * MILLISECOND, 1);
    let now = measured_at + 11 * SECOND;
    window.acknowledged(1, now - 200 * MILLISECOND, now);
    assert_eq!(window.allowed(6_000, now), 0);
    assert_eq!(window.allowed(1, now + PROBE_TIMEOUT - MILLISECOND), 0, "also when little is in flight");
    assert_eq!(window.allowed(0, now + MILLISECOND), 10_000);
    assert!(window.is_draining(), "nothing was sent");
    assert_eq!(window.allowed(1, now + PROBE_TIMEOUT), 10_000);
    assert!(!window.is_draining());
}

#[test]
fn a_round_trip_that_was_measured_anew_replaces_a_shorter_one() {
    let (mut window, measured_at) = measured(Instant::now(), 10 * MILLISECOND, 1);
    let now = measured_at + 11 * SECOND;
    window.acknowledged(1, now - 20 * MILLISECOND, now);
    assert_eq!(window.allowed(6_000, now), 0);
    window.sent(0);
    assert!(!window.is_draining());
    // A path of 10 milliseconds would carry 900 bytes in a round trip.
    window.acknowledged(9_000 * 2, now, now + 100 * MILLISECOND);
    assert_eq!(window.size(), 20_000, "of 18,000 bytes in 100 milliseconds, twice, and doubled at most");
}
