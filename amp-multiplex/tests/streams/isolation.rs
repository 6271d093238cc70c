use amp_multiplex::{Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::scripted_with;
use crate::support::{echo, ends, pattern, read_exactly, soon, streaming, why, write};

#[tokio::test]
async fn a_stream_whose_task_panics_ends_and_nothing_else() {
    let (here, there) = ends();
    there.factories.serve("mad", |mut stream: Stream| async move {
        let mut byte = [0];
        let _ = stream.read(&mut byte).await;
        panic!("mad");
    });
    there.factories.serve("echo", echo);
    let mut sane = here.connect("echo").await;
    let mut mad = here.connect("mad").await;
    write(&mut mad, "x").await;
    assert_eq!(why(&soon("reading", mad.read(&mut [0])).await.expect_err("no end in order")), "Cut");
    write(&mut sane, "sane").await;
    assert_eq!(read_exactly(&mut sane, 4).await, b"sane");
    here.ping().await;
    drop((sane, mad));
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_waits_loses_the_one_stream_that_it_overruns() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_buffered(100_000));
    let mut listener = end.factories.listen("slow", 2);
    let (greedy, mut first) = peer.open("slow", &mut listener).await;
    let (modest, mut second) = peer.open("slow", &mut listener).await;
    peer.transmit(&greedy, &pattern(60_000)).await;
    peer.transmit(&modest, b"modest").await;
    let over = peer.transmit(&greedy, &pattern(60_000)).await;
    peer.expect_answer(&over).await;
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("connection"), greedy);
    // It goes on all the same.
    let more = peer.transmit(&greedy, &pattern(60_000)).await;
    peer.expect_answer(&more).await;
    peer.answer(&close, &[]).await;
    assert_eq!(read_exactly(&mut second, 6).await, b"modest");
    peer.packet().await;
    peer.expect_open().await;
    // What came before is whole, and then the reason.
    assert!(read_exactly(&mut first, 60_000).await == pattern(60_000));
    assert_eq!(why(&first.read(&mut [0]).await.expect_err("over")), "Overrun");
    assert_eq!(why(&first.write(b"x").await.expect_err("over")), "Overrun");
    assert_eq!(end.multiplexer.streams(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_all_streams_together_hold_is_bounded_and_costs_one_that_holds_much() {
    let settings = StreamSettings::new().max_received(200_000);
    let (end, mut peer) = scripted_with(settings);
    let mut listener = end.factories.listen("slow", 10);
    let mut streams = Vec::new();
    for _ in 0..4 {
        streams.push(peer.open("slow", &mut listener).await);
    }
    for (id, _) in &streams[..3] {
        peer.transmit(id, &pattern(20_000)).await;
    }
    // The first three hold 60,000 of 200,000, and a stream may hold a quarter of what the others leave: the last 9,000, and
    // none of them 40,000.
    peer.transmit(&streams[3].0, &pattern(9000)).await;
    let over = peer.transmit(&streams[2].0, &pattern(20_000)).await;
    peer.expect_answer(&over).await;
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("connection"), streams[2].0);
    assert_eq!(read_exactly(&mut streams[3].1, 9000).await, pattern(9000));
    peer.packet().await;
    // What is dropped is free again.
    streams.truncate(2);
    assert_eq!(end.multiplexer.streams(), 2);
    let tag = peer.ask("Connect", &[("factory", b"slow")]).await;
    let mut stream = listener.accept().await.expect("a stream");
    let id = peer.skip_to_answer(&tag).await.text("connection");
    peer.transmit(&id, &pattern(25_000)).await;
    assert_eq!(read_exactly(&mut stream, 25_000).await, pattern(25_000));
}

#[tokio::test]
async fn when_the_reader_is_dropped_the_writer_learns_it() {
    let (here, there, mut one, other) = streaming(ends()).await;
    let writing = tokio::spawn(async move {
        loop {
            if let Err(error) = one.write_all(&[1; 10_000]).await {
                return error;
            }
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    drop(other);
    let error = soon("the writer", writing).await.expect("no panic");
    assert_eq!(why(&error), "PeerDisconnected");
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn bytes_go_out_though_their_writer_neither_flushes_nor_comes_back() {
    let (here, there, mut one, mut other) = streaming(crate::support::ends_with(64, &StreamSettings::new())).await;
    // Somebody else fills the connection's buffer meanwhile.
    let mut bulk = there.factories.listen("bulk", 1);
    let (mut filling, _sleeping) = here.open("bulk", &mut bulk).await;
    let filled = tokio::spawn(async move {
        let _ = filling.write_all(&pattern(10 << 20)).await;
    });
    tokio::task::yield_now().await;
    write(&mut one, vec![7; 30_000]).await;
    write(&mut one, vec![8; 30_000]).await;
    let got = read_exactly(&mut other, 60_000).await;
    assert!(got[..30_000] == vec![7; 30_000] && got[30_000..] == vec![8; 30_000]);
    filled.abort();
}

#[tokio::test]
async fn a_writer_that_goes_idle_gives_its_credit_back() {
    let settings = StreamSettings::new().first_window(1000).max_in_flight(10_000).max_window(100_000);
    let (here, there) = crate::support::ends_with(1 << 20, &settings);
    there.factories.serve("echo", echo);
    let mut idle = Vec::new();
    for _ in 0..50 {
        let mut stream = here.connect("echo").await;
        // All but the last write is answered before the next; nobody asks for the answer to that one.
        write(&mut stream, vec![1; 5000]).await;
        assert_eq!(read_exactly(&mut stream, 5000).await.len(), 5000);
        idle.push(stream);
    }
    let mut stream = here.connect("echo").await;
    write(&mut stream, vec![1; 5000]).await;
    assert_eq!(read_exactly(&mut stream, 5000).await.len(), 5000);
}
