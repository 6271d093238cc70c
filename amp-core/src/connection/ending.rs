use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::any_transport::Transport;
use super::clock::{Alarm, now};
use super::failure::Failure;
use super::lingering::Lingering;
use super::responders::Responders;
use super::shared::Shared;
use super::sink::{Delivery, hand_over};
use crate::escaped::Escaped;
use crate::events::{Chain, EventKind};
use crate::panics::{caught, drop_caught};
use crate::proto::{EndListener, Intake, Lost};
use crate::reason::CloseReason;

/// Notifies all waiters that the connection has ended, however the driver ends.
pub(super) struct EndGuard(pub(super) Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        // Queued bytes, and the next transport's constructor, must not live as long as the handles. Their drop may panic.
        let queued = (self.0.seal(), self.0.replacement.take());
        drop_caught(queued);
        self.0.stop_receiver();
        self.0.announce_end();
        self.0.transport_closed(Some(CloseReason::DriverDropped));
        self.0.ended.send_modify(|ended| ended.finished = true);
        self.0.account.end();
        self.0.events.sum_up();
    }
}

/// Notification of the end.
impl Shared {
    /// Logs the end, if it is to be logged.
    pub(super) fn tell_end(&self, reason: &CloseReason) {
        if reason.is_told() {
            self.events.tell(EventKind::CONNECTION_ENDS, |peer, omitted| {
                tracing::warn!(%peer, omitted, reason = %Escaped(Chain(reason)), "connection ends");
            });
        }
    }

    /// Nothing more is received: notifies the box receiver.
    pub(super) fn stop_receiver(&self) {
        self.switch.stop(&self.over().unwrap_or(CloseReason::DriverDropped), &self.events);
    }

    /// Nothing more is answered: notifies the sinks, and runs the listeners for the end of the connection, once.
    pub(super) fn announce_end(&self) {
        let reason = self.over().unwrap_or(CloseReason::DriverDropped);
        let mut lost = self.lock().sending().take_lost();
        let delivery = |tag, Lost { sent }| {
            let failure = Failure::Connection { reason: reason.clone(), sent };
            Delivery::new(tag, Err(failure), &self.settings.boxes)
        };
        hand_over(lost.drain(..), delivery, &self.events);
        let listeners = self.lock().take_end_listeners();
        self.run_end_listeners(listeners);
    }

    /// Never under the lock: a listener may use the connection.
    pub(super) fn run_end_listeners(&self, listeners: impl IntoIterator<Item = EndListener>) {
        for listener in listeners {
            let reason = self.over().unwrap_or(CloseReason::DriverDropped);
            if let Err(panic) = caught(AssertUnwindSafe(|| listener(&reason))) {
                self.events.tell(EventKind::PANIC, |peer, omitted| {
                    tracing::warn!(%peer, omitted, %panic, "a listener for the end of a connection panicked");
                });
            }
        }
    }
}

/// The work left when the connection is over: the transport [lingers](Lingering), and accepted commands that want no answer go on
/// for as long as `close_timeout` allows.
pub(super) struct Ending<T> {
    shared: Arc<Shared>,
    /// Until the transport is closed.
    lingering: Option<Lingering<T>>,
    responders: Responders,
    /// When responders that still run are cancelled.
    alarm: Alarm,
    /// Why the connection has ended, once the transport is closed.
    ended: Option<CloseReason>,
}

impl<T: Transport> Ending<T> {
    /// `lingering` is the transport, or else the reason why the last bytes are lost, if they are.
    pub(super) fn new(
        shared: Arc<Shared>,
        lingering: Result<Lingering<T>, Option<CloseReason>>,
        responders: Responders,
    ) -> Self {
        let (lingering, lost) = match lingering {
            Ok(lingering) => (Some(lingering), None),
            Err(lost) => (None, lost),
        };
        let mut ending = Self { shared, lingering, responders, alarm: Alarm::default(), ended: None };
        if !ending.lingering.as_ref().is_some_and(Lingering::receives) {
            ending.shared.stop_receiver();
        }
        if ending.lingering.is_none() {
            ending.transport_closed(lost);
        }
        ending
    }

    /// Ready with the reason when the transport is closed and nothing runs any more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        // First of all: any change from here on wakes the driver.
        let until = self.shared.finishes_by(cx.waker());
        let in_time = until > now();
        if !in_time {
            self.cut();
        }
        if let Some(lingering) = &mut self.lingering
            && let Poll::Ready(lost) = lingering.poll(&mut self.responders, cx)
        {
            self.close_transport(lost);
        }
        if self.responders.poll_finish(cx).is_ready()
            && let Some(reason) = &self.ended
        {
            return Poll::Ready(reason.clone());
        }
        if in_time && self.alarm.poll(until, cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Running responders have no time left, and no new ones begin.
    fn cut(&mut self) {
        // Memory is used up, and this connection has ended for another reason: it may linger only over a short rest.
        if self.shared.holder.is_exceeded() && self.lingering.as_mut().is_some_and(|lingering| !lingering.shorten()) {
            self.close_transport(Some(CloseReason::Unwritten));
        }
        if let Some(lingering) = &mut self.lingering {
            lingering.stop_receiving();
        }
        let cut = self.responders.cut();
        if cut > 0 {
            let is_aborted = self.shared.inbound.intake() == Intake::Aborted;
            let timeout = Some(self.shared.settings.close_timeout).filter(|_| !is_aborted);
            self.shared.events.tell(EventKind::CUT_COMMANDS, |peer, omitted| {
                let when = if is_aborted { "with the connection" } else { "when the time for closing was over" };
                tracing::warn!(%peer, omitted, cut, timeout = timeout.map(tracing::field::debug), "commands that had arrived were cut {when}");
            });
        }
    }

    fn close_transport(&mut self, lost: Option<CloseReason>) {
        drop_caught(self.lingering.take());
        self.shared.stop_receiver();
        self.transport_closed(lost);
    }

    fn transport_closed(&mut self, lost: Option<CloseReason>) {
        // After an end that was logged, nobody expects that queued bytes have arrived.
        let is_told = self.shared.over().is_some_and(|reason| reason.is_told());
        if let Some(lost) = lost.as_ref().filter(|_| !is_told) {
            self.shared.events.tell(EventKind::LOST_BYTES, |peer, omitted| {
                let reason = Escaped(Chain(lost));
                tracing::warn!(%peer, omitted, %reason, "the last bytes of a connection may be lost");
            });
        }
        self.ended = Some(self.shared.transport_closed(lost));
    }
}
