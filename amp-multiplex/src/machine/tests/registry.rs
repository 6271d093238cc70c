use amp_core::{RawValue, Value};
use bytes::Bytes;
use proptest::prelude::*;

use crate::commands::Id;
use crate::machine::{Ended, Known, Registry};

type Streams = Registry<u8, u32>;

fn data(bytes: usize) -> Bytes {
    Bytes::from(vec![0; bytes])
}

#[test]
fn ids_are_32_hex_digits_and_distinct() {
    let ids: std::collections::HashSet<_> = (0..1000).map(|_| format!("{:?}", Id::random())).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit())));
}

#[test]
fn an_unknown_id_is_early_only_while_a_connect_is_out() {
    let mut registry = Streams::new(10, 1000);
    assert!(matches!(registry.find(&Id::random()), Known::Unknown));
    let connect = registry.connect(0).expect("a place");
    assert!(matches!(registry.find(&Id::random()), Known::Early));
    registry.connected(connect, None);
    assert!(matches!(registry.find(&Id::random()), Known::Unknown));
    assert!(registry.is_empty());
}

#[test]
fn what_came_early_goes_to_its_stream_in_order() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    let connect = registry.connect(0).expect("a place");
    registry.keep_early(&id, data(3), 1).expect("kept");
    registry.keep_early(&id, data(4), 2).expect("kept");
    registry.end_early(&id, Ended::Half);
    let (early, lost) = registry.connected(connect, Some(&id));
    assert_eq!(early.data, [(data(3), 1), (data(4), 2)]);
    assert_eq!((early.ended, early.overrun, lost), (Some(Ended::Half), false, vec![]));
    assert!(registry.is_empty());
}

#[test]
fn a_full_end_that_came_early_is_not_taken_back_by_a_half_one() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    let connect = registry.connect(0).expect("a place");
    registry.end_early(&id, Ended::Full);
    registry.end_early(&id, Ended::Half);
    assert_eq!(registry.connected(connect, Some(&id)).0.ended, Some(Ended::Full));
}

#[test]
fn a_stream_of_which_too_much_came_early_is_known_to_be_not_whole() {
    let (mut registry, id) = (Streams::new(10, 2300), Id::random());
    let connect = registry.connect(0).expect("a place");
    let (other, short) = (registry.connect(0).expect("a place"), Id::random());
    registry.keep_early(&id, data(600), 1).expect("kept");
    registry.keep_early(&short, data(300), 2).expect("kept");
    assert_eq!(registry.keep_early(&id, data(200), 3), Err(3));
    assert_eq!(registry.keep_early(&id, data(1), 4), Err(4), "bytes after lost ones");
    registry.keep_early(&short, data(100), 5).expect("room for a stream that is whole");
    let (early, _) = registry.connected(connect, Some(&id));
    assert!(early.overrun);
    assert_eq!(early.data, [(data(600), 1)]);
    let (early, _) = registry.connected(other, Some(&short));
    assert!(!early.overrun);
    assert_eq!(early.data.len(), 2);
    assert!(registry.is_empty());
}

#[test]
fn what_comes_early_behind_an_early_end_is_not_kept_and_breaks_nothing() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    let connect = registry.connect(0).expect("a place");
    registry.keep_early(&id, data(3), 1).expect("kept");
    registry.end_early(&id, Ended::Full);
    assert_eq!(registry.keep_early(&id, data(3), 2), Err(2));
    assert_eq!(registry.keep_early(&id, data(3000), 3), Err(3));
    let (early, _) = registry.connected(connect, Some(&id));
    assert_eq!((early.data, early.ended, early.overrun), (vec![(data(3), 1)], Some(Ended::Full), false));
}

