//! This library as its README shows it.

use std::net::SocketAddr;
use std::sync::Arc;

use amp::{Arguments, Command, Connection, Reply, Server, responder};
use bytes::Bytes;

use super::Served;
use crate::Error;
use crate::load::Client;

/// Adds two integers.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Sum {
    pub a: i64,
    pub b: i64,
}

/// What they add up to.
#[derive(Arguments, Debug)]
pub struct Total {
    pub total: i64,
}

/// Gives the same bytes back.
#[derive(Command, Debug)]
#[amp(response = Echoed)]
pub struct Echo {
    pub value: Bytes,
}

/// The same bytes.
#[derive(Arguments, Debug)]
pub struct Echoed {
    pub value: Bytes,
}

#[responder]
trait Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
    async fn echo(&self, command: Echo) -> Reply<Echo>;
}

struct Abacus;

impl Calculator for Abacus {
    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }

    async fn echo(&self, command: Echo) -> Reply<Echo> {
        Ok(Echoed { value: command.value })
    }
}

/// Answers for [`Sum`] and [`Echo`].
#[must_use]
pub fn locator() -> impl amp::locator::Locator {
    CalculatorLocator::from_arc(Arc::new(Abacus))
}

pub(super) async fn serve() -> Result<Served, Error> {
    let abacus = Arc::new(Abacus);
    let locator = move |_: &_| CalculatorLocator::from_arc(Arc::clone(&abacus));
    // As many as are measured, and more than a server has by default.
    let server = Server::builder().max_connections(20_000).bind_tcp("127.0.0.1:0", locator).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;
    let serving = async move {
        server.closed().await;
    };
    Ok((address, Box::pin(serving)))
}

#[derive(Clone)]
pub(super) struct Caller(CalculatorClient);

impl Client for Caller {
    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let connection = Connection::builder().connect_tcp(address).await?;
        Ok(Self(CalculatorClient::new(&connection)))
    }

    async fn sum(&mut self, a: i64, b: i64) -> Result<i64, Error> {
        Ok(self.0.sum(Sum { a, b }).await?.total)
    }

    async fn echo(&mut self, value: Bytes) -> Result<impl AsRef<[u8]> + Send, Error> {
        Ok(self.0.echo(Echo { value }).await?.value)
    }
}
