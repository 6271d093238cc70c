use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::soon;

/// The ask that shows that a connection still lives, and its answer.
const PROBE: &[(&str, &[u8])] = &[("_ask", b"probe"), ("_command", b"Sum"), ("a", b"90"), ("b", b"4")];
const PROBED: &[(&str, &[u8])] = &[("_answer", b"probe"), ("total", b"94")];

/// A box as bytes, with its pairs as they are given.
pub(crate) fn boxed(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        for part in [key.as_bytes(), value] {
            bytes.extend_from_slice(&u16::try_from(part.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\0\0");
    bytes
}

/// What a server says to bytes that make it end the connection.
pub(crate) async fn said_before_close(server: SocketAddr, bytes: &[u8]) -> String {
    let mut said = Vec::new();
    // What comes behind bad bytes may find the connection closed.
    let mut stream = connected(server).await;
    let _ = stream.write_all(bytes).await;
    soon(read_to(&mut stream, &mut said, None)).await;
    shown(&said)
}

/// What a server says to bytes after which it goes on.
pub(crate) async fn said_and_open(server: SocketAddr, bytes: &[u8]) -> String {
    let mut said = Vec::new();
    let (probe, probed) = (boxed(PROBE), boxed(PROBED));
    let mut stream = connected(server).await;
    stream.write_all(bytes).await.unwrap();
    // The second one is not in the same read as the bytes: it is answered only where the connection goes on.
    for _ in 0..2 {
        stream.write_all(&probe).await.unwrap();
        soon(read_to(&mut stream, &mut said, Some(&probed))).await;
        let rest = said.strip_suffix(&*probed).map(<[u8]>::len);
        said.truncate(rest.unwrap_or_else(|| panic!("the connection was closed after {}", shown(&said))));
    }
    shown(&said)
}

async fn connected(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads until the server ends the connection, or has said `last`.
async fn read_to(stream: &mut TcpStream, said: &mut Vec<u8>, last: Option<&[u8]>) {
    while last.is_none_or(|last| !said.ends_with(last)) {
        match stream.read_buf(said).await {
            // A server that closes with unread bytes resets the connection.
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

pub(crate) fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
