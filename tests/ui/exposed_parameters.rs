//! Parameters behind the command that nothing provides.
use amp::{Command, Connection, Reply, State, responder};

#[derive(Command)]
struct Ping;

struct Abacus;

struct Pool;

#[responder]
impl Abacus {
    async fn ping(&self, _: Ping, _: Connection, pool: Pool, _: State<Pool>, _: Option<u8>) -> Reply<Ping> {
        let _ = pool;
        Ok(())
    }
}

fn main() {}
