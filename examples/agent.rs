//! An agent that dials out and is then commanded by the hub that it dialled: `cargo run --example agent`
//!
//! Without arguments the hub starts the agent as a child process and talks to it over its pipes. Over TCP, in two
//! terminals: `cargo run --example agent -- hub 127.0.0.1:9000` and `cargo run --example agent -- dial 127.0.0.1:9000`.

use std::error::Error;

use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Reply, Server, responder};

/// Reports how the agent is.
#[derive(Command, Debug)]
#[amp(response = Status)]
struct Report;

#[derive(Arguments, Debug)]
struct Status {
    process: u32,
    directory: String,
}

/// Lists a directory of the agent's machine.
#[derive(Command, Debug)]
#[amp(response = Listing, errors = ListError)]
struct List {
    path: String,
    most: Option<u32>,
}

#[derive(Arguments, Debug)]
struct Listing {
    entries: Vec<Entry>,
}

#[derive(Arguments, Debug)]
struct Entry {
    name: String,
    directory: bool,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum ListError {
    #[error("there is no such directory")]
    NotFound,
    #[error("{0}")]
    Unreadable(String),
}

/// What an agent does when its hub tells it to.
#[responder]
trait Agent {
    async fn report(&self, command: Report) -> Reply<Report>;
    async fn list(&self, command: List) -> Reply<List>;
}

struct Worker;

impl Agent for Worker {
    async fn report(&self, _: Report) -> Reply<Report> {
        let directory = std::env::current_dir()?;
        Ok(Status { process: std::process::id(), directory: directory.display().to_string() })
    }

    async fn list(&self, command: List) -> Reply<List> {
        let mut directory = tokio::fs::read_dir(&command.path).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ListError::NotFound,
            kind => ListError::Unreadable(format!("the directory cannot be read: {kind}")),
        })?;
        let most = command.most.map_or(usize::MAX, |most| most as usize);
        let mut entries = Vec::new();
        while let Some(entry) = directory.next_entry().await? {
            if entries.len() == most {
                break;
            }
            let kind = entry.file_type().await?;
            entries.push(Entry { name: entry.file_name().to_string_lossy().into_owned(), directory: kind.is_dir() });
        }
        Ok(Listing { entries })
    }
}

/// The hub's side: commands whoever is at the other end.
async fn command(agent: impl Agent) -> Result<(), Box<dyn Error>> {
    let status = agent.report(Report).await?;
    println!("process {} works in {}", status.process, status.directory);
    let listing = agent.list(List { path: ".".to_owned(), most: Some(5) }).await?;
    for Entry { name, directory } in listing.entries {
        println!("  {name}{}", if directory { "/" } else { "" });
    }
    match agent.list(List { path: "/no/such/place".to_owned(), most: None }).await {
        Err(CallError::Declared(ListError::NotFound)) => println!("  /no/such/place: {}", ListError::NotFound),
        other => println!("  /no/such/place: {other:?}"),
    }
    Ok(())
}

async fn command_a_child() -> Result<(), Box<dyn Error>> {
    let mut process = tokio::process::Command::new(std::env::current_exe()?);
    let (connection, mut child) = Connection::builder().spawn(process.arg("pipes"))?;
    println!("the hub talks to {}", connection.peer());
    command(AgentClient::new(&connection)).await?;
    connection.close();
    println!("the connection was {}, the agent ended with {}", connection.closed().await, child.wait().await?);
    Ok(())
}

async fn command_who_dials(address: &str) -> Result<(), Box<dyn Error>> {
    let server = Server::builder().on_connection(|connection| {
        tokio::spawn(async move {
            println!("{} dials in", connection.peer());
            if let Err(error) = command(AgentClient::new(&connection)).await {
                println!("the agent failed: {error}");
            }
            connection.close();
        });
    });
    let server = server.bind_tcp(address, |_| ()).await?;
    println!("the hub listens on {:?}; end with Ctrl-C", server.local_addr());
    Ok(tokio::signal::ctrl_c().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let agent = Connection::builder().locator(AgentLocator::new(Worker));
    let connection = match arguments[..] {
        [] => return command_a_child().await,
        ["hub", address] => return command_who_dials(address).await,
        ["dial", address] => agent.connect_tcp(address).await?,
        ["pipes"] => agent.stdio()?,
        _ => return Err("usage: agent [hub HOST:PORT | dial HOST:PORT]".into()),
    };
    // Standard output may be the wire: the agent speaks on standard error.
    eprintln!("the agent waits for commands from {}", connection.peer());
    let reason = connection.closed().await;
    eprintln!("the agent's connection was {reason}");
    Ok(())
}
