//! What is in front of a barrier and behind it, against a list of boxes with their places.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::end::number_in;
use crate::memory::Account;
use crate::packet::{SentBox, put_ask_with};
use crate::proto::{
    AddKeys, Appended, Attachment, Attachments, ConnectionState, Lane, Limits, Outgoing, ReplyTo, Request, Untyped,
    Upgrade,
};
use crate::reason::CloseReason;
use crate::wire::{AmpBox, BoxDecoder, BoxLimits};

#[derive(Clone, Copy, Debug)]
enum Operation {
    Ask(Encodes),
    Answer(Encodes),
    Attach,
    AskToReplace(Encodes),
    PeerAsks,
    Accept(Encodes),
    Refuse(Encodes),
    PeerAgrees,
    PeerRefuses,
    GiveUp,
    Take,
    Replace,
    FailToWrite,
}

/// How the encoding of a box ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encodes {
    Whole,
    Nothing,
    /// In the middle of the box.
    Panics,
}

fn operation() -> impl Strategy<Value = Operation> {
    let encodes = || prop_oneof![4 => Just(Encodes::Whole), 1 => Just(Encodes::Nothing), 1 => Just(Encodes::Panics)];
    prop_oneof![
        8 => encodes().prop_map(Operation::Ask),
        8 => encodes().prop_map(Operation::Answer),
        6 => Just(Operation::Attach),
        4 => encodes().prop_map(Operation::AskToReplace),
        4 => Just(Operation::PeerAsks),
        6 => encodes().prop_map(Operation::Accept),
        8 => encodes().prop_map(Operation::Refuse),
        4 => Just(Operation::PeerAgrees),
        2 => Just(Operation::PeerRefuses),
        1 => Just(Operation::GiveUp),
        6 => Just(Operation::Take),
        6 => Just(Operation::Replace),
        1 => Just(Operation::FailToWrite),
    ]
}

/// A box that waits to be written.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    number: u64,
    /// In bytes.
    length: usize,
    /// The transport that it is written to, counted from 0.
    transport: usize,
    is_attached: bool,
}

/// One end, and what is expected of it.
struct Scene {
    state: ConnectionState<u64>,
    now: Instant,
    outbound_high_water: usize,
    last_number: u64,
    waiting: Vec<Waiting>,
    transport: usize,
    /// The box that the barrier is behind.
    barrier: Option<u64>,
    has_failed: bool,
    /// Those that were taken to be written.
    taken: BTreeSet<u64>,
    /// The asks, with their tags.
    asks: Vec<(u64, u64)>,
    /// As many as there are attachments, and one.
    attached: Arc<()>,
}

impl Scene {
    fn new(outbound_high_water: usize) -> Self {
        let limits = Limits {
            boxes: BoxLimits::DEFAULT,
            max_calls: 1000,
            outbound_high_water,
            max_outbound: usize::MAX,
            announces: true,
        };
        let mut state = ConnectionState::new(limits, &Account::unshared());
        let first = {
            let mut greeting = AmpBox::new();
            greeting.insert("_amp", "1 goodbye").expect("a short value");
            let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
            let mut bytes = Vec::new();
            greeting.encode(&mut bytes);
            decoder.buffer().extend_from_slice(&bytes);
            decoder.next_box().expect("a box").expect("a whole box")
        };
        state.sending().hear(Some(first.pairs()));
        state.transport().set_carries(Some(|_| true));
        state.sending().add_keys(Box::new(AddKey));
        Self {
            state,
            now: Instant::now(),
            outbound_high_water,
            last_number: 0,
            waiting: Vec::new(),
            transport: 0,
            barrier: None,
            has_failed: false,
            taken: BTreeSet::new(),
            asks: Vec::new(),
            attached: Arc::default(),
        }
    }

