//! The commands that both ends declare; their twins in Python are in `python/commands.py`.

use amp::{Arguments, Command, Connection, ErrorCodes, Exposed};

#[derive(Command, Debug, Clone)]
#[amp(response = Total)]
pub(crate) struct Sum {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Arguments, Debug, Clone, PartialEq)]
pub(crate) struct Total {
    pub(crate) total: i64,
}

#[derive(Command, Debug)]
#[amp(response = Quotient, errors = DivideError)]
pub(crate) struct Divide {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Quotient {
    pub(crate) result: f64,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub(crate) enum DivideError {
    #[error("division by zero")]
    ZeroDivision,
}

#[derive(Command, Debug)]
#[amp(errors = FailError)]
pub(crate) struct Fail {
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// Codes as they are found in the field.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub(crate) enum FailError {
    #[error("{0}")]
    #[amp(code = "daemon is not ready")]
    NotReady(String),
    #[error("{0}")]
    #[amp(code = "NotImplementedError")]
    Unimplemented(String),
    #[error("{0}")]
    Plain(String),
    #[error("{0}")]
    #[amp(fatal)]
    Broken(String),
}

#[derive(Command, Debug)]
pub(crate) struct Crash;

#[derive(Command, Debug)]
pub(crate) struct Nope;

#[derive(Command, Debug)]
pub(crate) struct Hold;

#[derive(Command, Debug)]
#[amp(response = Gathered)]
pub(crate) struct Gather {
    pub(crate) number: u32,
    pub(crate) most: u32,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Gathered {
    pub(crate) number: u32,
}

#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Note {
    pub(crate) text: String,
}

#[derive(Command, Debug)]
#[amp(response = Noted)]
pub(crate) struct Notes;

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Noted {
    pub(crate) texts: Vec<String>,
}

#[derive(Command, Debug)]
#[amp(response = PerhapsGiven)]
pub(crate) struct Perhaps {
    pub(crate) count: Option<i64>,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) name: Option<String>,
}

#[derive(Arguments, Debug, PartialEq, Default)]
pub(crate) struct PerhapsGiven {
    pub(crate) count: Option<i64>,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) name: Option<String>,
}

#[derive(Command, Debug)]
#[amp(response = BlobLength)]
pub(crate) struct Blob {
    pub(crate) data: Vec<u8>,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct BlobLength {
    pub(crate) length: usize,
}

#[derive(Command, Debug)]
#[amp(response = Grown)]
pub(crate) struct Grow {
    pub(crate) length: usize,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Grown {
    pub(crate) data: Vec<u8>,
}

#[derive(Command, Debug)]
#[amp(response = Total)]
pub(crate) struct CallBack {
    pub(crate) number: i64,
    #[exposed]
    pub(crate) caller: Exposed<Connection>,
}

#[derive(Command, Debug)]
#[amp(name = "QUIT")]
pub(crate) struct Quit {
    #[exposed]
    pub(crate) caller: Exposed<Connection>,
}

#[derive(Command, Debug)]
pub(crate) struct Abort {
    #[exposed]
    pub(crate) caller: Exposed<Connection>,
}

/// Has a Twisted child process evaluate a Python expression.
#[derive(Command, Debug)]
#[amp(response = Shown)]
pub(crate) struct Evaluate {
    pub(crate) expression: String,
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Shown {
    pub(crate) shown: String,
}
