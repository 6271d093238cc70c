//! Streams that are used outside the runtime that drives their connection.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use amp_core::connection::pair;
use amp_core::extension::CallExt;
use amp_core::{CallError, CloseReason, Connection, Peer, Settings};
use amp_multiplex::{ConnectError, Factories, Multiplexer, Multiplexing, Opening, Stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::support::{Ping, multiplexer, soon, why};

/// An executor that is not tokio's: a thread that sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Thread(std::thread::Thread, AtomicBool);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.1.store(true, Ordering::SeqCst);
            self.0.unpark();
        }
    }
    let thread = Arc::new(Thread(std::thread::current(), AtomicBool::new(false)));
    let (waker, mut future) = (Waker::from(Arc::clone(&thread)), pin!(future));
    let begin = std::time::Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        while !thread.1.swap(false, Ordering::SeqCst) {
            std::thread::park_timeout(Duration::from_secs(1));
            assert!(begin.elapsed() < Duration::from_secs(60), "this hangs");
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

/// Two ends on a runtime: the one under test, and one whose factory keeps what it is given.
fn ends(runtime: &Runtime, settings: Settings, factories: &Factories) -> (Connection, Connection, Multiplexer) {
    let _inside = runtime.enter();
    let far = Connection::builder().extension(Multiplexing::new(factories));
    let (near, far) = pair(Connection::builder().settings(settings).extension(Multiplexing::default()), far);
    let multiplexer = multiplexer(&near);
    (near, far, multiplexer)
}

fn is_dropped(error: &std::io::Error) -> bool {
    why(error) == "Connection" && format!("{error:?}").contains("DriverDropped")
}

#[test]
fn everything_that_waits_on_a_stream_ends_with_the_runtime_of_its_driver() {
    let (network, main) = (runtime(), runtime());
    let factories = Factories::new();
    factories.serve("keeps", async |stream: Stream| {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let (near, _far, multiplexer) = ends(&network, Settings::new(), &factories);
    let (open, forward) = network.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(multiplexer.connect("keeps").await.expect("a stream"));
        }
        (streams, multiplexer.forward_port(0, "keeps").await.expect("a port"))
    });
    let elsewhere = main.block_on(multiplexer.forward_port(0, "keeps")).expect("a port");
    let Ok([mut reads, mut writes, closes, mut late, mut later]) = <[Stream; 5]>::try_from(open) else {
        panic!("five streams")
    };
    // These wait already when the runtime is dropped.
    let reading = main.spawn(async move { reads.read(&mut [0]).await });
    let writing = main.spawn(async move { writes.write_all(&vec![0; 10 << 20]).await });
    let closed = main.spawn(async move { (forward.closed().await, elsewhere.closed().await) });
    factories.insert("hangs", |opening: Opening| std::mem::forget(opening));
    let hanging = multiplexer.clone();
    let connecting = main.spawn(async move { hanging.connect("hangs").await });
    std::thread::sleep(Duration::from_millis(100));
    drop(network);
    main.block_on(async {
        assert!(matches!(soon("the end", near.closed()).await, CloseReason::DriverDropped));
        assert!(is_dropped(&soon("reading", reading).await.unwrap().expect_err("no end in order")));
        assert!(is_dropped(&soon("writing", writing).await.unwrap().expect_err("it was not taken")));
        soon("the forwards", closed).await.expect("no panic");
        let error = soon("connecting", connecting).await.unwrap().expect_err("no stream");
        assert!(matches!(error, ConnectError::Connection(CloseReason::DriverDropped)), "{error:?}");
        // These begin afterwards.
        assert!(is_dropped(&soon("reading", late.read(&mut [0])).await.expect_err("no end in order")));
        assert!(is_dropped(&soon("writing", late.write(&[0])).await.expect_err("it is not taken")));
        assert!(is_dropped(&soon("closing", later.shutdown()).await.expect_err("the peer does not know")));
        drop(closes);
        let error = soon("connecting", multiplexer.connect("keeps")).await.expect_err("no stream");
        assert!(matches!(error, ConnectError::Connection(CloseReason::DriverDropped)), "{error:?}");
    });
}

#[test]
fn a_read_ends_with_a_driver_that_was_built_outside_a_runtime_and_is_dropped() {
    let factories = Factories::new();
    let mut listener = factories.listen("x", 1);
    let (a, b) = tokio::io::duplex(1 << 16);
    let (near, driver) = Connection::builder().extension(Multiplexing::default()).build(a, Peer::other("a"));
    let multiplexer = multiplexer(&near);
    let (_far, far_driver) = Connection::builder().extension(Multiplexing::new(&factories)).build(b, Peer::other("b"));
    let network = runtime();
    network.spawn(driver);
    network.spawn(far_driver);
    let main = runtime();
    let (near, far) = main.block_on(async { tokio::join!(multiplexer.connect("x"), listener.accept()) });
    drop(network);
    for mut stream in [near.expect("a stream"), far.expect("a stream")] {
        let read = main.block_on(soon("reading", stream.read(&mut [0])));
        assert!(is_dropped(&read.expect_err("no end in order")));
    }
}