    fn run(&mut self, operation: Operation) {
        let upgrade = self.state.upgrade();
        match operation {
            Operation::Ask(encodes) => {
                self.ask(encodes, |state, ask, request| state.append(ask, request, None).expect("it fits").0)
            }
            Operation::Attach => self.attach(),
            Operation::AskToReplace(encodes) if upgrade.is_none() => {
                let before = self.last_number;
                self.ask(encodes, |state, ask, request| state.transport().ask(ask, request, None).expect("it fits").0);
                self.barrier = Some(self.last_number).filter(|last| *last > before);
            }
            Operation::Answer(encodes) => {
                let now = self.now;
                self.put(encodes, |state, put| {
                    assert!(matches!(state.append_answer(put, || now), Appended::Queued(_)));
                });
            }
            Operation::PeerAsks => assert_eq!(self.state.transport().stop_reading(), upgrade.is_none()),
            Operation::Accept(encodes) => {
                let (before, mut is_put) = (self.waiting.len(), false);
                if upgrade == Upgrade::Stopped {
                    self.put(encodes, |state, put| is_put = state.transport().accept(put).0);
                    assert_eq!(is_put, self.waiting.len() > before);
                    self.barrier = Some(self.last_number).filter(|_| is_put);
                } else {
                    assert!(!self.state.transport().accept(|_| panic!("no ask is to be answered")).0);
                }
            }
            Operation::Refuse(encodes) => {
                self.put(encodes, |state, put| {
                    state.transport().refuse(put);
                });
                if let Some(refusal) = self.waiting.last().copied().filter(|_| encodes == Encodes::Whole)
                    && let Upgrade::Asked { .. } = upgrade
                {
                    // Behind the last of those that the old transport has.
                    self.waiting.pop();
                    let at = self.waiting.partition_point(|waiting| waiting.transport == self.transport);
                    self.waiting.insert(at, Waiting { transport: self.transport, ..refusal });
                }
            }
            Operation::PeerAgrees if matches!(upgrade, Upgrade::Asked { .. }) => {
                self.state.transport().agree();
            }
            Operation::PeerRefuses if matches!(upgrade, Upgrade::Asked { .. }) => self.keep(),
            Operation::GiveUp if upgrade == Upgrade::Stopped => self.keep(),
            Operation::Take => self.take(),
            Operation::Replace => {
                let is_written = self.waiting.iter().all(|waiting| waiting.transport > self.transport);
                let is_due = upgrade == Upgrade::Agreed && is_written;
                assert_eq!(self.state.transport().is_due(), is_due);
                if is_due {
                    self.transport += 1;
                    let before = self.state.transport().carrier();
                    self.state.transport().set_carries(Some(|_| true));
                    self.state.transport().end();
                    assert!(
                        !self.state.transport().is_written_by(before),
                        "another transport may carry something else"
                    );
                    self.barrier = None;
                }
            }
            Operation::FailToWrite if !self.has_failed => {
                self.has_failed = true;
                assert!(self.state.write_failed(CloseReason::Aborted, self.now, self.now).is_some());
                drop(self.state.discard_outbound());
                self.waiting.clear();
            }
            _ => {}
        }
        self.check();
    }

    /// The transport is not replaced.
    fn keep(&mut self) {
        self.state.transport().end();
        self.waiting.iter_mut().for_each(|waiting| waiting.transport = self.transport);
        self.barrier = None;
    }

