//! What a responder returns: one error for each method.
use amp::{Arguments, CallError, Command, ErrorCodes, Reply, responder};
use amp::error::NoErrors;

#[derive(Arguments)]
struct Done {
    at: u64,
}

#[derive(Command)]
#[amp(response = Done, errors = PutError)]
struct Put {
    key: String,
}

#[derive(Command)]
struct Get;

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum PutError {
    #[error("full")]
    Full,
}

struct Plain {
    key: String,
}

struct Store;

#[responder]
impl Store {
    async fn put(&self, command: Put) -> Result<Done, PutError> {
        Err(PutError::Full)
    }

    async fn get(&self, _: Get) -> Option<Done> {
        None
    }

    async fn text(&self, key: String) -> Reply<Put> {
        Ok(Done { at: 1 })
    }
}

#[responder]
trait Storing {
    async fn put(&self, command: Put) -> Result<Done, PutError>;
    async fn get(&self, command: Get) -> Result<Done, CallError<NoErrors>>;
    async fn plain(&self, command: Plain) -> Reply<Plain>;
    async fn number(&self, key: i64) -> Reply<i64>;
}

fn main() {}
