//! tarpc with bincode, its limits raised to those of the others.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::StreamExt;
use tarpc::client::{self, RpcError};
use tarpc::context::{self, Context};
use tarpc::serde_transport;
use tarpc::server::{self, BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::net::{TcpListener, TcpStream};

use super::Served;
use crate::Error;
use crate::load::Client;

/// Calls that may be out or waiting at once.
const MAX: usize = 4_096;

#[tarpc::service]
trait Calculator {
    async fn sum(a: i64, b: i64) -> i64;
    async fn echo(value: serde_bytes::ByteBuf) -> serde_bytes::ByteBuf;
}

#[derive(Clone)]
struct Abacus;

impl Calculator for Abacus {
    async fn sum(self, _: Context, a: i64, b: i64) -> i64 {
        a + b
    }

    async fn echo(self, _: Context, value: serde_bytes::ByteBuf) -> serde_bytes::ByteBuf {
        value
    }
}

pub(super) async fn serve() -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a fresh stream takes it");
            let transport =
                serde_transport::new(LengthDelimitedCodec::builder().new_framed(stream), Bincode::default());
            let channel = BaseChannel::new(server::Config { pending_response_buffer: MAX }, transport);
            tokio::spawn(channel.execute(Abacus.serve()).for_each(|answer| async {
                tokio::spawn(answer);
            }));
        }
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Caller(CalculatorClient);

impl Client for Caller {
    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let transport = serde_transport::new(LengthDelimitedCodec::builder().new_framed(stream), Bincode::default());
        let mut config = client::Config::default();
        config.max_in_flight_requests = MAX;
        config.pending_request_buffer = MAX;
        Ok(Self(CalculatorClient::new(config, transport).spawn()))
    }

    async fn sum(&mut self, a: i64, b: i64) -> Result<i64, Error> {
        Ok(self.0.sum(context::current(), a, b).await?)
    }

    async fn echo(&mut self, value: Bytes) -> Result<impl AsRef<[u8]> + Send, Error> {
        let echoed: Result<_, RpcError> =
            self.0.echo(context::current(), serde_bytes::ByteBuf::from(value.to_vec())).await;
        Ok(echoed?.into_vec())
    }
}
