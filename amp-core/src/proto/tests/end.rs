use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::memory::Account;
use crate::packet::{AskTag, Packet, put_answer};
use crate::proto::{
    Appended, Attachments, ConnectionState, Lane, Limits, Lost, Outgoing, ReplyTo, Request, SinkReply, TimerKey,
    Untyped,
};
use crate::reason::CloseReason;
use crate::sample_commands::Item;
use crate::tags::Progress;
use crate::wire::{AmpBox, BoxDecoder, BoxLimits, RawBox};

const DRIVER: u64 = u64::MAX;

/// One end, as the connection and its users drive it: nothing has a turn unless it was woken.
pub(super) struct End {
    pub(super) state: ConnectionState<u64>,
    now: Instant,
    next: u64,
    /// Those that wait for room or for an answer, by what wakes them.
    pub(super) users: BTreeMap<u64, User>,
    /// The asks that are out and whose answers go to a sink of the same number, with their tags.
    pub(super) sinks: BTreeMap<u64, u64>,
    /// Those that never left, as their sinks were told.
    pub(super) unsent: Vec<u64>,
    woken: BTreeSet<u64>,
    is_driver_woken: bool,
    alarm: Option<Instant>,
    /// What was written and the other end has not read.
    wire: Vec<u8>,
    decoder: BoxDecoder,
    has_first_box: bool,
    /// The numbers of the asks that were appended, and of those that came from the other end.
    sent: Vec<u64>,
    pub(super) received: Vec<u64>,
    /// The last number that was sent in a lane that keeps its order.
    last: [u64; 2],
    unanswered: Vec<(Vec<u8>, u64)>,
    is_sealed: bool,
    /// How much has happened.
    pub(super) steps: usize,
}

pub(super) struct User {
    lane: Lane,
    wants_answer: bool,
    ask: Untyped<'static>,
    deadline: Option<Instant>,
    ticket: Option<u64>,
    timer: Option<TimerKey>,
    tag: Option<u64>,
}

impl End {
    pub(super) fn new(max_calls: usize, outbound_high_water: usize, announces: bool) -> Self {
        let boxes = BoxLimits::DEFAULT;
        Self {
            state: ConnectionState::new(
                Limits { boxes, max_calls, outbound_high_water, max_outbound: usize::MAX, announces },
                &Account::unshared(),
            ),
            now: Instant::now(),
            next: 0,
            users: BTreeMap::new(),
            sinks: BTreeMap::new(),
            unsent: Vec::new(),
            woken: BTreeSet::new(),
            is_driver_woken: true,
            alarm: None,
            wire: Vec::new(),
            decoder: BoxDecoder::new(boxes),
            has_first_box: false,
            sent: Vec::new(),
            received: Vec::new(),
            last: [0; 2],
            unanswered: Vec::new(),
            is_sealed: false,
            steps: 0,
        }
    }

    pub(super) fn send(&mut self, lane: Lane, wants_answer: bool, length: usize, patience: Option<u64>) {
        self.next += 1;
        let mut arguments = AmpBox::new();
        arguments.insert("n", self.next.to_string().into_bytes()).expect("a short value");
        arguments.insert("x", vec![0; length]).expect("a short value");
        let deadline = patience.map(|seconds| self.now + Duration::from_secs(seconds));
        let ask = Untyped(b"Sum", arguments);
        let user = User { lane, wants_answer, ask, deadline, ticket: None, timer: None, tag: None };
        self.users.insert(self.next, user);
        self.poll(self.next);
    }

    /// A user that was woken looks again.
    pub(super) fn poll_one(&mut self, pick: usize) {
        if let Some(number) = nth(self.woken.iter().copied(), pick) {
            self.woken.remove(&number);
            self.steps += 1;
            self.poll(number);
        }
    }

    fn poll(&mut self, number: u64) {
        let Some(mut user) = self.users.remove(&number) else { return };
        if !match user.tag {
            Some(tag) => self.poll_answer(number, tag),
            None => self.poll_sent(number, &mut user),
        } {
            self.users.insert(number, user);
        }
    }

