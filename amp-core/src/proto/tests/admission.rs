//! The lanes and the outbound buffer, against lists of what waits and counts of what there is.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use crate::proto::Attachments;
use crate::proto::admission::{Admission, Lane};
use crate::proto::credit::Credit;
use crate::proto::outbound::Outbound;

/// The part of bulk in the buffer.
const MAX_BULK: usize = 98_304;

const LANES: [Lane; 4] = [Lane::Call, Lane::Notify, Lane::Callback, Lane::Bulk];

#[derive(Clone, Copy, Debug)]
enum Operation {
    Append(usize),
    AppendBulk { length: usize, times: usize },
    Take,
    Discard,
    ForgetPromises,
    Promise,
    Wait(Lane),
    WaitAgain { pick: usize, is_same: bool },
    WaitForRoom(u64),
    Leave(usize),
    Ask,
    Answer,
    BeginCredit(bool),
    Mark,
    AnswerMark,
}

fn operation() -> impl Strategy<Value = Operation> {
    let small = || prop_oneof![Just(1_usize), Just(40), Just(80), Just(150)];
    let large = || prop_oneof![Just(65_536_usize), Just(MAX_BULK)];
    let length = || prop_oneof![4 => small(), 1 => large()];
    let lane =
        prop_oneof![1 => Just(Lane::Call), 1 => Just(Lane::Notify), 1 => Just(Lane::Callback), 3 => Just(Lane::Bulk)];
    prop_oneof![
        6 => length().prop_map(Operation::Append),
        5 => (length(), Just(1)).prop_map(|(length, times)| Operation::AppendBulk { length, times }),
        1 => Just(Operation::AppendBulk { length: 1, times: 60 }),
        4 => Just(Operation::Take),
        1 => Just(Operation::Discard),
        3 => Just(Operation::ForgetPromises),
        6 => Just(Operation::Promise),
        14 => lane.prop_map(Operation::Wait),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(pick, is_same)| Operation::WaitAgain { pick, is_same }),
        4 => (0..4_u64).prop_map(Operation::WaitForRoom),
        6 => any::<usize>().prop_map(Operation::Leave),
        3 => Just(Operation::Ask),
        3 => Just(Operation::Answer),
        1 => any::<bool>().prop_map(Operation::BeginCredit),
        2 => Just(Operation::Mark),
        1 => Just(Operation::AnswerMark),
    ]
}

/// What there is, in bytes, and what is promised of it.
struct Buffer {
    mark: usize,
    length: usize,
    promised: usize,
    bulk: usize,
    bulk_promised: usize,
    usual: usize,
    others: usize,
}

impl Buffer {
    /// Half of the buffer at most, and at least 96 KiB of that or what other boxes took the turn before.
    fn max_bulk(&self) -> usize {
        self.others.max(MAX_BULK).min(self.mark / 2).max(1)
    }

    fn has_room(&self) -> bool {
        self.length < self.mark
    }

    fn empty(&mut self) {
        self.others = self.length - self.bulk;
        (self.length, self.bulk) = (0, 0);
    }
}

struct Scene {
    admission: Admission<u64>,
    outbound: Outbound,
    max_calls: usize,
    buffer: Buffer,
    out: usize,
    is_given: Option<bool>,
    marks: usize,
    next_waiter: u64,
    waiting: [BTreeMap<u64, u64>; 4],
    /// The tickets of bulk that was woken and has not left, and the first that was woken since promises were forgotten.
    woken: BTreeSet<u64>,
    first_woken: Option<u64>,
    room: Vec<u64>,
}

impl Scene {
    fn new(mark: usize, max_calls: usize) -> Self {
        let (length, promised, bulk, bulk_promised, others) = (0, 0, 0, 0, 0);
        Self {
            admission: Admission::new(max_calls, Credit::default()),
            outbound: Outbound::new(mark),
            max_calls,
            buffer: Buffer { mark, length, promised, bulk, bulk_promised, usual: MAX_BULK / 4, others },
            out: 0,
            is_given: None,
            marks: 0,
            next_waiter: 1000,
            waiting: Default::default(),
            woken: BTreeSet::new(),
            first_woken: None,
            room: Vec::new(),
        }
    }

    fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Append(length) => self.append(length),
            Operation::AppendBulk { length, times } => {
                for _ in 0..times {
                    let start = self.outbound.end();
                    self.append(length);
                    self.outbound.added_bulk(start);
                    self.buffer.bulk += length;
                    let faded = self.buffer.usual - self.buffer.usual / 8;
                    self.buffer.usual = length.max(faded);
                }
            }
            Operation::Take => {
                let mut taken = Vec::new();
                self.outbound.take(&mut taken, &mut Attachments::default(), 1);
                assert_eq!(taken.len(), self.buffer.length);
                self.buffer.empty();
            }
            Operation::Discard => {
                self.outbound.discard();
                self.buffer.empty();
            }
            Operation::ForgetPromises => {
                self.admission.forget_promises(&mut self.outbound);
                (self.buffer.promised, self.buffer.bulk_promised) = (0, 0);
                self.first_woken = None;
            }
            Operation::Promise => self.promise(),
            Operation::Wait(lane) => {
                let waiter = self.new_waiter();
                let (ticket, before) = self.admission.wait(lane, None, &waiter);
                assert!(before.is_none() && self.lane(lane).last_key_value().is_none_or(|(last, _)| *last < ticket));
                self.lane_mut(lane).insert(ticket, waiter);
            }
            Operation::WaitAgain { pick, is_same } => self.wait_again(pick, is_same),
            Operation::WaitForRoom(waiter) => {
                self.admission.wait_for_room(&waiter);
                if !self.room.contains(&waiter) {
                    self.room.push(waiter);
                }
            }
            Operation::Leave(pick) => {
                if let Some((lane, ticket)) = self.pick(pick) {
                    let left = self.lane_mut(lane).remove(&ticket);
                    assert_eq!(self.admission.leave(lane, ticket), left);
                    self.woken.remove(&ticket);
                }
            }
            Operation::Ask => self.out += 1,
            Operation::Answer => self.out = self.out.saturating_sub(1),
            Operation::BeginCredit(is_given) => {
                self.admission.credit().begin(is_given);
                self.is_given = Some(is_given);
            }
            Operation::Mark => {
                self.admission.credit().sent(0, true);
                self.marks += 1;
            }
            Operation::AnswerMark => {
                self.admission.credit().answered(1);
                self.marks = self.marks.saturating_sub(1);
            }
        }
        self.check();
    }

    fn append(&mut self, length: usize) {
        self.outbound.buffer().resize(self.buffer.length + length, 0);
        self.buffer.length += length;
    }

    /// Callbacks have room before those without a place, and bulk has its own.
    fn promise(&mut self) {
        let (mut expected, mut woken) = (Vec::new(), Vec::new());
        while self.buffer.length + self.buffer.promised < self.buffer.mark {
            let callback = self.lane_mut(Lane::Callback).pop_first().map(|(_, waiter)| waiter);
            let Some(next) = callback.or_else(|| (!self.room.is_empty()).then(|| self.room.remove(0))) else { break };
            expected.push(next);
            self.buffer.promised += (self.buffer.mark / 16).max(1);
        }
        while self.buffer.bulk + self.buffer.bulk_promised < self.buffer.max_bulk() {
            let Some((ticket, next)) = self.lane_mut(Lane::Bulk).pop_first() else { break };
            expected.push(next);
            self.woken.insert(ticket);
            self.first_woken = Some(self.first_woken.map_or(ticket, |first| first.min(ticket)));
            self.buffer.bulk_promised += self.buffer.usual.max(64);
        }
        self.admission.promise_room(&mut self.outbound, &mut woken);
        assert_eq!(woken, expected, "room is promised in the order of coming, and no more than there is");
    }

    fn wait_again(&mut self, pick: usize, is_same: bool) {
        let Some((lane, ticket)) = self.pick(pick) else { return };
        let before = self.lane(lane).get(&ticket).copied();
        let waiter = before.filter(|_| is_same).unwrap_or_else(|| self.new_waiter());
        let replaced = before.filter(|before| *before != waiter);
        assert_eq!(self.admission.wait(lane, Some(ticket), &waiter), (ticket, replaced));
        self.lane_mut(lane).insert(ticket, waiter);
    }

    fn check(&self) {
        for lane in LANES {
            self.check_lane(lane, None);
            self.lane(lane).keys().for_each(|ticket| self.check_lane(lane, Some(*ticket)));
        }
        self.woken.iter().for_each(|ticket| self.check_lane(Lane::Bulk, Some(*ticket)));
        let first = |lane| {
            let is_let = self.has_what_it_needs(lane);
            self.lane(lane).first_key_value().map(|(_, waiter)| *waiter).filter(|_| is_let)
        };
        assert_eq!(self.admission.next_call(&self.outbound, self.out), first(Lane::Call));
        assert_eq!(self.admission.next_notification(&self.outbound), first(Lane::Notify));
        let is_room_waited_for =
            !(self.lane(Lane::Callback).is_empty() && self.lane(Lane::Bulk).is_empty() && self.room.is_empty());
        assert_eq!(self.admission.is_room_waited_for(), is_room_waited_for);
    }

    fn check_lane(&self, lane: Lane, ticket: Option<u64>) {
        let first = self.lane(lane).keys().next();
        let is_first = first.is_none_or(|first| ticket.is_some_and(|ticket| ticket <= *first));
        let was_woken = ticket.zip(self.first_woken).is_some_and(|(ticket, first)| ticket >= first);
        let is_late = lane == Lane::Bulk && is_first && was_woken;
        let is_late_let = is_late && self.buffer.bulk < 2 * self.buffer.max_bulk();
        let expected = (self.has_what_it_needs(lane) && (is_first || lane == Lane::Callback)) || is_late_let;
        let admits = self.admission.admits(lane, ticket, &self.outbound, self.out);
        assert_eq!(admits, expected, "{lane:?} with the ticket {ticket:?}");
    }

    fn has_what_it_needs(&self, lane: Lane) -> bool {
        match lane {
            Lane::Call => self.buffer.has_room() && self.out < self.max_calls,
            Lane::Notify => {
                let has_credit = if self.is_given.is_some() { self.marks < 2 } else { self.buffer.length < 65_536 };
                self.buffer.has_room() && has_credit
            }
            Lane::Callback => self.buffer.has_room(),
            Lane::Bulk => self.buffer.bulk < self.buffer.max_bulk(),
        }
    }

    /// One that waits, or bulk that was woken and waits on.
    fn pick(&self, pick: usize) -> Option<(Lane, u64)> {
        let waiting = LANES.into_iter().flat_map(|lane| self.lane(lane).keys().map(move |ticket| (lane, *ticket)));
        let woken = self.woken.iter().map(|ticket| (Lane::Bulk, *ticket));
        let all: Vec<_> = waiting.chain(woken).collect();
        (!all.is_empty()).then(|| all[pick % all.len()])
    }

    fn new_waiter(&mut self) -> u64 {
        self.next_waiter += 1;
        self.next_waiter
    }

    fn lane(&self, lane: Lane) -> &BTreeMap<u64, u64> {
        &self.waiting[lane as usize]
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut BTreeMap<u64, u64> {
        &mut self.waiting[lane as usize]
    }

    /// The connection ends.
    fn end(mut self) {
        let mut woken = Vec::new();
        self.admission.clear(&mut woken);
        woken.sort_unstable();
        let mut all: Vec<_> = self.waiting.iter().flat_map(|waiting| waiting.values().copied()).collect();
        all.append(&mut self.room);
        all.sort_unstable();
        assert_eq!(woken, all, "all that wait are woken, once");
        assert!(!self.admission.is_room_waited_for());
    }
}

#[test]
fn bulk_that_was_woken_finds_room_until_there_is_twice_its_part() {
    let mut scene = Scene::new(160, 1);
    for operation in [Operation::Wait(Lane::Bulk), Operation::Promise, Operation::AppendBulk { length: 80, times: 2 }] {
        scene.run(operation);
    }
}

proptest! {
    #[test]
    fn each_lane_lets_out_what_its_limit_allows_and_the_first_of_it_is_never_refused_that(
        mark in prop_oneof![1..4_usize, Just(160), Just(1600), Just(2 * MAX_BULK), Just(1 << 20)],
        max_calls in 1..4_usize,
        operations in vec(operation(), 0..80),
    ) {
        let mut scene = Scene::new(mark, max_calls);
        for operation in operations {
            scene.run(operation);
        }
        scene.end();
    }
}
