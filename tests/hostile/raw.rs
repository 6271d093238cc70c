//! An attacker: a socket, and boxes that are written by hand.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bounds::PATIENCE;

/// For how long an attacker waits for a server that takes none of its bytes, before it thinks of that as success.
const STALLED: Duration = Duration::from_secs(3);

/// A key and its value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The bytes of a box, with its pairs in this order.
pub(crate) fn packed(pairs: &[Pair<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        for part in [key, value] {
            bytes.extend(u16::try_from(part.len()).expect("a length that fits").to_be_bytes());
            bytes.extend(*part);
        }
    }
    bytes.extend([0, 0]);
    bytes
}

/// An ask with a tag.
pub(crate) fn ask(tag: impl AsRef<[u8]>, command: &str, arguments: &[Pair<'_>]) -> Vec<u8> {
    let start: [Pair<'_>; 2] = [(b"_ask", tag.as_ref()), (b"_command", command.as_bytes())];
    packed(&[&start, arguments].concat())
}

/// An ask that wants no answer.
pub(crate) fn notification(command: &[u8], arguments: &[Pair<'_>]) -> Vec<u8> {
    let start: [Pair<'_>; 1] = [(b"_command", command)];
    packed(&[&start, arguments].concat())
}

/// A box of so many bytes, about, which is dropped when it has been read, whatever waits: bytes for a stream that there is not, without
/// the wish for an answer.
pub(crate) fn dropped(bytes: usize) -> Vec<u8> {
    const VALUE: usize = 65_000;
    let value = vec![b'x'; VALUE];
    let keys: Vec<_> = (0..bytes.div_ceil(VALUE)).map(|at| format!("k{at:02}").into_bytes()).collect();
    let pairs: Vec<Pair<'_>> = keys.iter().map(|key| (key.as_slice(), value.as_slice())).collect();
    notification(
        b"Transmit",
        &[&[(b"connection".as_slice(), b"none".as_slice()), (b"data", b"x")], pairs.as_slice()].concat(),
    )
}

/// A tag of so many bytes that no other ask has.
pub(crate) fn long_tag(length: usize, number: usize) -> Vec<u8> {
    let mut tag = vec![b't'; length];
    let digits = format!("{number:08x}");
    tag[..digits.len()].copy_from_slice(digits.as_bytes());
    tag
}

pub(crate) trait Socket: Read + Write + Send + Sized + 'static {
    fn copy(&self) -> io::Result<Self>;
    fn limit(&self) -> io::Result<()>;
    fn reads_within(&self, time: Duration) -> io::Result<()>;
    fn shut_down(&self, how: Shutdown);
}

macro_rules! socket {
    ($($stream:ty),*) => {
        $(impl Socket for $stream {
            fn copy(&self) -> io::Result<Self> {
                self.try_clone()
            }

            fn limit(&self) -> io::Result<()> {
                self.set_write_timeout(Some(STALLED))?;
                self.set_read_timeout(Some(PATIENCE))
            }

            fn reads_within(&self, time: Duration) -> io::Result<()> {
                self.set_read_timeout(Some(time))
            }

            fn shut_down(&self, how: Shutdown) {
                let _ = self.shutdown(how);
            }
        })*
    };
}

socket!(TcpStream, UnixStream);

pub(crate) struct Raw<S: Socket = TcpStream> {
    stream: S,
    received: Vec<u8>,
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the server accepts")
    }

    /// The server may be out of places.
    pub(crate) fn try_connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(TcpStream::connect_timeout(&address, Duration::from_secs(5))?))
    }
}

/// A box that was received.
pub(crate) type Pairs = HashMap<Vec<u8>, Vec<u8>>;

impl<S: Socket> Raw<S> {
    pub(crate) fn over(stream: S) -> Self {
        stream.limit().expect("limits of a socket");
        Self { stream, received: Vec::new() }
    }

