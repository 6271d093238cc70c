use std::task::Waker;

use bytes::Bytes;

use super::Reader;
use crate::connection::halt::Halt;
use crate::connection::replacement::Step;
use crate::connection::responders::Responders;
use crate::proto::{ConnectionState, Upgrade};

/// Boxes handled in a turn while the answer to an ask for another transport is awaited.
const WATCHED: usize = 64;

/// The replacement of the transport: where reading stops for it, and continues.
impl Reader {
    /// Handles boxes one by one until the answer to the ask for another transport has arrived.
    #[cold]
    pub(super) fn take_boxes_until(&mut self, tag: u64, responders: &mut Responders) -> Result<(), Halt> {
        for _ in 0..WATCHED {
            self.has_more = false;
            self.take_boxes(1, responders)?;
            if let Some((Some(answered), reply)) = self.replies.last()
                && *answered == tag
            {
                self.awaited = None;
                if !reply.is_error {
                    // The driver looks at it in this turn.
                    drop(self.shared.lock().transport().agree());
                    return Err(Halt::Stopped);
                }
                self.shared.keep_transport();
                break;
            }
            if !self.has_more {
                break;
            }
        }
        Ok(())
    }

    /// Follows the replacement of the transport. Returns the driver's next step.
    #[cold]
    pub(in crate::connection) fn follow(&mut self, state: &mut ConnectionState<Waker>) -> Step {
        match state.upgrade() {
            Upgrade::None => {
                (self.is_stopped, self.awaited, self.has_more) = (false, None, true);
                Step::Resume
            }
            // The ask has been there since the previous turn at the latest: its answer is looked for from the next read on.
            Upgrade::Asked { tag } if self.awaited != Some(tag) => {
                self.awaited = Some(tag);
                if !state.transport().is_out(tag) {
                    return Step::Refuse;
                }
                // The peer's own ask, behind which reading stopped, was dropped before the driver looked.
                if std::mem::take(&mut self.is_stopped) {
                    self.has_more = true;
                    return Step::Resume;
                }
                Step::Nothing
            }
            Upgrade::Asked { .. } | Upgrade::Stopped => Step::Nothing,
            Upgrade::Agreed => {
                if state.transport().is_due() {
                    Step::Replace
                } else {
                    Step::Nothing
                }
            }
        }
    }

    #[inline]
    pub(in crate::connection) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Bytes that were read and belong to the next transport.
    pub(in crate::connection) fn take_leftover(&mut self) -> Bytes {
        self.received.take_leftover(self.shared.settings.boxes)
    }

    /// Reads from the new transport.
    pub(in crate::connection) fn restart(&mut self) {
        (self.is_stopped, self.has_more) = (false, false);
    }
}
