use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use crate::machine::{Bounds, Farewell, Read, Received, StreamState};

const BOUNDS: Bounds = Bounds { least: 3000, most: 20_000 };
const CAP: usize = 40_000;

#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Read(usize, usize),
    /// The next message from this end arrives.
    Arrive(usize),
    Finish(usize),
    Abandon(usize),
}

enum Message {
    Data(Bytes, u32),
    Answer(u32),
    Farewell(Farewell),
}

/// Both ends of a stream and what is on its way between them.
struct Pair {
    ends: [StreamState<u32>; 2],
    /// From each end to the other.
    wires: [VecDeque<Message>; 2],
    written: [Vec<u8>; 2],
    read: [Vec<u8>; 2],
    saw_end: [bool; 2],
    finished: [bool; 2],
    abandoned: [bool; 2],
    told: [Vec<Farewell>; 2],
    out: [Vec<(u32, usize, Instant)>; 2],
    answered: HashSet<u32>,
    receipts: u32,
    now: Instant,
}

impl Pair {
    fn new(half_close: bool) -> Self {
        let end = || StreamState::new(half_close, BOUNDS, CAP);
        Self {
            ends: [end(), end()],
            wires: Default::default(),
            written: Default::default(),
            read: Default::default(),
            saw_end: Default::default(),
            finished: Default::default(),
            abandoned: Default::default(),
            told: Default::default(),
            out: Default::default(),
            answered: HashSet::new(),
            receipts: 0,
            now: Instant::now(),
        }
    }

    fn step(&mut self, step: &Step) {
        self.now += Duration::from_millis(1);
        match *step {
            Step::Write(at, bytes) => self.write(at, bytes),
            Step::Read(at, bytes) => self.read_at(at, bytes),
            Step::Arrive(from) => self.arrive(from),
            Step::Finish(at) => self.finish(at),
            Step::Abandon(at) => self.abandon(at),
        }
        for end in &self.ends {
            assert!(end.in_flight() <= BOUNDS.most + 256, "more is on its way than the window allows");
        }
    }

    fn write(&mut self, at: usize, bytes: usize) {
        let Some(room) = self.ends[at].room(usize::MAX, self.now) else { return };
        let bytes = bytes.min(room);
        if bytes == 0 || self.abandoned[at] {
            return;
        }
        let data: Vec<u8> = (self.written[at].len()..).map(|n| n.to_le_bytes()[0]).take(bytes).collect();
        self.written[at].extend(&data);
        self.ends[at].sent(bytes);
        self.receipts += 1;
        self.out[at].push((self.receipts, bytes, self.now));
        self.wires[at].push_back(Message::Data(data.into(), self.receipts));
    }

    fn read_at(&mut self, at: usize, bytes: usize) {
        if self.abandoned[at] {
            return;
        }
        match self.ends[at].read(bytes.max(1)) {
            Read::Data(data, receipt) => {
                assert!(!self.saw_end[at], "bytes after the end");
                self.read[at].extend(&data);
                receipt.into_iter().for_each(|receipt| self.answer(at, receipt));
            }
            Read::End => self.saw_end[at] = true,
            Read::Broken => panic!("nothing was lost"),
            Read::Wait => {}
        }
    }

    fn answer(&mut self, at: usize, receipt: u32) {
        assert!(self.answered.insert(receipt), "a receipt was given back twice");
        self.wires[at].push_back(Message::Answer(receipt));
    }

    fn finish(&mut self, at: usize) {
        // With an old peer, only what was drained is finished.
        if self.abandoned[at] || (!self.ends[at].half_close() && self.ends[at].in_flight() > 0) {
            return;
        }
        self.finished[at] = true;
        let farewell = self.ends[at].finish();
        self.tell(at, farewell);
    }

    fn abandon(&mut self, at: usize) {
        self.abandoned[at] = true;
        let (receipts, farewell) = self.ends[at].abandon();
        receipts.into_iter().for_each(|receipt| self.answer(at, receipt));
        self.tell(at, farewell);
    }

