//! The limit: TCP itself, a connection for each stream.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};

use super::{ByteStream, Opener, Socket, work};
use crate::Error;
use crate::contestants::Served;

/// A connection. After a large piece it lets the others have their turn, as a multiplexer does.
pub(super) struct Stream(Socket<TcpStream>);

impl ByteStream for Stream {
    /// Not more than a loopback segment (`performance.md`).
    const AT_ONCE: usize = 60_000;

    async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        let large = bytes.len() > 1;
        self.0.send(bytes).await?;
        if large {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn receive<'a>(&'a mut self, buffer: &'a mut [u8]) -> Result<&'a [u8], Error> {
        if buffer.len() > 1 {
            tokio::task::yield_now().await;
        }
        self.0.receive(buffer).await
    }

    async fn close(self) -> Result<(), Error> {
        Ok(())
    }
}

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.set_nodelay(true)?;
                // What fails is noticed by the client, unless it is the one that left.
                work::serve(Stream(Socket(stream))).await
            });
        }
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Client {
    address: SocketAddr,
    /// Thousands of closed connections a second would wait a minute for late packets and keep their ports.
    forgetful: bool,
}

impl Client {
    /// Connections that are closed in the usual way, which relays expect.
    pub(super) fn to(address: SocketAddr) -> Self {
        Self { address, forgetful: false }
    }
}

impl Opener for Client {
    type Stream = Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        Ok(Self { address, forgetful: true })
    }

    async fn open(&mut self) -> Result<Stream, Error> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        if self.forgetful {
            stream.set_zero_linger()?;
        }
        Ok(Stream(Socket(stream)))
    }
}
