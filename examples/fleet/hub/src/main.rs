//! The hub: agents dial in and log in, operators ask, and the hub commands the agents.
//!
//! `fleet-hub HOST:PORT SECRET`

mod session;

use std::sync::Arc;

use amp::Server;
use amp::connection::NewConnection;
use fleet_protocol::HubLocator;

use session::{Fleet, HubSession};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, secret] = &arguments[..] else { return Err("usage: fleet-hub HOST:PORT SECRET".into()) };
    let fleet = Arc::new(Fleet::new(secret));
    let session = move |new: &NewConnection| HubLocator::new(HubSession::new(&fleet, new));
    let server = Server::builder().bind_tcp(address.as_str(), session).await?;
    println!("the hub listens on {}", server.local_addr().ok_or("a TCP server has an address")?);
    tokio::signal::ctrl_c().await?;
    server.close();
    server.closed().await;
    Ok(())
}