    /// Writes. An error is the server's: it has ended the connection, or reads no more.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Writes so many pieces, or as many as the server takes. Returns how many it took.
    pub(crate) fn send_all(&mut self, count: usize, mut piece: impl FnMut(usize) -> Vec<u8>) -> usize {
        (0..count).find(|&number| self.send(&piece(number)).is_err()).unwrap_or(count)
    }

    pub(crate) fn finish(&self) {
        self.stream.shut_down(Shutdown::Write);
    }

    /// Reads and throws away what comes, in a thread of its own, until the connection ends.
    pub(crate) fn drain(&self) -> JoinHandle<usize> {
        let mut stream = self.stream.copy().expect("a socket");
        std::thread::spawn(move || {
            let (mut part, mut all) = (vec![0; 64 << 10], 0);
            loop {
                match stream.read(&mut part) {
                    Ok(0) => return all,
                    Ok(bytes) => all += bytes,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return all,
                }
            }
        })
    }

    /// The next box; `None` at the end.
    pub(crate) fn receive(&mut self) -> Option<Pairs> {
        loop {
            if let Some((pairs, length)) = unpacked(&self.received) {
                self.received.drain(..length);
                return Some(pairs);
            }
            let mut part = [0; 16 << 10];
            match self.stream.read(&mut part) {
                Ok(0) | Err(_) => return None,
                Ok(bytes) => self.received.extend(&part[..bytes]),
            }
        }
    }

    /// The answer to a tag. What comes before it is passed over.
    pub(crate) fn answer(&mut self, tag: &[u8]) -> Option<Pairs> {
        loop {
            let pairs = self.receive()?;
            let is_tagged = |key: &[u8]| pairs.get(key).is_some_and(|value| value == tag);
            if is_tagged(b"_answer") || is_tagged(b"_error") {
                return Some(pairs);
            }
        }
    }

    /// The next ask of this command, which the server has called. What comes before it is passed over.
    pub(crate) fn called(&mut self, command: &str) -> Option<Pairs> {
        loop {
            let pairs = self.receive()?;
            if pairs.get(b"_command".as_slice()).is_some_and(|name| name == command.as_bytes()) {
                return Some(pairs);
            }
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn call(&mut self, command: &str, arguments: &[Pair<'_>]) -> Option<Pairs> {
        self.send(&ask("call", command, arguments)).ok()?;
        self.answer(b"call")
    }

    /// Opens a stream, and returns its id.
    pub(crate) fn open(&mut self, factory: &str) -> Option<Vec<u8>> {
        self.call("Connect", &[(b"factory", factory.as_bytes())])?.remove(b"connection".as_slice())
    }

    /// The server has been heard to the end of what was sent so far: it has answered behind it, or has ended the connection.
    pub(crate) fn is_read(&mut self) -> bool {
        self.call("Add", &[(b"a", b"1"), (b"b", b"2")]).is_some()
    }

    /// Whether the server has ended the connection, or does within this time.
    pub(crate) fn has_ended(&mut self, within: Duration) -> bool {
        if self.stream.reads_within(within).is_err() {
            return true;
        }
        let mut part = [0; 4096];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
            }
        }
    }
}

impl<S: Socket> Drop for Raw<S> {
    /// A thread that drains it goes, too.
    fn drop(&mut self) {
        self.stream.shut_down(Shutdown::Both);
    }
}

/// The first box and its length, if the whole of it is there.
fn unpacked(bytes: &[u8]) -> Option<(Pairs, usize)> {
    let (mut pairs, mut at) = (Pairs::new(), 0);
    let part = |at: &mut usize| {
        let length = bytes.get(*at..*at + 2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let part = bytes.get(*at + 2..*at + 2 + length)?;
        *at += 2 + length;
        Some(part.to_vec())
    };
    loop {
        let key = part(&mut at)?;
        if key.is_empty() {
            return Some((pairs, at));
        }
        let value = part(&mut at)?;
        pairs.insert(key, value);
    }
}