    fn tell(&mut self, at: usize, farewell: Option<Farewell>) {
        self.told[at].extend(farewell);
        self.wires[at].extend(farewell.map(Message::Farewell));
    }

    fn arrive(&mut self, from: usize) {
        let (to, Some(message)) = (1 - from, self.wires[from].pop_front()) else { return };
        let half_close = self.ends[to].half_close();
        match message {
            Message::Data(data, receipt) => match self.ends[to].receive(data, receipt, usize::MAX) {
                Received::Kept => {}
                Received::Dropped(receipt) | Received::Refused(receipt) => self.answer(to, receipt),
                Received::Overrun(_) => panic!("a peer that waits for answers went over the cap"),
            },
            Message::Answer(receipt) => {
                let at = self.out[to].iter().position(|out| out.0 == receipt).expect("an answer to what is out");
                let (_, bytes, sent) = self.out[to].remove(at);
                self.ends[to].answered(bytes, sent, self.now);
            }
            Message::Farewell(Farewell::Half) if half_close => self.ends[to].peer_finished(),
            Message::Farewell(_) => self.ends[to].peer_gone(),
        }
    }

    /// Everything arrives and is read.
    fn settle(&mut self) {
        while !(self.wires.iter().all(VecDeque::is_empty) && self.idle()) {
            (0..2).for_each(|at| self.step(&Step::Arrive(at)));
            (0..2).for_each(|at| self.step(&Step::Read(at, usize::MAX)));
        }
    }

    fn idle(&mut self) -> bool {
        (0..2).all(|at| {
            let before = self.read[at].len();
            self.read_at(at, usize::MAX);
            self.read[at].len() == before
        }) && self.wires.iter().all(VecDeque::is_empty)
    }

    fn check(&self) {
        assert_eq!(self.answered.len(), self.receipts as usize, "a receipt was lost");
        for at in 0..2 {
            let (ours, other) = (&self.written[at], 1 - at);
            let theirs = &self.read[other];
            assert!(ours.starts_with(theirs), "bytes are out of order");
            let cut = self.abandoned[other] || (!self.ends[other].half_close() && self.finished[other]);
            assert!(cut || ours.len() == theirs.len(), "{} of {} bytes came", theirs.len(), ours.len());
            assert_eq!(self.ends[at].in_flight(), 0, "answered bytes count as on their way");
            let told = &self.told[at];
            assert!(
                matches!(told[..], [] | [_] | [Farewell::Half, Farewell::Full]),
                "the end was told more than once: {told:?}"
            );
            if self.finished[at] || self.abandoned[at] {
                assert!(self.abandoned[other] || self.saw_end[other], "the other end does not know");
            }
        }
        if self.ends[0].is_over() || self.ends[1].is_over() {
            assert!(self.ends[0].is_over() && self.ends[1].is_over(), "only one end knows that it is over");
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let end = 0..2_usize;
    prop_oneof![
        6 => (end.clone(), 0..5000_usize).prop_map(|(at, bytes)| Step::Write(at, bytes)),
        6 => (end.clone(), 0..5000_usize).prop_map(|(at, bytes)| Step::Read(at, bytes)),
        10 => end.clone().prop_map(Step::Arrive),
        1 => end.clone().prop_map(Step::Finish),
        1 => end.prop_map(Step::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// In order and complete, every receipt once, within window and cap, every end told once.
    #[test]
    fn two_ends_agree_whatever_they_do(half_close: bool, steps in proptest::collection::vec(step(), 0..120)) {
        let mut pair = Pair::new(half_close);
        steps.iter().for_each(|step| pair.step(step));
        pair.settle();
        pair.check();
    }

    #[test]
    fn two_ends_that_both_leave_leave_nothing(half_close: bool, steps in proptest::collection::vec(step(), 0..60)) {
        let mut pair = Pair::new(half_close);
        steps.iter().for_each(|step| pair.step(step));
        (0..2).for_each(|at| pair.step(&Step::Abandon(at)));
        pair.settle();
        pair.check();
        prop_assert!(pair.ends.iter().all(StreamState::is_over));
    }
}
