//! Many who wait for room in the outbound buffer: how often they are woken, and in which order they go.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use amp::connection::{BoxSender, Call};
use amp::value::BoxWriter;
use amp::{AmpBox, Command, Connection, Settings};
use amp_core::extension::{CallExt, Delivery, ReplySink, Sender};

use tokio::sync::Notify;

use crate::raw_peer::{RawPeer, ask, packed, soon};

const CROWD: usize = 4_000;
/// A woken one may find the room taken by those before it, but not again and again.
const MAX_WAKES: usize = 4 * CROWD;

/// Is never answered here.
#[derive(Command, Debug)]
struct Carry {
    data: Vec<u8>,
}

fn carry(at: usize) -> Carry {
    Carry { data: format!("{at:01000}").into_bytes() }
}

fn carried(at: usize, tag: usize) -> Vec<u8> {
    ask(&format!("{tag:x}"), "Carry", &[("data", &format!("{at:01000}"))])
}

/// The tasks of a crowd: which were woken, and how often they were in all.
#[derive(Default)]
struct Crowd {
    woken: Mutex<VecDeque<usize>>,
    wakes: AtomicUsize,
    somebody: Notify,
}

struct Member(usize, Arc<Crowd>);

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.1.wakes.fetch_add(1, Ordering::Relaxed);
        self.1.woken.lock().expect("no panic").push_back(self.0);
        self.1.somebody.notify_one();
    }
}

