use amp_core::value::{RawValue, Value};
use bytes::Bytes;
use proptest::prelude::*;

use crate::commands::Id;
use crate::machine::{Lookup, Registry, RemoteClose};
use crate::meter::StreamMeter;

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
    let mut registry = Streams::new(10, 1000, StreamMeter::default());
    assert!(matches!(registry.find(&Id::random()), Lookup::Unknown));
    let connect = registry.send_connect(0).expect("room");
    assert!(matches!(registry.find(&Id::random()), Lookup::Early));
    registry.end_connect(connect, None);
    assert!(matches!(registry.find(&Id::random()), Lookup::Unknown));
    assert!(registry.is_empty());
}

#[test]
fn what_came_early_goes_to_its_stream_in_order() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    let connect = registry.send_connect(0).expect("room");
    registry.recv_early_data(&id, data(3), 1).expect("kept");
    registry.recv_early_data(&id, data(4), 2).expect("kept");
    registry.recv_early_close(&id, RemoteClose::Half);
    let (early, lost) = registry.end_connect(connect, Some(&id));
    assert_eq!(early.data, [(data(3), 1), (data(4), 2)]);
    assert_eq!((early.close, early.overrun, lost), (Some(RemoteClose::Half), false, vec![]));
    assert!(registry.is_empty());
}

#[test]
fn a_full_end_that_came_early_is_not_taken_back_by_a_half_one() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    let connect = registry.send_connect(0).expect("room");
    registry.recv_early_close(&id, RemoteClose::Full);
    registry.recv_early_close(&id, RemoteClose::Half);
    assert_eq!(registry.end_connect(connect, Some(&id)).0.close, Some(RemoteClose::Full));
}

#[test]
fn a_stream_of_which_too_much_came_early_is_not_whole() {
    let (mut registry, id) = (Streams::new(10, 2300, StreamMeter::default()), Id::random());
    let connect = registry.send_connect(0).expect("room");
    let (other, short) = (registry.send_connect(0).expect("room"), Id::random());
    registry.recv_early_data(&id, data(600), 1).expect("kept");
    registry.recv_early_data(&short, data(300), 2).expect("kept");
    assert_eq!(registry.recv_early_data(&id, data(200), 3), Err(3));
    assert_eq!(registry.recv_early_data(&id, data(1), 4), Err(4), "bytes after lost ones");
    registry.recv_early_data(&short, data(100), 5).expect("room for a stream that is whole");
    let (early, _) = registry.end_connect(connect, Some(&id));
    assert!(early.overrun);
    assert_eq!(early.data, [(data(600), 1)]);
    let (early, _) = registry.end_connect(other, Some(&short));
    assert!(!early.overrun);
    assert_eq!(early.data.len(), 2);
    assert!(registry.is_empty());
}

#[test]
fn what_comes_early_behind_an_early_end_is_not_kept_and_breaks_nothing() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    let connect = registry.send_connect(0).expect("room");
    registry.recv_early_data(&id, data(3), 1).expect("kept");
    registry.recv_early_close(&id, RemoteClose::Full);
    assert_eq!(registry.recv_early_data(&id, data(3), 2), Err(2));
    assert_eq!(registry.recv_early_data(&id, data(3000), 3), Err(3));
    let (early, _) = registry.end_connect(connect, Some(&id));
    assert_eq!((early.data, early.close, early.overrun), (vec![(data(3), 1)], Some(RemoteClose::Full), false));
}

#[test]
fn what_is_unknown_is_refused_if_the_peer_is_ours_or_this_end_has_closed_and_opened_nothing() {
    let id = Id::random();
    let after = |step: fn(&mut Streams, &Id)| {
        let mut registry = Streams::new(10, 1000, StreamMeter::default());
        step(&mut registry, &id);
        let unannounced = registry.refuses_unknown();
        registry.recv_announcement(true);
        registry.recv_announcement(false);
        assert!(registry.refuses_unknown(), "the peer has announced itself once");
        unannounced
    };
    assert!(after(|_, _| ()));
    assert!(after(|registry, id| assert!(registry.insert(id.clone(), 1))), "a stream that the peer has opened");
    assert!(after(|registry, id| assert!(registry.remove(id, |_| true).is_none())), "one that the peer has ended");
    assert!(!after(|registry, _| assert!(registry.send_connect(0).is_some())), "the peer may have opened and ended it");
    assert!(!after(|registry, id| assert!(registry.close(id, |_| true).is_none())));
    assert!(after(|registry, _| drop(registry.end_connect(1, None))), "a Connect that was refused opened nothing");
    assert!(!after(|registry, id| drop(registry.end_connect(1, Some(id)))));
    assert!(!after(|registry, id| {
        registry.close(id, |_| true);
        registry.closed(id);
    }));
}

