//! A connection that nobody keeps.
#![deny(unused_must_use)]
use amp::Connection;
use amp::connection::pair;

async fn agent() -> std::io::Result<()> {
    Connection::builder().connect_tcp("127.0.0.1:1234").await?;
    Ok(())
}

fn tests() {
    pair(Connection::builder(), Connection::builder());
}

fn main() {}
