//! The outstanding tags, and the waiters for their answers. Imports `packet`.
//!
//! It is pure: a waiter is any `W` (a waker, in a connection), a sink any `S`, and time comes in as a value. A waiter takes its
//! answer when it looks; a sink is handed out with its answer.
//!
//! Tags count up from 1 and are never used again (`wire.md` rule 13), so a tag finds its waiter by its distance from the oldest tag of a
//! sliding window. A call that stays out long while thousands pass would hold the window open; it moves to a map instead.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use crate::packet::ReplyPacket;

#[cfg(test)]
mod tests;

/// The window may hold this many finished calls per unfinished one, plus [`SLACK`], before its oldest moves to the map.
const FINISHED_PER_CALL: usize = 3;
const SLACK: usize = 64;

/// An answer of at most this many bytes is not counted.
const SMALL: usize = 1024;
/// From this many untaken answers on, further ones no longer share the buffer that they were read into: a few bytes would hold
/// all of it.
const MAX_SHARED: usize = 160;

/// The tags of our own asks, and the waiters for their answers.
#[derive(Debug)]
pub(crate) struct Tags<W, S> {
    /// The tag of `window[0]`.
    first: u64,
    window: VecDeque<Call<W, S>>,
    /// Calls that the window has left behind.
    old: HashMap<u64, Call<W, S>>,
    /// Unfinished calls, including those whose answer has arrived and was not taken yet.
    unfinished: usize,
    /// Calls that wait for an answer from the peer, abandoned ones included.
    out: usize,
    /// Those of them whose caller is gone or has timed out.
    abandoned: usize,
    /// Those of them that take no place among the outstanding calls.
    uncounted: usize,
    /// Those of these whose time is over.
    overdue: usize,
    /// Answers to marked notifications that were not taken yet.
    credit: usize,
    /// Memory of the larger answers that have arrived and that their callers have not taken.
    untaken: usize,
}

/// One call, from the tag to the moment when its caller has its result.
#[derive(Debug)]
enum Call<W, S> {
    /// The tag is no longer needed.
    Finished,
    /// Neither the answer nor the deadline has come.
    Waiting { waiter: Option<W>, deadline: Option<Instant>, uncounted: bool },
    /// The answer has not arrived, and goes to the sink. Such a call takes no place and has no deadline.
    ForSink(S),
    /// The answer is here and the caller has not taken it.
    Answered(ReplyPacket),
    /// The time is over and the caller does not know yet; the answer may still arrive.
    Expired { uncounted: bool },
    /// The time was over and the caller does not know yet; the answer arrived and was discarded.
    ExpiredAnswered,
    /// The caller is gone; the answer will be discarded. `uncounted`: it takes no place. `overdue`: its time was over before.
    Abandoned { uncounted: bool, overdue: bool },
    /// No call, but a notification whose answer is credit for more.
    Marked,
}

/// Progress of a call.
#[derive(Debug)]
pub(crate) enum Progress<W> {
    /// No answer yet. Holds the replaced waiter, which is to be dropped under no lock.
    Pending(Option<W>),
    /// The answer.
    Answered(ReplyPacket),
    /// The time is over.
    Expired,
    /// The tag is not outstanding: the connection has ended.
    Lost,
}

/// Action for an answer that arrived.
#[derive(Debug)]
pub(crate) enum Delivery<W, S> {
    /// To wake the waiter, if there is one.
    Wake(Option<W>),
    /// To hand the answer to the sink.
    HandOver(S, ReplyPacket),
}

/// An answer to a tag that is not outstanding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownTag;

impl<W, S> Tags<W, S> {
    pub(crate) fn new() -> Self {
        Self {
            first: 1,
            window: VecDeque::new(),
            old: HashMap::new(),
            unfinished: 0,
            out: 0,
            abandoned: 0,
            uncounted: 0,
            overdue: 0,
            credit: 0,
            untaken: 0,
        }
    }

    /// The tag of the next ask. It is used up only by [`ask`](Self::ask) or [`skip`](Self::skip).
    pub(crate) fn next_tag(&self) -> u64 {
        self.first + self.window.len() as u64
    }

    /// Returns how many calls take a place and wait for an answer from the peer, abandoned ones included.
    pub(crate) fn counted(&self) -> usize {
        self.out - self.uncounted
    }