    /// Whether the user is done.
    fn poll_answer(&mut self, number: u64, tag: u64) -> bool {
        match self.state.sending().poll_answer(tag, &number) {
            Progress::Pending(_) => return false,
            Progress::Answered(reply) => {
                assert_eq!(number_in_answer(&reply.raw), number, "an answer went to another call");
            }
            Progress::Expired => {}
            Progress::Lost => assert!(self.is_over(), "{number} was lost"),
        }
        true
    }

    /// As the connection sends. Whether the user is done.
    fn poll_sent(&mut self, number: u64, user: &mut User) -> bool {
        let (lane, is_late) = (user.lane, user.deadline.is_some_and(|deadline| deadline <= self.now));
        if self.state.refusal(!lane.is_limited()).is_some() || (is_late && user.timer.is_some()) {
            self.leave(user);
            return true;
        }
        if !self.state.sending().admits(lane, user.ticket) {
            user.ticket = Some(self.state.sending().wait(lane, user.ticket, &number).0);
            if let Some(deadline) = user.deadline {
                let (timer, [_, driver]) = self.state.wait_until(deadline, user.timer, &number);
                user.timer = Some(timer);
                self.wake(driver);
            }
            return false;
        }
        let (wants_answer, deadline) = (user.wants_answer, user.deadline);
        // Every other one of those that may.
        let has_sink = lane == Lane::Bulk && wants_answer && number & 1 == 0;
        let reply_to = if has_sink { ReplyTo::Sink(&number) } else { ReplyTo::Waiter(&number) };
        let request = Request { lane, wants_answer, deadline, reply_to };
        let (tag, driver) = self.state.append(&user.ask as &dyn Outgoing, &request, None).expect("it fits");
        self.wake(driver);
        self.sent.push(number);
        if matches!(lane, Lane::Call | Lane::Notify) {
            assert!(!self.state.is_closing(), "only callbacks and bulk go out while closing");
            let last = &mut self.last[usize::from(lane == Lane::Notify)];
            assert!(number > *last, "{number} was before {last}");
            *last = number;
        }
        self.leave(user);
        user.tag = tag.filter(|_| !has_sink);
        self.sinks.extend(tag.filter(|_| has_sink).map(|tag| (number, tag)));
        user.tag.is_none()
    }

    fn leave(&mut self, user: &mut User) {
        if let Some(ticket) = user.ticket.take() {
            if let Some(timer) = user.timer.take() {
                let waits = self.state.leave_timer(timer).is_some();
                let is_due = user.deadline.is_some_and(|deadline| deadline <= self.now);
                assert!(waits || is_due || self.state.refusal(false).is_some(), "it waited for its deadline");
            }
            let [_, next] = self.state.sending().leave(user.lane, ticket);
            self.wake(next);
        }
    }

    /// A user has lost its interest.
    pub(super) fn drop_one(&mut self, pick: usize) {
        let Some(number) = nth(self.users.keys().copied(), pick) else { return };
        let Some(mut user) = self.users.remove(&number) else { return };
        self.woken.remove(&number);
        self.leave(&mut user);
        if let Some(tag) = user.tag {
            let ([_, driver], sink) = self.state.abandon(tag);
            assert_eq!(sink, None);
            self.wake(driver);
        }
    }

    /// A sink has lost its interest.
    pub(super) fn abandon_one(&mut self, pick: usize) {
        let Some(number) = nth(self.sinks.keys().copied(), pick) else { return };
        let Some(tag) = self.sinks.remove(&number) else { return };
        let is_out = self.state.sending().is_for_sink(tag);
        assert!(is_out || self.is_over());
        let ([waiter, driver], sink) = self.state.abandon(tag);
        assert_eq!((waiter, sink), (None, Some(number).filter(|_| is_out)));
        if is_out {
            self.wake(driver);
        } else {
            // It is told of the end all the same: that was before.
            self.sinks.insert(number, tag);
        }
    }

