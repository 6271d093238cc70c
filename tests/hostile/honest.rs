//! The honest client, which calls all the time on a connection of its own, and newcomers.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use amp::Connection;
use amp::multiplex::{Multiplexer, Multiplexing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use crate::bounds::{NEWCOMERS_PATIENCE, PATIENCE};
use crate::commands::Add;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Called {
    at: Instant,
    took: Duration,
    error: Option<String>,
}

/// Calls all the time, in a thread of its own.
pub(crate) struct Honest {
    calls: Arc<Mutex<Vec<Called>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Honest {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let (calls, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (noted, stopped) = (Arc::clone(&calls), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let connection = Connection::builder().connect_tcp(address).await.expect("the server listens");
                while !stopped.load(Ordering::Relaxed) {
                    let at = Instant::now();
                    let error = add(&connection).await.err();
                    let called = Called { at, took: at.elapsed(), error };
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(called);
                    tokio::time::sleep(PAUSE).await;
                }
            });
        });
        Self { calls, stop, thread: Some(thread) }
    }

    /// What its calls were like between two moments.
    pub(crate) fn between(&self, from: Instant, to: Instant) -> Service {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let within: Vec<_> = calls.iter().filter(|call| call.at >= from && call.at < to).collect();
        let mut took: Vec<_> = within.iter().map(|call| call.took).collect();
        took.sort_unstable();
        let percentile =
            |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1))).copied();
        Service {
            calls: took.len(),
            time: to - from,
            p99: percentile(99).unwrap_or_default(),
            worst: took.last().copied().unwrap_or_default(),
        }
    }

    /// Ends it, and returns which of its calls have failed.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the honest client");
        }
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter_map(|call| call.error.clone()).collect()
    }
}

impl Drop for Honest {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// How a client was served for a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) calls: usize,
    pub(crate) time: Duration,
    pub(crate) p99: Duration,
    pub(crate) worst: Duration,
}

impl Service {
    /// Calls a second.
    pub(crate) fn rate(&self) -> f64 {
        self.calls as f64 / self.time.as_secs_f64()
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn add(connection: &Connection) -> Result<(), String> {
    match connection.call(Add { a: 1, b: 2 }).timeout(PATIENCE).await {
        Ok(sum) if sum.total == 3 => Ok(()),
        Ok(sum) => Err(format!("1 + 2 is {}", sum.total)),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// A client that comes now is served: its call is answered.
pub(crate) fn newcomer(address: SocketAddr) -> Result<(), String> {
    within(NEWCOMERS_PATIENCE, "a new connection's call", async {
        let connection = Connection::builder().connect_tcp(address).await.map_err(|error| format!("{error:?}"))?;
        add(&connection).await
    })
}

/// A client that comes when the attack is over is served: its calls are answered, large ones too, and its stream comes back whole.
pub(crate) fn served_again(address: SocketAddr) -> Result<(), String> {
    within(PATIENCE, "a new connection's calls and stream", async {
        let builder = Connection::builder().extension(Multiplexing::default());
        let connection = builder.connect_tcp(address).await.map_err(|error| format!("{error:?}"))?;
        for _ in 0..20 {
            add(&connection).await?;
        }
        let multiplexer = Multiplexer::of(&connection).ok_or("the extension")?;
        let mut stream = multiplexer.connect("echo").await.map_err(|error| format!("{error:?}"))?;
        let sent = vec![7; 100_000];
        stream.write_all(&sent).await.map_err(|error| format!("{error:?}"))?;
        stream.shutdown().await.map_err(|error| format!("{error:?}"))?;
        let mut back = Vec::new();
        stream.read_to_end(&mut back).await.map_err(|error| format!("{error:?}"))?;
        if back == sent { Ok(()) } else { Err(format!("{} bytes of a stream came back", back.len())) }
    })
}

fn within(time: Duration, what: &str, work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    runtime().block_on(async {
        let done = tokio::time::timeout(time, work).await;
        done.unwrap_or_else(|_| Err("this hangs".to_owned())).map_err(|error| format!("{what}: {error}"))
    })
}
