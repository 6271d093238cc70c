//! What every test needs: two ends, a long path between them, and patience with a bound.

use std::time::Duration;

use amp_core::locator::{Ask, Locator};
pub(crate) use amp_core::testing::soon;
use amp_core::{Connection, Peer, Settings};
use amp_derive::{Arguments, Command};
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Stream, StreamListener, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What takes longer than this does not happen. In paused time it passes at once when nothing else can.
pub(crate) const NEVER: Duration = Duration::from_secs(60);

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    soon(what, async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[derive(Command, Debug)]
#[amp(response = Pong, crate = amp_core)]
pub(crate) struct Ping {
    pub(crate) n: i64,
}

#[derive(Arguments, Debug)]
#[amp(crate = amp_core)]
pub(crate) struct Pong {
    pub(crate) n: i64,
}

/// Answers pings.
pub(crate) struct Pings;

impl Locator for Pings {
    fn locate(&self, ask: Ask) -> amp_core::locator::Located {
        if ask.is::<Ping>() {
            ask.respond(|ping: Ping| async move { Ok(Pong { n: ping.n }) })
        } else {
            amp_core::locator::Located::Unknown(ask)
        }
    }
}

/// The streams of a connection that has some.
pub(crate) fn multiplexer(connection: &Connection) -> Multiplexer {
    Multiplexer::of(connection).expect("it has the extension")
}

/// One end of a connection: its streams, and its factories.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) multiplexer: Multiplexer,
    pub(crate) connection: Connection,
    pub(crate) factories: Factories,
}

impl End {
    pub(crate) fn over(transport: DuplexStream, settings: Settings, streams: StreamSettings) -> Self {
        let factories = Factories::new();
        let connection = Connection::builder()
            .settings(settings)
            .extension(Multiplexing::with_settings(&factories, streams))
            .locator(Pings)
            .start(transport, Peer::other("test"));
        Self { multiplexer: multiplexer(&connection), connection, factories }
    }

    pub(crate) async fn connect(&self, factory: &str) -> Stream {
        soon("connecting", self.multiplexer.connect(factory)).await.expect("the peer accepts")
    }

    /// A stream to the other end's listener, and its other end.
    pub(crate) async fn open(&self, factory: &str, listener: &mut StreamListener) -> (Stream, Stream) {
        let both = async { tokio::join!(self.multiplexer.connect(factory), listener.accept()) };
        let (one, other) = soon("opening", both).await;
        (one.expect("the peer accepts"), other.expect("a factory"))
    }

    pub(crate) async fn ping(&self) {
        let pong = soon("a ping", self.connection.call(Ping { n: 7 })).await.expect("an answer");
        assert_eq!(pong.n, 7);
    }

    /// Nothing is left of any stream here.
    pub(crate) async fn is_empty(&self) {
        let empty = "Multiplexer(Registry { streams: 0, closing: 0, connecting: 0, accepting: 0, early: 0 })";
        until("nothing is left", || format!("{:?}", self.multiplexer) == empty).await;
    }
}

pub(crate) fn ends() -> (End, End) {
    ends_with(64 * 1024, &StreamSettings::new())
}

/// Two ends over a pipe that holds `room` bytes each way.
pub(crate) fn ends_with(room: usize, streams: &StreamSettings) -> (End, End) {
    let (a, b) = duplex(room);
    let end = |transport| End::over(transport, Settings::new(), streams.clone());
    (end(a), end(b))
}

/// Two ends and a stream between them.
pub(crate) async fn streaming((here, there): (End, End)) -> (End, End, Stream, Stream) {
    let mut listener = there.factories.listen("listener", 1000);
    let (one, other) = here.open("listener", &mut listener).await;
    (here, there, one, other)
}

/// Two ends of a path on which every byte travels for `delay`, at most `rate` bytes a second.
pub(crate) fn path(delay: Duration, rate: u32) -> (DuplexStream, DuplexStream) {
    let ((a, near), (b, far)) = (duplex(1 << 16), duplex(1 << 16));
    let ((near_read, near_write), (far_read, far_write)) = (split(near), split(far));
    tokio::spawn(carry(near_read, far_write, delay, rate));
    tokio::spawn(carry(far_read, near_write, delay, rate));
    (a, b)
}

async fn carry(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>, delay: Duration, rate: u32) {
    let (sender, mut travelling) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = travelling.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    });
    let (mut buffer, mut free) = (vec![0; 1 << 16], Instant::now());
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        free = free.max(Instant::now()) + Duration::from_secs(count as u64) / rate;
        sleep_until(free).await;
        if sender.send((free + delay, buffer[..count].to_vec())).is_err() {
            return;
        }
    }
}

/// Writes and reads at once, so that neither waits for the other.
pub(crate) async fn echo(stream: Stream) {
    let (mut reader, mut writer) = split(stream);
    let _ = tokio::io::copy(&mut reader, &mut writer).await;
    let _ = writer.shutdown().await;
}

pub(crate) async fn read_exactly(stream: &mut Stream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    soon("reading", stream.read_exact(&mut bytes)).await.expect("bytes");
    bytes
}

pub(crate) async fn read_all(stream: &mut Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    soon("reading to the end", stream.read_to_end(&mut bytes)).await.expect("an end in order");
    bytes
}

pub(crate) async fn write(stream: &mut Stream, bytes: impl AsRef<[u8]>) {
    soon("writing", stream.write_all(bytes.as_ref())).await.expect("the stream takes bytes");
}

/// Bytes of which no two stretches are alike.
pub(crate) fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n ^ (n >> 8) ^ (n >> 16)).to_le_bytes()[0]).collect()
}

/// The variant of the stream's or the connection's error inside an I/O error.
pub(crate) fn why(error: &std::io::Error) -> String {
    let inner = error.get_ref().map(|inner| format!("{inner:?}")).unwrap_or_default();
    inner.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}
