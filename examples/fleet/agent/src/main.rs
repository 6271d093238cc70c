//! An agent: dials the hub, logs in, and is commanded by it until it is told to leave.
//!
//! `fleet-agent HUB:PORT NAME SECRET`

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use amp::connection::{NewConnection, WeakConnection};
use amp::error::Escaped;
use amp::{Connection, Reply};
use fleet_protocol::{Agent, AgentLocator, Hub, HubClient, Leave, LogIn, Report, Status};

/// What the agent is while it is connected.
struct AgentSession {
    hub: WeakConnection,
    answered: AtomicU64,
}

impl Agent for AgentSession {
    async fn report(&self, _: Report) -> Reply<Report> {
        let answered = self.answered.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Status { process: std::process::id(), answered })
    }

    async fn leave(&self, _: Leave) -> Reply<Leave> {
        // This answer goes out before the connection ends.
        if let Some(hub) = self.hub.upgrade() {
            hub.close();
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet-agent: {}", Escaped(error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, name, secret] = &arguments[..] else { return Err("usage: fleet-agent HUB:PORT NAME SECRET".into()) };
    let session = |new: &NewConnection| {
        AgentLocator::new(AgentSession { hub: new.connection().clone(), answered: AtomicU64::new(0) })
    };
    let connection = Connection::builder().locator_with(session).connect_tcp(address.as_str()).await?;
    let hub = HubClient::new(&connection);
    hub.log_in(LogIn { name: name.clone(), secret: secret.clone() }).await?;
    println!("{name} is in the fleet");
    println!("the connection was {}", connection.closed().await);
    Ok(())
}
