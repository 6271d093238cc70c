use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Tags, held, item, packets, progress};
use crate::packet::{AskTag, Packet, Tag, put_answer, put_ask_box};
use crate::wire::{AmpBox, BoxLimits};

/// One end: its own calls, and the peer's asks that it has not answered.
struct End {
    tags: Tags<u64>,
    outbound: Vec<u8>,
    unanswered: Vec<Vec<u8>>,
    /// Calls whose caller waits.
    waiting: Vec<u64>,
    /// Calls whose caller was woken and has not looked yet.
    woken: BTreeSet<u64>,
}

impl End {
    fn new() -> Self {
        let (outbound, unanswered, waiting) = (vec![], vec![], vec![]);
        Self { tags: Tags::new(), outbound, unanswered, waiting, woken: BTreeSet::new() }
    }

    fn ask(&mut self) {
        let tag = self.tags.next_tag();
        put_ask_box(&mut self.outbound, Some(Tag::of(tag)), b"Sum", AmpBox::new(), BoxLimits::DEFAULT).expect("an ask");
        self.tags.ask(tag, None, false);
        self.waiting.push(tag);
    }

    fn answer(&mut self, pick: usize) {
        if !self.unanswered.is_empty() {
            let tag = self.unanswered.swap_remove(pick % self.unanswered.len());
            let number = Tag::parse(&tag).expect("a tag of ours");
            put_answer(&mut self.outbound, &AskTag::of(&tag), &item(number), BoxLimits::DEFAULT, None)
                .expect("a short answer");
        }
    }

    fn abandon(&mut self, pick: usize) {
        if !self.waiting.is_empty() {
            let tag = self.waiting.swap_remove(pick % self.waiting.len());
            self.tags.abandon(tag);
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        for packet in packets(bytes) {
            match packet {
                Packet::Ask { tag, .. } => self.unanswered.push(tag.expect("a tag").as_bytes().to_vec()),
                Packet::Marked { .. } => panic!("nothing is marked here"),
                Packet::Reply { tag, reply } => {
                    let tag = tag.expect("a tag of ours");
                    let waiter = self.tags.wakes(tag, reply).expect("a tag that is out");
                    assert_eq!(waiter.is_some(), self.waiting.contains(&tag), "who waits is woken, who left is not");
                    self.woken.extend(waiter);
                }
            }
        }
    }

    /// Those who were woken take their answers.
    fn take(&mut self) {
        for tag in std::mem::take(&mut self.woken) {
            if let Some(at) = self.waiting.iter().position(|waiting| *waiting == tag) {
                self.waiting.swap_remove(at);
                assert_eq!(progress(&mut self.tags, tag), format!("answered {tag}"));
            }
        }
    }
}

fn deliver(ends: &mut [End; 2], from: usize) {
    let bytes = std::mem::take(&mut ends[from].outbound);
    ends[1 - from].receive(&bytes);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_ends_against_each_other_answer_every_call_once(
        operations in vec((0..2_usize, 0..6_u8, any::<usize>()), 0..600),
    ) {
        let mut ends = [End::new(), End::new()];
        for (at, operation, pick) in operations {
            match operation {
                0 | 1 => ends[at].ask(),
                2 => ends[at].answer(pick),
                3 => ends[at].abandon(pick),
                4 => deliver(&mut ends, at),
                _ => ends[at].take(),
            }
        }
        (0..2).for_each(|from| deliver(&mut ends, from));
        for end in &mut ends {
            (0..end.unanswered.len()).for_each(|_| end.answer(0));
        }
        (0..2).for_each(|from| deliver(&mut ends, from));
        for end in &mut ends {
            end.take();
            prop_assert!(end.waiting.is_empty(), "calls {:?} have no answer", end.waiting);
            prop_assert!(!end.tags.is_awaited());
            prop_assert_eq!(held(&end.tags), (0, 0, 0));
        }
    }
}
