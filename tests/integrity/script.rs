//! What a seed does: who sends what when, what the responders do, and how connections end.

use std::time::Duration;

use amp::Settings;

use crate::random::Random;
use crate::settings::{self, Room};

/// The four ends: A and B of the first connection, B and C of the second.
pub(crate) const SEATS: usize = 4;

/// The other end of the same connection.
pub(crate) fn opposite(seat: usize) -> usize {
    seat ^ 1
}

/// The end over which a responder of this one reaches a third party; A and C have only their own connection for that.
pub(crate) fn foreign(seat: usize) -> usize {
    [0, 2, 1, 3][seat]
}

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) seats: [Settings; SEATS],
    pub(crate) rooms: [Room; 2],
    /// All that is ever sent, by number.
    pub(crate) errands: Vec<Errand>,
    pub(crate) starts: Vec<Start>,
    pub(crate) ending: Option<Ending>,
}

/// One ask, and what its responder does.
#[derive(Debug)]
pub(crate) struct Errand {
    pub(crate) notifies: bool,
    pub(crate) via: Via,
    pub(crate) patience: Patience,
    pub(crate) padding: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) outcome: Outcome,
}

/// The handle that an ask is made with; those that nobody answers yet are made with the one of their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// The one that the ask has exposed.
    Exposed,
    Clone,
    Client,
    /// Weak, and upgraded again.
    Weak,
    /// In a task of its own, with the exposed handle.
    SubTask,
    /// One of this process that came from no ask, perhaps of another connection, while the responder is polled.
    Foreign,
}

/// How long the sender waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    Endless,
    /// Its call has a time limit, in milliseconds.
    Limit(u64),
    /// It drops what it has begun after a while.
    Leaves(While),
}

/// A while. In paused time it passes only when nobody can go on: what shall fall into the middle of something yields after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct While {
    milliseconds: u64,
    yields: u64,
}

impl While {
    pub(crate) async fn pass(self) {
        if self.milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(self.milliseconds)).await;
        }
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Debug)]
pub(crate) enum Step {
    Yield,
    /// In milliseconds.
    Sleep(u64),
    Send(usize),
    /// Two at once, in the responder's own task.
    Both(usize, usize),
    /// In a task of its own that nobody waits for, with the exposed handle.
    Detach(usize),
    /// Closes its own connection, as Twisted's `QuitBox`.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answers,
    /// With a declared error.
    Refuses,
    /// With an error that is not declared.
    Fails,
    Panics,
}

/// Somebody who sends one after the other.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) seat: usize,
    pub(crate) at: While,
    pub(crate) numbers: Vec<usize>,
}

#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) at: While,
    pub(crate) seat: usize,
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Closes,
    /// The last handle is dropped.
    Drops,
    BothClose,
    Aborts,
    /// What it writes is cut.
    IsCut,
    /// The same in both directions.
    IsCutOff,
}

impl Script {
    pub(crate) fn of(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (seats, rooms) = settings::of(&mut random);
        // A pipe of a few bytes wakes both ends for each of them: large asks cost much there and show nothing new.
        let is_narrow = rooms.iter().flatten().any(|room| *room < 10);
        let paddings: &[usize] = if is_narrow { &[0, 0, 3] } else { &[0, 0, 0, 10, 100, 700] };
        let mut writer = Writer { random, errands: Vec::new(), left: 0, fails: true, paddings };
        // What is not declared ends a strict connection: a rare event there, and no event at all in most strict scenes.
        writer.fails = seats.iter().all(|seat| seat.strictness == amp::connection::Strictness::Isolating)
            || writer.random.once_in(8);
        let starts = match writer.random.below(8) {
            0..4 => writer.calls(),
            4..6 => writer.bursts(),
            6 => writer.chains(),
            _ => [writer.calls(), writer.bursts()].into_iter().flatten().collect(),
        };
        let ending = writer.ending(&starts);
        Self { seats, rooms, errands: writer.errands, starts, ending }
    }
}

struct Writer {
    random: Random,
    errands: Vec<Errand>,
    /// How many errands may still be written.
    left: usize,
    fails: bool,
    paddings: &'static [usize],
}

impl Writer {
    /// A few callers an end, whose responders do anything.
    fn calls(&mut self) -> Vec<Start> {
        self.left = 30;
        let mut starts = Vec::new();
        while self.left > 0 {
            let (seat, at) = (self.random.index(SEATS), self.a_while(20));
            let numbers = (0..1 + self.random.index(3)).filter_map(|_| self.errand(4)).collect();
            starts.push(Start { seat, at, numbers });
        }
        starts
    }

