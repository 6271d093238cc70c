//! The transport is replaced while calls and notifications run in both directions: none is lost, doubled or out of order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::{Arguments, CallError, Command, Connection, Peer, Reply, Settings, responder};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, yield_now};

use crate::masks::{Masking, start_mask};
use crate::raw_peer::soon;

/// Answers what it was given.
#[derive(Command, Debug)]
#[amp(response = Echoed)]
struct Echo {
    number: u64,
    data: Vec<u8>,
}

#[derive(Arguments, Debug)]
struct Echoed {
    number: u64,
    data: Vec<u8>,
}

#[derive(Command, Debug)]
#[amp(no_answer)]
struct Count {
    number: u64,
}

#[derive(Clone, Default)]
struct Counting {
    counted: Arc<AtomicU64>,
    echoed: Arc<AtomicU64>,
}

#[responder]
impl Counting {
    async fn echo(&self, command: Echo) -> Reply<Echo> {
        self.echoed.fetch_add(1, SeqCst);
        if command.number.is_multiple_of(3) {
            yield_now().await;
        }
        Ok(Echoed { number: command.number, data: command.data })
    }

    async fn count(&self, command: Count) -> Reply<Count> {
        let before = self.counted.fetch_add(1, SeqCst);
        assert_eq!(command.number, before, "each notification once, in order");
        Ok(())
    }
}

/// Numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What one end does: so many tasks that call, one that notifies, and one that replaces the transport.
#[derive(Clone, Copy)]
struct Load {
    tasks: u64,
    calls: u64,
    upgrades: u8,
    max_bytes: u64,
}

fn builder(counting: &Counting, seed: u64) -> ConnectionBuilder {
    // Small limits make queues and waiters.
    let mut dice = Dice(seed);
    let settings = Settings::new().outbound_high_water(256 << dice.roll(9)).max_calls(2 + dice.roll(64) as usize);
    Connection::builder().locator(counting.clone().into_locator()).extension(Masking::default()).settings(settings)
}

async fn call(connection: Connection, seed: u64, load: Load) {
    let mut dice = Dice(seed);
    for number in 0..load.calls {
        let data = vec![dice.roll(256) as u8; dice.roll(load.max_bytes) as usize];
        let echoed = connection.call(Echo { number, data: data.clone() }).await.expect("an answer");
        assert_eq!((echoed.number, echoed.data), (number, data));
        for _ in 0..dice.roll(3) {
            yield_now().await;
        }
    }
}

async fn notify(connection: Connection, seed: u64, load: Load) {
    let mut dice = Dice(seed);
    for number in 0..load.calls {
        connection.notify(Count { number }).await.expect("sent");
        if dice.roll(4) == 0 {
            yield_now().await;
        }
    }
}

/// Replaces the transport as often as it is to: it tries again when the other end was first.
async fn upgrade(connection: Connection, seed: u64, load: Load) {
    let mut dice = Dice(seed);
    let mut left = load.upgrades;
    while left > 0 {
        match start_mask(&connection, dice.roll(256) as u8).await {
            Ok(_) => left -= 1,
            Err(CallError::Remote { code, .. }) if code == "BUSY" => {}
            Err(CallError::Invalid(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        for _ in 0..dice.roll(40) {
            yield_now().await;
        }
    }
}

async fn run(ends: [(Connection, Counting); 2], seed: u64, load: Load) {
    let mut dice = Dice(seed);
    let mut tasks = JoinSet::new();
    for (connection, _) in &ends {
        for _ in 0..load.tasks {
            tasks.spawn(call(connection.clone(), dice.roll(u64::MAX >> 31), load));
        }
        tasks.spawn(notify(connection.clone(), dice.roll(1 << 30), load));
        tasks.spawn(upgrade(connection.clone(), dice.roll(1 << 30), load));
    }
    while let Some(task) = tokio::time::timeout(Duration::from_secs(120), tasks.join_next()).await.expect("this hangs")
    {
        task.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let [(one, counted), (other, counted_there)] = ends;
    // What was notified has arrived when a call behind it is answered, and has run when the connection is closed.
    one.close();
    let closed = soon("the end", async { (one.closed().await, other.closed().await) }).await;
    assert!(matches!(closed.0, amp::CloseReason::Closed), "seed {seed}: {closed:?}");
    for end in [counted, counted_there] {
        assert_eq!(end.counted.load(SeqCst), load.calls, "seed {seed}");
        assert_eq!(end.echoed.load(SeqCst), load.tasks * load.calls, "seed {seed}");
    }
}

#[test]
fn no_call_is_lost_over_a_tiny_pipe_whose_transport_is_replaced_again_and_again() {
    let seeds = std::env::var("AMP_SEAM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(60);
    let first: u64 = std::env::var("AMP_SEAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    for seed in first..first + seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let mut dice = Dice(seed);
            let load = Load { tasks: 3, calls: 25, upgrades: 3, max_bytes: 60 };
            let (a, b) = tokio::io::duplex(1 + dice.roll(200) as usize);
            let ends = [Counting::default(), Counting::default()];
            let one = builder(&ends[0], dice.roll(1 << 30)).start(a, Peer::other("pipe"));
            let other = builder(&ends[1], dice.roll(1 << 30)).start(b, Peer::other("pipe"));
            let [counted, counted_there] = ends;
            run([(one, counted), (other, counted_there)], seed, load).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_is_lost_over_tcp_whose_transport_is_replaced_again_and_again() {
    let load = Load { tasks: 8, calls: 120, upgrades: 5, max_bytes: 500 };
    for seed in 0..3 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (there, here) = tokio::join!(TcpStream::connect(listener.local_addr().expect("TCP")), listener.accept());
        let ends = [Counting::default(), Counting::default()];
        let one = builder(&ends[0], seed).start_tcp(there.expect("connected")).expect("connected");
        let other = builder(&ends[1], seed + 7).start_tcp(here.expect("accepted").0).expect("connected");
        let [counted, counted_there] = ends;
        run([(one, counted), (other, counted_there)], seed, load).await;
    }
}
