use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::machine::WindowBounds;
use crate::machine::window::Window;

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
