//! Answers to commands that have a type, and to those that failed.

use std::error::Error;
use std::fmt::Display;

use super::Asker;
use crate::call_error::{CallError, UNKNOWN_ERROR};
use crate::command::{Arguments, ErrorCodes, violations};
use crate::error::codes;
use crate::escaped::Escaped;
use crate::events::{Chain, EventKind};
use crate::packet::{put_answer, put_declared};
use crate::reason::CloseReason;
use crate::settings::Strictness;
use crate::value::{EncodeError, EncodeErrorKind};

impl Asker {
    /// Not generic over the command, as are the parts of it: commands share types of responses, and most of them errors.
    pub(in crate::responder) fn reply<R: Arguments, E: ErrorCodes>(&mut self, reply: Result<R, CallError<E>>) {
        match reply {
            Ok(response) => self.answer(&response),
            Err(CallError::Declared(error)) => self.declared(&error),
            // A peer's answer to our call is passed on unchanged: a proxy needs no types.
            Err(CallError::Remote { code, description }) => self.error(&code, &description),
            Err(CallError::Failed(error)) => self.fail(&*error),
            Err(error) => self.fail(&error),
        }
    }

    /// Answers with the response, or with an error if that cannot be sent.
    fn answer<R: Arguments>(&mut self, response: &R) {
        let put = match violations(response) {
            Some(found) => Err(EncodeErrorKind::Constraints(found).into()),
            None => self.put(|buffer, tag, limits, context| put_answer(buffer, tag, response, limits, Some(context))),
        };
        match put {
            Ok(()) => self.settle(),
            Err(error) => self.fail_to_send(&error),
        }
    }

    fn declared<E: ErrorCodes>(&mut self, error: &E) {
        let description = error.describe();
        let put = self
            .put(|buffer, tag, limits, context| put_declared(buffer, tag, error, &description, limits, Some(context)));
        if let Err(error) = put {
            return self.fail_to_send(&error);
        }
        self.end_declared(error, error.is_fatal().then(|| error.code()));
    }

    /// The steps after a declared error. Not generic over the command, so that it is compiled once, as is the code for failures.
    fn end_declared(&mut self, error: &dyn Display, fatal: Option<&'static str>) {
        if !self.wants_answer() {
            self.tell(EventKind::UNANSWERED_ERROR, |peer, command, omitted| {
                tracing::warn!(%peer, command, omitted, error = %Escaped(error), "failed; no answer was wanted");
            });
            self.strictly_end();
        }
        if let Some(code) = fatal {
            self.answering.end(CloseReason::Fatal { code });
        }
        self.settle();
    }

    /// A failure that the command does not declare: its details are logged, and the peer learns only that there is one.
    pub(in crate::responder) fn fail(&mut self, error: &(dyn Error + 'static)) {
        self.log_failure(error);
        self.finish_failed();
    }

    fn log_failure(&self, error: &(dyn Error + 'static)) {
        self.tell(EventKind::FAILURE, |peer, command, omitted| {
            tracing::warn!(%peer, command, omitted, error = %Escaped(Chain(error)), "a responder failed");
        });
    }

    /// The answer cannot be sent. What is too long the peer is told, because it can ask for less.
    #[cold]
    pub(super) fn fail_to_send(&mut self, error: &EncodeError) {
        self.log_failure(error);
        self.finish_unsent(error);
    }

    pub(super) fn finish_unsent(&mut self, error: &EncodeError) {
        if error.kind().is_too_long() && self.settings().strictness != Strictness::Twisted {
            self.finish(codes::TOO_LONG, &error.to_string());
        } else {
            self.finish_failed();
        }
    }

    pub(super) fn finish_failed(&mut self) {
        self.finish(codes::UNKNOWN, UNKNOWN_ERROR);
        self.strictly_end();
    }

    /// Answers with an error that has only a code and a description.
    pub(in crate::responder) fn error(&mut self, code: &str, description: &str) {
        self.finish(code, description);
        if !self.wants_answer() {
            self.strictly_end();
        }
    }

    pub(super) fn finish(&mut self, code: &str, description: &str) {
        self.put_error(code, description);
        self.settle();
    }
}