impl Crowd {
    /// Everybody begins, one after the other; then whoever is woken goes on, until all are through. Gives the order in
    /// which they were.
    async fn run(go: impl FnMut(usize, &mut Context<'_>) -> Poll<()> + Send + 'static) -> (Vec<usize>, usize) {
        // In a task like any other: the driver gives way to it.
        soon("all are through", tokio::spawn(Self::run_here(go))).await.expect("no panic")
    }

    async fn run_here(mut go: impl FnMut(usize, &mut Context<'_>) -> Poll<()>) -> (Vec<usize>, usize) {
        let crowd = Arc::new(Self::default());
        let wakers: Vec<_> = (0..CROWD).map(|at| Waker::from(Arc::new(Member(at, Arc::clone(&crowd))))).collect();
        let mut through = Vec::new();
        let mut waiting: VecDeque<_> = (0..CROWD).collect();
        while through.len() < CROWD {
            for at in waiting.drain(..) {
                if go(at, &mut Context::from_waker(&wakers[at])).is_ready() {
                    through.push(at);
                }
            }
            if through.len() < CROWD {
                crowd.somebody.notified().await;
            }
            waiting.append(&mut crowd.woken.lock().expect("no panic"));
        }
        (through, crowd.wakes.load(Ordering::Relaxed))
    }
}

/// How much fills the outbound buffer, and the lane of bulk in it.
const FULL: usize = 40_000;

/// A connection whose outbound buffer is full, and its peer, which does not read yet.
async fn full() -> (Connection, RawPeer) {
    let (connection, peer) = RawPeer::with_room(64 * 1024, (), Settings::new().outbound_high_water(FULL));
    for _ in 0..4 {
        connection.send_box(AmpBox::new().with("k", vec![b'v'; FULL]).expect("fits")).expect("sent");
        tokio::task::yield_now().await;
    }
    let mut bulk = connection.call(Carry { data: vec![b'v'; FULL] }).uncounted();
    assert!(bulk.poll_sent(&mut Context::from_waker(Waker::noop())).is_ready(), "calls take none of its room");
    (connection, peer)
}

fn bulk(connection: &Connection) -> Vec<Call<Carry>> {
    (0..CROWD).map(|at| connection.call(carry(at)).uncounted()).collect()
}

/// Reads everything, box by box: behind what filled the buffer comes what is expected.
fn read(mut peer: RawPeer, expected: Vec<Vec<u8>>) -> tokio::task::JoinHandle<RawPeer> {
    tokio::spawn(async move {
        peer.expect(packed(&[("k", vec![b'v'; FULL])]).repeat(4)).await;
        peer.expect(ask("1", "Carry", &[("data", &"v".repeat(FULL))])).await;
        for bytes in expected {
            peer.expect(bytes).await;
        }
        peer
    })
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_waits_for_room_goes_in_order_and_is_woken_a_few_times_each() {
    let (connection, peer) = full().await;
    let mut calls = bulk(&connection);
    let reading = read(peer, (0..CROWD).map(|at| carried(at, at + 2)).collect());
    let run = Crowd::run(move |at, cx| calls[at].poll_sent(cx).map(|sent| sent.expect("sent")));
    let (through, wakes) = run.await;
    assert!(through.is_sorted(), "first come, first served");
    assert!(wakes <= MAX_WAKES, "{wakes} wakes");
    soon("all is read", reading).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn those_who_are_woken_and_go_away_give_way_to_the_others() {
    let (connection, peer) = full().await;
    let mut calls: Vec<_> = bulk(&connection).into_iter().map(Some).collect();
    let staying = |at: &usize| at % 100 == 99;
    let reading = read(peer, (0..CROWD).filter(staying).enumerate().map(|(sent, at)| carried(at, sent + 2)).collect());
    let mut begun = [false; CROWD];
    let run = Crowd::run(move |at, cx| {
        // Most of them leave at the moment when it is their turn.
        if std::mem::replace(&mut begun[at], true) && !staying(&at) {
            calls[at] = None;
        }
        calls[at].as_mut().map_or(Poll::Ready(()), |call| call.poll_sent(cx).map(|sent| sent.expect("sent")))
    });
    let (_, wakes) = run.await;
    assert!(wakes <= MAX_WAKES, "{wakes} wakes");
    soon("all is read", reading).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn those_who_are_woken_and_neither_go_nor_leave_keep_nobody_waiting() {
    let (connection, peer) = full().await;
    let mut calls = bulk(&connection);
    let reading = read(peer, (CROWD - 2..CROWD).enumerate().map(|(sent, at)| carried(at, sent + 2)).collect());
    let mut begun = [false; CROWD];
    let run = Crowd::run(move |at, cx| {
        if std::mem::replace(&mut begun[at], true) && at < CROWD - 2 {
            return Poll::Ready(());
        }
        calls[at].poll_sent(cx).map(|sent| sent.expect("sent"))
    });
    run.await;
    soon("all is read", reading).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_box_senders_is_woken_a_few_times_each() {
    let (connection, peer) = full().await;
    let sent = |at: usize| AmpBox::new().with("k", format!("{at:01000}")).expect("fits");
    let reading = read(peer, (0..CROWD).map(|at| packed(&[("k", format!("{at:01000}"))])).collect());
    let sender = connection.clone();
    let run = Crowd::run(move |at, cx| sender.poll_room(cx).map(|()| sender.send_box(sent(at)).expect("sent")));
    let (through, wakes) = run.await;
    assert!(through.is_sorted(), "first come, first served");
    assert!(wakes <= MAX_WAKES, "{wakes} wakes");
    soon("all is read", reading).await.expect("no panic");
}

struct Holder(#[expect(dead_code, reason = "it is only dropped")] Mutex<Sender>);

impl Wake for Holder {
    fn wake(self: Arc<Self>) {}
}

struct NoReplies;

impl ReplySink for NoReplies {
    fn deliver(self: Arc<Self>, _: &mut dyn Iterator<Item = Delivery>) {}
}

/// The waker of one who waits may be all that holds another who waits: a lock that were held would never be had again.
#[test]
fn who_leaves_the_line_drops_its_waker_under_no_lock() {
    let (done, is_done) = std::sync::mpsc::channel();
    // In a thread of its own: what hangs there is left behind.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (connection, _peer) = full().await;
            let put = |out: &mut BoxWriter<'_>| out.put_named("data", &vec![0_u8]);
            let [mut one, mut other] = [Sender::new(&connection), Sender::new(&connection)];
            let sink: Arc<dyn ReplySink> = Arc::new(NoReplies);
            assert!(one.poll_send::<Carry>(Waker::noop(), &sink, put).is_pending());
            let waker = Waker::from(Arc::new(Holder(Mutex::new(one))));
            assert!(other.poll_send::<Carry>(&waker, &sink, put).is_pending());
            drop(waker);
            drop(other);
        });
        done.send(())
    });
    is_done.recv_timeout(Duration::from_secs(60)).expect("this hangs");
}