#[test]
fn a_connect_with_a_time_limit_may_be_polled_by_any_executor() {
    let network = runtime();
    let factories = Factories::new();
    factories.serve("echo", crate::support::echo);
    let (sender, openings) = std::sync::mpsc::channel();
    factories.insert("hangs", move |opening: Opening| drop(sender.send(opening)));
    let settings = Settings::new().call_timeout(Duration::from_millis(200));
    let (_near, _far, multiplexer) = ends(&network, settings, &factories);
    let mut stream = block_on(multiplexer.connect("echo")).expect("a stream");
    block_on(async {
        stream.write_all(b"hello").await.expect("written");
        stream.shutdown().await.expect("closed");
        let mut echo = Vec::new();
        stream.read_to_end(&mut echo).await.expect("an end in order");
        assert_eq!(echo, b"hello");
    });
    let error = block_on(multiplexer.connect("hangs")).expect_err("nobody accepts");
    assert!(matches!(error, ConnectError::Timeout), "{error:?}");
    // What is opened all the same is cut: nobody has said that nothing was to be written.
    let opening = openings.recv_timeout(Duration::from_secs(60)).expect("an opening");
    let mut late = opening.accept();
    let error = network.block_on(soon("the end", late.read(&mut [0]))).expect_err("no end in order");
    assert_eq!(why(&error), "Cut");
}

#[test]
fn a_stream_of_a_connection_built_outside_the_runtime_is_closed_where_there_is_no_runtime() {
    let factories = Factories::new();
    let mut listener = factories.listen("x", 1);
    let (a, b) = tokio::io::duplex(1 << 16);
    let (near, driver) = Connection::builder().extension(Multiplexing::default()).build(a, Peer::other("a"));
    let multiplexer = multiplexer(&near);
    let (_far, far_driver) = Connection::builder().extension(Multiplexing::new(&factories)).build(b, Peer::other("b"));
    let network = runtime();
    network.spawn(driver);
    network.spawn(far_driver);
    let (near, far) = block_on(async { tokio::join!(multiplexer.connect("x"), listener.accept()) });
    drop(near.expect("a stream"));
    assert_eq!(block_on(far.expect("a stream").read(&mut [0])).expect("an end in order"), 0);
}

#[test]
fn a_call_with_a_time_limit_that_waits_for_a_place_may_be_polled_by_any_executor() {
    let network = runtime();
    // Nobody reads at the other end.
    let (ours, _theirs) = tokio::io::duplex(16);
    let settings = Settings::new().max_calls(1).outbound_high_water(1).call_timeout(Duration::from_millis(50));
    let connection = network.block_on(async { Connection::builder().settings(settings).start(ours, Peer::other("x")) });
    for _ in 0..2 {
        let error = block_on(connection.call(Ping { n: 1 })).expect_err("no answer");
        assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
    }
    // What the driver has taken to write leaves room for one more.
    let full = (0..3).find_map(|_| block_on(connection.notify(Ping { n: 1 })).err());
    assert!(matches!(full, Some(amp_core::error::NotifyError::Timeout)), "{full:?}");
    let error = block_on(connection.call(Ping { n: 1 }).uncounted()).expect_err("no answer");
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
    // One that gives up keeps nobody waiting, and one without a limit learns of the end.
    let waiting = connection.clone();
    let waiting = std::thread::spawn(move || block_on(waiting.call(Ping { n: 1 }).no_timeout()));
    std::thread::sleep(Duration::from_millis(50));
    connection.abort();
    assert!(matches!(
        waiting.join().unwrap(),
        Err(CallError::Connection { reason: CloseReason::Aborted, sent: false })
    ));
}

#[tokio::test(start_paused = true)]
async fn timers_of_a_connection_ring_in_the_order_of_time_and_end_with_it() {
    let (connection, _far) = pair(Connection::builder(), Connection::builder());
    let seconds = |seconds| connection.timer(Duration::from_secs(seconds));
    let begin = tokio::time::Instant::now();
    let (never, late, soon_done) = (connection.timer(Duration::MAX), seconds(20), seconds(10));
    drop(seconds(1));
    tokio::select! {
        biased;
        _ = late => panic!("too early"),
        done = soon_done => assert!(done.is_ok()),
    }
    assert_eq!(begin.elapsed().as_secs(), 10);
    assert!(seconds(0).await.is_ok());
    let never = tokio::spawn(never);
    tokio::task::yield_now().await;
    connection.abort();
    assert!(matches!(soon("the end", never).await.unwrap(), Err(CloseReason::Aborted)));
    assert!(matches!(seconds(5).await, Err(CloseReason::Aborted)));
}

#[test]
fn streams_of_a_connection_that_was_built_in_a_runtime_which_is_gone_end_where_it_is_driven() {
    let factories = Factories::new();
    let mut listener = factories.listen("x", 1);
    let (a, b) = tokio::io::duplex(1 << 16);
    let elsewhere = runtime();
    let builder = Connection::builder().extension(Multiplexing::default());
    let (connection, driver) = elsewhere.block_on(async { builder.build(a, Peer::other("a")) });
    let multiplexer = multiplexer(&connection);
    let (_far, far_driver) = Connection::builder().extension(Multiplexing::new(&factories)).build(b, Peer::other("b"));
    let network = runtime();
    network.spawn(driver);
    network.spawn(far_driver);
    drop(elsewhere);
    for way in ["drop", "abort", "shutdown"] {
        let (one, other) = block_on(async { tokio::join!(multiplexer.connect("x"), listener.accept()) });
        let (mut one, mut other) = (one.expect("a stream"), other.expect("a stream"));
        block_on(one.write_all(b"hello")).expect("written");
        match way {
            "drop" => drop(one),
            "abort" => one.abort(),
            _ => block_on(one.shutdown()).expect("closed"),
        }
        let mut read = Vec::new();
        let end = network.block_on(soon("the end", other.read_to_end(&mut read)));
        assert_eq!((read.as_slice(), end.is_ok()), (&b"hello"[..], way != "abort"), "{way}");
    }
    drop(connection);
}
