//! AMP by hand: every box is parsed and built, tags find their callers by index, one output buffer. No API, no limits.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Served;
use crate::Error;
use crate::load::{Load, count, terms};

/// What one read takes and one write gives at most.
const AT_ONCE: usize = 60_000;

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            // What fails is noticed by the client, unless it is the one that left.
            tokio::spawn(async move {
                let _ = answer(stream).await;
            });
        }
    };
    Ok((address, Box::pin(serving)))
}

pub(super) async fn call(address: SocketAddr, load: Load) -> Result<(), Error> {
    let mut connections = Vec::new();
    for _ in 0..load.connections {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        connections.push(tokio::spawn(ask(stream, load)));
    }
    for connection in connections {
        connection.await??;
    }
    Ok(())
}

/// Bytes that came and are not yet used.
struct Input {
    bytes: Vec<u8>,
    used: usize,
    end: usize,
}

impl Input {
    fn new() -> Self {
        Self { bytes: vec![0; 2 * AT_ONCE], used: 0, end: 0 }
    }

    fn room(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.used..self.end, 0);
        self.end -= self.used;
        self.used = 0;
        let most = (self.end + AT_ONCE).min(self.bytes.len());
        &mut self.bytes[self.end..most]
    }

    /// The next whole box, pair by pair; `false` when there is none yet.
    fn next_box<'a>(&'a mut self, pair: impl FnMut(&'a [u8], &'a [u8])) -> bool {
        let bytes = &self.bytes[self.used..self.end];
        let length = take_box(bytes, pair);
        self.used += length.unwrap_or_default();
        length.is_some()
    }
}

/// The pairs of the first box and its length, if it is whole.
fn take_box<'a>(bytes: &'a [u8], mut pair: impl FnMut(&'a [u8], &'a [u8])) -> Option<usize> {
    let length = whole_box(bytes)?;
    let mut at = 0;
    loop {
        let key = length_at(bytes, at);
        if key == 0 {
            return Some(length);
        }
        let value_at = at + 2 + key + 2;
        let value = length_at(bytes, value_at - 2);
        pair(&bytes[at + 2..at + 2 + key], &bytes[value_at..value_at + value]);
        at = value_at + value;
    }
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
}

/// How long the first box is, if it is whole.
fn whole_box(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        bytes.get(at + 1)?;
        let key = length_at(bytes, at);
        if key == 0 {
            return (at > 0).then_some(at + 2);
        }
        assert!(key < 256, "a key is too long");
        at += 2 + key;
        bytes.get(at + 1)?;
        at += 2 + length_at(bytes, at);
    }
}

fn put(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(&[0, key.len() as u8]);
    out.extend_from_slice(key);
    out.extend_from_slice(&(value.len() as u16).to_be_bytes());
    out.extend_from_slice(value);
}

fn put_integer(out: &mut Vec<u8>, key: &[u8], value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    put(out, key, &digits[at..]);
}

fn put_tag(out: &mut Vec<u8>, key: &[u8], tag: u64) {
    let mut digits = [0; 16];
    let mut at = digits.len();
    let mut rest = tag;
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(rest % 16) as usize];
        rest /= 16;
    }
    put(out, key, &digits[at..]);
}

fn integer(value: &[u8]) -> i64 {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    assert!(!digits.is_empty(), "an empty integer");
    let size = digits.iter().fold(0i64, |sum, digit| {
        assert!(digit.is_ascii_digit(), "not an integer");
        sum.checked_mul(10).and_then(|sum| sum.checked_add(i64::from(digit - b'0'))).expect("it fits")
    });
    if negative { -size } else { size }
}

fn tag(value: &[u8]) -> u64 {
    value.iter().fold(0, |tag, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a tag"),
        };
        tag << 4 | u64::from(digit)
    })
}

/// Writes an ask for `a + b`.
pub fn put_sum(out: &mut Vec<u8>, tag: u64, a: i64, b: i64) {
    put_tag(out, b"_ask", tag);
    put(out, b"_command", b"Sum");
    put_integer(out, b"a", a);
    put_integer(out, b"b", b);
    out.extend_from_slice(&[0, 0]);
}

/// Reads an ask for a sum: its tag and what is to be added.
#[must_use]
pub fn take_sum(bytes: &[u8]) -> Option<(&[u8], i64, i64)> {
    let (mut ask, mut command, mut a, mut b) = (None, None, None, None);
    take_box(bytes, |key, found| match key {
        b"_ask" => ask = Some(found),
        b"_command" => command = Some(found),
        b"a" => a = Some(found),
        b"b" => b = Some(found),
        _ => {}
    })?;
    (command? == b"Sum").then_some((ask?, integer(a?), integer(b?)))
}

