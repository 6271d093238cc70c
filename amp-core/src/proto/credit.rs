//! The credit of notifications (`wire.md`, section 7): a peer of this library answers the marked ones when their responders
//! have started, and no more are sent than it has places for.

use crate::memory::ask;

/// Notifications from one marked one to the next, the marked one included.
const COUNT: usize = 64;
/// Maximum bytes of notifications before the next one is marked.
const BYTES: usize = 64 * 1024;
/// Maximum number of unanswered marked notifications.
const MARKS: usize = 2;
/// Bytes that may wait to be written when a notification is added before the first box of the peer has arrived: the peer may be
/// about to announce, and could not limit what was sent before.
const EARLY: usize = 64 * 1024;

/// Bytes that notifications may make this end hold, with boxes of up to `box_bytes` that decode to `decoded_bytes` more. Over
/// `max_inbound` they are started only one at a time, so that no credit is given: a peer that keeps to its credit sends no more
/// than these starts allow.
pub(crate) fn max_held(max_inbound: usize, box_bytes: usize, decoded_bytes: usize) -> usize {
    // A period ends with the box that exceeds the bytes, and with the marked one.
    let period = box_bytes.saturating_mul(2).saturating_add(BYTES + COUNT * ask::FIXED);
    // The box received last exceeds the limit, and so does the one notification that runs in any case.
    let over = box_bytes.saturating_add(ask::FIXED).saturating_mul(2);
    // The last one that started decoded to as much as it may.
    max_inbound.saturating_add(over).saturating_add(period.saturating_mul(MARKS)).saturating_add(decoded_bytes)
}

/// Bytes and notifications since the last marked one, and how many marked ones are unanswered.
#[derive(Debug, Default)]
pub(super) struct Credit {
    /// Whether the peer answers marked notifications when their responders start, once its first box has arrived. A peer that
    /// does not gives no credit, and none is needed.
    is_given: Option<bool>,
    count: usize,
    bytes: usize,
    marks: usize,
}

impl Credit {
    /// The peer's first box has arrived, or does not matter. Notifications sent before count: the next mark is for all of them.
    pub(super) fn begin(&mut self, is_given: bool) {
        self.is_given = Some(is_given);
    }

    /// Whether one more notification may be sent while `waiting` bytes wait to be written.
    pub(super) fn is_left(&self, waiting: usize) -> bool {
        match self.is_given {
            Some(_) => self.marks < MARKS,
            None => waiting < EARLY,
        }
    }

    /// Whether the next notification is to be marked.
    pub(super) fn wants_mark(&self) -> bool {
        self.is_given == Some(true) && (self.count + 1 >= COUNT || self.bytes >= BYTES)
    }

    /// A notification was sent.
    pub(super) fn sent(&mut self, bytes: usize, marked: bool) {
        if marked {
            self.marks += 1;
            (self.count, self.bytes) = (0, 0);
        } else {
            self.count = self.count.saturating_add(1);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Answers to marked ones may have been missed: none is waited for any more.
    pub(super) fn forgive(&mut self) {
        self.marks = 0;
    }

    /// `marks` marked ones were answered.
    pub(super) fn answered(&mut self, marks: usize) {
        self.marks = self.marks.saturating_sub(marks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends notifications of so many bytes while there is credit. How many went, and which of them were marked.
    fn send(credit: &mut Credit, bytes: usize) -> (usize, Vec<usize>) {
        let (mut sent, mut marked) = (0, Vec::new());
        while credit.is_left(0) && sent < 10_000 {
            let marks = credit.wants_mark();
            credit.sent(bytes, marks);
            sent += 1;
            marked.extend(marks.then_some(sent));
        }
        (sent, marked)
    }

    fn given() -> Credit {
        let mut credit = Credit::default();
        credit.begin(true);
        credit
    }

    #[test]
    fn every_64th_notification_is_marked_and_two_marks_may_be_unanswered() {
        let mut credit = given();
        assert_eq!(send(&mut credit, 10), (128, vec![64, 128]));
        assert_eq!(send(&mut credit, 10), (0, vec![]));
        credit.answered(1);
        assert_eq!(send(&mut credit, 10), (64, vec![64]));
        credit.answered(2);
        assert_eq!(send(&mut credit, 10).0, 128);
    }

    #[test]
    fn large_notifications_are_marked_for_their_bytes() {
        assert_eq!(send(&mut given(), 60_000), (6, vec![3, 6]));
        assert_eq!(send(&mut given(), 1 << 20), (4, vec![2, 4]));
    }

    #[test]
    fn a_peer_that_gives_no_credit_needs_none() {
        let mut credit = Credit::default();
        credit.begin(false);
        assert!(credit.is_left(usize::MAX));
        assert_eq!(send(&mut credit, 60_000), (10_000, vec![]));
    }

    #[test]
    fn what_was_sent_before_the_peer_announced_counts() {
        let mut credit = Credit::default();
        send(&mut credit, 10);
        assert!(credit.is_left(65_535) && !credit.is_left(65_536), "the peer may be about to announce");
        credit.begin(true);
        assert_eq!(send(&mut credit, 10), (65, vec![1, 65]));
    }

    #[test]
    fn what_may_wait_has_room_for_all_that_credit_lets_out() {
        let limit = crate::wire::BoxLimits::DEFAULT.bytes;
        for bytes in [1, 1000, 60_000, limit] {
            let (sent, _) = send(&mut given(), bytes);
            assert!(sent * (bytes + ask::FIXED) <= max_held(1, limit, 0), "{bytes}");
        }
        // The most of them that end a period by their count, each as large as a box may be.
        let (sent, _) = send(&mut given(), 1023);
        let held = sent * (1023 + ask::FIXED);
        assert!((held..2 * held).contains(&max_held(1, 1023, 0)), "there is room for them, and not for twice as many");
    }
}
