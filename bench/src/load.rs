//! The calls that every contestant makes: windows of callers, each with one call out.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::Error;

/// Answers that came and were right. The clock looks at it from a thread of its own.
pub static ANSWERED: AtomicU64 = AtomicU64::new(0);

/// What a client does.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Connections open at once.
    pub connections: usize,
    /// Calls out at once on each connection.
    pub in_flight: usize,
    /// Bytes of the echoed value; 0 asks for sums instead.
    pub payload: usize,
    /// Calls in all; `u64::MAX` goes on until the process ends.
    pub calls: u64,
}

impl Load {
    /// Calls that each caller makes, at least one.
    #[must_use]
    pub fn calls_per_caller(&self) -> u64 {
        (self.calls / (self.connections * self.in_flight) as u64).max(1)
    }

    /// Calls that each connection makes.
    #[must_use]
    pub fn calls_per_connection(&self) -> u64 {
        self.calls_per_caller().saturating_mul(self.in_flight as u64)
    }

    /// The value that is echoed.
    #[must_use]
    pub fn value(&self) -> Bytes {
        (0..self.payload).map(|at| (at % 251) as u8).collect::<Vec<_>>().into()
    }
}

/// The numbers that the call `turn` of `caller` adds: two digits each, so that every ask is as long as the raw limit's.
#[must_use]
pub fn terms(caller: usize, turn: u64) -> (i64, i64) {
    (10 + (turn % 90) as i64, 10 + (caller % 64) as i64)
}

/// Counts right answers.
pub fn count(answers: u64) {
    ANSWERED.fetch_add(answers, Ordering::Relaxed);
}

/// One connection, shared by its callers.
pub trait Client: Clone + Send + Sync + Sized + 'static {
    /// Opens one.
    fn connect(address: SocketAddr) -> impl Future<Output = Result<Self, Error>> + Send;
    /// Asks for `a + b`.
    fn sum(&mut self, a: i64, b: i64) -> impl Future<Output = Result<i64, Error>> + Send;
    /// Asks for the same bytes.
    fn echo(&mut self, value: Bytes) -> impl Future<Output = Result<impl AsRef<[u8]> + Send, Error>> + Send;
}

/// Makes the calls of a load: a task per caller, as a program that uses the library would.
///
/// # Errors
/// When a call fails.
///
/// # Panics
/// When an answer is wrong.
pub async fn call_all<C: Client>(address: SocketAddr, load: Load) -> Result<(), Error> {
    let mut callers = Vec::new();
    for _ in 0..load.connections {
        let client = C::connect(address).await?;
        for caller in 0..load.in_flight {
            callers.push(tokio::spawn(call(client.clone(), caller, load)));
        }
    }
    for caller in callers {
        caller.await??;
    }
    Ok(())
}

/// Opens one connection and then the others, asks once over each, and keeps them. So what the first costs once is not taken for
/// theirs.
///
/// # Errors
/// When a connection cannot be opened, or does not answer.
pub(crate) async fn keep<C: Client>(
    address: SocketAddr,
    connections: usize,
    mut opened: impl FnMut(usize),
) -> Result<(), Error> {
    let once = Load { connections: 1, in_flight: 1, payload: 0, calls: 1 };
    let mut clients = Vec::with_capacity(connections + 1);
    for number in 0..=connections {
        let client = C::connect(address).await?;
        call(client.clone(), 0, once).await?;
        clients.push(client);
        if number == 0 || number == connections {
            opened(number);
        }
    }
    drop(clients);
    Ok(())
}

async fn call<C: Client>(mut client: C, caller: usize, load: Load) -> Result<(), Error> {
    let value = load.value();
    for turn in 0..load.calls_per_caller() {
        if value.is_empty() {
            let (a, b) = terms(caller, turn);
            assert_eq!(client.sum(a, b).await?, a + b, "a wrong sum");
        } else {
            assert!(client.echo(value.clone()).await?.as_ref() == value, "a wrong echo");
        }
        count(1);
    }
    Ok(())
}
