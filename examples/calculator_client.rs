//! Calls `Sum` and `Divide` of any AMP peer: `cargo run --example calculator_client`
//!
//! Host and port may follow: `cargo run --example calculator_client -- 127.0.0.1:1234`. The peer can be Twisted's
//! (`examples/twisted_server.py`) or `cargo run --example calculator_server`.

use amp::{CallError, Connection};
use calculator::{Calculator, CalculatorClient, Divide, DivideError, Sum};

#[path = "shared/calculator.rs"]
mod calculator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1234".to_owned());
    let connection = Connection::builder().connect_tcp(&address).await;
    let connection = connection.map_err(|error| error.to_string())?;
    let calculator = CalculatorClient::new(&connection);

    println!("13 + 81 = {}", calculator.sum(Sum { a: 13, b: 81 }).await?.total);
    println!("7 / 2 = {}", calculator.divide(Divide { numerator: 7, denominator: 2 }).await?.result);
    match calculator.divide(Divide { numerator: 1234, denominator: 0 }).await {
        Err(CallError::Declared(DivideError::ZeroDivision)) => {
            println!("1234 / 0 is refused: {}", DivideError::ZeroDivision)
        }
        other => println!("1234 / 0 gave {other:?}"),
    }
    connection.close();
    connection.closed().await;
    Ok(())
}
