use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::Bounds;
use crate::machine::window::Window;

const CHUNK: usize = 32 * 1024;
const BOUNDS: Bounds = Bounds { least: 256 * 1024, most: 16 << 20 };

/// A writer that always has more, over a path with this round trip and rate (bytes a second), for so long. Gives the
/// window at the end and the bytes that were answered in the last second.
fn run(trip: Duration, rate: usize, lasting: Duration) -> (usize, usize) {
    let (begin, mut window) = (Instant::now(), Window::new(BOUNDS));
    let (mut now, mut free) = (begin, begin);
    let (mut out, mut in_flight, mut last_second) = (VecDeque::new(), 0, 0);
    let each = Duration::from_secs_f64(CHUNK as f64 / rate as f64);
    while now < begin + lasting {
        while in_flight + CHUNK <= window.allowed(in_flight, now) {
            window.sent(in_flight);
            free = free.max(now) + each;
            out.push_back((now, free + trip));
            in_flight += CHUNK;
        }
        let (sent, answered) = out.pop_front().expect("a window holds a chunk");
        now = answered;
        in_flight -= CHUNK;
        window.answered(CHUNK, sent, now);
        assert!(window.size() <= BOUNDS.most, "over the cap");
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
fn it_never_goes_over_the_cap() {
    let (window, _) = run(Duration::from_secs(1), 1 << 30, Duration::from_secs(20));
    assert_eq!(window, BOUNDS.most);
}

#[test]
fn with_a_reader_that_is_the_slow_part_it_stays_small() {
    let (window, rate) = run(Duration::from_millis(1), 100_000, Duration::from_secs(60));
    assert!(window <= 2 * BOUNDS.least, "{window} for {rate} bytes a second");
}

#[test]
fn on_a_short_path_it_stays_small() {
    let (window, rate) = run(Duration::from_micros(200), 100 << 20, Duration::from_secs(5));
    assert!(window <= 2 * BOUNDS.least, "{window} for {rate} bytes a second");
    assert!(rate > 80 << 20, "{rate} bytes a second");
}

#[test]
fn a_clock_that_stands_still_is_no_trouble() {
    let (mut window, now) = (Window::new(BOUNDS), Instant::now());
    (0..1000).for_each(|_| window.answered(CHUNK, now, now));
    assert!((BOUNDS.least..=BOUNDS.most).contains(&window.size()));
}

#[test]
fn a_path_that_becomes_longer_is_kept_full_too() {
    let (begin, mut window) = (Instant::now(), Window::new(BOUNDS));
    let (mut now, mut out, mut in_flight, mut free) = (begin, VecDeque::new(), 0, begin);
    let each = Duration::from_secs_f64(CHUNK as f64 / f64::from(100 << 20));
    let mut last = 0;
    while now < begin + Duration::from_secs(60) {
        let lengthened = now > begin + Duration::from_secs(1);
        let trip = Duration::from_millis(if lengthened { 100 } else { 1 });
        while in_flight + CHUNK <= window.allowed(in_flight, now) {
            window.sent(in_flight);
            free = free.max(now) + each;
            out.push_back((now, free + trip));
            in_flight += CHUNK;
        }
        let (sent, answered) = out.pop_front().expect("a chunk");
        now = now.max(answered);
        in_flight -= CHUNK;
        window.answered(CHUNK, sent, now);
        last += if now > begin + Duration::from_secs(59) { CHUNK } else { 0 };
    }
    assert!(last > 50 << 20, "a minute later: {last} bytes a second of 100 MiB, window {}", window.size());
}