    /// Returns how many bytes are held by answers that their callers have not taken, except small ones: of these there are not
    /// many more than calls may be outstanding.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.untaken
    }

    /// Whether the answer to the tag has not arrived.
    pub(crate) fn is_out(&mut self, tag: u64) -> bool {
        let call = self.call_mut(tag);
        matches!(call, Some(Call::Waiting { .. } | Call::Expired { .. } | Call::Abandoned { .. }))
    }

    /// Returns how many calls that take no place are unanswered beyond their deadlines.
    #[inline]
    pub(crate) fn overdue(&self) -> usize {
        self.overdue
    }

    /// Whether there is a waiter for an answer.
    pub(crate) fn is_awaited(&self) -> bool {
        self.out > self.abandoned
    }

    /// Uses up the next tag for a call. An `uncounted` one takes no place among the outstanding calls.
    pub(crate) fn ask(&mut self, waiter: W, deadline: Option<Instant>, uncounted: bool) {
        self.unfinished += 1;
        self.out += 1;
        self.uncounted += usize::from(uncounted);
        self.push(Call::Waiting { waiter: Some(waiter), deadline, uncounted });
    }

    /// Uses up the next tag for a call whose answer goes to the sink.
    pub(crate) fn ask_for(&mut self, sink: S) {
        self.unfinished += 1;
        self.out += 1;
        self.uncounted += 1;
        self.push(Call::ForSink(sink));
    }

    #[inline]
    fn push(&mut self, call: Call<W, S>) {
        self.window.push_back(call);
        if self.window.len() > self.most() {
            self.slide();
        }
    }

    /// Whether the answer is still to be handed to a sink.
    pub(crate) fn is_for_sink(&self, tag: u64) -> bool {
        let call = match tag.checked_sub(self.first) {
            Some(at) => usize::try_from(at).ok().and_then(|at| self.window.get(at)),
            None => self.old.get(&tag),
        };
        matches!(call, Some(Call::ForSink(_)))
    }

    /// Uses up the next tag for an ask that wants no answer, as Twisted does.
    pub(crate) fn skip(&mut self) {
        self.window.push_back(Call::Finished);
        self.slide();
    }

    /// Uses up the next tag for a marked notification, whose answer has no waiter.
    pub(crate) fn mark(&mut self) {
        self.unfinished += 1;
        self.push(Call::Marked);
    }

    /// Returns how many marked notifications were answered since the last call.
    pub(crate) fn take_credit(&mut self) -> usize {
        std::mem::take(&mut self.credit)
    }

    /// Takes in an answer; `Err` if there was no such ask or it was answered before.
    pub(crate) fn answer(&mut self, tag: u64, reply: ReplyPacket) -> Result<Delivery<W, S>, UnknownTag> {
        let held = reply.held();
        // Answers are untaken, expired or neither: those that have arrived are mostly untaken.
        let reply = if self.unfinished - self.out < MAX_SHARED { reply } else { reply.detached() };
        let call = self.call_mut(tag).ok_or(UnknownTag)?;
        let (waiter, uncounted) = match call {
            Call::Waiting { waiter, uncounted, .. } => {
                let waiter = (waiter.take(), *uncounted);
                *call = Call::Answered(reply);
                if held > SMALL {
                    self.untaken += held;
                }
                waiter
            }
            Call::ForSink(_) => {
                let call = std::mem::replace(call, Call::Finished);
                self.leave_behind(tag);
                self.out -= 1;
                self.uncounted -= 1;
                return match call {
                    Call::ForSink(sink) => Ok(Delivery::HandOver(sink, reply)),
                    _ => Err(UnknownTag),
                };
            }
            Call::Expired { uncounted } => {
                let uncounted = *uncounted;
                *call = Call::ExpiredAnswered;
                self.abandoned -= 1;
                self.overdue -= usize::from(uncounted);
                (None, uncounted)
            }
            Call::Abandoned { uncounted, overdue } => {
                let (uncounted, overdue) = (*uncounted, *overdue);
                self.abandoned -= 1;
                self.overdue -= usize::from(overdue);
                self.finish(tag);
                (None, uncounted)
            }
            Call::Marked => {
                self.credit += 1;
                self.finish(tag);
                return Ok(Delivery::Wake(None));
            }
            Call::Finished | Call::Answered(_) | Call::ExpiredAnswered => return Err(UnknownTag),
        };
        self.out -= 1;
        self.uncounted -= usize::from(uncounted);
        Ok(Delivery::Wake(waiter))
    }

    /// Returns the progress of the call; while it is pending `waiter` waits for it, or the existing waiter if that function
    /// returns `None`.
    pub(crate) fn poll(&mut self, tag: u64, waiter: impl FnOnce(Option<&W>) -> Option<W>) -> Progress<W> {
        let Some(call) = self.call_mut(tag) else { return Progress::Lost };
        match call {
            Call::Waiting { waiter: slot, .. } => {
                let waiter = waiter(slot.as_ref());
                Progress::Pending(waiter.and_then(|waiter| slot.replace(waiter)))
            }
            Call::Answered(_) => {
                let call = std::mem::replace(call, Call::Finished);
                self.leave_behind(tag);
                let Call::Answered(reply) = call else { return Progress::Lost };
                if self.untaken > 0 && reply.held() > SMALL {
                    self.untaken -= reply.held();
                }
                Progress::Answered(reply)
            }
            Call::Expired { uncounted } => {
                *call = Call::Abandoned { uncounted: *uncounted, overdue: *uncounted };
                Progress::Expired
            }
            Call::ExpiredAnswered => {
                self.finish(tag);
                Progress::Expired
            }
            Call::Finished | Call::ForSink(_) | Call::Abandoned { .. } | Call::Marked => Progress::Lost,
        }
    }

    /// The caller is gone. Its tag stays outstanding until the answer arrives, which is then discarded: AMP has no cancel box.
    /// Returns the waiter or the sink.
    pub(crate) fn abandon(&mut self, tag: u64) -> (Option<W>, Option<S>) {
        let Some(call) = self.call_mut(tag) else { return (None, None) };
        match call {
            Call::Waiting { waiter, uncounted, .. } => {
                let waiter = waiter.take();
                *call = Call::Abandoned { uncounted: *uncounted, overdue: false };
                self.abandoned += 1;
                return (waiter, None);
            }
            Call::ForSink(_) => {
                let call = std::mem::replace(call, Call::Abandoned { uncounted: true, overdue: false });
                self.abandoned += 1;
                return (None, if let Call::ForSink(sink) = call { Some(sink) } else { None });
            }
            Call::Expired { uncounted } => *call = Call::Abandoned { uncounted: *uncounted, overdue: *uncounted },
            Call::Answered(_) | Call::ExpiredAnswered => self.finish(tag),
            Call::Finished | Call::Abandoned { .. } | Call::Marked => {}
        }
        (None, None)
    }

    /// Ends the calls whose deadline has come for their callers, hands out their waiters, and returns the next deadline.
    pub(crate) fn expire(&mut self, now: Instant, mut wake: impl FnMut(W)) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for call in self.window.iter_mut().chain(self.old.values_mut()) {
            let Call::Waiting { waiter, deadline: Some(deadline), uncounted } = call else { continue };
            if *deadline <= now {
                waiter.take().into_iter().for_each(&mut wake);
                self.overdue += usize::from(*uncounted);
                *call = Call::Expired { uncounted: *uncounted };
                self.abandoned += 1;
            } else {
                next = Some(next.map_or(*deadline, |next| next.min(*deadline)));
            }
        }
        next
    }

    /// Forgets all calls whose answer has not arrived, and hands out their waiters, and their sinks with the tags. Answers that
    /// have arrived stay to be taken.
    pub(crate) fn close(&mut self, mut wake: impl FnMut(W), mut lose: impl FnMut(S, u64)) {
        let window = (self.first..).zip(&mut self.window);
        for (tag, call) in window.chain(self.old.iter_mut().map(|(tag, call)| (*tag, call))) {
            match call {
                Call::ForSink(_) => {
                    if let Call::ForSink(sink) = std::mem::replace(call, Call::Finished) {
                        lose(sink, tag);
                    }
                    self.unfinished -= 1;
                }
                Call::Waiting { waiter, .. } => {
                    waiter.take().into_iter().for_each(&mut wake);
                    *call = Call::Finished;
                    self.unfinished -= 1;
                }
                Call::Abandoned { .. } | Call::Marked => {
                    *call = Call::Finished;
                    self.unfinished -= 1;
                }
                Call::Expired { .. } => *call = Call::ExpiredAnswered,
                Call::Finished | Call::Answered(_) | Call::ExpiredAnswered => {}
            }
        }
        self.old.retain(|_, call| !matches!(call, Call::Finished));
        (self.out, self.abandoned, self.uncounted, self.overdue) = (0, 0, 0, 0);
        self.slide();
    }

    fn call_mut(&mut self, tag: u64) -> Option<&mut Call<W, S>> {
        match tag.checked_sub(self.first) {
            Some(at) => self.window.get_mut(usize::try_from(at).ok()?),
            None => self.old.get_mut(&tag),
        }
    }

    fn finish(&mut self, tag: u64) {
        if let Some(call) = self.call_mut(tag) {
            if let Call::Answered(reply) = std::mem::replace(call, Call::Finished)
                && reply.held() > SMALL
            {
                self.untaken -= reply.held();
            }
            self.leave_behind(tag);
        }
    }

    /// Frees the place of a finished call, unless the window still begins before it.
    #[inline]
    fn leave_behind(&mut self, tag: u64) {
        self.unfinished -= 1;
        if tag == self.first {
            while let Some(Call::Finished) = self.window.front() {
                self.window.pop_front();
                self.first += 1;
            }
        } else if tag < self.first {
            self.old.remove(&tag);
        }
    }

    /// Returns how many calls the window may hold.
    fn most(&self) -> usize {
        SLACK + self.unfinished * (1 + FINISHED_PER_CALL)
    }

    /// Moves the window past finished calls, and past an old unfinished one when it holds too many finished ones open.
    fn slide(&mut self) {
        let most = self.most();
        while let Some(oldest) = self.window.front() {
            let finished = matches!(oldest, Call::Finished);
            if !finished && self.window.len() <= most {
                break;
            }
            if let Some(call) = self.window.pop_front().filter(|_| !finished) {
                self.old.insert(self.first, call);
            }
            self.first += 1;
        }
    }
}