#[test]
fn what_is_unknown_is_refused_if_the_peer_is_ours_or_this_end_has_ended_and_opened_nothing() {
    let id = Id::random();
    let after = |step: fn(&mut Streams, &Id)| {
        let mut registry = Streams::new(10, 1000);
        step(&mut registry, &id);
        let unannounced = registry.refuses();
        registry.meet(true);
        registry.meet(false);
        assert!(registry.refuses(), "the peer has announced itself once");
        unannounced
    };
    assert!(after(|_, _| ()));
    assert!(after(|registry, id| registry.insert(id.clone(), 1)), "a stream that the peer has opened");
    assert!(after(|registry, id| assert!(registry.remove(id, |_| true).is_none())), "one that the peer has ended");
    assert!(!after(|registry, _| assert!(registry.connect(0).is_some())), "the peer may have opened and ended it");
    assert!(!after(|registry, id| assert!(registry.leave(id, |_| true).is_none())));
    assert!(after(|registry, _| drop(registry.connected(1, None))), "a Connect that was refused opened nothing");
    assert!(!after(|registry, id| drop(registry.connected(1, Some(id)))));
    assert!(!after(|registry, id| {
        registry.leave(id, |_| true);
        registry.left(id);
    }));
}

#[test]
fn a_long_id_that_came_early_counts_for_the_memory_it_holds() {
    let (mut registry, long) = (Streams::new(10, 5000), |n: u8| Id::decode(RawValue::new(&[n; 1000])).expect("an id"));
    let connect = registry.connect(0).expect("a place");
    let kept = (0..100).filter(|n| registry.keep_early(&long(*n), data(1), 1).is_ok()).count();
    assert_eq!(kept, 3, "ids of 1,000 bytes under a cap of 5,000");
    assert_eq!(registry.connected(connect, Some(&long(0))).0.data.len(), 1);
    assert!(registry.is_empty());
}

#[test]
fn ids_are_equal_when_their_bytes_are_however_long_they_are() {
    for length in [0, 1, 32, 37, 38, 39, 64, 65, 65_535] {
        let [one, same, other] = [1, 1, 2].map(|n| Id::decode(RawValue::new(&vec![n; length])).expect("an id"));
        let mut registry = Streams::new(10, 1000);
        registry.insert(one, 1);
        assert!(registry.has(&same), "{length}");
        assert_eq!(registry.has(&other), length == 0, "{length}");
    }
}

#[test]
fn a_connect_that_was_given_up_leaves_its_place_and_bytes_may_still_come_for_it() {
    let (mut registry, id) = (Streams::new(1, 1000), Id::random());
    let connect = registry.connect(0).expect("a place");
    assert!(registry.connect(0).is_none());
    registry.give_up(connect);
    let second = registry.connect(0).expect("a place");
    assert!(registry.connect(0).is_none());
    registry.keep_early(&id, data(1), 1).expect("kept");
    assert_eq!(registry.connected(connect, Some(&id)).0.data.len(), 1);
    registry.connected(second, None);
    assert!(registry.is_empty());
}

#[test]
fn what_came_for_nobody_is_let_go_though_there_is_always_a_connect_out() {
    let mut registry = Streams::new(10, 1500);
    let mut out = registry.connect(0).expect("a place");
    registry.keep_early(&Id::random(), data(900), 1).expect("kept");
    let mut let_go = Vec::new();
    for _ in 0..3 {
        let next = registry.connect(0).expect("a place");
        let_go.extend(registry.connected(out, None).1);
        out = next;
    }
    assert_eq!(let_go, [1]);
    registry.keep_early(&Id::random(), data(900), 2).expect("there is room again");
}

#[test]
fn what_came_early_waits_for_the_last_connect_that_was_out_then() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    let (first, second) = (registry.connect(0).expect("a place"), registry.connect(0).expect("a place"));
    registry.keep_early(&id, data(5), 1).expect("kept");
    assert_eq!(registry.connected(second, None).1, Vec::<u32>::new());
    assert_eq!(registry.connected(first, Some(&id)).0.data, [(data(5), 1)]);
}

#[test]
fn early_data_counts_for_the_memory_it_holds() {
    let mut registry = Streams::new(1000, 10_000);
    let connect = registry.connect(0).expect("a place");
    let id = Id::random();
    assert_eq!(registry.keep_early(&id, data(0), 0), Err(0), "nothing to keep");
    let kept = (0..1000).filter(|n| registry.keep_early(&id, data(1), *n).is_ok()).count();
    assert!(kept < 10_000 / 200, "{kept} single bytes were kept under a cap of 10,000");
    registry.connected(connect, Some(&id));
    assert!(registry.is_empty());
}

