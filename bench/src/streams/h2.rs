//! Streams of HTTP/2: frames as long as the others', windows as large, limits that nothing reaches.

use std::future::poll_fn;
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use tokio::net::{TcpListener, TcpStream};

use super::{ByteStream, Opener, work};
use crate::Error;
use crate::contestants::Served;

const FRAME: u32 = 32 * 1024;
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 64 << 20;
const MAX_STREAMS: u32 = 16_384;

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve_connection(socket));
        }
    };
    Ok((address, Box::pin(serving)))
}

async fn serve_connection(socket: TcpStream) -> Result<(), Error> {
    socket.set_nodelay(true)?;
    let mut connection = h2::server::Builder::new()
        .max_frame_size(FRAME)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(MAX_STREAMS)
        .handshake::<_, Bytes>(socket)
        .await?;
    while let Some(request) = connection.accept().await {
        let (request, mut respond) = request?;
        let sender = respond.send_response(Response::new(()), false)?;
        let receiver = Receiver::Open(request.into_body());
        tokio::spawn(work::serve(Stream { sender, receiver, held: Bytes::new(), ended: false }));
    }
    Ok(())
}

#[derive(Clone)]
pub(super) struct Client(SendRequest<Bytes>);

impl Opener for Client {
    type Stream = Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = h2::client::Builder::new()
            .max_frame_size(FRAME)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(MAX_STREAMS as usize)
            .handshake(socket)
            .await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    async fn open(&mut self) -> Result<Stream, Error> {
        poll_fn(|cx| self.0.poll_ready(cx)).await?;
        let (response, sender) = self.0.send_request(Request::post("/").body(())?, false)?;
        Ok(Stream { sender, receiver: Receiver::Waiting(response), held: Bytes::new(), ended: false })
    }
}

pub(super) struct Stream {
    sender: SendStream<Bytes>,
    receiver: Receiver,
    /// What was received last. It gives its credit back when it was used.
    held: Bytes,
    /// Nothing is sent any more.
    ended: bool,
}

enum Receiver {
    Waiting(ResponseFuture),
    Open(RecvStream),
}

impl Stream {
    async fn put(&mut self, mut bytes: Bytes, last: bool) -> Result<(), Error> {
        self.ended |= last;
        while !bytes.is_empty() {
            self.sender.reserve_capacity(bytes.len());
            let room = poll_fn(|cx| self.sender.poll_capacity(cx)).await.ok_or("the stream is over")??;
            let piece = bytes.split_to(room.min(bytes.len()));
            self.sender.send_data(piece, last && bytes.is_empty())?;
        }
        Ok(())
    }
}

impl ByteStream for Stream {
    async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.put(bytes, false).await
    }

    async fn send_last(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.put(bytes, true).await
    }

    async fn receive<'a>(&'a mut self, _: &'a mut [u8]) -> Result<&'a [u8], Error> {
        if let Receiver::Waiting(response) = &mut self.receiver {
            self.receiver = Receiver::Open(response.await?.into_body());
        }
        if let Receiver::Open(body) = &mut self.receiver {
            if !self.held.is_empty() {
                body.flow_control().release_capacity(self.held.len())?;
            }
            self.held = body.data().await.transpose()?.unwrap_or_default();
        }
        Ok(&self.held)
    }

    /// Sees the end of the stream, because HTTP/2 resets one that is dropped before.
    async fn close(mut self) -> Result<(), Error> {
        if !self.ended {
            self.sender.send_data(Bytes::new(), true)?;
        }
        while !self.receive(&mut []).await?.is_empty() {}
        Ok(())
    }
}
