use std::time::Instant;

use bytes::Bytes;

use crate::machine::{Bounds, Farewell, Read, Received, StreamState};

const BOUNDS: Bounds = Bounds { least: 4096, most: 65536 };

/// No other stream holds anything.
const ALL: usize = usize::MAX;

fn stream(half_close: bool) -> StreamState<u32> {
    StreamState::new(half_close, BOUNDS, 10_000)
}

#[test]
fn a_receipt_comes_with_the_last_byte_of_its_data() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from_static(b"hello"), 7, ALL), Received::Kept);
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"hell"), None));
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"o"), Some(7)));
    assert_eq!(stream.read(4), Read::Wait);
}

#[test]
fn empty_data_is_answered_at_once() {
    assert_eq!(stream(true).receive(Bytes::new(), 1, ALL), Received::Dropped(1));
}

#[test]
fn bytes_that_come_after_the_end_are_refused_and_to_an_old_peer_answered() {
    for (half_close, received) in [(true, Received::Refused(1)), (false, Received::Dropped(1))] {
        let mut stream = stream(half_close);
        stream.peer_finished();
        assert_eq!(stream.receive(Bytes::from_static(b"late"), 1, ALL), received);
        assert_eq!(stream.read(4), Read::End);
    }
}

#[test]
fn what_came_before_the_end_is_read_before_the_end() {
    let mut stream = stream(true);
    stream.receive(Bytes::from_static(b"last"), 1, ALL);
    stream.peer_gone();
    assert_eq!(stream.read(9), Read::Data(Bytes::from_static(b"last"), Some(1)));
    assert_eq!(stream.read(9), Read::End);
}

#[test]
fn more_than_the_cap_ends_the_stream_and_leaves_what_came_before() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from(vec![1; 9000]), 1, ALL), Received::Kept);
    assert_eq!(stream.receive(Bytes::from(vec![2; 9000]), 2, ALL), Received::Overrun(2));
    assert!(stream.is_over());
    assert!(matches!(stream.read(usize::MAX), Read::Data(data, Some(1)) if data.len() == 9000));
    assert_eq!(stream.read(1), Read::Broken);
}

#[test]
fn single_bytes_count_for_the_memory_they_hold() {
    let mut stream = stream(true);
    let kept = (0..).take_while(|n| stream.receive(Bytes::from_static(b"x"), *n, ALL) == Received::Kept).count();
    assert!(kept < 10_000 / 200, "{kept} single bytes were kept under a cap of 10,000");

    let mut writer = self::stream(true);
    let mut sent = 0;
    while writer.room(ALL, Instant::now()).is_some_and(|room| room > 0) {
        writer.sent(1);
        sent += 1;
    }
    assert!(sent < 4096 / 200, "{sent} single bytes were sent into a window of 4,096");
}

#[test]
fn something_may_be_sent_however_small_the_window_and_the_share() {
    let mut stream = StreamState::<u32>::new(true, Bounds { least: 0, most: 0 }, 0);
    let room = stream.room(0, Instant::now()).expect("open");
    assert!((1..=2048).contains(&room), "{room}");
    stream.sent(room);
    assert_eq!(stream.room(ALL, Instant::now()), Some(0));
    stream.answered(room, Instant::now(), Instant::now());
    assert_eq!(stream.room(0, Instant::now()), Some(room));
}

#[test]
fn a_writer_waits_for_room_that_is_worth_a_chunk() {
    let mut stream = stream(true);
    stream.sent(3000);
    assert_eq!(stream.room(ALL, Instant::now()), Some(0), "crumbs");
    stream.answered(3000, Instant::now(), Instant::now());
    assert!(stream.room(ALL, Instant::now()).is_some_and(|room| room > 3000));
}

#[test]
fn no_more_than_its_share_is_kept_for_a_stream() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from(vec![1; 1000]), 1, 2000), Received::Kept);
    assert_eq!(stream.receive(Bytes::from(vec![1; 1000]), 2, 2000), Received::Overrun(2));
}

#[test]
fn a_finished_direction_is_told_once_and_the_other_goes_on() {
    let mut stream = stream(true);
    assert_eq!(stream.finish(), Some(Farewell::Half));
    assert_eq!(stream.finish(), None);
    assert_eq!(stream.room(ALL, Instant::now()), None);
    assert_eq!(stream.receive(Bytes::from_static(b"on"), 1, ALL), Received::Kept);
    stream.peer_finished();
    assert!(stream.is_over());
    assert_eq!(stream.abandon(), (vec![1], None));
}

#[test]
fn with_an_old_peer_finishing_ends_both_directions() {
    let mut stream = stream(false);
    assert_eq!(stream.finish(), Some(Farewell::Full));
    assert!(stream.is_over());
    assert_eq!(stream.receive(Bytes::from_static(b"late"), 1, ALL), Received::Dropped(1));
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn the_second_direction_to_finish_ends_the_stream_at_both_ends() {
    let mut stream = stream(true);
    stream.peer_finished();
    assert_eq!(stream.finish(), Some(Farewell::Full));
    assert!(stream.is_over());
}

#[test]
fn abandoning_gives_every_receipt_back_and_tells_the_peer_once() {
    let mut stream = stream(true);
    stream.receive(Bytes::from_static(b"one"), 1, ALL);
    stream.receive(Bytes::from_static(b"two"), 2, ALL);
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"one"), Some(1)));
    assert_eq!(stream.abandon(), (vec![2], Some(Farewell::Full)));
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn a_peer_that_left_is_told_nothing() {
    let mut stream = stream(true);
    stream.peer_gone();
    assert_eq!(stream.room(ALL, Instant::now()), None);
    assert_eq!(stream.finish(), None);
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn an_end_in_order_is_not_broken_by_what_comes_later() {
    for end in [StreamState::peer_finished, StreamState::peer_gone] {
        let mut stream = stream(true);
        end(&mut stream);
        stream.fail();
        assert_eq!((stream.read(1), stream.is_broken()), (Read::End, false));
    }
    let mut stream = stream(true);
    assert!(stream.fail());
    stream.peer_gone();
    assert_eq!((stream.read(1), stream.is_broken()), (Read::Broken, true));
    assert!(!stream.fail(), "it is over already");
}

#[test]
fn a_peer_that_reads_no_more_may_still_write_and_an_old_one_not() {
    let mut stream = stream(true);
    stream.refused();
    assert_eq!((stream.room(ALL, Instant::now()), stream.finish(), stream.is_over()), (None, None, false));
    assert_eq!(stream.receive(Bytes::from_static(b"on"), 1, ALL), Received::Kept);
    assert_eq!(stream.read(2), Read::Data(Bytes::from_static(b"on"), Some(1)));
    assert_eq!(stream.read(2), Read::Wait);
    assert_eq!(stream.abandon(), (vec![], None), "it has left");

    let mut stream = self::stream(false);
    stream.refused();
    assert_eq!((stream.read(1), stream.is_over()), (Read::End, true));
}
