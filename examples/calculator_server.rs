//! `Sum` and `Divide` of Twisted's documentation, for any AMP peer: `cargo run --example calculator_server`
//!
//! Host and port may follow: `cargo run --example calculator_server -- 127.0.0.1:1234`. Then, for example in Python,
//! run `examples/twisted_client.py`, or `cargo run --example calculator_client`.

use std::sync::Arc;

use amp::{Reply, Server};
use calculator::{Calculator, CalculatorLocator, Divide, DivideError, Quotient, Sum, Total};

#[path = "shared/calculator.rs"]
mod calculator;

struct Abacus;

impl Calculator for Abacus {
    async fn sum(&self, Sum { a, b }: Sum) -> Reply<Sum> {
        let total = a.checked_add(b).ok_or_else(|| amp::CallError::failed("the sum is over 64 bits"))?;
        println!("{a} + {b} = {total}");
        Ok(Total { total })
    }

    async fn divide(&self, Divide { numerator, denominator }: Divide) -> Reply<Divide> {
        if denominator == 0 {
            return Err(DivideError::ZeroDivision.into());
        }
        let result = numerator as f64 / denominator as f64;
        println!("{numerator} / {denominator} = {result}");
        Ok(Quotient { result })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1234".to_owned());
    let abacus = Arc::new(Abacus);
    let server = Server::builder()
        .bind_tcp(&address, move |new| {
            println!("{} connects", new.peer());
            CalculatorLocator::from_arc(Arc::clone(&abacus))
        })
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("listening on {}; end with Ctrl-C", server.local_addr().ok_or("a TCP server has an address")?);
    tokio::signal::ctrl_c().await?;
    server.close();
    server.closed().await;
    Ok(())
}
