//! The promises that every scene must keep.
//!
//! (a) Nobody stands still: every call and notification ends, with an answer or a reason, without any time limit.
//! (b) An answer belongs to its call, and BUSY means that nothing was done.
//! (c) A notification that was accepted runs to its end, once, or the connection has ended with a reason that is no orderly
//! end by its sender.
//! (d) Afterwards no responder runs, no task is left, and connections that close are closed in time.
//! (e) What is said not to have been sent has not run.

use amp::Settings;
use amp::connection::Strictness;
use amp::error::codes;

use crate::ledger::{Fate, Ledger, Record};
use crate::script::{Errand, Outcome, Patience, Script, opposite};

/// Reasons of a connection that leave what has arrived as it is.
const KEEPS_WHAT_ARRIVED: [&str; 6] = ["Closed", "ClosedByPeer", "ClosedMidBox", "Io", "Failure", "EndedByPeer"];

/// What is still to come, as long as the scene goes on.
pub(crate) fn unsettled(script: &Script, ledger: &Ledger) -> Vec<String> {
    let mut left = Vec::new();
    if ledger.starts_left > 0 {
        left.push(format!("(a) {} senders wait", ledger.starts_left));
    }
    for (number, errand, record) in asks(script, ledger) {
        let what = if errand.notifies { "notification" } else { "call" };
        if record.fate.is_none() {
            left.push(format!("(a) {what} {number} of end {} has neither answer nor reason", record.seat));
        }
        if record.fate == Some(Fate::Notified) && is_lossless(ledger, record.seat) && record.finished == 0 {
            let so_far = if record.runs == 0 { "did not run" } else { "did not finish" };
            left.push(format!("(c) notification {number} of end {} was accepted and {so_far}", record.seat));
        }
    }
    for (seat, end) in ledger.ends.iter().enumerate() {
        if end.running > 0 {
            left.push(format!("(d) {} responders run at end {seat}", end.running));
        }
    }
    left
}

/// What did not hold, when all is over.
pub(crate) fn broken(script: &Script, ledger: &Ledger) -> Vec<String> {
    let mut broken = unsettled(script, ledger);
    for (number, errand, record) in asks(script, ledger) {
        let broke = |what: &str| format!("{what}: number {number}, {errand:?}, {record:?}");
        if record.runs > 1 {
            broken.push(broke("(c) ran twice"));
        }
        if record.never_sent && record.runs > 0 {
            broken.push(broke("(e) was never sent and ran"));
        }
        if !is_fitting(script, errand, number, record) {
            broken.push(broke("(b) ended in a way that does not fit"));
        }
        let (sender, receiver) = (&ledger.ends[record.seat], &ledger.ends[opposite(record.seat)]);
        if errand.notifies && record.runs > record.finished && !receiver.aborts {
            broken.push(broke(&format!("(c) was cut off although its end is {receiver:?}")));
        }
        if let Some(Fate::Ended(reason)) = &record.fate
            && sender.reason.as_ref() != Some(reason)
            && !(sender.closes && reason == "Closed" || sender.is_cut && reason == "Io")
        {
            broken.push(broke(&format!("(a) was told another reason than that of its end, {sender:?}")));
        }
    }
    for (seat, end) in ledger.ends.iter().enumerate() {
        let keeps = end.reason.as_ref().is_some_and(|reason| KEEPS_WHAT_ARRIVED.contains(&reason.as_str()));
        if keeps && !end.aborts && end.arrived != end.begun {
            broken.push(format!("(c) not all that arrived at end {seat} ran: {end:?}"));
        }
        if end.begun_late > 0 {
            broken.push(format!("(d) end {seat} began calls although it was closing: {end:?}"));
        }
        if !is_explained(script, ledger, seat) {
            broken.push(format!("(d) the end of end {seat} has no reason: {:?}", ledger.ends));
        }
    }
    broken
}

fn asks<'a>(script: &'a Script, ledger: &'a Ledger) -> impl Iterator<Item = (usize, &'a Errand, &'a Record)> {
    let all = script.errands.iter().zip(&ledger.records).enumerate();
    all.map(|(number, (errand, record))| (number, errand, record)).filter(|(.., record)| record.is_begun_to_send)
}

/// Whether nothing that this end sends may be lost: the connection is open, or this end has closed it in order, and maybe the other
/// one at the same time.
fn is_lossless(ledger: &Ledger, seat: usize) -> bool {
    let (sender, receiver) = (&ledger.ends[seat], &ledger.ends[opposite(seat)]);
    !(sender.aborts || receiver.aborts || sender.is_cut || receiver.is_cut)
        && sender.reason.as_ref().is_none_or(|reason| reason == "Closed")
        && receiver.reason.as_ref().is_none_or(|reason| reason == "Closed" || reason == "ClosedByPeer")
        && (!receiver.closes || sender.reason.is_some())
}

fn is_fitting(script: &Script, errand: &Errand, number: usize, record: &Record) -> bool {
    let Some(fate) = &record.fate else { return false };
    let has_run = record.runs == 1 && record.finished == 1;
    match fate {
        Fate::Answered(answer) => *answer == number && errand.outcome == Outcome::Answers && has_run,
        Fate::Refused(answer) => *answer == number && errand.outcome == Outcome::Refuses && has_run,
        Fate::Remote(code) => match code.as_str() {
            codes::UNKNOWN => matches!(errand.outcome, Outcome::Fails | Outcome::Panics) && has_run,
            codes::BUSY | codes::DRAINING => record.runs == 0,
            _ => false,
        },
        Fate::Timeout => {
            let limit = matches!(errand.patience, Patience::Limit(_)) && !errand.notifies;
            limit || script.seats[record.seat].call_timeout.is_some()
        }
        Fate::Notified => errand.notifies,
        Fate::Ended(_) | Fate::Left { .. } | Fate::Dropped | Fate::NoHandle => true,
        Fate::Odd(_) => false,
    }
}

/// Whether the end has ended for a reason that the scene gave it.
fn is_explained(script: &Script, ledger: &Ledger, seat: usize) -> bool {
    let (end, other) = (&ledger.ends[seat], &ledger.ends[opposite(seat)]);
    let Some(reason) = end.reason.as_deref() else { return false };
    match reason {
        "Closed" => end.closes,
        "Aborted" => end.aborts,
        "ClosedByPeer" => {
            end.is_cut || other.is_cut || other.reason.as_ref().is_some_and(|reason| reason != "ClosedByPeer")
        }
        "ClosedMidBox" => other.is_cut,
        "Io" => end.is_cut,
        "Failure" => script.seats[seat].strictness == Strictness::Twisted,
        "TooManyNotifications" => gives_no_credit(script, seat),
        "EndedByPeer" => other.reason.as_deref() == Some("TooManyNotifications"),
        _ => false,
    }
}

/// Whether either end does as a plain peer, which may send more notifications than are kept.
fn gives_no_credit(script: &Script, seat: usize) -> bool {
    let announces = |seat: &Settings| seat.announce && seat.strictness == Strictness::Isolating;
    !(announces(&script.seats[seat]) && announces(&script.seats[opposite(seat)]))
}
