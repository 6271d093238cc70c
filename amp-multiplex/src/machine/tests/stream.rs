use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::error::StreamError;
use crate::machine::{PROBE_TIMEOUT, Read, Received, RemoteClose, Shutdown, StreamMachine, WindowBounds};

const BOUNDS: WindowBounds = WindowBounds { initial: 4096, max: 65536 };

/// No other stream holds anything.
const ALL: usize = usize::MAX;

fn stream(half_close: bool) -> StreamMachine<u32> {
    StreamMachine::new(half_close, BOUNDS, 10_000)
}

#[test]
fn an_acknowledgement_is_due_with_the_last_byte_of_its_data() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from_static(b"hello"), 7, ALL), Received::Buffered);
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"hell"), None));
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"o"), Some(7)));
    assert_eq!(stream.read(4), Read::Pending);
}

#[test]
fn empty_data_is_acknowledged_at_once() {
    assert_eq!(stream(true).receive(Bytes::new(), 1, ALL), Received::Acknowledge(1));
}

#[test]
fn bytes_after_the_peers_close_are_refused_and_of_an_old_peer_acknowledged() {
    for (half_close, received) in [(true, Received::Refuse(1)), (false, Received::Acknowledge(1))] {
        let mut stream = stream(half_close);
        stream.recv_close(RemoteClose::Half);
        assert_eq!(stream.receive(Bytes::from_static(b"late"), 1, ALL), received);
        assert_eq!(stream.read(4), Read::Finished);
    }
}

#[test]
fn what_came_before_the_stream_was_known_is_taken_in_whatever_the_limit_of_the_stream_is() {
    let (mut stream, data) = (stream(true), Bytes::from(vec![1; 20_000]));
    stream.recv_close(RemoteClose::Half);
    stream.receive_early(data.clone(), 1);
    assert_eq!(stream.read(usize::MAX), Read::Data(data, Some(1)));
    assert_eq!(stream.read(1), Read::Finished);
}

#[test]
fn what_came_before_the_end_is_read_before_the_end() {
    let mut stream = stream(true);
    stream.receive(Bytes::from_static(b"last"), 1, ALL);
    stream.recv_close(RemoteClose::Full);
    assert_eq!(stream.read(9), Read::Data(Bytes::from_static(b"last"), Some(1)));
    assert_eq!(stream.read(9), Read::Finished);
}

#[test]
fn more_than_the_limit_fails_the_stream_and_leaves_what_came_before() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from(vec![1; 9000]), 1, ALL), Received::Buffered);
    assert_eq!(stream.receive(Bytes::from(vec![2; 9000]), 2, ALL), Received::Overrun(2));
    assert!(stream.state().is_closed());
    assert!(matches!(stream.read(usize::MAX), Read::Data(data, Some(1)) if data.len() == 9000));
    assert_eq!(stream.read(1), Read::Truncated);
}

#[test]
fn single_bytes_count_for_the_memory_they_hold() {
    let mut stream = stream(true);
    let kept = (0..).take_while(|n| stream.receive(Bytes::from_static(b"x"), *n, ALL) == Received::Buffered).count();
    assert!(kept < 10_000 / 200, "{kept} single bytes were kept under a cap of 10,000");

    let mut writer = self::stream(true);
    let mut sent = 0;
    while writer.capacity(ALL, Instant::now()).is_some_and(|room| room > 0) {
        writer.sent(1);
        sent += 1;
    }
    assert!(sent < 4096 / 200, "{sent} single bytes were sent into a window of 4,096");
}

#[test]
fn something_may_be_sent_however_small_the_window_and_the_share() {
    let mut stream = StreamMachine::<u32>::new(true, WindowBounds { initial: 0, max: 0 }, 0);
    let room = stream.capacity(0, Instant::now()).expect("open");
    assert!((1..=2048).contains(&room), "{room}");
    stream.sent(room);
    assert_eq!(stream.capacity(ALL, Instant::now()), Some(0));
    stream.acknowledged(room, Instant::now(), Instant::now());
    assert_eq!(stream.capacity(0, Instant::now()), Some(room));
}

