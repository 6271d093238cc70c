//! Declared errors that are no `std::error::Error`.
use amp::{Command, ErrorCodes, Reply, responder};

#[derive(Command)]
#[amp(errors = PutError)]
struct Put;

#[derive(ErrorCodes)]
enum PutError {
    Full,
    Other(String),
}

struct Store;

#[responder]
impl Store {
    async fn put(&self, _: Put) -> Reply<Put> {
        Err(PutError::Full.into())
    }
}

#[derive(ErrorCodes)]
enum AndAnotherMistake {
    #[amp(bogus)]
    Fault,
}

fn main() {}