    fn ask(
        &mut self,
        encodes: Encodes,
        append: impl FnOnce(&mut ConnectionState<u64>, &dyn Outgoing, &Request<'_, u64>) -> Option<u64>,
    ) {
        let number = self.last_number + 1;
        let request =
            Request { lane: Lane::Callback, wants_answer: true, deadline: None, reply_to: ReplyTo::Waiter(&number) };
        if encodes == Encodes::Whole {
            let tag = append(&mut self.state, &Untyped(b"Ask", numbered(number)), &request);
            self.asks.push((tag.expect("it wants an answer"), number));
            self.appended();
        } else {
            let tag = catch_unwind(AssertUnwindSafe(|| append(&mut self.state, &Panicking, &request)));
            assert!(tag.is_err(), "the encoding panics");
        }
    }

    fn attach(&mut self) {
        let mut attachments = vec![Attachment::new(Arc::clone(&self.attached))];
        let carrier = self.state.transport().carrier();
        let carries = self.state.transport().is_written_by(carrier);
        assert_eq!(carries, self.barrier.is_none(), "what the next transport carries is not known");
        if carries {
            self.ask(Encodes::Whole, |state, ask, request| {
                state.transport().append_attached(ask, request, None, &mut attachments).expect("it fits").0
            });
            self.waiting.last_mut().expect("it was appended").is_attached = true;
        }
    }

    fn put(&mut self, encodes: Encodes, append: impl FnOnce(&mut ConnectionState<u64>, &mut dyn FnMut(&mut Vec<u8>))) {
        let number = self.last_number + 1;
        let mut put = |buffer: &mut Vec<u8>| match encodes {
            Encodes::Whole => numbered(number).encode(buffer),
            Encodes::Nothing => {}
            Encodes::Panics => panic_within(buffer),
        };
        let appended = catch_unwind(AssertUnwindSafe(|| append(&mut self.state, &mut put)));
        assert_eq!(appended.is_err(), encodes == Encodes::Panics);
        if encodes == Encodes::Whole {
            self.appended();
        }
    }

    fn appended(&mut self) {
        self.last_number += 1;
        let transport = self.transport + usize::from(self.barrier.is_some());
        let others: usize = self.waiting.iter().map(|waiting| waiting.length).sum();
        let length = self.state.sending().outbound().len() - others;
        self.waiting.push(Waiting { number: self.last_number, length, transport, is_attached: false });
    }

    /// A turn of the driver.
    fn take(&mut self) {
        if self.has_failed {
            drop(self.state.discard_outbound());
            self.waiting.clear();
            return;
        }
        let (mut bytes, mut woken) = (Vec::new(), Vec::new());
        let mut attachments = Attachments::default();
        let is_taken = self.state.sending().take(&mut bytes, &mut attachments, &mut woken);
        let count = self.waiting.partition_point(|waiting| waiting.transport == self.transport);
        let expected: Vec<_> = self.waiting.drain(..count).collect();
        assert_eq!(is_taken, count > 0);
        check_bytes(&bytes, attachments, &expected);
        self.taken.extend(expected.iter().map(|waiting| waiting.number));
    }

    fn check(&mut self) {
        assert_eq!(self.state.sending().outbound().is_empty(), self.waiting.is_empty());
        let length: usize = self.waiting.iter().map(|waiting| waiting.length).sum();
        assert_eq!(self.state.sending().has_room(), length < self.outbound_high_water, "{length} bytes wait");
        let attached = self.waiting.iter().filter(|waiting| waiting.is_attached).count();
        assert_eq!(Arc::strong_count(&self.attached), attached + 1, "attachments live as long as they may be sent");
        for (tag, number) in &self.asks {
            assert_eq!(self.state.sending().has_left(*tag), self.taken.contains(number), "{number}");
        }
        let last = self.asks.last().map_or(1, |(tag, _)| *tag);
        let is_out = [last, last + 1].map(|tag| self.state.transport().is_out(tag));
        assert_eq!(is_out, [!self.asks.is_empty(), false], "no answer has come");
    }

    /// The connection ends.
    fn end(mut self, reason: CloseReason) {
        let (lets_write, says_goodbye) = (reason.lets_write() && !self.has_failed, reason.goodbye().is_some());
        self.state.end(reason, self.now);
        let count = self.waiting.partition_point(|waiting| waiting.transport == self.transport);
        let is_cut = count < self.waiting.len();
        self.waiting.truncate(count);
        if lets_write {
            self.taken.extend(self.waiting.iter().map(|waiting| waiting.number));
        } else {
            assert!(self.state.sending().outbound().is_empty(), "what has not left is never written");
            self.waiting.clear();
        }
        for (tag, number) in &self.asks {
            let has_left = self.state.sending().has_left(*tag);
            assert_eq!(has_left, self.taken.contains(number), "{number}: what has not left is known not to have");
        }
        if says_goodbye && !self.has_failed {
            let place = |number| self.waiting.iter().position(|waiting| waiting.number == number);
            let at = self.barrier.map_or(Some(count), place);
            at.into_iter().for_each(|at| {
                self.waiting
                    .insert(at, Waiting { number: 0, length: 0, transport: self.transport, is_attached: false });
            });
        }
        let last = self.state.seal();
        assert_eq!(last.is_cut, is_cut && lets_write);
        if !self.has_failed {
            check_bytes(&last.bytes, last.attachments, &self.waiting);
        }
        // A driver that is dropped seals once more.
        assert!(self.state.seal().bytes.is_empty(), "the last bytes are taken once");
    }
}

/// The bytes are those boxes, and the attachments go with their first bytes.
fn check_bytes(bytes: &[u8], mut attachments: Attachments, expected: &[Waiting]) {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(bytes);
    let mut at = 0;
    for waiting in expected {
        let raw = decoder.next_box().expect("boxes").expect("as many as there are");
        assert_eq!(number_in(&raw), waiting.number);
        assert!(waiting.number == 0 || raw.as_bytes().len() == waiting.length);
        let has_key = raw.pairs().any(|(key, _)| key == b"_added");
        assert_eq!(has_key, waiting.number > 0, "keys are added to all but the reason of the end");
        let is_attached = attachments.first().is_some_and(|(offset, _)| offset == at);
        assert_eq!(is_attached, waiting.is_attached, "an attachment goes with its box");
        if is_attached {
            drop(attachments.take_first());
        }
        at += raw.as_bytes().len();
    }
    assert_eq!(at, bytes.len());
    assert!(attachments.is_empty());
}

fn numbered(number: u64) -> AmpBox {
    let mut numbered = AmpBox::new();
    numbered.insert("n", number.to_string().into_bytes()).expect("a short value");
    numbered
}

struct AddKey;

impl AddKeys for AddKey {
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        assert!(ask.add("_added", b"") && ask.value(b"_command").is_some());
    }