#[test]
fn a_long_id_that_came_early_counts_for_the_memory_it_holds() {
    let (mut registry, long) =
        (Streams::new(10, 5000, StreamMeter::default()), |n: u8| Id::decode(RawValue::new(&[n; 1000])).expect("an id"));
    let connect = registry.send_connect(0).expect("room");
    let kept = (0..100).filter(|n| registry.recv_early_data(&long(*n), data(1), 1).is_ok()).count();
    assert_eq!(kept, 3, "ids of 1,000 bytes under a cap of 5,000");
    assert_eq!(registry.end_connect(connect, Some(&long(0))).0.data.len(), 1);
    assert!(registry.is_empty());
}

#[test]
fn ids_are_equal_when_their_bytes_are_however_long_they_are() {
    for length in [0, 1, 32, 37, 38, 39, 64, 65, 65_535] {
        let [one, same, other] = [1, 1, 2].map(|n| Id::decode(RawValue::new(&vec![n; length])).expect("an id"));
        let mut registry = Streams::new(10, 1000, StreamMeter::default());
        registry.insert(one, 1);
        assert!(registry.has(&same), "{length}");
        assert_eq!(registry.has(&other), length == 0, "{length}");
    }
}

#[test]
fn a_connect_that_was_abandoned_does_not_count_and_bytes_may_still_come_for_it() {
    let (mut registry, id) = (Streams::new(1, 1000, StreamMeter::default()), Id::random());
    let connect = registry.send_connect(0).expect("room");
    assert!(registry.send_connect(0).is_none());
    registry.abandon_connect(connect);
    let second = registry.send_connect(0).expect("room");
    assert!(registry.send_connect(0).is_none());
    registry.recv_early_data(&id, data(1), 1).expect("kept");
    assert_eq!(registry.end_connect(connect, Some(&id)).0.data.len(), 1);
    registry.end_connect(second, None);
    assert!(registry.is_empty());
}

#[test]
fn what_came_for_nobody_is_let_go_though_there_is_always_a_connect_out() {
    let mut registry = Streams::new(10, 1500, StreamMeter::default());
    let mut out = registry.send_connect(0).expect("room");
    registry.recv_early_data(&Id::random(), data(900), 1).expect("kept");
    let mut let_go = Vec::new();
    for _ in 0..3 {
        let next = registry.send_connect(0).expect("room");
        let_go.extend(registry.end_connect(out, None).1);
        out = next;
    }
    assert_eq!(let_go, [1]);
    registry.recv_early_data(&Id::random(), data(900), 2).expect("there is room again");
}

#[test]
fn what_came_early_waits_for_the_last_connect_that_was_out_then() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    let (first, second) = (registry.send_connect(0).expect("room"), registry.send_connect(0).expect("room"));
    registry.recv_early_data(&id, data(5), 1).expect("kept");
    assert_eq!(registry.end_connect(second, None).1, Vec::<u32>::new());
    assert_eq!(registry.end_connect(first, Some(&id)).0.data, [(data(5), 1)]);
}

#[test]
fn early_data_counts_for_the_memory_it_holds() {
    let mut registry = Streams::new(1000, 10_000, StreamMeter::default());
    let connect = registry.send_connect(0).expect("room");
    let id = Id::random();
    assert_eq!(registry.recv_early_data(&id, data(0), 0), Err(0), "nothing to keep");
    let kept = (0..1000).filter(|n| registry.recv_early_data(&id, data(1), *n).is_ok()).count();
    assert!(kept < 10_000 / 200, "{kept} single bytes were kept under a cap of 10,000");
    registry.end_connect(connect, Some(&id));
    assert!(registry.is_empty());
}

#[test]
fn when_there_is_no_room_for_more_ids_no_stream_has_a_hole() {
    let mut registry = Streams::new(1000, 10_000, StreamMeter::default());
    let (first, second) = (registry.send_connect(0).expect("room"), registry.send_connect(0).expect("room"));
    assert!((0..100).any(|_| !registry.recv_early_close(&Id::random(), RemoteClose::Full)), "there is room for each");
    let late = Id::random();
    assert_eq!(registry.recv_early_data(&late, data(1), 7), Err(7));
    let third = registry.send_connect(0).expect("room");
    assert!(registry.end_connect(second, Some(&late)).0.overrun);
    assert!(!registry.end_connect(third, Some(&Id::random())).0.overrun, "it was asked for later");
    registry.end_connect(first, None);
    assert!(registry.is_empty());
}

#[test]
fn only_the_stream_that_has_the_id_is_forgotten() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    registry.insert(id.clone(), 2);
    assert_eq!(registry.remove(&id, |stream| *stream == 1), None);
    assert_eq!(registry.close(&id, |stream| *stream == 1), None);
    assert!(matches!(registry.find(&id), Lookup::Stream(2)));
    assert_eq!(registry.remove(&id, |stream| *stream == 2), Some(2));
}

