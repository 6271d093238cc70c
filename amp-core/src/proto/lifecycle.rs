use std::time::Instant;

use crate::reason::CloseReason;

/// A listener that receives the reason when the connection has ended.
pub(crate) type EndListener = Box<dyn FnOnce(&CloseReason) + Send>;

/// What may still begin at this end. Whatever else ends a connection lets begin what came in the same read (`wire.md` rule 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intake {
    Open,
    /// It closes in order: nothing begins that a caller waits for.
    Draining,
    /// It has closed in order, which the peer may not have seen: nothing begins that could be answered.
    Ended,
    /// Nothing begins.
    Aborted,
}

/// Stage in the life of a connection.
///
/// ```text
///          close              end             seal
///   Open ─────────▶ Closing ─────────▶ Over ────────▶ Sealed
///     └────────────── end ──────────────▲
/// ```
///
/// The first reason stays, with two exceptions: if the connection is aborted while it closes, it has ended because of the abort,
/// and the same holds for a write failure during an orderly close.
pub(crate) struct Lifecycle {
    phase: Phase,
    /// It only advances: after an abort nothing begins, even if the connection had ended before.
    intake: Intake,
    /// Listeners for the end of the connection; `None` once it has ended.
    end_listeners: Option<Vec<EndListener>>,
}

