use std::time::{Duration, Instant};

use crate::reason::CloseReason;
use crate::settings::Settings;

/// A large buffer is released when nothing has been read into it, or written from it, for so long.
const BUFFER_TIMEOUT: Duration = Duration::from_millis(200);

/// How long the peer has kept the driver waiting: within a box, for room to write, and for another transport. Beside these limits,
/// for how long large buffers were not used.
///
/// It is updated at the end of a turn, and reads the clock only in turns that leave the driver waiting for one of them.
#[derive(Debug, Default)]
pub(super) struct TimeLimits {
    in_box: Silence,
    writing: Silence,
    handshake: Silence,
    read_buffer_idle: Silence,
    write_buffers_idle: Silence,
    /// When to look. Not later than the first limit: setting it for each byte that arrives would cost more than looking once too
    /// often.
    alarm: Option<Instant>,
    /// Whether the driver waited for anything in the previous turn.
    waited: bool,
}

/// The reasons why the driver waits at the end of a turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Waits {
    /// A part of a box has arrived.
    pub(super) in_box: bool,
    /// Bytes arrived in this turn.
    pub(super) has_read: bool,
    /// Bytes are not written or not flushed.
    pub(super) writing: bool,
    /// The transport accepted bytes in this turn.
    pub(super) has_written: bool,
    pub(super) handshake: Handshake,
    /// The read buffer is larger than an idle connection may keep, and may be released.
    pub(super) large_read_buffer: bool,
    /// The same of the buffers for writing.
    pub(super) large_write_buffers: bool,
}

/// Stage of a replacement of the transport, as far as it is timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Handshake {
    /// No replacement waits for the peer.
    #[default]
    None,
    /// Bytes queued before it are being written.
    Begins,
    /// Nothing more is written over the old transport.
    Runs,
}

/// Since when the awaited event has not happened.
#[derive(Debug, Default)]
struct Silence(Option<Instant>);

impl Silence {
    fn note(&mut self, waits: bool, progressed: bool, now: impl FnOnce() -> Instant) {
        if !waits {
            self.0 = None;
        } else if progressed || self.0.is_none() {
            self.0 = Some(now());
        }
    }

    fn until(&self, timeout: Option<Duration>) -> Option<Instant> {
        self.0.and_then(|since| since.checked_add(timeout?))
    }

    /// The timeout, if it is over.
    fn expired(&self, timeout: Option<Duration>, now: Instant) -> Option<Duration> {
        timeout.filter(|_| self.until(timeout).is_some_and(|until| until <= now))
    }
}

impl Silence {
    /// Whether a buffer was idle for long enough. It is so once.
    fn take_expired(&mut self, now: Instant) -> bool {
        let is_idle = self.expired(Some(BUFFER_TIMEOUT), now).is_some();
        if is_idle {
            self.0 = None;
        }
        is_idle
    }
}

impl TimeLimits {
    /// Notes the reasons why the driver waits. Returns when to [check](Self::check).
    #[inline]
    pub(super) fn note(&mut self, waits: Waits, settings: &Settings, now: impl Fn() -> Instant) -> Option<Instant> {
        let waits_now = waits.in_box
            || waits.writing
            || waits.large_read_buffer
            || waits.large_write_buffers
            || waits.handshake != Handshake::None;
        if waits_now || self.waited { self.wait(waits_now, waits, settings, now) } else { None }
    }

    #[inline(never)]
    fn wait(
        &mut self,
        waits_now: bool,
        waits: Waits,
        settings: &Settings,
        now: impl Fn() -> Instant,
    ) -> Option<Instant> {
        self.waited = waits_now;
        self.in_box.note(waits.in_box, waits.has_read, &now);
        self.writing.note(waits.writing, waits.has_written, &now);
        self.read_buffer_idle.note(waits.large_read_buffer, waits.has_read, &now);
        self.write_buffers_idle.note(waits.large_write_buffers, waits.has_written, &now);
        // An error that goes before the barrier does not restart it: the peer could ask for one again and again.
        match waits.handshake {
            Handshake::None => self.handshake = Silence(None),
            Handshake::Begins => {}
            Handshake::Runs => self.handshake.note(true, false, &now),
        }
        let limits = [
            self.in_box.until(settings.box_timeout),
            self.writing.until(settings.write_timeout),
            self.handshake.until(settings.handshake_timeout),
            self.read_buffer_idle.until(Some(BUFFER_TIMEOUT)),
            self.write_buffers_idle.until(Some(BUFFER_TIMEOUT)),
        ];
        let first = limits.into_iter().flatten().min()?;
        if self.alarm.is_none_or(|at| first < at) {
            self.alarm = Some(first);
        }
        self.alarm
    }

    /// Whether the large buffers are to be released: for reading, and for writing.
    #[cold]
    pub(super) fn are_buffers_idle(&mut self, now: Instant) -> (bool, bool) {
        (self.read_buffer_idle.take_expired(now), self.write_buffers_idle.take_expired(now))
    }

