//! An agent behind NAT dials out to a hub, and the hub opens a port that leads into the agent's network.
//! Run `cargo run --features multiplex --example tunnel_agent`: hub, agent and a small web server in one process.
//!
//! On three machines, where 10.0.0.7 is a web server that only the agent can reach:
//! `tunnel_agent hub 0.0.0.0:9000 10.0.0.7:80` and `tunnel_agent agent HUB:9000 10.0.0.7:80`. The agent leads to the
//! addresses on its command line and to no others; encrypt the way between them, as AMP itself does not.

use std::error::Error;
use std::net::SocketAddr;

use amp::Connection;
use amp::multiplex::{Factories, Forward, Multiplexer, Multiplexing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[path = "shared/page.rs"]
mod page;

/// The agent's side: it dials, and what it allows is all that the hub can reach.
async fn dial(hub: &str, allowed: &[&str]) -> Result<Connection, Box<dyn Error>> {
    let factories = Factories::new();
    factories.allow(allowed.iter().copied());
    let connection = Connection::builder().extension(Multiplexing::new(&factories)).connect_tcp(hub).await?;
    println!("agent: dialled {hub}, leads to {allowed:?}");
    Ok(connection)
}

/// The hub's side: waits for an agent and opens a port of this machine that leads to what the agent can reach.
async fn open_port(agents: &TcpListener, target: &str) -> Result<(Multiplexer, Connection, Forward), Box<dyn Error>> {
    let (socket, agent) = agents.accept().await?;
    let connection = Connection::builder().extension(Multiplexing::default()).start_tcp(socket)?;
    let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
    let forward = multiplexer.forward_port(0, &format!("tcp:{target}")).await?;
    let port = forward.local_addr().ok_or("a port has an address")?;
    println!("hub: the agent {agent} dialled in; http://{port}/ leads to its {target}");
    Ok((multiplexer, connection, forward))
}

/// A web server in the agent's network.
async fn serve_web(listener: TcpListener) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(page::answer(socket, "a page of the inner web server"));
    }
}

/// What a browser does.
async fn fetch(port: SocketAddr) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(port).await?;
    socket.write_all(b"GET / HTTP/1.1\r\nHost: inner\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    socket.read_to_string(&mut page).await?;
    Ok(page)
}

async fn everything_in_one_process() -> Result<(), Box<dyn Error>> {
    let web = TcpListener::bind("127.0.0.1:0").await?;
    let target = web.local_addr()?.to_string();
    tokio::spawn(serve_web(web));

    let agents = TcpListener::bind("127.0.0.1:0").await?;
    let hub = agents.local_addr()?.to_string();
    let allowed = [&*target];
    let (agent, opened) = tokio::join!(dial(&hub, &allowed), open_port(&agents, &target));
    let (_agent, (multiplexer, _connection, forward)) = (agent?, opened?);

    let port = forward.local_addr().ok_or("a port has an address")?;
    let page = fetch(port).await?;
    println!("browser: got {:?}", page.lines().last().unwrap_or_default());
    println!("hub: {:?}", forward.counts());
    match multiplexer.connect("tcp:127.0.0.1:22").await {
        Ok(_) => Err("the agent leads to an address that it does not allow".into()),
        Err(error) => {
            println!("hub: 127.0.0.1:22 is not to be reached: {error}");
            Ok(())
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => everything_in_one_process().await,
        ["hub", address, target] => {
            let agents = TcpListener::bind(address).await?;
            loop {
                let (_multiplexer, connection, forward) = open_port(&agents, target).await?;
                // The port lives as long as the agent's connection; other agents dial in meanwhile.
                tokio::spawn(async move {
                    println!("hub: the agent's connection was {}; {:?}", connection.closed().await, forward.counts());
                });
            }
        }
        ["agent", hub, ref allowed @ ..] if !allowed.is_empty() => {
            println!("agent: the connection was {}", dial(hub, allowed).await?.closed().await);
            Ok(())
        }
        _ => Err("usage: tunnel_agent [hub HOST:PORT TARGET | agent HOST:PORT TARGET..]".into()),
    }
}