enum Phase {
    /// Calls go out.
    Open,
    /// No new calls but callbacks. Answers to earlier calls may arrive until the instant.
    Closing { reason: CloseReason, until: Instant, finish_by: Instant },
    /// Nothing is answered any more. Queued bytes may still go out, and after an orderly end the peer's notifications still come
    /// in.
    Over { reason: CloseReason, finish_by: Instant },
    /// The last bytes were taken to be written: nothing more is appended.
    Sealed { reason: CloseReason, finish_by: Instant },
}

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self { phase: Phase::Open, intake: Intake::Open, end_listeners: Some(Vec::new()) }
    }

    /// Why nothing more goes out, if so. Asks that closing waits for go out `while_closing`.
    #[inline]
    pub(super) fn refusal(&self, while_closing: bool) -> Option<CloseReason> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing { .. } if while_closing => None,
            Phase::Closing { reason, .. } | Phase::Over { reason, .. } | Phase::Sealed { reason, .. } => {
                Some(reason.clone())
            }
        }
    }

    pub(super) fn intake(&self) -> Intake {
        self.intake
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. })
    }

    /// The reason, once the connection is over.
    pub(super) fn over(&self) -> Option<&CloseReason> {
        match &self.phase {
            Phase::Over { reason, .. } | Phase::Sealed { reason, .. } => Some(reason),
            Phase::Open | Phase::Closing { .. } => None,
        }
    }

    #[inline]
    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.phase, Phase::Sealed { .. })
    }

    /// The reason of closing, and its deadline.
    pub(super) fn closing(&self) -> Option<(&CloseReason, Instant)> {
        match &self.phase {
            Phase::Closing { reason, until, .. } => Some((reason, *until)),
            Phase::Open | Phase::Over { .. } | Phase::Sealed { .. } => None,
        }
    }

    /// Deadline of responders that go on although the connection is over. `None` while it is open.
    pub(super) fn finish_by(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing { finish_by, .. } | Phase::Over { finish_by, .. } | Phase::Sealed { finish_by, .. } => {
                Some(*finish_by)
            }
        }
    }

    /// Open to closing. Returns whether it was open.
    pub(super) fn close(&mut self, reason: CloseReason, until: Instant, finish_by: Instant) -> bool {
        let was_open = matches!(self.phase, Phase::Open);
        if was_open {
            if matches!(reason, CloseReason::Closed) {
                self.intake = Intake::Draining;
            }
            self.phase = Phase::Closing { reason, until, finish_by };
        }
        was_open
    }

    /// Bytes that were accepted before are lost, and closing takes no longer than until `no_later`. The reason changes, so that
    /// this is not taken for an orderly close which has sent everything.
    pub(super) fn write_failed(&mut self, failure: &CloseReason, no_later: Instant) {
        if let Phase::Closing { reason, until, .. } = &mut self.phase {
            *until = no_later.min(*until);
            if let CloseReason::Closed = reason {
                *reason = failure.clone();
            }
        }
    }

    /// Open or closing to over. Returns whether it was not over.
    pub(super) fn end(&mut self, reason: CloseReason, finish_by: Instant) -> bool {
        let finish_by = match &self.phase {
            Phase::Open => finish_by,
            Phase::Closing { finish_by, .. } => *finish_by,
            Phase::Over { .. } | Phase::Sealed { .. } => return false,
        };
        self.phase = Phase::Over { reason, finish_by };
        true
    }

    /// Running responders have no time left, and nothing begins.
    pub(super) fn abort(&mut self, now: Instant) {
        self.intake = Intake::Aborted;
        if let Phase::Closing { finish_by, .. } | Phase::Over { finish_by, .. } | Phase::Sealed { finish_by, .. } =
            &mut self.phase
        {
            *finish_by = now;
        }
    }

    /// Over to sealed.
    pub(super) fn seal(&mut self) {
        if let Phase::Over { reason, finish_by } = &self.phase {
            self.phase = Phase::Sealed { reason: reason.clone(), finish_by: *finish_by };
            if self.intake == Intake::Draining {
                self.intake = Intake::Ended;
            }
        }
    }

    /// Keeps the listener until the end, or returns it if the connection has already ended.
    pub(super) fn listen(&mut self, listener: EndListener) -> Option<EndListener> {
        match &mut self.end_listeners {
            Some(listeners) => {
                listeners.push(listener);
                None
            }
            None => Some(listener),
        }
    }

    /// Takes out the listeners; later ones are called at once.
    pub(super) fn take_end_listeners(&mut self) -> Vec<EndListener> {
        self.end_listeners.take().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_orderly_close_drains_and_an_abort_lets_nothing_begin_at_any_time() {
        let (now, failure) = (Instant::now(), CloseReason::Unwritten);
        let mut orderly = Lifecycle::new();
        assert!(orderly.close(CloseReason::Closed, now, now) && orderly.intake() == Intake::Draining);
        orderly.write_failed(&failure, now);
        assert_eq!(orderly.intake(), Intake::Draining, "what failed behind the close changes nothing");
        let mut failed = Lifecycle::new();
        assert!(failed.close(failure, now, now) && failed.intake() == Intake::Open);
        assert!(!failed.close(CloseReason::Closed, now, now) && failed.intake() == Intake::Open, "it closes already");
        for mut any in [Lifecycle::new(), orderly, failed] {
            let before = any.intake();
            any.end(CloseReason::ClosedByPeer, now);
            any.seal();
            assert_eq!(any.intake(), if before == Intake::Draining { Intake::Ended } else { before });
            any.abort(now);
            assert_eq!(any.intake(), Intake::Aborted);
        }
    }

    #[test]
    fn what_closes_refuses_all_but_callbacks_and_has_no_more_time_than_it_had() {
        let now = Instant::now();
        let at = |seconds| now + std::time::Duration::from_secs(seconds);
        for closes in [false, true] {
            let mut one = Lifecycle::new();
            assert_eq!((one.refusal(false).is_none(), one.closing().is_none(), one.finish_by()), (true, true, None));
            if closes {
                assert!(one.close(CloseReason::Closed, at(2), at(3)) && !one.close(CloseReason::Aborted, at(1), at(1)));
                assert_eq!((one.is_open(), one.is_closing(), one.finish_by()), (false, true, Some(at(3))));
                assert!(matches!(one.refusal(false), Some(CloseReason::Closed)) && one.refusal(true).is_none());
                one.write_failed(&CloseReason::Unwritten, at(9));
                assert!(matches!(one.closing(), Some((CloseReason::Unwritten, until)) if until == at(2)));
                one.write_failed(&CloseReason::Failure, at(1));
                assert!(matches!(one.closing(), Some((CloseReason::Unwritten, until)) if until == at(1)));
            }
            one.seal();
            assert!(one.over().is_none() && !one.is_sealed(), "only what is over is sealed");
            assert!(one.end(CloseReason::ClosedByPeer, at(4)) && !one.end(CloseReason::Aborted, at(5)));
            assert!(matches!(one.refusal(true), Some(CloseReason::ClosedByPeer)) && !one.is_closing());
            assert_eq!(one.finish_by(), Some(at(if closes { 3 } else { 4 })));
            one.seal();
            assert!(one.is_sealed() && matches!(one.over(), Some(CloseReason::ClosedByPeer)));
            one.abort(at(1));
            assert_eq!(one.finish_by(), Some(at(1)), "what was aborted has no time left");
        }
    }
}
