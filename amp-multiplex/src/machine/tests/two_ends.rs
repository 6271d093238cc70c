use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use crate::machine::{Read, Received, RemoteClose, Shutdown, StreamMachine, WindowBounds};

const BOUNDS: WindowBounds = WindowBounds { initial: 3000, max: 20_000 };
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
    Close(Shutdown),
}

/// Both ends of a stream and what is on its way between them.
struct Pair {
    ends: [StreamMachine<u32>; 2],
    /// From each end to the other.
    wires: [VecDeque<Message>; 2],
    written: [Vec<u8>; 2],
    read: [Vec<u8>; 2],
    saw_end: [bool; 2],
    finished: [bool; 2],
    abandoned: [bool; 2],
    told: [Vec<Shutdown>; 2],
    out: [Vec<(u32, usize, Instant)>; 2],
    acknowledged: HashSet<u32>,
    acks: u32,
    now: Instant,
}

impl Pair {
    fn new(half_close: bool) -> Self {
        let end = || StreamMachine::new(half_close, BOUNDS, CAP);
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
            acknowledged: HashSet::new(),
            acks: 0,
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
            assert!(end.in_flight() <= BOUNDS.max + 256, "more is in flight than the window allows");
        }
    }

    fn write(&mut self, at: usize, bytes: usize) {
        let Some(room) = self.ends[at].capacity(usize::MAX, self.now) else { return };
        let bytes = bytes.min(room);
        if bytes == 0 || self.abandoned[at] {
            return;
        }
        let data: Vec<u8> = (self.written[at].len()..).map(|n| n.to_le_bytes()[0]).take(bytes).collect();
        self.written[at].extend(&data);
        self.ends[at].sent(bytes);
        self.acks += 1;
        self.out[at].push((self.acks, bytes, self.now));
        self.wires[at].push_back(Message::Data(data.into(), self.acks));
    }

    fn read_at(&mut self, at: usize, bytes: usize) {
        if self.abandoned[at] {
            return;
        }
        match self.ends[at].read(bytes.max(1)) {
            Read::Data(data, ack) => {
                assert!(!self.saw_end[at], "bytes after the end");
                self.read[at].extend(&data);
                ack.into_iter().for_each(|ack| self.answer(at, ack));
            }
            Read::Finished => self.saw_end[at] = true,
            Read::Truncated => panic!("nothing was lost"),
            Read::Pending => {}
        }
    }

    fn answer(&mut self, at: usize, ack: u32) {
        assert!(self.acknowledged.insert(ack), "an acknowledgement came out twice");
        self.wires[at].push_back(Message::Answer(ack));
    }

    fn finish(&mut self, at: usize) {
        // With an old peer, only what was drained is finished.
        if self.abandoned[at] || (!self.ends[at].state().half_close() && self.ends[at].in_flight() > 0) {
            return;
        }
        self.finished[at] = true;
        let shutdown = self.ends[at].send_close();
        self.tell(at, shutdown);
    }

    fn abandon(&mut self, at: usize) {
        self.abandoned[at] = true;
        let (acks, shutdown) = self.ends[at].abandon();
        acks.into_iter().for_each(|ack| self.answer(at, ack));
        self.tell(at, shutdown);
    }

    fn tell(&mut self, at: usize, shutdown: Option<Shutdown>) {
        self.told[at].extend(shutdown);
        self.wires[at].extend(shutdown.map(Message::Close));
    }

    fn arrive(&mut self, from: usize) {
        let (to, Some(message)) = (1 - from, self.wires[from].pop_front()) else { return };
        let half_close = self.ends[to].state().half_close();
        match message {
            Message::Data(data, ack) => match self.ends[to].receive(data, ack, usize::MAX) {
                Received::Buffered => {}
                Received::Acknowledge(ack) | Received::Refuse(ack) => self.answer(to, ack),
                Received::Overrun(_) => panic!("a peer that waits for answers went over the cap"),
            },
            Message::Answer(ack) => {
                let at = self.out[to].iter().position(|out| out.0 == ack).expect("an answer to what is out");
                let (_, bytes, sent) = self.out[to].remove(at);
                self.ends[to].acknowledged(bytes, sent, self.now);
            }
            Message::Close(Shutdown::Write) if half_close => self.ends[to].recv_close(RemoteClose::Half),
            Message::Close(_) => self.ends[to].recv_close(RemoteClose::Full),
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
        assert_eq!(self.acknowledged.len(), self.acks as usize, "an acknowledgement was lost");
        for at in 0..2 {
            let (ours, other) = (&self.written[at], 1 - at);
            let theirs = &self.read[other];
            assert!(ours.starts_with(theirs), "bytes are out of order");
            let cut = self.abandoned[other] || (!self.ends[other].state().half_close() && self.finished[other]);
            assert!(cut || ours.len() == theirs.len(), "{} of {} bytes came", theirs.len(), ours.len());
            assert_eq!(self.ends[at].in_flight(), 0, "answered bytes count as on their way");
            let told = &self.told[at];
            assert!(
                matches!(told[..], [] | [_] | [Shutdown::Write, Shutdown::Both]),
                "the end was told more than once: {told:?}"
            );
            if self.finished[at] || self.abandoned[at] {
                assert!(self.abandoned[other] || self.saw_end[other], "the other end does not know");
            }
        }
        if self.ends[0].state().is_closed() || self.ends[1].state().is_closed() {
            assert!(
                self.ends[0].state().is_closed() && self.ends[1].state().is_closed(),
                "only one end knows that it is over"
            );
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

    /// In order and complete, every acknowledgement once, within window and limit, every close told once.
    #[test]
    fn two_ends_agree_whatever_they_do(half_close: bool, steps in proptest::collection::vec(step(), 0..120)) {
        let mut pair = Pair::new(half_close);
        steps.iter().for_each(|step| pair.step(step));
        pair.settle();
        pair.check();
    }

    #[test]
    fn two_ends_that_are_both_dropped_leave_nothing(half_close: bool, steps in proptest::collection::vec(step(), 0..60)) {
        let mut pair = Pair::new(half_close);
        steps.iter().for_each(|step| pair.step(step));
        (0..2).for_each(|at| pair.step(&Step::Abandon(at)));
        pair.settle();
        pair.check();
        prop_assert!(pair.ends.iter().all(|end| end.state().is_closed()));
    }
}
