//! Streams with a peer that speaks txampext's three commands (`python/streams.py`), in both roles.
//!
//! That peer drops the whole connection at any error in answer to its Transmit or Disconnect, so every test that goes on
//! afterwards shows that there was none.
//!
//! txampext 0.0.11 itself cannot be used: it is written for Python 2 and does not import on any Python 3.

mod bytes;
mod endings;
mod opened_by_rust;
mod opened_by_twisted;
mod web;

use std::sync::Mutex;

use amp::multiplex::{Factories, Multiplexer, Multiplexing, Stream, StreamSettings};
use amp::server::ServerBuilder;
use amp::{Connection, Server};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use crate::harness::{Served, Twisted, soon};

const TEN_MEGABYTES: usize = 10_000_000;

/// Rust's end of a connection to a Twisted server.
struct ToTwisted {
    multiplexer: Multiplexer,
    connection: Connection,
    twisted: Twisted,
}

impl ToTwisted {
    async fn start() -> Option<Self> {
        Self::with(StreamSettings::new()).await
    }

    async fn with(settings: StreamSettings) -> Option<Self> {
        let extension = Multiplexing::with_settings(&Factories::new(), settings);
        let (connection, twisted) = Twisted::called_by(Connection::builder().extension(extension)).await?;
        Some(Self { multiplexer: Multiplexer::of(&connection).unwrap(), connection, twisted })
    }

    async fn open(&self, factory: &str) -> Stream {
        soon(self.multiplexer.connect(factory)).await.unwrap()
    }

    /// The connection lives, and neither end has kept a stream.
    async fn nothing_is_left(&mut self) {
        still_there(&self.multiplexer, &mut self.twisted).await;
    }
}

/// A Twisted client of a Rust server that has these factories.
async fn serving(factories: &Factories) -> Option<(Served, Multiplexer)> {
    let (server, multiplexer) = multiplexing(factories);
    Some((Twisted::calling_server(server, ()).await?, soon(multiplexer).await.unwrap()))
}

/// A server with these factories, and the streams of its first connection, once there is one.
fn multiplexing(factories: &Factories) -> (ServerBuilder, oneshot::Receiver<Multiplexer>) {
    let (sender, receiver) = oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let server = Server::builder().extension(Multiplexing::new(factories)).on_connection(move |connection| {
        if let Some(sender) = sender.lock().unwrap().take() {
            let _ = sender.send(Multiplexer::of(&connection).unwrap());
        }
    });
    (server, receiver)
}

async fn still_there(multiplexer: &Multiplexer, twisted: &mut Twisted) {
    soon(async { while twisted.say("len(connections[-1].streams)").await != "0" || multiplexer.streams() > 0 {} })
        .await;
    assert_eq!(twisted.say("connections[-1].lost").await, "[]");
}

/// `pattern` of `python/streams.py`.
fn pattern(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn said(stream: &mut Stream, bytes: &[u8]) {
    soon(stream.write_all(bytes)).await.unwrap();
    soon(stream.flush()).await.unwrap();
}

async fn heard(stream: &mut Stream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    soon(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}

/// Everything until the end.
async fn heard_out(stream: &mut Stream) -> Vec<u8> {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    bytes
}
