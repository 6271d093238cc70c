//! What the connections under test answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use amp::value::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Exposed, Reply, responder};
use tokio::sync::Semaphore;

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Total {
    pub(crate) total: i64,
}

#[derive(Command, Debug)]
#[amp(response = Total)]
pub(crate) struct Sum {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

/// `1 + 2`.
pub(crate) fn sum() -> Sum {
    Sum { a: 1, b: 2 }
}

/// Answers when the test says so.
#[derive(Command, Debug)]
pub(crate) struct Wait;

/// Ends in the way that `how` names.
#[derive(Command, Debug)]
#[amp(response = Total, errors = FailError)]
pub(crate) struct Fail {
    pub(crate) how: String,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub(crate) enum FailError {
    #[error("snowman \u{2603}")]
    Snowman,
    #[error("")]
    #[amp(code = "daemon is not ready")]
    NotReady,
    #[error("{0}")]
    #[amp(code = "NotImplementedError")]
    NotImplemented(String),
    #[error("the abacus is broken")]
    #[amp(fatal)]
    Broken,
    #[error("only {left} are left")]
    TooFew {
        left: u32,
        #[amp(name = "Wanted")]
        wanted: Option<u32>,
    },
}

#[derive(Command, Debug)]
#[amp(response = Data)]
pub(crate) struct Echo {
    pub(crate) data: Vec<u8>,
}

#[derive(Arguments, Debug)]
pub(crate) struct Data {
    pub(crate) data: Vec<u8>,
}

/// A response of so many bytes.
#[derive(Command, Debug)]
#[amp(response = Data)]
pub(crate) struct Big {
    pub(crate) size: usize,
}

/// Sums up at the peer's, and answers what the peer said.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub(crate) struct CallBack {
    #[exposed]
    pub(crate) connection: Exposed<Connection>,
}

/// Closes the connection; is answered nevertheless.
#[derive(Command, Debug)]
pub(crate) struct Quit {
    #[exposed]
    pub(crate) connection: Exposed<Connection>,
}

/// Is written down.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Note {
    pub(crate) text: String,
}

/// Its response panics when it is written.
#[derive(Command, Debug)]
#[amp(response = Explosive)]
pub(crate) struct Explode;

#[derive(Arguments, Debug)]
pub(crate) struct Explosive {
    pub(crate) before: i64,
    pub(crate) mine: Mine,
}

#[derive(Debug)]
pub(crate) struct Mine;

impl Value for Mine {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(b"half a value");
        panic!("a value that cannot be written")
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        panic!("a value that cannot be read")
    }
}

/// What answers. Clones are the same house.
#[derive(Clone, Debug)]
pub(crate) struct House(Arc<Rooms>);

#[derive(Debug)]
struct Rooms {
    gate: Semaphore,
    waiting: AtomicUsize,
    notes: Mutex<Vec<String>>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Rooms { gate: Semaphore::new(0), waiting: AtomicUsize::new(0), notes: Mutex::default() }))
    }

    /// Lets so many `Wait` go on.
    pub(crate) fn open(&self, count: usize) {
        self.0.gate.add_permits(count);
    }

    /// How many `Wait` are under way.
    pub(crate) fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// What was noted so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.0.notes.lock().expect("no test panics here").clone()
    }
}

/// One that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[responder]
impl House {
    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }

    async fn wait(&self, _command: Wait) -> Reply<Wait> {
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.0.waiting);
        self.0.gate.acquire().await.map_err(CallError::failed)?.forget();
        Ok(())
    }

    async fn fail(&self, command: Fail) -> Reply<Fail> {
        let how = command.how.strip_prefix("later ").map(str::to_owned);
        if how.is_some() {
            tokio::task::yield_now().await;
        }
        Err(match how.unwrap_or(command.how).as_str() {
            "snowman" => FailError::Snowman.into(),
            "not ready" => FailError::NotReady.into(),
            "not implemented" => FailError::NotImplemented("not yet".to_owned()).into(),
            "broken" => FailError::Broken.into(),
            "too few" => FailError::TooFew { left: 3, wanted: Some(5) }.into(),
            "pass on" => CallError::Remote { code: "ELSEWHERE".to_owned(), description: "far away".to_owned() },
            "panic" => panic!("the responder panics"),
            secret => CallError::failed(format!("secret: {secret}")),
        })
    }

    async fn echo(&self, command: Echo) -> Reply<Echo> {
        Ok(Data { data: command.data })
    }

    async fn big(&self, command: Big) -> Reply<Big> {
        Ok(Data { data: vec![b'x'; command.size] })
    }

    async fn call_back(&self, command: CallBack) -> Reply<CallBack> {
        command.connection.call(sum()).await.map_err(CallError::failed)
    }

    async fn quit(&self, command: Quit) -> Reply<Quit> {
        command.connection.close();
        Ok(())
    }

    async fn note(&self, command: Note) -> Reply<Note> {
        self.0.notes.lock().expect("no test panics here").push(command.text);
        Ok(())
    }

    async fn explode(&self, _command: Explode) -> Reply<Explode> {
        Ok(Explosive { before: 1, mine: Mine })
    }
}