async fn answer(mut stream: TcpStream) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let mut input = Input::new();
    let mut out = Vec::with_capacity(2 * AT_ONCE);
    loop {
        let read = stream.read(input.room()).await?;
        if read == 0 {
            return Ok(());
        }
        input.end += read;
        loop {
            let (mut ask, mut command, mut a, mut b, mut value) = (None, None, None, None, None);
            let whole = input.next_box(|key, found| match key {
                b"_ask" => ask = Some(found),
                b"_command" => command = Some(found),
                b"a" => a = Some(found),
                b"b" => b = Some(found),
                b"value" => value = Some(found),
                _ => {}
            });
            if !whole {
                break;
            }
            put(&mut out, b"_answer", ask.expect("an ask has a tag"));
            match command {
                Some(b"Sum") => put_integer(&mut out, b"total", integer(a.expect("a")) + integer(b.expect("b"))),
                Some(b"Echo") => put(&mut out, b"value", value.expect("a value")),
                _ => panic!("no such command"),
            }
            out.extend_from_slice(&[0, 0]);
        }
        for piece in out.chunks(AT_ONCE) {
            stream.write_all(piece).await?;
        }
        out.clear();
    }
}

/// The calls that are out: the tag's low bits are the index.
struct Slots {
    /// The tag, and the sum to come.
    out: Vec<Option<(u64, i64)>>,
    free: usize,
    next: u64,
    to_send: u64,
}

impl Slots {
    /// Asks for as long as there are calls to make, free slots and room in the output.
    fn fill(&mut self, out: &mut Vec<u8>, value: &Bytes) {
        while self.free > 0 && self.to_send > 0 && out.len() < AT_ONCE {
            let slot = self.next as usize % self.out.len();
            if self.out[slot].is_some() {
                return;
            }
            let mut total = 0;
            if value.is_empty() {
                let (a, b) = terms(slot, self.next);
                put_sum(out, self.next, a, b);
                total = a + b;
            } else {
                put_tag(out, b"_ask", self.next);
                put(out, b"_command", b"Echo");
                put(out, b"value", value);
                out.extend_from_slice(&[0, 0]);
            }
            self.out[slot] = Some((self.next, total));
            self.next += 1;
            self.free -= 1;
            self.to_send -= 1;
        }
    }

    /// The sum that the call with this tag waits for.
    fn take(&mut self, tag: u64) -> i64 {
        let slot = tag as usize % self.out.len();
        let (expected, total) = self.out[slot].take().expect("somebody waits");
        assert_eq!(tag, expected, "a tag that is not out");
        self.free += 1;
        total
    }
}

async fn ask(mut stream: TcpStream, load: Load) -> Result<(), Error> {
    let value = load.value();
    let mut to_come = load.calls_per_connection();
    let mut slots = Slots { out: vec![None; load.in_flight], free: load.in_flight, next: 1, to_send: to_come };
    let mut input = Input::new();
    let (mut reader, mut writer) = stream.split();
    let mut out = Vec::with_capacity(2 * AT_ONCE);
    let mut written = 0;
    while to_come > 0 {
        if written == out.len() {
            out.clear();
            written = 0;
            slots.fill(&mut out, &value);
        }
        let end = out.len().min(written + AT_ONCE);
        tokio::select! {
            biased;
            wrote = writer.write(&out[written..end]), if written < end => {
                written += wrote?;
                continue;
            }
            read = reader.read(input.room()) => {
                let read = read?;
                assert!(read > 0, "the server is gone");
                input.end += read;
            }
        }
        let mut answers = 0;
        loop {
            let (mut answer, mut total, mut echoed) = (None, None, None);
            let whole = input.next_box(|key, found| match key {
                b"_answer" => answer = Some(found),
                b"total" => total = Some(found),
                b"value" => echoed = Some(found),
                _ => {}
            });
            if !whole {
                break;
            }
            let expected = slots.take(tag(answer.expect("an answer has a tag")));
            if value.is_empty() {
                assert_eq!(integer(total.expect("a total")), expected, "a wrong sum");
            } else {
                assert!(echoed.expect("a value") == value, "a wrong echo");
            }
            answers += 1;
        }
        to_come -= answers;
        count(answers);
    }
    Ok(())
}
