//! Responders of which a peer can make everything that is logged.

use amp::{CallError, Command, Connection, ErrorCodes, Exposed, Reply, responder};

/// Ends in the way that `how` names, or fails with it.
#[derive(Command, Debug)]
#[amp(errors = Refusal)]
pub(crate) struct Fail {
    pub(crate) how: String,
    #[constrain(range = 0..=9)]
    pub(crate) digit: Option<i64>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Refused(String),
}

/// Answers when the connection ends.
#[derive(Command, Debug)]
pub(crate) struct Wait;

/// Fails with what the peer answers.
#[derive(Command, Debug)]
pub(crate) struct CallBack {
    #[exposed]
    pub(crate) connection: Exposed<Connection>,
}

#[derive(Clone, Debug)]
pub(crate) struct Careless;

/// An error whose text panics half way.
#[derive(Debug)]
struct Wordless;

impl std::fmt::Display for Wordless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("half")?;
        panic!("no words")
    }
}

impl std::error::Error for Wordless {}

fn panic_with(message: &str) -> ! {
    panic!("{message}")
}

/// The line of that panic.
pub(crate) const LINE: u32 = line!() - 4;

#[responder]
impl Careless {
    async fn fail(&self, command: Fail) -> Reply<Fail> {
        let how = command.how.strip_prefix("later ").map(str::to_owned);
        if how.is_some() {
            tokio::task::yield_now().await;
        }
        let how = how.unwrap_or(command.how);
        if let Some(message) = how.strip_prefix("panic ") {
            panic_with(message);
        }
        if let Some(words) = how.strip_prefix("refuse ") {
            return Err(Refusal::Refused(words.to_owned()).into());
        }
        if how == "without words" {
            return Err(CallError::failed(Wordless));
        }
        Err(CallError::failed(how))
    }

    async fn wait(&self, _command: Wait) -> Reply<Wait> {
        std::future::pending().await
    }

    async fn call_back(&self, command: CallBack) -> Reply<CallBack> {
        command.connection.call(Wait).await.map_err(CallError::failed)
    }
}