    /// Replies go to their sinks, once, in the order in which they came.
    fn hand_over(&mut self, replies: Vec<SinkReply<u64>>, came: &[Option<u64>]) {
        let mut came = came.iter();
        for SinkReply { sink, tag, reply } in replies {
            assert_eq!(self.sinks.remove(&sink), Some(tag), "a sink that waits for nothing");
            assert!(came.any(|came| *came == Some(tag)), "{tag} is not in its order");
            assert_eq!(number_in_answer(&reply.raw), sink, "an answer went to another sink");
        }
    }

    /// The sinks that are left learn of the end, once, in the order in which they were sent with.
    fn lose_sinks(&mut self) {
        let lost = self.state.sending().take_lost();
        assert!(lost.is_sorted_by_key(|lost| lost.tag));
        for SinkReply { sink, tag, reply: Lost { sent } } in lost {
            assert_eq!(self.sinks.remove(&sink), Some(tag), "a sink that waits for nothing");
            self.unsent.extend(Some(sink).filter(|_| !sent));
        }
        assert!(self.sinks.is_empty(), "{:?} were not told", self.sinks);
    }

    fn wake(&mut self, woken: impl IntoIterator<Item = u64>) {
        for number in woken {
            if number == DRIVER {
                self.is_driver_woken = true;
            } else if self.users.contains_key(&number) {
                self.woken.insert(number);
            }
        }
    }

    /// A turn of the driver, if it was woken or its alarm has gone off.
    pub(super) fn turn(&mut self) {
        let is_due = self.alarm.is_some_and(|alarm| alarm <= self.now);
        if self.is_sealed || !(std::mem::take(&mut self.is_driver_woken) || is_due) {
            return;
        }
        self.steps += 1;
        let (mut bytes, mut woken) = (Vec::new(), Vec::new());
        self.state.greet_if_due();
        self.state.sending().forget_promises();
        let taken = self.state.sending().take(&mut bytes, &mut Attachments::default(), &mut woken);
        let comes_back = self.state.sending().is_room_waited_for() || taken;
        let _ = self.state.sleep(&DRIVER, comes_back);
        let now = self.now;
        self.alarm = self.state.expire(|| now, &mut woken);
        let is_idle = !taken && self.unanswered.is_empty();
        let is_over = self.state.end_turn(|| is_idle, &mut woken);
        self.wake(woken);
        self.is_driver_woken |= comes_back;
        self.wire.extend(bytes);
        if is_over {
            self.lose_sinks();
            self.wire.extend(self.state.seal().bytes);
            self.is_sealed = true;
        }
    }

    /// Reads what the other end has written.
    pub(super) fn read_from(&mut self, other: &mut Self) {
        if self.is_over() || (other.wire.is_empty() && !other.is_sealed) {
            return;
        }
        self.steps += 1;
        self.decoder.buffer().extend_from_slice(&std::mem::take(&mut other.wire));
        let (mut replies, mut woken) = (Vec::new(), Vec::new());
        while let Some(raw) = self.decoder.next_box().expect("boxes") {
            if !std::mem::replace(&mut self.has_first_box, true) {
                woken.extend(self.state.sending().hear(Some(raw.pairs())));
            }
            match Packet::parse(raw).expect("a packet") {
                Packet::Reply { tag, reply } => replies.push((tag, reply)),
                Packet::Ask { ask, tag } => {
                    self.receive(&ask.raw);
                    self.unanswered.extend(tag.map(|tag| (tag.as_bytes().to_vec(), number_in(&ask.raw))));
                }
                Packet::Marked { ask, tag } => {
                    self.receive(&ask.raw);
                    self.unanswered.push((tag.as_bytes().to_vec(), 0));
                }
            }
        }
        let (came, mut for_sinks): (Vec<_>, _) = (replies.iter().map(|(tag, _)| *tag).collect(), Vec::new());
        let unknown = self.state.deliver(replies.into_iter(), &mut woken, &mut for_sinks);
        assert_eq!(unknown, 0, "an answer to a tag that is not out");
        self.hand_over(for_sinks, &came);
        self.is_driver_woken = true;
        if other.is_sealed {
            woken.extend(self.state.end(CloseReason::ClosedByPeer, self.now));
        }
        self.wake(woken);
        assert!(other.sent.starts_with(&self.received), "what was sent comes, in its order");
    }

