//! What is done with streams, the same for every contestant that gives real ones.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::{ByteStream, Opener};
use crate::Error;
use crate::load::count;

/// Bytes of bulk streams that came and were right.
pub static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds of the pings since somebody last took them.
pub static ROUND_TRIPS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

/// The first byte of a bulk stream; the second says where in the pattern it begins. Other streams are echoed.
pub(super) const BULK: u8 = 0xff;

/// The pattern's length: no power of two, so that a piece that is lost, doubled or misled is noticed.
const PERIOD: usize = 251;

/// The most that one write takes and one read gives.
const MAX: usize = 128 * 1024;

static PATTERN: LazyLock<Bytes> = LazyLock::new(|| (0..PERIOD + MAX).map(|at| (at % PERIOD) as u8).collect());

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Every stream carries as many bytes as it can.
    Bulk { streams: usize },
    /// Streams are opened, echo one byte and are closed, so many at once.
    Short { at_once: usize },
    /// One byte goes there and back on every stream.
    Ping { streams: usize },
    /// The same beside so many bulk streams of the same connection.
    PingBeside { bulk: usize },
}

impl Work {
    /// The work with this name, on so many streams.
    #[must_use]
    pub fn named(name: &str, streams: usize) -> Option<Self> {
        let all = [
            Self::Bulk { streams },
            Self::Short { at_once: streams },
            Self::Ping { streams },
            Self::PingBeside { bulk: streams },
        ];
        all.into_iter().find(|work| work.name() == name)
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bulk { .. } => "bulk",
            Self::Short { .. } => "short",
            Self::Ping { .. } => "ping",
            Self::PingBeside { .. } => "ping-beside",
        }
    }

    /// How many streams there are at once, beside the one that pings.
    #[must_use]
    pub fn streams(self) -> usize {
        match self {
            Self::Bulk { streams } | Self::Ping { streams } => streams,
            Self::Short { at_once: streams } | Self::PingBeside { bulk: streams } => streams,
        }
    }
}

/// `length` bytes of the bulk stream of this phase, from `sent` on.
pub(super) fn pattern(phase: u8, sent: u64, length: usize) -> Bytes {
    let at = ((u64::from(phase) + sent) % PERIOD as u64) as usize;
    PATTERN.slice(at..at + length)
}

/// The phase of the bulk stream with this number.
pub(super) fn phase(number: usize) -> u8 {
    (number % PERIOD) as u8
}

/// The byte that goes there and back in this turn.
pub(super) fn ping(turn: u64) -> u8 {
    (turn % u64::from(BULK)) as u8
}

/// Compares what a bulk stream brings.
#[derive(Default)]
pub(super) struct Comparison {
    phase: Option<u8>,
    compared: u64,
}

impl Comparison {
    /// Counts bytes that are right.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        let (phase, bytes) = match (self.phase, bytes) {
            (None, []) => return,
            (None, [phase, rest @ ..]) => (*self.phase.insert(*phase), rest),
            (Some(phase), bytes) => (phase, bytes),
        };
        assert!(bytes == pattern(phase, self.compared, bytes.len()), "wrong bytes");
        self.compared += bytes.len() as u64;
        RECEIVED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

/// Notes a ping that began then.
pub(super) fn note_round_trip(begun: Instant) {
    let nanoseconds = begun.elapsed().as_nanos() as u64;
    ROUND_TRIPS.lock().unwrap_or_else(PoisonError::into_inner).push(nanoseconds);
}

/// What the serving end does with a stream: compares it, or echoes it.
pub(super) async fn serve<S: ByteStream>(mut stream: S) -> Result<(), Error> {
    // Small: a stream that is not used is to cost what the library keeps for it.
    let mut buffer = [0; 1];
    let mut first = true;
    loop {
        let received = stream.receive(&mut buffer).await?;
        match received {
            [] => return stream.close().await,
            [BULK, rest @ ..] if first => {
                let mut comparison = Comparison::default();
                comparison.take(rest);
                return Box::pin(compare(stream, comparison)).await;
            }
            bytes => {
                let bytes = Bytes::copy_from_slice(bytes);
                stream.send(bytes).await?;
            }
        }
        first = false;
    }
}

async fn compare(mut stream: impl ByteStream, mut comparison: Comparison) -> Result<(), Error> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match stream.receive(&mut buffer).await? {
            [] => return stream.close().await,
            bytes => comparison.take(bytes),
        }
    }
}

/// Does the work over one connection until the process ends.
pub(super) async fn call<O: Opener>(opener: O, work: Work) -> Result<(), Error> {
    let mut tasks = Vec::new();
    for number in 0..work.streams() {
        let opener = opener.clone();
        tasks.push(match work {
            Work::Bulk { .. } | Work::PingBeside { .. } => tokio::spawn(send_bulk(opener, number)),
            Work::Short { .. } => tokio::spawn(open_and_close(opener)),
            Work::Ping { .. } => tokio::spawn(send_pings(opener)),
        });
    }
    if matches!(work, Work::PingBeside { .. }) {
        tasks.push(tokio::spawn(send_pings(opener)));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn send_bulk<O: Opener>(mut opener: O, number: usize) -> Result<(), Error> {
    let mut stream = opener.open().await?;
    let phase = phase(number);
    stream.send(Bytes::copy_from_slice(&[BULK, phase])).await?;
    let mut sent = 0;
    loop {
        stream.send(pattern(phase, sent, O::Stream::AT_ONCE)).await?;
        sent += O::Stream::AT_ONCE as u64;
    }
}

async fn open_and_close<O: Opener>(mut opener: O) -> Result<(), Error> {
    for turn in 0.. {
        let mut stream = opener.open().await?;
        let byte = [ping(turn)];
        stream.send_last(Bytes::copy_from_slice(&byte)).await?;
        assert_eq!(stream.receive(&mut [0]).await?, byte, "a wrong echo");
        count(1);
        stream.close().await?;
    }
    Ok(())
}

async fn send_pings<O: Opener>(mut opener: O) -> Result<(), Error> {
    let mut stream = opener.open().await?;
    for turn in 0.. {
        let (begun, byte) = (Instant::now(), [ping(turn)]);
        stream.send(Bytes::copy_from_slice(&byte)).await?;
        assert_eq!(stream.receive(&mut [0]).await?, byte, "a wrong echo");
        note_round_trip(begun);
        count(1);
    }
    Ok(())
}

/// Opens streams, uses each once and keeps them.
pub(super) async fn keep<O: Opener>(mut opener: O, streams: usize) -> Result<Vec<O::Stream>, Error> {
    let mut kept = Vec::with_capacity(streams);
    for turn in 0..streams {
        let mut stream = opener.open().await?;
        let byte = [ping(turn as u64)];
        stream.send(Bytes::copy_from_slice(&byte)).await?;
        assert_eq!(stream.receive(&mut [0]).await?, byte, "a wrong echo");
        kept.push(stream);
    }
    Ok(kept)
}
