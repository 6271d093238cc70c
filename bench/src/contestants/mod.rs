//! Who is measured: each serves and calls in its own way, under the same load.

pub mod by_hand;
pub mod ours;
mod raw;
mod tarpc;
mod tonic;

use std::net::SocketAddr;
use std::pin::Pin;

use crate::Error;
use crate::load::{Load, call_all, keep};

/// An address, and what serves there for as long as it is polled.
pub type Served = (SocketAddr, Pin<Box<dyn Future<Output = ()> + Send>>);

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// The bytes of an ask and an answer and nothing else, batched.
    Raw,
    /// A loop that truly parses and builds the boxes.
    ByHand,
    /// This library, typed.
    Ours,
    /// tarpc with bincode.
    Tarpc,
    /// tonic, that is gRPC.
    Tonic,
}

impl Contestant {
    /// All of them, the raw limit first.
    pub const ALL: [Self; 5] = [Self::Raw, Self::ByHand, Self::Ours, Self::Tarpc, Self::Tonic];

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contestant| contestant.name() == name)
    }

    /// Its name, in the tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::ByHand => "by-hand",
            Self::Ours => "ours",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
        }
    }

    /// Binds a port of the loopback interface.
    ///
    /// # Errors
    /// When that fails.
    pub async fn serve(self, load: Load) -> Result<Served, Error> {
        match self {
            Self::Raw => raw::serve(load).await,
            Self::ByHand => by_hand::serve().await,
            Self::Ours => ours::serve().await,
            Self::Tarpc => tarpc::serve().await,
            Self::Tonic => tonic::serve().await,
        }
    }

    /// Opens connections that have nothing to do, and calls `opened` after the first one and after the last one.
    ///
    /// # Errors
    /// When a connection fails, and for who keeps none.
    pub async fn keep(self, address: SocketAddr, connections: usize, opened: impl FnMut(usize)) -> Result<(), Error> {
        match self {
            Self::Ours => keep::<ours::Caller>(address, connections, opened).await,
            Self::Tarpc => keep::<tarpc::Caller>(address, connections, opened).await,
            Self::Tonic => keep::<tonic::Caller>(address, connections, opened).await,
            _ => Err(format!("{} keeps no connections", self.name()).into()),
        }
    }

    /// Makes all calls of the load.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn call(self, address: SocketAddr, load: Load) -> Result<(), Error> {
        match self {
            Self::Raw => raw::call(address, load).await,
            Self::ByHand => by_hand::call(address, load).await,
            Self::Ours => call_all::<ours::Caller>(address, load).await,
            Self::Tarpc => call_all::<tarpc::Caller>(address, load).await,
            Self::Tonic => call_all::<tonic::Caller>(address, load).await,
        }
    }
}
