//! A protocol shaped like `StartTLS`: both ends agree by a command to go on over a transport that masks its bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use amp::connection::WeakConnection;
use amp::locator::Ask;
use amp::schema::CommandDeclaration;
use amp::{Arguments, Command, Connection};
use amp_core::extension::{BoxedTransport, Extension, Handler, PreviousTransport, Upgrade};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

#[derive(Command, Debug)]
#[amp(response = Masked)]
pub(crate) struct StartMask {
    pub(crate) key: u8,
}

#[derive(Arguments, Debug)]
pub(crate) struct Masked {
    #[constrain(range = 0..=255)]
    pub(crate) key: i64,
}

/// Answers `StartMask`, and begins to mask behind the answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Masking {
    /// What is answered in place of the key.
    pub(crate) answers: Option<i64>,
}

struct Handling(WeakConnection, Option<i64>);

impl Extension for Masking {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![StartMask::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(Handling(connection, self.answers))
    }
}

impl Handler for Handling {
    fn handle(&self, _: usize, mut ask: Ask) {
        let Some(connection) = self.0.upgrade() else { return };
        let Some(upgrade) = Upgrade::begin(&connection, &mut ask) else { return Upgrade::refuse(ask) };
        let Some((StartMask { key }, answer)) = ask.accept() else { return };
        let answered = self.1.unwrap_or(key.into());
        upgrade.accept(answer, &Masked { key: answered }, move |previous| mask(previous, key));
    }
}

/// Asks the peer to mask with the key, and masks.
pub(crate) async fn start_mask(connection: &Connection, key: u8) -> amp::Reply<StartMask> {
    Upgrade::ask(connection, &StartMask { key }, move |previous| mask(previous, key))?.await
}

/// How the masked stream begins, before it is masked.
pub(crate) const GREETING: &[u8] = b"masked bytes follow";

/// Greets over the old transport, as a handshake does, and masks what follows.
async fn mask(previous: PreviousTransport, key: u8) -> io::Result<BoxedTransport> {
    let (mut reading, mut writing) = tokio::io::split(previous);
    let mut greeting = [0; GREETING.len()];
    // Both at once: a pipe may be shorter than a greeting.
    let write = async {
        writing.write_all(GREETING).await?;
        writing.flush().await
    };
    tokio::try_join!(write, reading.read_exact(&mut greeting))?;
    if greeting != GREETING {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no greeting"));
    }
    let previous = reading.unsplit(writing);
    Ok(BoxedTransport::new(Mask { transport: previous, read: Pad::new(key), written: Pad::new(key) }))
}

/// Masks bytes by their place in the stream, so that one that is lost, doubled or moved spoils all behind it.
#[derive(Debug)]
pub(crate) struct Pad {
    key: u8,
    at: u64,
}

impl Pad {
    pub(crate) fn new(key: u8) -> Self {
        Self { key, at: 0 }
    }

    fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        let pad = (self.at..).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 ^ self.key);
        bytes.iter().zip(pad).map(|(byte, pad)| byte ^ pad).collect()
    }

    pub(crate) fn next(&mut self, bytes: &[u8]) -> Vec<u8> {
        let masked = self.masked(bytes);
        self.at += bytes.len() as u64;
        masked
    }
}

#[derive(Debug)]
struct Mask {
    transport: PreviousTransport,
    read: Pad,
    written: Pad,
}

impl AsyncRead for Mask {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.transport).poll_read(cx, buffer))?;
        let read = self.read.next(&buffer.filled()[before..]);
        buffer.filled_mut()[before..].copy_from_slice(&read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Mask {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let masked = self.written.masked(bytes);
        let count = ready!(Pin::new(&mut self.transport).poll_write(cx, &masked))?;
        self.written.at += count as u64;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
