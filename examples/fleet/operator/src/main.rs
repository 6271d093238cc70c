//! An operator: logs in at the hub and asks it, and answers nothing.
//!
//! `fleet-operator HUB:PORT SECRET [status NAME | dismiss NAME]`; without more it lists the agents.

use std::process::ExitCode;

use amp::Connection;
use amp::error::Escaped;
use fleet_protocol::{Dismiss, Hub, HubClient, ListAgents, LogInOperator, StatusOf};

const USAGE: &str = "usage: fleet-operator HUB:PORT SECRET [status NAME | dismiss NAME]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fleet-operator: {}", Escaped(error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let [address, secret, arguments @ ..] = &arguments[..] else { return Err(USAGE.into()) };
    // No locator: whatever the hub asked of an operator would be answered UNHANDLED.
    let connection = Connection::builder().connect_tcp(*address).await?;
    let hub = HubClient::new(&connection);
    hub.log_in_operator(LogInOperator { secret: (*secret).to_owned() }).await?;
    let done = match *arguments {
        [] => {
            let agents = hub.list_agents(ListAgents).await?;
            // The agents have named themselves.
            let names: Vec<_> = agents.names.iter().map(|name| Escaped(name).to_string()).collect();
            Ok(format!("in the fleet: {}", names.join(", ")))
        }
        ["status", name] => {
            let status = hub.status_of(StatusOf { name: name.to_owned() }).await;
            status.map(|status| format!("{name} is process {} and has answered {}", status.process, status.answered))
        }
        ["dismiss", name] => {
            let dismissed = hub.dismiss(Dismiss { name: name.to_owned() }).await;
            dismissed.map(|()| format!("{name} is dismissed"))
        }
        _ => return Err(USAGE.into()),
    };
    println!("{}", done?);
    connection.close();
    connection.closed().await;
    Ok(())
}
