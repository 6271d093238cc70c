//! An operator: asks the hub, and answers nothing.
//!
//! `fleet-operator HUB:PORT [status NAME | dismiss NAME]`; without more it lists the agents.

use amp::{CallError, Connection};
use fleet_protocol::{AgentError, Dismiss, Hub, HubClient, ListAgents, StatusOf};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let Some((&address, arguments)) = arguments.split_first() else { return Err("no address of a hub".into()) };
    // No locator: whatever the hub asked of an operator would be answered UNHANDLED.
    let connection = Connection::builder().connect_tcp(address).await?;
    let hub = HubClient::new(&connection);
    match *arguments {
        [] => println!("in the fleet: {}", hub.list_agents(ListAgents).await?.names.join(", ")),
        ["status", name] => match hub.status_of(StatusOf { name: name.to_owned() }).await {
            Ok(status) => println!("{name} is process {} and has answered {}", status.process, status.answered),
            Err(CallError::Declared(error @ AgentError::NoSuchAgent { .. })) => println!("{error}"),
            Err(error) => return Err(error.into()),
        },
        ["dismiss", name] => {
            hub.dismiss(Dismiss { name: name.to_owned() }).await?;
            println!("{name} is dismissed");
        }
        _ => return Err("usage: fleet-operator HUB:PORT [status NAME | dismiss NAME]".into()),
    }
    connection.close();
    connection.closed().await;
    Ok(())
}
