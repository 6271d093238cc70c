use super::attachments::{Attachment, Carries};
use super::outgoing::Outgoing;
use super::sender::{Request, Sender};
use super::waiter::Waiter;
use super::wake_up::WakeUp;
use crate::exposed::ContextRef;
use crate::value::EncodeError;

/// How far the replacement of the transport has come.
///
/// ```text
///           asked                      answered
///   None ───────────▶ Asked ─────────────────────────────▶ Agreed ───▶ None
///     │                 └──── refused ───▶ None               ▲  replaced
///     └──── stopped ──▶ Stopped ──────── accepted ────────────┘
///                         └──── cancelled ───▶ None
/// ```
///
/// There is one at a time, so that an offset of the stream belongs to one transport for both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Upgrade {
    #[default]
    None,
    /// This end has asked, with a barrier behind the ask. The peer's bytes behind its answer belong to the new transport.
    Asked { tag: u64 },
    /// The peer has asked, and what it sent behind its ask is not read until this end has answered.
    Stopped,
    /// Both have agreed: the transport is replaced once everything before the barrier is written.
    Agreed,
}

impl Upgrade {
    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self == Self::None
    }

    /// The peer has asked. Whether there was none under way.
    pub(super) fn stopped(&mut self) -> bool {
        let begins = self.is_none();
        if begins {
            *self = Self::Stopped;
        }
        begins
    }

    /// This end has asked.
    pub(super) fn asked(&mut self, tag: u64) {
        *self = Self::Asked { tag };
    }

    /// The peer has answered, or this end has.
    pub(super) fn agreed(&mut self) {
        if matches!(self, Self::Asked { .. } | Self::Stopped) {
            *self = Self::Agreed;
        }
    }

    /// It was refused or cancelled, or the transport was replaced.
    pub(super) fn ended(&mut self) {
        *self = Self::None;
    }
}

/// What depends on the transport: attachments, its replacement, and what that holds back. Waiters that are returned are the
/// driver's.
pub(crate) struct OverTransport<'a, W: Waiter> {
    pub(super) upgrade: &'a mut Upgrade,
    pub(super) sender: &'a mut Sender<W>,
    pub(super) wake_up: &'a mut WakeUp<W>,
    pub(super) is_sealed: bool,
}

impl<W: Waiter> OverTransport<'_, W> {
    /// Appends an ask for another transport, with a barrier behind it. There is no other replacement under way.
    pub(crate) fn ask(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let tag = self.sender.append(ask, request, context)?;
        if let Some(tag) = tag {
            self.upgrade.asked(tag);
            self.sender.hold();
        }
        Ok((tag, self.wake_up.wake()))
    }

    /// The peer asks. Whether no other replacement is under way; then nothing is read behind its ask.
    pub(crate) fn stop_reading(&mut self) -> bool {
        self.upgrade.stopped()
    }

    /// Puts a barrier before what is appended from now on. An answer still goes [before it](Self::append_before_barrier).
    pub(crate) fn hold(&mut self) {
        self.sender.hold();
    }

    /// Appends what `put` writes, before the barrier if there is one. Nothing once the last bytes were taken.
    pub(crate) fn append_before_barrier(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Option<W> {
        if self.is_sealed {
            return None;
        }
        self.sender.put_before_barrier(put);
        self.wake_up.wake()
    }

    /// Both ends have agreed.
    pub(crate) fn agree(&mut self) -> Option<W> {
        self.upgrade.agreed();
        self.wake_up.wake_always()
    }

    /// The transport was replaced, or stays. What was held is written.
    pub(crate) fn end(&mut self) -> Option<W> {
        self.upgrade.ended();
        self.sender.lift();
        self.wake_up.wake_always()
    }

    /// Whether both ends have agreed, and everything before the barrier was taken to be written.
    pub(crate) fn is_due(&self) -> bool {
        *self.upgrade == Upgrade::Agreed && self.sender.is_at_barrier()
    }
    /// Whether the answer to the tag has not come.
    pub(crate) fn is_out(&mut self, tag: u64) -> bool {
        self.sender.is_out(tag)
    }

    /// What the transport carries from now on.
    pub(crate) fn set_carries(&mut self, carries: Option<Carries>) {
        self.sender.set_carries(carries);
    }

    /// Whether attachments can be sent now.
    pub(crate) fn carries(&self, attachments: &[Attachment]) -> bool {
        self.sender.carries(attachments)
    }

    /// Appends an ask with attachments that go with its first byte.
    pub(crate) fn append_attached(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
        attachments: &mut Vec<Attachment>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let start = self.sender.len();
        let tag = self.sender.append(ask, request, context)?;
        self.sender.attach(start, std::mem::take(attachments));
        Ok((tag, self.wake_up.wake()))
    }
}