#[test]
fn a_writer_waits_for_capacity_that_is_worth_a_chunk() {
    let mut stream = stream(true);
    stream.sent(3000);
    assert_eq!(stream.capacity(ALL, Instant::now()), Some(0), "crumbs");
    stream.acknowledged(3000, Instant::now(), Instant::now());
    assert!(stream.capacity(ALL, Instant::now()).is_some_and(|room| room > 3000));
}

#[test]
fn what_may_be_sent_in_one_chunk_costs_no_more_than_is_left_of_the_window_and_the_share() {
    let (mut stream, now) = (stream(true), Instant::now());
    assert_eq!((stream.capacity(ALL, now), stream.capacity(3000, now)), (Some(4096 - 256), Some(3000 - 256)));
    stream.sent(1000);
    assert_eq!(stream.in_flight(), 1256);
    assert_eq!(stream.capacity(ALL, now), Some(4096 - 1256 - 256));
    assert_eq!(stream.capacity(1256 + 256 + 2048, now), Some(2048));
    assert_eq!(stream.capacity(1256 + 256 + 2047, now), Some(0), "less than a chunk is worth");
    stream.acknowledged(1000, now, now);
    assert_eq!(stream.in_flight(), 0);
}

#[test]
fn a_stream_tells_while_it_sends_nothing_because_the_round_trip_is_measured() {
    let (mut stream, begin) = (stream(true), Instant::now());
    let later = begin + Duration::from_secs(11);
    stream.sent(1000);
    stream.sent(1000);
    stream.acknowledged(1000, begin, begin + Duration::from_millis(100));
    assert!(stream.capacity(ALL, begin).is_some_and(|room| room > 0) && !stream.is_draining());
    stream.sent(1000);
    stream.acknowledged(1000, begin + Duration::from_millis(10_900), later);
    stream.sent(1500);
    assert_eq!((stream.capacity(ALL, later), stream.is_draining()), (Some(0), true));
    stream.capacity(ALL, later + PROBE_TIMEOUT);
    assert!(!stream.is_draining());
}

#[test]
fn what_is_buffered_costs_its_bytes_and_each_chunk_until_that_is_read_to_its_end() {
    let mut stream = stream(true);
    for ack in [1, 2] {
        stream.receive(Bytes::from(vec![1; 1000]), ack, ALL);
    }
    assert_eq!(stream.buffered(), 2 * (1000 + 256));
    stream.read(600);
    assert_eq!(stream.buffered(), 2 * (1000 + 256), "its memory and its acknowledgement are held");
    stream.read(400);
    assert_eq!(stream.buffered(), 1000 + 256);
    stream.abandon();
    assert_eq!(stream.buffered(), 0);
}

#[test]
fn no_more_than_its_share_is_kept_for_a_stream() {
    let mut stream = stream(true);
    assert_eq!(stream.receive(Bytes::from(vec![1; 1000]), 1, 2000), Received::Buffered);
    assert_eq!(stream.receive(Bytes::from(vec![1; 1000]), 2, 2000), Received::Overrun(2));
}

#[test]
fn a_close_of_one_direction_is_told_once_and_the_other_goes_on() {
    let mut stream = stream(true);
    assert_eq!(stream.send_close(), Some(Shutdown::Write));
    assert_eq!(stream.send_close(), None);
    assert_eq!(stream.capacity(ALL, Instant::now()), None);
    assert_eq!(stream.receive(Bytes::from_static(b"on"), 1, ALL), Received::Buffered);
    stream.recv_close(RemoteClose::Half);
    assert!(stream.state().is_closed());
    assert_eq!(stream.abandon(), (vec![1], None));
}

