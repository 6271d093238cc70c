//! A port of this machine that leads to a factory of an AMP peer.
//! Run `cargo run --features multiplex --example multiplex_client`, then `curl http://127.0.0.1:8885/` or use a browser.
//!
//! The peer's address, the name of the factory and the port may follow: `-- 127.0.0.1:8884 hello 8885`. The peer is
//! `cargo run --features multiplex --example multiplex_server`, or txampext's example.

use amp::Connection;
use amp::multiplex::{Multiplexer, Multiplexing};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8884".to_owned());
    let factory = arguments.next().unwrap_or_else(|| "hello".to_owned());
    let port = arguments.next().map_or(Ok(8885), |port| port.parse())?;

    // Without factories: the peer may open no streams here.
    let connection = Connection::builder().extension(Multiplexing::default()).connect_tcp(&address).await;
    let connection = connection.map_err(|error| error.to_string())?;

    let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
    let forward = multiplexer.forward_port(port, &factory).await?;
    let local = forward.local_addr().ok_or("a port has an address")?;
    println!("http://{local}/ leads to the factory {factory:?} of {address}; end with Ctrl-C");
    tokio::select! {
        reason = connection.closed() => println!("the connection was {reason}"),
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    println!("{:?}", forward.counts());
    Ok(())
}
