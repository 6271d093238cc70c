//! A multiplexer by hand: 8 bytes before each frame, 32 KiB frames, credit, bulk streams in turns. No API, no tasks, no
//! limits: what a program can reach that parses and builds every frame.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::work::{BULK, Comparison, Work, note_round_trip, pattern, phase, ping};
use crate::Error;
use crate::contestants::Served;
use crate::load::count;

/// The most bytes of one frame.
const FRAME: usize = 32 * 1024;
/// The most bytes of a stream on their way.
const WINDOW: usize = 256 * 1024;
/// What one write gives at most (`performance.md`: more than a loopback segment is slower).
const WRITE: usize = 60_000;
/// What one read takes at most.
const READ: usize = 96 * 1024;
const HEADER: usize = 8;

/// What a frame is about. Its first byte.
const OPEN: u8 = 0;
const DATA: u8 = 1;
/// The length is what may be sent more; no bytes follow.
const CREDIT: u8 = 2;
const CLOSE: u8 = 3;

fn put(out: &mut Vec<u8>, kind: u8, stream: usize, length: usize) {
    let length = (length as u32).to_be_bytes();
    out.extend_from_slice(&[kind, length[1], length[2], length[3]]);
    out.extend_from_slice(&(stream as u32).to_be_bytes());
}

#[derive(Clone, Copy)]
struct Header {
    kind: u8,
    stream: usize,
    length: usize,
}

impl Header {
    fn parse(bytes: [u8; HEADER]) -> Self {
        let [kind, rest @ ..] = bytes;
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        let stream = u32::from_be_bytes([rest[3], rest[4], rest[5], rest[6]]) as usize;
        assert!(kind == CREDIT || kind <= CLOSE && length <= FRAME, "not a frame");
        Self { kind, stream, length }
    }
}

/// Cuts frames. Bytes of a frame are given as they come, not copied together.
struct Input {
    bytes: Vec<u8>,
    /// Of a header that is not whole.
    kept: usize,
    /// The frame that bytes are missing of.
    current: Option<Header>,
}

impl Input {
    fn new() -> Self {
        Self { bytes: vec![0; HEADER + READ], kept: 0, current: None }
    }

    fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.kept..]
    }

    /// Gives all frames and pieces of frames among the bytes that were read.
    fn frames(&mut self, read: usize, mut frame: impl FnMut(Header, &[u8])) {
        let (mut at, end) = (0, self.kept + read);
        loop {
            let header = match self.current.take() {
                Some(header) => header,
                None => {
                    let Some(header) = self.bytes[at..end].first_chunk() else { break };
                    at += HEADER;
                    Header::parse(*header)
                }
            };
            if matches!(header.kind, CREDIT | CLOSE) {
                frame(header, &[]);
                continue;
            }
            let piece = header.length.min(end - at);
            if piece > 0 {
                frame(header, &self.bytes[at..at + piece]);
                at += piece;
            }
            if piece < header.length {
                let kind = if piece > 0 { DATA } else { header.kind };
                self.current = Some(Header { kind, length: header.length - piece, ..header });
                break;
            }
        }
        self.bytes.copy_within(at..end, 0);
        self.kept = end - at;
    }
}

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What fails is noticed by the client, unless it is the one that left.
            tokio::spawn(serve_connection(stream));
        }
    };
    Ok((address, Box::pin(serving)))
}

/// A stream at the serving end.
enum Serving {
    Echo,
    Bulk { comparison: Comparison, unacknowledged: usize },
}

async fn serve_connection(mut socket: TcpStream) -> Result<(), Error> {
    socket.set_nodelay(true)?;
    let mut streams: Vec<Option<Serving>> = Vec::new();
    let mut input = Input::new();
    let mut out = Vec::with_capacity(2 * READ);
    loop {
        let read = socket.read(input.room()).await?;
        if read == 0 {
            return Ok(());
        }
        input.frames(read, |Header { kind, stream, .. }, mut bytes| {
            if kind == OPEN {
                if streams.len() <= stream {
                    streams.resize_with(stream + 1, || None);
                }
                let bulk = Serving::Bulk { comparison: Comparison::default(), unacknowledged: 0 };
                streams[stream] = Some(match bytes {
                    [BULK, rest @ ..] => {
                        bytes = rest;
                        bulk
                    }
                    _ => Serving::Echo,
                });
            }
            match (kind, &mut streams[stream]) {
                (CLOSE, served) => *served = None,
                (OPEN | DATA, Some(Serving::Echo)) => {
                    put(&mut out, DATA, stream, bytes.len());
                    out.extend_from_slice(bytes);
                }
                (OPEN | DATA, Some(Serving::Bulk { comparison, unacknowledged })) => {
                    comparison.take(bytes);
                    *unacknowledged += bytes.len();
                    if *unacknowledged >= FRAME {
                        put(&mut out, CREDIT, stream, std::mem::take(unacknowledged));
                    }
                }
                _ => panic!("a frame for no stream"),
            }
        });
        if !out.is_empty() {
            socket.write_all(&out).await?;
            out.clear();
        }
    }
}

