//! What has happened in a scene.

use std::fmt::Debug;

use amp::error::NotifyError;
use amp::{CallError, CloseReason};
use tokio::time::Instant;

use crate::commands::{Done, WorkError};
use crate::script::SEATS;

/// How sending ended, for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// With the number in the answer.
    Answered(usize),
    Refused(usize),
    /// With a code that the command does not declare.
    Remote(String),
    Timeout,
    /// With the reason of the connection's end.
    Ended(String),
    /// A notification was accepted.
    Notified,
    /// The sender has lost its patience; whether the ask was in the outbound buffer then.
    Left {
        sent: bool,
    },
    /// The sender was dropped itself.
    Dropped,
    /// There was no handle any more.
    NoHandle,
    /// What should not be.
    Odd(String),
}

/// All about one number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// The end that sends it.
    pub(crate) seat: usize,
    pub(crate) is_begun_to_send: bool,
    pub(crate) fate: Option<Fate>,
    /// The error says that it never left.
    pub(crate) never_sent: bool,
    /// How often its responder has begun, and come to its end.
    pub(crate) runs: u32,
    pub(crate) finished: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Sends(usize),
    Gets(Fate),
    Runs(usize),
    Finishes(usize),
    Stops(usize),
}

/// How an end is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The script has closed it or dropped its last handle.
    pub(crate) closes: bool,
    pub(crate) aborts: bool,
    /// What it writes was cut.
    pub(crate) is_cut: bool,
    /// Why it has ended.
    pub(crate) reason: Option<String>,
    /// The connection has ended, and not in order: its transport may still be read, by nobody.
    pub(crate) is_over: bool,
    pub(crate) running: usize,
    /// How many notifications have been received, and how many of them were begun.
    pub(crate) arrived: u32,
    pub(crate) begun: u32,
    /// It has been told to close, and how many calls were begun nevertheless.
    pub(crate) is_closing: bool,
    pub(crate) begun_late: u32,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    base: Instant,
    pub(crate) records: Vec<Record>,
    pub(crate) ends: [End; SEATS],
    /// Those who have not done all that they shall.
    pub(crate) starts_left: usize,
    /// When, about which number, what.
    pub(crate) events: Vec<(u128, usize, Event)>,
}

impl Ledger {
    pub(crate) fn new(numbers: usize, starts_left: usize) -> Self {
        let (records, ends) = (vec![Record::default(); numbers], Default::default());
        Self { base: Instant::now(), records, ends, starts_left, events: Vec::new() }
    }

    pub(crate) fn sends(&mut self, seat: usize, number: usize) {
        let record = &mut self.records[number];
        (record.seat, record.is_begun_to_send) = (seat, true);
        self.note(number, Event::Sends(seat));
    }

    pub(crate) fn gets(&mut self, number: usize, fate: Fate, never_sent: bool) {
        let record = &mut self.records[number];
        (record.fate, record.never_sent) = (Some(fate.clone()), never_sent);
        self.note(number, Event::Gets(fate));
    }

    pub(crate) fn runs(&mut self, seat: usize, number: usize, notifies: bool) {
        let end = &mut self.ends[seat];
        end.running += 1;
        end.begun += u32::from(notifies);
        end.begun_late += u32::from(end.is_closing && !notifies);
        self.records[number].runs += 1;
        self.note(number, Event::Runs(seat));
    }

    pub(crate) fn stops(&mut self, seat: usize, number: usize, finished: bool) {
        self.ends[seat].running -= 1;
        self.records[number].finished += u32::from(finished);
        self.note(number, if finished { Event::Finishes(seat) } else { Event::Stops(seat) });
    }

    fn note(&mut self, number: usize, event: Event) {
        self.events.push((self.base.elapsed().as_millis(), number, event));
    }
}

/// The name of a variant.
pub(crate) fn word(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Whether the error promises that the peer never hears of the ask.
pub(crate) fn is_never_sent<E>(error: &CallError<E>) -> bool {
    !error.was_sent()
}

impl From<Result<Done, CallError<WorkError>>> for Fate {
    fn from(reply: Result<Done, CallError<WorkError>>) -> Self {
        match reply {
            Ok(done) => Self::Answered(done.number),
            Err(CallError::Declared(WorkError::Refused { number })) => Self::Refused(number),
            Err(CallError::Remote { code, .. }) => Self::Remote(code),
            Err(CallError::Timeout { .. }) => Self::Timeout,
            Err(CallError::Connection { reason, .. }) => Self::ended(&reason),
            Err(error) => Self::Odd(format!("{error:?}")),
        }
    }
}

impl From<Result<(), NotifyError>> for Fate {
    fn from(sent: Result<(), NotifyError>) -> Self {
        match sent {
            Ok(()) => Self::Notified,
            Err(NotifyError::Timeout) => Self::Timeout,
            Err(NotifyError::Connection(reason)) => Self::ended(&reason),
            Err(error) => Self::Odd(format!("{error:?}")),
        }
    }
}

impl Fate {
    fn ended(reason: &CloseReason) -> Self {
        Self::Ended(word(reason))
    }
}
