//! The commands of the model. What their responders do stands in the script, under the number that travels.

use amp::{Arguments, Command, Connection, ErrorCodes, Exposed, Reply, responder};

/// Is answered with its own number.
#[derive(Command, Debug)]
#[amp(response = Done, errors = WorkError)]
pub(crate) struct Work {
    pub(crate) number: usize,
    pub(crate) padding: Vec<u8>,
    #[exposed]
    pub(crate) connection: Exposed<Connection>,
}

#[derive(Arguments, Debug)]
pub(crate) struct Done {
    pub(crate) number: usize,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub(crate) enum WorkError {
    #[error("as the script says")]
    Refused { number: usize },
}

/// Wants no answer.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Note {
    pub(crate) number: usize,
    pub(crate) padding: Vec<u8>,
    #[exposed]
    pub(crate) connection: Exposed<Connection>,
}

#[responder]
pub(crate) trait Worker {
    async fn work(&self, command: Work) -> Reply<Work>;
    async fn note(&self, command: Note) -> Reply<Note>;
}
