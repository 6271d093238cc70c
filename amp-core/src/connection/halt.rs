use crate::reason::CloseReason;

/// Why the reader handles no further box.
#[derive(Debug)]
pub(super) enum Halt {
    /// The connection ends.
    Over(CloseReason),
    /// Bytes behind the box belong to another transport, or may.
    Stopped,
}

impl<R: Into<CloseReason>> From<R> for Halt {
    fn from(reason: R) -> Self {
        Self::Over(reason.into())
    }
}