    /// Notifications, many in a row, and a few calls between them.
    fn bursts(&mut self) -> Vec<Start> {
        let longest = self.random.pick(&[10, 40, 150, 400]);
        let burst = |writer: &mut Self| {
            writer.left = 1 + writer.random.index(longest);
            let depth = if writer.random.once_in(4) { 2 } else { 0 };
            let mut numbers = Vec::new();
            while writer.left > 0 {
                let before = numbers.len();
                numbers.extend(writer.errand(depth));
                if let Some(number) = numbers.get(before)
                    && !writer.random.once_in(12)
                {
                    writer.errands[*number].notifies = true;
                }
            }
            Start { seat: writer.random.index(SEATS), at: writer.a_while(20), numbers }
        };
        (0..1 + self.random.index(3)).map(|_| burst(self)).collect()
    }

    /// Calls that are nested back and forth, as many at once as there are starts.
    fn chains(&mut self) -> Vec<Start> {
        let chain = |writer: &mut Self| {
            let mut inner = None;
            for _ in 0..2 + writer.random.below(14) {
                let steps = inner.map(Step::Send).into_iter().collect();
                inner = Some(writer.write(false, steps));
            }
            Start { seat: writer.random.index(SEATS), at: writer.a_while(3), numbers: inner.into_iter().collect() }
        };
        (0..1 + self.random.index(4)).map(|_| chain(self)).collect()
    }

    /// One errand with all that follows from it, as long as there may be more.
    fn errand(&mut self, depth: u32) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let mut steps = Vec::new();
        for _ in 0..self.random.index(4) {
            steps.extend(self.step(depth));
        }
        let notifies = self.random.once_in(4);
        Some(self.write(notifies, steps))
    }

    fn write(&mut self, notifies: bool, steps: Vec<Step>) -> usize {
        let via = self.random.pick(&[Via::Exposed, Via::Clone, Via::Client, Via::Weak, Via::SubTask, Via::Foreign]);
        let patience = match self.random.below(10) {
            0 => Patience::Limit(self.random.below(30)),
            1 => Patience::Leaves(self.a_while(20)),
            2 => Patience::Leaves(self.a_while(1)),
            _ => Patience::Endless,
        };
        let padding = self.random.pick(self.paddings);
        let outcome = match self.random.below(if self.fails { 12 } else { 24 }) {
            0 => Outcome::Refuses,
            1 if self.fails => Outcome::Fails,
            2 if self.fails => Outcome::Panics,
            _ => Outcome::Answers,
        };
        self.errands.push(Errand { notifies, via, patience, padding, steps, outcome });
        self.errands.len() - 1
    }

    fn a_while(&mut self, milliseconds: u64) -> While {
        let longest = self.random.pick(&[1, 10, 200]);
        While { milliseconds: self.random.below(milliseconds), yields: self.random.below(longest) }
    }

    fn step(&mut self, depth: u32) -> Option<Step> {
        let Some(depth) = depth.checked_sub(1) else {
            // So short that a whole burst, one after the other, is done within `close_timeout`.
            return Some(if self.random.once_in(2) { Step::Yield } else { Step::Sleep(self.random.below(6)) });
        };
        Some(match self.random.below(20) {
            0..4 => Step::Sleep(self.random.below(20)),
            4..6 => Step::Yield,
            6..14 => Step::Send(self.errand(depth)?),
            14..17 => Step::Both(self.errand(depth)?, self.errand(depth)?),
            17..19 => Step::Detach(self.errand(depth)?),
            _ if self.random.once_in(6) => Step::Close,
            _ => Step::Yield,
        })
    }

    fn ending(&mut self, starts: &[Start]) -> Option<Ending> {
        let how = match self.random.below(12) {
            0..3 => How::Closes,
            3..6 => How::Drops,
            6 => How::BothClose,
            7 => How::Aborts,
            8..10 => How::IsCut,
            _ => How::IsCutOff,
        };
        // When somebody begins to send, so that much is on its way.
        let start = starts[self.random.index(starts.len())].at.milliseconds;
        let longest = self.random.pick(&[10, 50, 300]);
        let at = While { milliseconds: start, yields: self.random.below(longest) };
        let ending = Ending { at, seat: self.random.index(SEATS), how };
        (!self.random.once_in(4)).then_some(ending)
    }
}