    fn add_to_reply(&self, reply: &mut SentBox<'_>) {
        assert!(reply.add("_added", b"") && reply.value(b"_command").is_none());
    }
}

/// An ask whose encoding panics in the middle.
struct Panicking;

impl Outgoing for Panicking {
    fn check(&self) -> Result<(), crate::value::EncodeError> {
        Ok(())
    }

    fn put(
        &self,
        buffer: &mut Vec<u8>,
        _: Option<crate::packet::Tag>,
        _: BoxLimits,
        _: Option<crate::exposed::ContextRef<'_>>,
    ) -> Result<(), crate::value::EncodeError> {
        panic_within(buffer);
        Ok(())
    }
}

fn panic_within(buffer: &mut Vec<u8>) {
    // Without a word of the panic hook.
    let encode = |_: &mut crate::value::BoxWriter<'_>| resume_unwind(Box::new(()));
    let _ = put_ask_with(buffer, None, "Panics", encode, BoxLimits::DEFAULT, None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_panics_or_comes_late_each_box_goes_once_in_its_order_to_its_transport(
        outbound_high_water in prop_oneof![1..400_usize, Just(1 << 20)],
        operations in vec(operation(), 0..120),
        reason in prop_oneof![
            Just(CloseReason::Aborted),
            Just(CloseReason::UnknownAnswer),
            Just(CloseReason::DriverDropped),
        ],
    ) {
        let mut scene = Scene::new(outbound_high_water);
        for operation in operations {
            scene.run(operation);
        }
        scene.end(reason);
    }
}
