use super::Asker;
use crate::call_error::UNKNOWN_ERROR;
use crate::error::codes;
use crate::escaped::Escaped;
use crate::events::EventKind;
use crate::panics::note_command;
use crate::settings::Strictness;
use crate::value::DecodeError;

/// Answers without a responder, and their logging.
impl Asker {
    /// Answers an ask that did not decode: because there was no room for it, or because of an argument.
    #[cold]
    pub(in crate::responder) fn refuse(&mut self, code: &str, error: &DecodeError, is_refused: bool) {
        if is_refused { self.refuse_busy() } else { self.refuse_argument(code, error) }
    }

    /// Answers an argument that does not decode: `code` and the argument's name are sent to the peer, because the peer is at
    /// fault.
    fn refuse_argument(&mut self, code: &str, error: &DecodeError) {
        let is_strict = self.settings().strictness == Strictness::Twisted;
        if self.wants_answer() && !is_strict {
            self.tell(EventKind::ANSWERED_ARGUMENT, |peer, command, omitted| {
                tracing::debug!(%peer, command, omitted, error = %Escaped(error), "refused an argument");
            });
        } else {
            let cost = if is_strict { "the connection ends" } else { "no answer was wanted" };
            self.tell(EventKind::REFUSED_ARGUMENT, |peer, command, omitted| {
                tracing::warn!(%peer, command, omitted, error = %Escaped(error), "refused an argument; {cost}");
            });
        }
        if is_strict {
            return self.finish_failed();
        }
        self.finish(code, &error.to_string());
    }

    /// Answers that this end is busy.
    #[cold]
    pub(in crate::responder) fn refuse_busy(&mut self) {
        if self.answering.is_memory_short() {
            self.tell(EventKind::MEMORY_SHORT, |peer, _, omitted| {
                let what = "commands are refused: memory is short, and this connection holds more than its share";
                tracing::warn!(%peer, omitted, "{what}; see `ServerBuilder::max_memory`");
            });
            return self.error(codes::BUSY, "Memory is short; try again later");
        }
        self.tell(EventKind::BUSY, |peer, _, omitted| {
            let what = "too many commands are running; see `Settings::max_responders` and `max_inbound`";
            tracing::warn!(%peer, omitted, "{what}");
        });
        self.error(codes::BUSY, "Too many commands are running; try again later");
    }

    /// Answers an ask that is dropped without an answer.
    #[cold]
    pub(super) fn answer_dropped(&self, is_cancelled: bool) {
        if self.answering.is_over() {
            return;
        }
        match (std::thread::panicking(), is_cancelled) {
            // The code that catches the panic logs its message.
            (true, _) if note_command(self.command()) => {}
            (true, _) => self.tell(EventKind::RESPONDER_PANIC, |peer, command, omitted| {
                tracing::warn!(%peer, command, omitted, "an ask was dropped in a panic");
            }),
            (false, true) => self.tell(EventKind::CANCELLED_ASK, |peer, command, omitted| {
                tracing::debug!(%peer, command, omitted, "an ask was cancelled");
            }),
            (false, false) => self.tell(EventKind::DROPPED_ASK, |peer, command, omitted| {
                tracing::warn!(%peer, command, omitted, "an ask was dropped without an answer");
            }),
        }
        self.put_error(codes::UNKNOWN, UNKNOWN_ERROR);
        self.strictly_end();
    }
}
