//! Answers to commands that have no type.

use std::error::Error;

use super::Asker;
use crate::call_error::CallError;
use crate::command::NoErrors;
use crate::escaped::Escaped;
use crate::events::{Chain, EventKind};
use crate::packet::{answer_box, encode_box};
use crate::python::PythonBytes;
use crate::wire::AmpBox;

impl Asker {
    /// As [`reply`](Self::reply), where the command has no type and this name.
    pub(in crate::responder) fn reply_box(&mut self, reply: Result<AmpBox, CallError<NoErrors>>, command: &[u8]) {
        let answer = match (reply, self.tag.as_ref()) {
            (Ok(answer), Some(tag)) => answer_box(answer, tag),
            (Ok(_), None) => return self.settle(),
            (Err(CallError::Remote { code, description }), _) => return self.error(&code, &description),
            (Err(CallError::Failed(error)), _) => return self.fail_box(&*error, command),
            (Err(error), _) => return self.fail_box(&error, command),
        };
        // All but the writing is done before the lock of the connection is taken.
        let put = answer.and_then(|answer| self.put(|buffer, _, limits, _| encode_box(buffer, &answer, limits)));
        match put {
            Ok(()) => self.settle(),
            Err(error) => {
                self.log_failed_box(&error, command);
                self.finish_unsent(&error);
            }
        }
    }

    fn fail_box(&mut self, error: &(dyn Error + 'static), command: &[u8]) {
        self.log_failed_box(error, command);
        self.finish_failed();
    }

    fn log_failed_box(&self, error: &(dyn Error + 'static), command: &[u8]) {
        self.tell(EventKind::FAILURE, |peer, _, omitted| {
            let command = Escaped(PythonBytes(command));
            tracing::warn!(%peer, %command, omitted, error = %Escaped(Chain(error)), "a responder failed");
        });
    }
}
