//! What the server under attack answers. The attackers write their boxes by hand.

use std::time::Duration;

use amp::value::Zlib;
use amp::{Arguments, CallError, Command, Connection, Reply, responder};
use bytes::Bytes;

/// How long a responder that keeps its arguments keeps them: longer than any attack.
const KEEP: Duration = Duration::from_secs(60);

/// How many bytes the future of a responder may well have.
const BUFFER: usize = 24 * 1024;

#[derive(Arguments, Debug)]
pub(crate) struct Sum {
    pub(crate) total: i64,
}

/// Quick: what the honest client calls.
#[derive(Command, Debug)]
#[amp(response = Sum)]
pub(crate) struct Add {
    pub(crate) a: i64,
    pub(crate) b: i64,
}

#[derive(Arguments, Debug)]
pub(crate) struct Echoed {
    pub(crate) data: Bytes,
}

#[derive(Command, Debug)]
#[amp(response = Echoed)]
pub(crate) struct Echo {
    pub(crate) data: Bytes,
}

/// Keeps its bytes while it runs.
#[derive(Command, Debug)]
pub(crate) struct Keep {
    pub(crate) data: Bytes,
}

/// Answers much, after so many milliseconds.
#[derive(Command, Debug)]
#[amp(response = Echoed)]
pub(crate) struct Late {
    pub(crate) after: u64,
}

#[derive(Command, Debug)]
pub(crate) struct Sleep;

/// Its responder has a large buffer of its own, in its future.
#[derive(Command, Debug)]
pub(crate) struct Buffer;

#[derive(Arguments, Debug)]
pub(crate) struct Row {
    pub(crate) a: Option<String>,
    pub(crate) b: Option<String>,
    pub(crate) c: Option<String>,
    pub(crate) d: Option<String>,
    pub(crate) e: Option<String>,
    pub(crate) f: Option<String>,
    pub(crate) g: Option<String>,
    pub(crate) h: Option<String>,
}

/// Keeps its rows while it runs.
#[derive(Command, Debug)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
}

/// Quick.
#[derive(Command, Debug)]
#[amp(response = Sum)]
pub(crate) struct CountRows {
    pub(crate) rows: Vec<Row>,
}

/// Takes few rows only.
#[derive(Command, Debug)]
pub(crate) struct FewRows {
    #[constrain(length = 0..=10)]
    pub(crate) rows: Vec<Row>,
}

/// Keeps its words while it runs.
#[derive(Command, Debug)]
pub(crate) struct Words {
    pub(crate) words: Vec<String>,
}

/// Quick, but for what it takes to decode.
#[derive(Command, Debug)]
#[amp(response = Sum)]
pub(crate) struct CountBytes {
    pub(crate) text: Zlib<String>,
}

#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Note {
    pub(crate) text: String,
}

/// Takes its time.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct SlowNote {
    pub(crate) text: String,
}

/// Its responder takes its time and has a large buffer of its own, in its future.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct BufferNote;

/// Calls its caller back, and fails with whatever that one answers.
#[derive(Command, Debug)]
pub(crate) struct CallBack;

/// The call back.
#[derive(Command, Debug)]
pub(crate) struct Question;

/// Panics with the caller's text.
#[derive(Command, Debug)]
pub(crate) struct Panic {
    pub(crate) text: String,
}

/// Fails with the caller's text.
#[derive(Command, Debug)]
pub(crate) struct Fail {
    pub(crate) text: String,
}

pub(crate) struct Service;

#[responder]
impl Service {
    async fn add(&self, command: Add) -> Reply<Add> {
        Ok(Sum { total: command.a.wrapping_add(command.b) })
    }

    async fn echo(&self, command: Echo) -> Reply<Echo> {
        Ok(Echoed { data: command.data })
    }

    async fn keep(&self, command: Keep) -> Reply<Keep> {
        tokio::time::sleep(KEEP).await;
        drop(command.data);
        Ok(())
    }

    async fn late(&self, command: Late) -> Reply<Late> {
        tokio::time::sleep(Duration::from_millis(command.after)).await;
        Ok(Echoed { data: Bytes::from_static(&[b'l'; 60_000]) })
    }

    async fn sleep(&self, _: Sleep) -> Reply<Sleep> {
        tokio::time::sleep(KEEP).await;
        Ok(())
    }

    async fn buffer(&self, _: Buffer) -> Reply<Buffer> {
        let mut buffer = [1_u8; BUFFER];
        tokio::time::sleep(KEEP).await;
        buffer.reverse();
        Ok(())
    }

    async fn rows(&self, command: Rows) -> Reply<Rows> {
        tokio::time::sleep(KEEP).await;
        drop(command.rows);
        Ok(())
    }

    async fn count_rows(&self, command: CountRows) -> Reply<CountRows> {
        Ok(Sum { total: i64::try_from(command.rows.len()).map_err(CallError::failed)? })
    }

    async fn count_bytes(&self, command: CountBytes) -> Reply<CountBytes> {
        Ok(Sum { total: i64::try_from(command.text.len()).map_err(CallError::failed)? })
    }

    async fn few_rows(&self, command: FewRows) -> Reply<FewRows> {
        tokio::time::sleep(KEEP).await;
        drop(command.rows);
        Ok(())
    }

    async fn words(&self, command: Words) -> Reply<Words> {
        tokio::time::sleep(KEEP).await;
        drop(command.words);
        Ok(())
    }

    async fn note(&self, command: Note) -> Reply<Note> {
        drop(command.text);
        Ok(())
    }

    async fn slow_note(&self, command: SlowNote) -> Reply<SlowNote> {
        tokio::time::sleep(Duration::from_secs(4)).await;
        drop(command.text);
        Ok(())
    }

    async fn buffer_note(&self, _: BufferNote) -> Reply<BufferNote> {
        let mut buffer = [1_u8; BUFFER];
        tokio::time::sleep(Duration::from_secs(10)).await;
        buffer.reverse();
        Ok(())
    }

    async fn call_back(&self, _: CallBack, connection: Connection) -> Reply<CallBack> {
        connection.call(Question).await.map_err(CallError::failed)
    }

    async fn panic(&self, command: Panic) -> Reply<Panic> {
        panic!("{}", command.text);
    }

    async fn fail(&self, command: Fail) -> Reply<Fail> {
        Err(CallError::failed(command.text))
    }
}