/// The streams at the calling end.
struct Calling {
    out: Vec<u8>,
    bulk: Vec<Bulk>,
    /// Bulk streams with credit, in turns.
    turns: VecDeque<usize>,
    /// The others, whose numbers follow: their turn, and when it began.
    echoed: Vec<(u64, Instant)>,
    short: bool,
}

struct Bulk {
    sent: u64,
    credit: usize,
}

impl Calling {
    fn new(work: Work) -> Self {
        let (bulk, echoed) = match work {
            Work::Bulk { streams } => (streams, 0),
            Work::Short { at_once } => (0, at_once),
            Work::Ping { streams } => (0, streams),
            Work::PingBeside { bulk } => (bulk, 1),
        };
        let mut calling = Self {
            out: Vec::with_capacity(2 * READ),
            bulk: (0..bulk).map(|_| Bulk { sent: 0, credit: WINDOW }).collect(),
            turns: (0..bulk).collect(),
            echoed: vec![(0, Instant::now()); echoed],
            short: matches!(work, Work::Short { .. }),
        };
        for stream in 0..bulk {
            put(&mut calling.out, OPEN, stream, 2);
            calling.out.extend_from_slice(&[BULK, phase(stream)]);
        }
        for stream in bulk..bulk + echoed {
            calling.ping(OPEN, stream);
        }
        calling
    }

    fn ping(&mut self, kind: u8, stream: usize) {
        let (turn, begun) = &mut self.echoed[stream - self.bulk.len()];
        *begun = Instant::now();
        put(&mut self.out, kind, stream, 1);
        self.out.push(ping(*turn));
    }

    /// Frames of bulk streams that may send, until there is enough for one write. The last one is cut to fit.
    fn fill(&mut self) {
        while self.out.len() < WRITE - 2 * HEADER
            && let Some(stream) = self.turns.pop_front()
        {
            let bulk = &mut self.bulk[stream];
            let length = bulk.credit.min(FRAME).min(WRITE - HEADER - self.out.len());
            put(&mut self.out, DATA, stream, length);
            self.out.extend_from_slice(&pattern(phase(stream), bulk.sent, length));
            bulk.sent += length as u64;
            bulk.credit -= length;
            if bulk.credit > 0 {
                self.turns.push_back(stream);
            }
        }
    }

    fn take(&mut self, Header { kind, stream, length }: Header, bytes: &[u8]) {
        if kind == CREDIT {
            let bulk = &mut self.bulk[stream];
            if bulk.credit == 0 {
                self.turns.push_back(stream);
            }
            bulk.credit += length;
            return;
        }
        let (turn, begun) = &mut self.echoed[stream - self.bulk.len()];
        assert_eq!(bytes, [ping(*turn)], "a wrong echo");
        *turn += 1;
        count(1);
        if self.short {
            put(&mut self.out, CLOSE, stream, 0);
            self.ping(OPEN, stream);
        } else {
            note_round_trip(*begun);
            self.ping(DATA, stream);
        }
    }
}

pub(super) async fn call(address: SocketAddr, work: Work) -> Result<(), Error> {
    let mut socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (mut reader, mut writer) = socket.split();
    let (mut calling, mut input) = (Calling::new(work), Input::new());
    let mut written = 0;
    loop {
        if written == calling.out.len() {
            calling.out.clear();
            written = 0;
            calling.fill();
        }
        let end = calling.out.len();
        tokio::select! {
            biased;
            wrote = writer.write(&calling.out[written..end]), if written < end => {
                written += wrote?;
            }
            read = reader.read(input.room()) => {
                let read = read?;
                assert!(read > 0, "the server is gone");
                input.frames(read, |header, bytes| calling.take(header, bytes));
            }
        }
    }
}