    /// Returns the limit that is exceeded, if one is.
    #[cold]
    pub(super) fn check(&mut self, settings: &Settings, now: Instant) -> Option<CloseReason> {
        if self.alarm.is_some_and(|at| at <= now) {
            self.alarm = None;
        }
        if let Some(timeout) = self.handshake.expired(settings.handshake_timeout, now) {
            return Some(CloseReason::HandshakeTimeout { timeout });
        }
        if let Some(timeout) = self.writing.expired(settings.write_timeout, now) {
            return Some(CloseReason::WriteTimeout { timeout });
        }
        self.in_box.expired(settings.box_timeout, now).map(|timeout| CloseReason::BoxTimeout { timeout })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn each_byte_begins_the_time_anew_and_the_alarm_is_not_set_for_each() {
        let (mut limits, settings, start) = (TimeLimits::default(), Settings::new(), Instant::now());
        let waits = |has_read| Waits { in_box: true, has_read, ..Waits::default() };
        let mut note = |has_read, seconds| limits.note(waits(has_read), &settings, || at(start, seconds));
        assert_eq!(note(true, 0), Some(at(start, 30)));
        assert_eq!(note(true, 20), Some(at(start, 30)), "it looks once too often");
        assert_eq!(note(false, 25), Some(at(start, 30)), "a turn in which nothing came");
        assert!(limits.check(&settings, at(start, 30)).is_none());
        assert_eq!(limits.note(waits(false), &settings, || at(start, 30)), Some(at(start, 50)));
        assert!(limits.check(&settings, at(start, 49)).is_none());
        let ended = limits.check(&settings, at(start, 50));
        assert!(matches!(ended, Some(CloseReason::BoxTimeout { .. })), "{ended:?}");
    }

    #[test]
    fn who_waits_for_nothing_looks_at_no_clock() {
        let (mut limits, settings, start) = (TimeLimits::default(), Settings::new(), Instant::now());
        let nothing = Waits { has_read: true, has_written: true, ..Waits::default() };
        assert_eq!(limits.note(nothing, &settings, || panic!("the clock")), None);
        limits.note(Waits { in_box: true, ..nothing }, &settings, || start);
        assert_eq!(limits.note(nothing, &settings, || panic!("the clock")), None);
        assert!(limits.check(&settings, at(start, 1000)).is_none(), "the box is whole");
    }

    #[test]
    fn a_large_read_buffer_is_idle_when_nothing_was_read_into_it_for_a_while() {
        let (mut limits, settings, start) = (TimeLimits::default(), Settings::new(), Instant::now());
        let waits = |has_read| Waits { large_read_buffer: true, has_read, ..Waits::default() };
        assert_eq!(limits.note(waits(true), &settings, || start), Some(start + BUFFER_TIMEOUT));
        let later = start + BUFFER_TIMEOUT / 2;
        limits.note(waits(true), &settings, || later);
        assert_eq!(limits.are_buffers_idle(start + BUFFER_TIMEOUT), (false, false), "something was read since");
        assert_eq!(limits.are_buffers_idle(later + BUFFER_TIMEOUT), (true, false));
        assert_eq!(limits.are_buffers_idle(later + BUFFER_TIMEOUT), (false, false), "once");
        assert!(limits.check(&settings, later + BUFFER_TIMEOUT).is_none(), "the connection is not over for it");
    }

    #[test]
    fn large_write_buffers_are_idle_when_nothing_was_written_however_much_is_read() {
        let (mut limits, settings, start) = (TimeLimits::default(), Settings::new(), Instant::now());
        let waits = Waits { large_write_buffers: true, has_read: true, ..Waits::default() };
        limits.note(Waits { has_written: true, ..waits }, &settings, || start);
        assert_eq!(limits.note(waits, &settings, || start + BUFFER_TIMEOUT / 2), Some(start + BUFFER_TIMEOUT));
        assert_eq!(limits.are_buffers_idle(start + BUFFER_TIMEOUT), (false, true));
        assert_eq!(limits.are_buffers_idle(start + BUFFER_TIMEOUT), (false, false), "once");
    }

    #[test]
    fn without_a_limit_nothing_is_over() {
        let (mut limits, start) = (TimeLimits::default(), Instant::now());
        let settings = Settings::new().box_timeout(None).write_timeout(None).handshake_timeout(None);
        let waits = Waits { in_box: true, writing: true, handshake: Handshake::Runs, ..Waits::default() };
        assert_eq!(limits.note(waits, &settings, || start), None);
        assert!(limits.check(&settings, at(start, 1 << 30)).is_none());
    }

    #[test]
    fn what_is_written_before_the_barrier_does_not_begin_a_handshake_anew() {
        let (mut limits, settings, start) = (TimeLimits::default(), Settings::new(), Instant::now());
        let waits = |handshake| Waits { handshake, writing: true, has_written: true, ..Waits::default() };
        limits.note(waits(Handshake::Begins), &settings, || start);
        assert!(limits.check(&settings, at(start, 11)).is_none(), "what was queued before it takes its own time");
        for (handshake, seconds) in [(Handshake::Runs, 20), (Handshake::Begins, 25), (Handshake::Runs, 29)] {
            limits.note(waits(handshake), &settings, || at(start, seconds));
        }
        let ended = limits.check(&settings, at(start, 30));
        assert!(matches!(ended, Some(CloseReason::HandshakeTimeout { .. })), "{ended:?}");
        limits.note(waits(Handshake::None), &settings, || at(start, 30));
        assert!(limits.check(&settings, at(start, 31)).is_none());
    }
}