    /// Greetings and the reason of an end have no number.
    fn receive(&mut self, raw: &RawBox) {
        self.received.extend(Some(number_in(raw)).filter(|number| *number > 0));
    }

    pub(super) fn answer_one(&mut self, pick: usize) {
        if self.unanswered.is_empty() {
            return;
        }
        self.steps += 1;
        let (tag, number) = self.unanswered.swap_remove(pick % self.unanswered.len());
        let (now, item) = (self.now, Item { a: i64::try_from(number).expect("a small number"), b: None });
        let put = |buffer: &mut Vec<u8>| {
            put_answer(buffer, &AskTag::of(&tag), &item, BoxLimits::DEFAULT, None).expect("a short answer");
        };
        match self.state.append_answer(put, || now) {
            Appended::Queued(driver) => self.wake(driver),
            Appended::Sealed => assert!(self.is_sealed),
            Appended::Overflowed(_) => panic!("there is no limit here"),
        }
        if self.unanswered.is_empty() && self.state.is_closing() {
            let driver = self.state.wake_driver();
            self.wake(driver);
        }
    }

    pub(super) fn pass_time(&mut self) {
        self.now += Duration::from_secs(1);
    }

    pub(super) fn close(&mut self) {
        let until = self.now + Duration::from_secs(1000);
        let woken = self.state.close(CloseReason::Closed, until, until);
        self.wake(woken.into_iter().flatten());
    }

    pub(super) fn abort(&mut self) {
        let woken = self.state.abort(CloseReason::Aborted, self.now);
        self.wake(woken);
        self.check_all_are_told();
    }

    pub(super) fn is_over(&self) -> bool {
        self.state.over().is_some()
    }

    /// What is over has woken all that wait.
    pub(super) fn check_all_are_told(&self) {
        if self.is_over() {
            for (number, user) in &self.users {
                assert!(self.woken.contains(number), "{number} waits in {:?} for what is over", user.lane);
            }
        }
    }

    /// Whether anything waits that nothing holds back.
    pub(super) fn check_nobody_waits_in_vain(&mut self) {
        self.check_all_are_told();
        self.check_the_driver_comes_in_time();
        for lane in [Lane::Call, Lane::Notify] {
            let mut waiting = self.users.iter().filter(|(_, user)| user.lane == lane && user.ticket.is_some());
            let Some((number, first)) = waiting.next() else { continue };
            let is_admitted = self.state.refusal(false).is_none() && self.state.sending().admits(lane, first.ticket);
            assert!(!is_admitted || self.woken.contains(number), "{number} waits in {lane:?} and has all it needs");
        }
    }

    /// The driver has a turn before any deadline passes unseen.
    fn check_the_driver_comes_in_time(&self) {
        if self.is_driver_woken || self.is_over() {
            return;
        }
        for (number, user) in self.users.iter().filter(|(number, _)| !self.woken.contains(number)) {
            let waits_until = user.deadline.filter(|_| user.timer.is_some() || user.tag.is_some());
            let comes = waits_until.is_none_or(|until| self.alarm.is_some_and(|alarm| alarm <= until));
            assert!(comes, "{number} is not told that its time is up");
        }
    }

    pub(super) fn do_all(&mut self) {
        self.turn();
        (0..self.unanswered.len()).for_each(|_| self.answer_one(0));
        (0..self.woken.len()).for_each(|_| self.poll_one(0));
    }

    pub(super) fn check_all_came(&self, from: &Self) {
        assert_eq!(self.received, from.sent, "what was sent has come");
    }
}

pub(super) fn number_in(raw: &RawBox) -> u64 {
    let number =
        raw.pairs().find(|(key, _)| *key == b"n").map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    number.map_or(0, |number| number.parse().expect("a number"))
}

fn number_in_answer(raw: &RawBox) -> u64 {
    let (_, value) = raw.pairs().last().expect("the number");
    String::from_utf8_lossy(value).parse().expect("a number")
}

fn nth<T>(mut all: impl ExactSizeIterator<Item = T>, pick: usize) -> Option<T> {
    if all.len() == 0 { None } else { all.nth(pick % all.len()) }
}
