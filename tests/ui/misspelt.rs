//! Beside a mistake in its settings a command keeps what is known of its answer: nobody who uses it complains.
use amp::{Arguments, Command, ErrorCodes, Reply, responder};

#[derive(Arguments)]
struct Done {
    #[constrain(nonempty, lenght = 1..)]
    text: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("full")]
    #[amp(fatl)]
    Full,
}

#[derive(Command)]
#[amp(respons = Done, error = Fault)]
struct Letters;

#[derive(Command)]
#[amp(timeout = 5, response = Done errors = Fault)]
struct Comma;

#[derive(Command)]
#[amp(response(Done), errors: Fault)]
struct Notation;

#[derive(Command)]
#[amp(nmae = 5, response = "Done", errors Fault)]
struct Quoted;

#[derive(Command)]
#[amp(nonsense = Done)]
struct Nonsense;

struct Store;

#[responder]
impl Store {
    async fn letters(&self, _: Letters) -> Reply<Letters> {
        let reply: Result<Done, Fault> = Err(Fault::Full);
        Ok(reply?)
    }

    async fn comma(&self, _: Comma) -> Reply<Comma> {
        let reply: Result<Done, Fault> = Err(Fault::Full);
        Ok(reply?)
    }

    async fn notation(&self, _: Notation) -> Reply<Notation> {
        let reply: Result<Done, Fault> = Err(Fault::Full);
        Ok(reply?)
    }

    async fn quoted(&self, _: Quoted) -> Reply<Quoted> {
        let reply: Result<Done, Fault> = Err(Fault::Full);
        Ok(reply?)
    }
}

#[derive(Command)]
struct Elsewhere {
    #[amp(range = 1..=5)]
    number: u8,
    #[amp(exposed)]
    peer: u8,
    #[amp(rename = "y")]
    renamed: u8,
    #[amp(optional)]
    maybe: u8,
}

fn main() {}
