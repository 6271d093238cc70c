//! This library's streams as its documentation shows them, with the settings that it has by itself.

use std::net::SocketAddr;

use amp::multiplex::{self, Factories, Multiplexer, Multiplexing};
use amp::{Connection, Server};

use super::{Opener, Socket, work};
use crate::Error;
use crate::contestants::Served;

const FACTORY: &str = "streams";

/// Dropping closes both directions.
pub(super) type Stream = Socket<multiplex::Stream>;

pub(super) async fn serve() -> Result<Served, Error> {
    let factories = Factories::new();
    factories.serve(FACTORY, async |stream| {
        // What fails is noticed by the client, unless it is the one that left.
        let _ = work::serve::<Stream>(Socket(stream)).await;
    });
    let server = Server::builder().extension(Multiplexing::new(&factories));
    let server = server.bind_tcp("127.0.0.1:0", |_| ()).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;
    let serving = async move {
        server.closed().await;
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Client {
    multiplexer: Multiplexer,
    _connection: Connection,
}

impl Opener for Client {
    type Stream = Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let connection = Connection::builder().extension(Multiplexing::default()).connect_tcp(address).await?;
        let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
        Ok(Self { multiplexer, _connection: connection })
    }

    async fn open(&mut self) -> Result<Stream, Error> {
        Ok(Socket(self.multiplexer.connect(FACTORY).await?))
    }
}
