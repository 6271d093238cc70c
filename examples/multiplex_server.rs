//! A web server that listens on no port: every HTTP connection is a stream of an AMP connection.
//! Run `cargo run --features multiplex --example multiplex_server`, and `multiplex_client` in another terminal.
//!
//! An address for AMP and the name of the factory may follow: `-- 127.0.0.1:8884 hello`. The client may be txampext's too.

use amp::Server;
use amp::multiplex::{Factories, Multiplexing, Stream};

#[path = "shared/page.rs"]
mod page;

/// The web site. A stream is to it what a TCP socket is.
async fn serve(stream: Stream) {
    match page::answer(stream, "Hello from the web server!\n").await {
        Ok(request) => println!("{request}"),
        Err(error) => println!("a stream failed: {error}"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8884".to_owned());
    let name = arguments.next().unwrap_or_else(|| "hello".to_owned());

    let factories = Factories::new();
    factories.serve(&name, serve);
    // The factories are everybody's, the streams each connection's own. Locators of your own commands may stand beside it.
    let server = Server::builder()
        .extension(Multiplexing::new(&factories))
        .bind_tcp(&address, |_| ())
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("the factory {name:?} is served over AMP on {address}; end with Ctrl-C");
    tokio::signal::ctrl_c().await?;
    server.close();
    server.closed().await;
    Ok(())
}