#[test]
fn an_id_is_free_again_when_the_peer_knows_that_its_stream_is_over() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    assert!(!registry.has(&id));
    registry.insert(id.clone(), 1);
    assert!(registry.has(&id));
    assert_eq!(registry.close(&id, |_| true), Some(1));
    assert!(matches!(registry.find(&id), Lookup::Unknown));
    assert!(registry.has(&id));
    registry.closed(&id);
    assert!(matches!(registry.find(&id), Lookup::Unknown));
    assert!(!registry.has(&id));
}

#[test]
fn late_bytes_for_a_stream_that_was_left_are_refused_to_a_new_peer_also_while_a_connect_is_out() {
    let (mut registry, id) = (Streams::new(10, 1000, StreamMeter::default()), Id::random());
    registry.recv_announcement(true);
    registry.insert(id.clone(), 1);
    let connect = registry.send_connect(1).expect("room");
    assert_eq!(registry.close(&id, |_| true), Some(1));
    assert!(matches!(registry.find(&id), Lookup::Unknown), "they are not kept for the stream that is opened");
    assert!(registry.refuses_unknown());
    registry.end_connect(connect, None);
    registry.closed(&id);
    assert!(matches!(registry.find(&id), Lookup::Unknown) && registry.refuses_unknown(), "also when the peer knows");
    assert!(registry.is_empty());
}

#[test]
fn every_connect_in_either_direction_counts_as_a_stream() {
    let mut registry = Streams::new(3, 1000, StreamMeter::default());
    let connect = registry.send_connect(0).expect("room");
    assert!(registry.recv_connect(0));
    assert_eq!((registry.send_connect(1), registry.recv_connect(1)), (None, false), "one stream is alive");
    registry.end_connect(connect, None);
    assert!(registry.recv_connect(1));
    registry.end_accepting();
    registry.end_accepting();
    registry.insert(Id::random(), 1);
    assert_eq!(registry.clear(), [1]);
    assert!(registry.is_empty());
}

#[test]
fn what_is_open_is_counted_without_what_is_closing_and_debug_shows_each_count() {
    let (mut registry, [open, closing, also_open]) =
        (Streams::new(10, 1000, StreamMeter::default()), [(); 3].map(|()| Id::random()));
    registry.insert(open, 1);
    registry.insert(also_open, 2);
    registry.close(&closing, |_| true);
    assert_eq!(registry.len(), 2);
    for _ in 0..2 {
        assert!(registry.recv_connect(2));
        registry.send_connect(2).expect("room");
    }
    for _ in 0..3 {
        registry.recv_early_close(&Id::random(), RemoteClose::Half);
    }
    let shown = "Registry { streams: 2, closing: 1, connecting: 2, accepting: 2, early: 3 }";
    assert_eq!(format!("{registry:?}"), shown);
}

#[test]
fn early_bytes_of_exactly_the_limit_are_kept() {
    let exact = 2 * 256 + 100;
    for (max, kept) in [(exact, true), (exact - 1, false)] {
        let (mut registry, id) = (Streams::new(10, max, StreamMeter::default()), Id::random());
        let connect = registry.send_connect(0).expect("room");
        assert_eq!(registry.recv_early_data(&id, data(100), 1).is_ok(), kept);
        assert_eq!(registry.end_connect(connect, Some(&id)).0.overrun, !kept);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    /// However Connects, early bytes and their answers mix, each acknowledgement comes out once and nothing stays.
    #[test]
    fn early_acknowledgements_come_out_once(steps in proptest::collection::vec((0..4_u8, 0..6_usize), 0..80)) {
        let (mut registry, ids) = (Streams::new(4, 1500, StreamMeter::default()), [(); 6].map(|()| Id::random()));
        let (mut out, mut sent, mut back) = (Vec::new(), 0, Vec::new());
        for (step, which) in steps {
            match step {
                0 => out.extend(registry.send_connect(0)),
                1 if !out.is_empty() => {
                    let connect = out.swap_remove(which % out.len());
                    let (early, lost) = registry.end_connect(connect, (which % 2 == 0).then_some(&ids[which]));
                    back.extend(lost);
                    back.extend(early.data.into_iter().map(|(_, ack)| ack));
                }
                2 if matches!(registry.find(&ids[which]), Lookup::Early) => {
                    registry.recv_early_close(&ids[which], RemoteClose::Half);
                }
                _ if matches!(registry.find(&ids[which]), Lookup::Early) => {
                    sent += 1;
                    back.extend(registry.recv_early_data(&ids[which], data(50), sent).err());
                }
                _ => {}
            }
        }
        out.into_iter().for_each(|connect| back.extend(registry.end_connect(connect, None).1));
        back.sort_unstable();
        prop_assert_eq!(back, (1..=sent).collect::<Vec<_>>());
        prop_assert!(registry.is_empty());
    }
}