#[test]
fn when_there_is_no_place_for_more_ids_no_stream_has_a_hole() {
    let mut registry = Streams::new(1000, 10_000);
    let (first, second) = (registry.connect(0).expect("a place"), registry.connect(0).expect("a place"));
    assert!((0..100).any(|_| !registry.end_early(&Id::random(), Ended::Full)), "there is a place for each");
    let late = Id::random();
    assert_eq!(registry.keep_early(&late, data(1), 7), Err(7));
    let third = registry.connect(0).expect("a place");
    assert!(registry.connected(second, Some(&late)).0.overrun);
    assert!(!registry.connected(third, Some(&Id::random())).0.overrun, "it was asked for later");
    registry.connected(first, None);
    assert!(registry.is_empty());
}

#[test]
fn only_the_stream_that_has_the_id_is_forgotten() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    registry.insert(id.clone(), 2);
    assert_eq!(registry.remove(&id, |stream| *stream == 1), None);
    assert_eq!(registry.leave(&id, |stream| *stream == 1), None);
    assert!(matches!(registry.find(&id), Known::Stream(2)));
    assert_eq!(registry.remove(&id, |stream| *stream == 2), Some(2));
}

#[test]
fn an_id_is_free_again_when_the_peer_knows_that_its_stream_is_over() {
    let (mut registry, id) = (Streams::new(10, 1000), Id::random());
    assert!(!registry.has(&id));
    registry.insert(id.clone(), 1);
    assert!(registry.has(&id));
    assert_eq!(registry.leave(&id, |_| true), Some(1));
    assert!(matches!(registry.find(&id), Known::Unknown));
    assert!(registry.has(&id));
    registry.left(&id);
    assert!(matches!(registry.find(&id), Known::Unknown));
    assert!(!registry.has(&id));
}

#[test]
fn every_connect_in_either_direction_takes_a_place() {
    let mut registry = Streams::new(3, 1000);
    let connect = registry.connect(0).expect("a place");
    assert!(registry.reserve(0));
    assert_eq!((registry.connect(1), registry.reserve(1)), (None, false), "one stream is alive");
    registry.connected(connect, None);
    assert!(registry.reserve(1));
    registry.unreserve();
    registry.unreserve();
    registry.insert(Id::random(), 1);
    assert_eq!(registry.clear(), [1]);
    assert!(registry.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// However Connects, early bytes and their answers mix, each receipt comes out once and nothing stays.
    #[test]
    fn early_receipts_come_out_once(steps in proptest::collection::vec((0..4_u8, 0..6_usize), 0..80)) {
        let (mut registry, ids) = (Streams::new(4, 1500), [(); 6].map(|()| Id::random()));
        let (mut out, mut sent, mut back) = (Vec::new(), 0, Vec::new());
        for (step, which) in steps {
            match step {
                0 => out.extend(registry.connect(0)),
                1 if !out.is_empty() => {
                    let connect = out.swap_remove(which % out.len());
                    let (early, lost) = registry.connected(connect, (which % 2 == 0).then_some(&ids[which]));
                    back.extend(lost);
                    back.extend(early.data.into_iter().map(|(_, receipt)| receipt));
                }
                2 if matches!(registry.find(&ids[which]), Known::Early) => {
                    registry.end_early(&ids[which], Ended::Half);
                }
                _ if matches!(registry.find(&ids[which]), Known::Early) => {
                    sent += 1;
                    back.extend(registry.keep_early(&ids[which], data(50), sent).err());
                }
                _ => {}
            }
        }
        out.into_iter().for_each(|connect| back.extend(registry.connected(connect, None).1));
        back.sort_unstable();
        prop_assert_eq!(back, (1..=sent).collect::<Vec<_>>());
        prop_assert!(registry.is_empty());
    }
}
