use tracing::Level;

/// A kind of events, which are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKind {
    pub(super) name: &'static str,
    pub(super) level: Level,
}

impl EventKind {
    /// A kind with a name in the plural, for the count of omitted events, which is logged at the level of the logged ones.
    #[must_use]
    pub const fn new(level: Level, name: &'static str) -> Self {
        Self { name, level }
    }
}

/// The kinds of this crate. A peer can cause each of them, so none is above `WARN`, except a mistake in how a program is set up.
impl EventKind {
    pub(crate) const CONNECTION_ENDS: Self = Self::new(Level::WARN, "connections ended");
    pub(crate) const SILENT_END: Self = Self::new(Level::DEBUG, "peers closed without a word");
    pub(crate) const CUT_SHORT: Self = Self::new(Level::WARN, "connections cut short");
    pub(crate) const CUT_COMMANDS: Self = Self::new(Level::WARN, "commands cut");
    pub(crate) const LOST_BYTES: Self = Self::new(Level::WARN, "last bytes lost");
    pub(crate) const LOST_MEMORY: Self = Self::new(Level::WARN, "ended connections whose memory was taken");
    pub(crate) const LOST_BOX: Self = Self::new(Level::WARN, "boxes lost");
    pub(crate) const LATE_ANSWER: Self = Self::new(Level::DEBUG, "answers behind the end");
    pub(crate) const UNKNOWN_ANSWER: Self = Self::new(Level::WARN, "answers to tags that are not out");
    pub(crate) const UNKNOWN_COMMAND: Self = Self::new(Level::WARN, "unknown commands");
    pub(crate) const BUSY: Self = Self::new(Level::WARN, "commands refused as too many");
    pub(crate) const MEMORY_SHORT: Self = Self::new(Level::WARN, "commands refused for want of memory");
    pub(crate) const ANSWERED_ARGUMENT: Self = Self::new(Level::DEBUG, "arguments refused with an answer");
    pub(crate) const REFUSED_ARGUMENT: Self = Self::new(Level::WARN, "arguments refused");
    pub(crate) const UNANSWERED_ERROR: Self = Self::new(Level::WARN, "errors without an answer");
    pub(crate) const UNANSWERED_UPGRADE: Self = Self::new(Level::WARN, "asks for another transport without an answer");
    pub(crate) const FAILURE: Self = Self::new(Level::WARN, "responders failed");
    pub(crate) const DROPPED_ASK: Self = Self::new(Level::WARN, "asks dropped");
    pub(crate) const CANCELLED_ASK: Self = Self::new(Level::DEBUG, "asks cancelled");
    pub(crate) const SLOW_POLL: Self = Self::new(Level::WARN, "responders that held up their connections");
    pub(crate) const RESPONDER_PANIC: Self = Self::new(Level::WARN, "responders panicked");
    pub(crate) const PANIC: Self = Self::new(Level::WARN, "panics");
    pub(crate) const WRONG_UPGRADE: Self = Self::new(Level::WARN, "upgrades with another connection's ask");
    pub(crate) const CANNOT_BEGIN: Self = Self::new(Level::ERROR, "connections that could not begin");
    pub(crate) const REFUSED_PEER: Self = Self::new(Level::WARN, "peers refused");
    pub(crate) const REFUSED_CONNECTION: Self = Self::new(Level::DEBUG, "connections refused");
    pub(crate) const CLIENT_GONE: Self = Self::new(Level::DEBUG, "clients gone before they were accepted");
    pub(crate) const NOT_ACCEPTED: Self = Self::new(Level::WARN, "connections not accepted");
}
