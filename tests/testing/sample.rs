//! The sample command of txampext's own tests, with a response, two errors and a constraint, and its responder.

use amp::{Arguments, CallError, Command, ErrorCodes, Reply, State, responder};

#[derive(Command, Clone, Debug, PartialEq)]
#[amp(response = Quotient, errors = DivideError)]
pub(crate) struct Divide {
    #[constrain(range = -100..=100)]
    pub(crate) left: i64,
    pub(crate) right: i64,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Quotient {
    #[constrain(range = -100..=100)]
    pub(crate) result: i64,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub(crate) enum DivideError {
    #[error("by zero")]
    #[amp(code = "DIVIDE_BY_ZERO")]
    ByZero,
    #[error("no memory")]
    #[amp(code = "MEMORY_ERROR", fatal)]
    Memory,
    #[error("{remainder} is left")]
    Remainder { remainder: i64 },
}

/// It wants no answer.
#[derive(Command, Debug, PartialEq)]
#[amp(no_answer)]
pub(crate) struct Note {
    pub(crate) text: String,
}

#[derive(Command, Debug)]
pub(crate) struct Nope;

/// What responders have exposed.
pub(crate) struct Notes(pub(crate) std::sync::Mutex<Vec<String>>);

pub(crate) struct Divider;

#[responder]
impl Divider {
    async fn divide(&self, command: Divide) -> Reply<Divide> {
        match command {
            Divide { right: 0, .. } => Err(DivideError::ByZero.into()),
            Divide { left: 13, .. } => panic!("unlucky"),
            Divide { left: 99, .. } => Ok(Quotient { result: 1000 }),
            Divide { left: 98, .. } => Err(CallError::failed("the abacus is broken")),
            Divide { left: 97, .. } => Err(DivideError::Memory.into()),
            Divide { left, right } if left % right != 0 => {
                Err(DivideError::Remainder { remainder: left % right }.into())
            }
            Divide { left, right } => Ok(Quotient { result: left / right }),
        }
    }

    async fn note(&self, command: Note, notes: State<Notes>) -> Reply<Note> {
        tokio::task::yield_now().await;
        if command.text == "full" {
            return Err(CallError::failed("no room"));
        }
        notes.0.lock().expect("no panic").push(command.text);
        Ok(())
    }
}