#[test]
fn with_an_old_peer_a_close_is_that_of_both_directions() {
    let mut stream = stream(false);
    assert_eq!(stream.send_close(), Some(Shutdown::Both));
    assert!(stream.state().is_closed());
    assert_eq!(stream.receive(Bytes::from_static(b"late"), 1, ALL), Received::Acknowledge(1));
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn the_second_direction_to_close_closes_the_stream_at_both_ends() {
    let mut stream = stream(true);
    stream.recv_close(RemoteClose::Half);
    assert_eq!(stream.send_close(), Some(Shutdown::Both));
    assert!(stream.state().is_closed());
}

#[test]
fn abandoning_returns_every_acknowledgement_and_tells_the_peer_once() {
    let mut stream = stream(true);
    stream.receive(Bytes::from_static(b"one"), 1, ALL);
    stream.receive(Bytes::from_static(b"two"), 2, ALL);
    assert_eq!(stream.read(4), Read::Data(Bytes::from_static(b"one"), Some(1)));
    assert_eq!(stream.abandon(), (vec![2], Some(Shutdown::Both)));
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn a_peer_that_has_closed_is_told_nothing() {
    let mut stream = stream(true);
    stream.recv_close(RemoteClose::Full);
    assert_eq!(stream.capacity(ALL, Instant::now()), None);
    assert_eq!(stream.send_close(), None);
    assert_eq!(stream.abandon(), (vec![], None));
}

#[test]
fn what_ended_in_order_is_not_truncated_by_what_comes_later() {
    for close in [RemoteClose::Half, RemoteClose::Full] {
        let mut stream = stream(true);
        stream.recv_close(close);
        stream.fail(StreamError::Overrun);
        assert_eq!((stream.read(1), stream.state().is_truncated()), (Read::Finished, false));
    }
    let mut stream = stream(true);
    stream.fail(StreamError::Overrun);
    stream.recv_close(RemoteClose::Full);
    assert_eq!((stream.read(1), stream.state().is_truncated()), (Read::Truncated, true));
    stream.fail(StreamError::Closed);
    assert!(matches!(stream.state().error(), Some(StreamError::Overrun)), "it is closed already");
}

#[test]
fn a_peer_that_reads_no_more_may_still_write_and_an_old_one_not() {
    let mut stream = stream(true);
    stream.recv_refusal();
    assert_eq!(
        (stream.capacity(ALL, Instant::now()), stream.send_close(), stream.state().is_closed()),
        (None, None, false)
    );
    assert_eq!(stream.receive(Bytes::from_static(b"on"), 1, ALL), Received::Buffered);
    assert_eq!(stream.read(2), Read::Data(Bytes::from_static(b"on"), Some(1)));
    assert_eq!(stream.read(2), Read::Pending);
    assert_eq!(stream.abandon(), (vec![], None), "it has closed");

    let mut stream = self::stream(false);
    stream.recv_refusal();
    assert_eq!((stream.read(1), stream.state().is_closed()), (Read::Finished, true));
}

#[test]
fn a_cut_behind_a_half_close_is_a_whole_end() {
    let mut stream = stream(true);
    stream.recv_close(RemoteClose::Half);
    stream.recv_close(RemoteClose::Cut);
    assert_eq!((stream.read(1), stream.state().is_closed()), (Read::Finished, true));
    assert!(stream.state().error().is_none());

    let mut stream = self::stream(true);
    stream.recv_close(RemoteClose::Cut);
    assert_eq!((stream.read(1), stream.state().is_closed()), (Read::Truncated, true));
    assert!(matches!(stream.state().error(), Some(StreamError::Cut)));
}

#[test]
fn bytes_that_are_refused_behind_a_close_of_this_end_are_known_to_be_refused() {
    let mut stream = stream(true);
    stream.send_close();
    assert!(!stream.state().is_refused());
    stream.recv_refusal();
    assert_eq!(
        (stream.state().is_refused(), stream.state().is_finished(), stream.state().is_closed()),
        (true, true, false)
    );
    assert_eq!(stream.abandon(), (vec![], Some(Shutdown::Both)), "its Disconnect has not come");

    let mut stream = self::stream(true);
    stream.recv_close(RemoteClose::Full);
    assert!(!stream.state().is_refused(), "it may have taken everything");
    stream.recv_refusal();
    assert!(stream.state().is_refused());
}

#[test]
fn a_failure_of_the_peer_refuses_bytes_also_when_the_stream_is_closed() {
    for close in [true, false] {
        let mut stream = stream(true);
        if close {
            stream.recv_close(RemoteClose::Full);
        }
        stream.recv_failure(StreamError::PeerFailed(String::new()));
        assert_eq!(
            (stream.state().is_refused(), stream.state().is_closed(), stream.state().error().is_none()),
            (true, true, close)
        );
    }
}

#[test]
fn a_reset_is_scheduled_until_this_end_has_closed_in_order() {
    let mut stream = stream(true);
    assert!(!stream.state().is_reset_scheduled());
    stream.schedule_reset();
    assert!(stream.state().is_reset_scheduled());
    stream.send_close();
    assert!(!stream.state().is_reset_scheduled());
}
