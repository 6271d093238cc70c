//! `?` in a responder, on an error that is neither declared nor known to be a failure.
use amp::{Command, Connection, ErrorCodes, Exposed, Reply, responder};

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum PutError {
    #[error("full")]
    Full,
}

#[derive(Command)]
#[amp(errors = PutError)]
struct Put;

#[derive(Command)]
struct Get {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(thiserror::Error, Debug)]
#[error("the database is gone")]
struct DatabaseError;

fn query() -> Result<u64, DatabaseError> {
    Err(DatabaseError)
}

struct Store;

#[responder]
impl Store {
    async fn put(&self, _: Put) -> Reply<Put> {
        query()?;
        Err("text")?;
        Ok(())
    }

    async fn get(&self, command: Get) -> Reply<Get> {
        command.connection.call(Put).await?;
        Err(PutError::Full)?;
        Ok(())
    }
}

#[responder]
trait Storing {
    async fn put(&self, command: Put) -> Reply<Put>;
}

impl Storing for Store {
    async fn put(&self, _: Put) -> Reply<Put> {
        query()?;
        Err(DatabaseError.into())
    }
}

fn generic<C: Command>(response: C::Response) -> Reply<C> {
    query()?;
    Ok(response)
}

fn main() {}
