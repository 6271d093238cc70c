//! The hub: agents dial in and log in, operators log in and ask, and the hub commands the agents.
//!
//! `fleet-hub HOST:PORT AGENT_SECRET OPERATOR_SECRET`

mod fleet;
mod session;

use std::process::ExitCode;
use std::sync::Arc;

use amp::Server;
use amp::connection::NewConnection;
use amp::error::Escaped;
use fleet_protocol::HubLocator;

use fleet::Fleet;
use session::{HubSession, Secrets};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet-hub: {}", Escaped(error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, agent, operator] = &arguments[..] else {
        return Err("usage: fleet-hub HOST:PORT AGENT_SECRET OPERATOR_SECRET".into());
    };
    if agent == operator {
        return Err("agents and operators have different secrets".into());
    }
    let secrets = Arc::new(Secrets { agent: agent.clone(), operator: operator.clone() });
    let fleet = Arc::new(Fleet::default());
    let session = move |new: &NewConnection| HubLocator::new(HubSession::new(&fleet, &secrets, new));
    let server = Server::builder().bind_tcp(address.as_str(), session).await?;
    println!("the hub listens on {}", server.local_addr().ok_or("a TCP server has an address")?);
    tokio::signal::ctrl_c().await?;
    server.close();
    server.closed().await;
    Ok(())
}
