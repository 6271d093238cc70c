use super::attachments::{Attachment, Carrier, Carries};
use super::outgoing::Outgoing;
use super::request::Request;
use super::send_half::SendHalf;
use super::waiter::Waiter;
use super::wake_up::WakeUp;
use crate::exposed::ContextRef;
use crate::value::EncodeError;

/// Stage of the replacement of the transport.
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
    /// The peer has asked, and its bytes behind the ask are not read until this end has answered.
    Stopped,
    /// Both have agreed: the transport is replaced once everything before the barrier is written.
    Agreed,
}

impl Upgrade {
    #[inline]
    pub(crate) fn is_none(self) -> bool {
        self == Self::None
    }

    /// The peer has asked. Returns whether no replacement was in progress.
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

    /// The replacement was refused or cancelled, or the transport was replaced.
    pub(super) fn ended(&mut self) {
        *self = Self::None;
    }
}

/// The parts that depend on the transport: attachments, its replacement, and the barrier. Waiters that are returned are the
/// driver's.
pub(crate) struct OverTransport<'a, W: Waiter> {
    pub(super) upgrade: &'a mut Upgrade,
    pub(super) carrier: &'a mut Carrier,
    pub(super) sending: &'a mut SendHalf<W>,
    pub(super) wake_up: &'a mut WakeUp<W>,
    pub(super) is_sealed: bool,
}

impl<W: Waiter> OverTransport<'_, W> {
    /// Appends an ask for another transport, with a barrier behind it. No other replacement is in progress.
    pub(crate) fn ask(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let start = self.sending.outbound().end();
        let tag = self.sending.append(ask, request, context)?;
        if let Some(tag) = tag {
            self.upgrade.asked(tag);
            self.sending.hold(start);
        }
        Ok((tag, self.wake_up.wake()))
    }

    /// The peer asks. Returns whether no other replacement is in progress; then nothing is read behind its ask.
    pub(crate) fn stop_reading(&mut self) -> bool {
        self.upgrade.stopped()
    }

    /// Appends the answer that `put` writes to the ask behind which nothing is read, with a barrier behind it. Returns whether it
    /// was written: if not, the transport stays.
    pub(crate) fn accept(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> (bool, Option<W>) {
        if self.is_sealed || *self.upgrade != Upgrade::Stopped {
            return (false, None);
        }
        let start = self.sending.outbound().end();
        self.sending.put(put);
        if self.sending.outbound().end() == start {
            return (false, None);
        }
        self.sending.hold(start);
        (true, self.agree())
    }

    /// Puts the refusal that `put` writes where the peer reads it as a box. While this end's own ask has no answer, that is
    /// before the barrier, because the peer, which has asked, too, waits for the refusal there. Otherwise the refusal has its
    /// place behind the boxes appended before it, which is in the next transport once both ends have agreed. Puts nothing once
    /// the last bytes were taken.
    pub(crate) fn refuse(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> Option<W> {
        if self.is_sealed {
            return None;
        }
        if let Upgrade::Asked { .. } = self.upgrade {
            self.sending.put_before_barrier(put);
        } else {
            self.sending.put(put);
        }
        self.wake_up.wake()
    }

    /// Both ends have agreed.
    pub(crate) fn agree(&mut self) -> Option<W> {
        self.upgrade.agreed();
        self.wake_up.wake_always()
    }

    /// The transport was replaced, or stays. Held bytes are written.
    pub(crate) fn end(&mut self) -> Option<W> {
        self.upgrade.ended();
        self.sending.lift();
        self.wake_up.wake_always()
    }

    /// Whether both ends have agreed, and everything before the barrier was taken to be written.
    pub(crate) fn is_due(&mut self) -> bool {
        *self.upgrade == Upgrade::Agreed && self.sending.outbound().is_at_barrier()
    }

    /// Whether everything before the barrier was taken to be written.
    pub(crate) fn is_at_barrier(&mut self) -> bool {
        self.sending.outbound().is_at_barrier()
    }

    /// Whether the answer to the tag has not arrived.
    pub(crate) fn is_out(&mut self, tag: u64) -> bool {
        self.sending.tags().is_out(tag)
    }

    /// Sets which attachments the transport carries from now on.
    pub(crate) fn set_carries(&mut self, carries: Option<Carries>) {
        self.carrier.replace(carries);
    }

    /// Tells which attachments can be sent.
    pub(crate) fn carrier(&self) -> Carrier {
        *self.carrier
    }

    /// Whether bytes appended now are written by that transport. During a replacement it is unknown what the next one carries.
    pub(crate) fn is_written_by(&mut self, carrier: Carrier) -> bool {
        !self.sending.outbound().is_holding() && self.carrier.is(carrier)
    }

    /// Appends an ask with attachments that go with its first byte.
    pub(crate) fn append_attached(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
        attachments: &mut Vec<Attachment>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let start = self.sending.outbound().end();
        let tag = self.sending.append(ask, request, context)?;
        self.sending.outbound().attach(start, std::mem::take(attachments));
        Ok((tag, self.wake_up.wake()))
    }
}
