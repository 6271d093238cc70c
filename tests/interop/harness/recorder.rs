use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Stands between a caller and a server, hands every byte on and writes down what each of them put on the wire.
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<u8>>>,
    answered: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// A recorder of the next connection to `server`.
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, answered) = (Arc::default(), Arc::default());
        let recorder = Self { address, asked: Arc::clone(&asked), answered: Arc::clone(&answered) };
        tokio::spawn(async move {
            let (caller, _) = listener.accept().await.unwrap();
            let (from_caller, to_caller) = caller.into_split();
            let (from_server, to_server) = TcpStream::connect(server).await.unwrap().into_split();
            tokio::join!(hand_on(from_caller, to_server, asked), hand_on(from_server, to_caller, answered));
        });
        recorder
    }

    /// What the caller and what the server has said so far.
    pub(crate) fn said(&self) -> (Vec<u8>, Vec<u8>) {
        (self.asked.lock().unwrap().clone(), self.answered.lock().unwrap().clone())
    }

    /// The same, a box a line.
    pub(crate) fn transcript(&self) -> (String, String) {
        (lines(&self.asked.lock().unwrap()), lines(&self.answered.lock().unwrap()))
    }
}

async fn hand_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, record: Arc<Mutex<Vec<u8>>>) {
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer).await {
        record.lock().unwrap().extend_from_slice(&buffer[..count]);
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

/// The exact bytes, shown with a new line before every box: an assertion then names the first box that differs.
fn lines(bytes: &[u8]) -> String {
    let mut rest = bytes;
    let mut lines = String::new();
    while !rest.is_empty() {
        let (first, after) = rest.split_at(box_length(rest).unwrap_or(rest.len()));
        lines += &super::raw::shown(first);
        lines.push('\n');
        rest = after;
    }
    lines
}

/// How many bytes the first box has.
fn box_length(bytes: &[u8]) -> Option<usize> {
    let length = |at: usize| Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let mut at = 0;
    loop {
        let key = length(at)?;
        if key == 0 {
            return Some(at + 2);
        }
        at += 2 + key;
        at += 2 + length(at)?;
    }
}
