//! What a user does with one end of a stream, or with a socket that leads to one.

use std::panic::resume_unwind;
use std::time::Duration;

use amp_multiplex::Stream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::dice::Dice;
use crate::ledger::{Shared, byte, note};

/// What a script uses.
pub(crate) trait Line: AsyncRead + AsyncWrite + Unpin + Send + Sized + 'static {
    /// It is a stream: its shutdown tells something, and a panic cuts it.
    const STREAM: bool;

    /// Ends it so that the other end can tell; `false` if it knows no such end.
    fn cut(self) -> bool;
}

impl Line for Stream {
    const STREAM: bool = true;

    fn cut(self) -> bool {
        self.abort();
        true
    }
}

impl Line for TcpStream {
    const STREAM: bool = false;

    fn cut(self) -> bool {
        self.set_zero_linger().is_ok()
    }
}

impl Line for UnixStream {
    const STREAM: bool = false;

    fn cut(self) -> bool {
        false
    }
}

/// How one end is used.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) stream: usize,
    pub(crate) end: usize,
    pub(crate) dice: Dice,
    /// No action writes more.
    pub(crate) most: usize,
    /// How long a shutdown may take while nothing is read here: with an old peer it waits for the other reader.
    pub(crate) patience: Option<Duration>,
    /// Reads and writes at once, and ends in order.
    pub(crate) gentle: bool,
}

impl Script {
    /// Uses the stream until it has ended here, one way or the other.
    pub(crate) async fn run(mut self, stream: impl Line, side: Shared) {
        if self.gentle || self.dice.one_in(3) {
            return self.both_directions_at_once(stream, side).await;
        }
        let mut user = User { stream: Some(stream), script: self.clone(), side };
        for _ in 0..self.dice.below(8) {
            match self.dice.below(5) {
                0 | 1 => user.write(self.dice.below(self.most), self.dice.millis(12)).await,
                2 | 3 => user.read(self.dice.below(self.most), self.dice.millis(12)).await,
                _ => pause(&mut self.dice).await,
            }
        }
        match self.dice.below(7) {
            0 => user.abort(),
            1 => user.panic(),
            2 => {}
            3 => user.shutdown(Some(self.dice.millis(12))).await,
            4 => {
                user.shutdown(self.patience).await;
                if self.dice.one_in(2) {
                    user.abort();
                } else if self.dice.one_in(2) {
                    user.panic();
                }
            }
            _ => {
                user.shutdown(self.patience).await;
                pause(&mut self.dice).await;
                // A shutdown that took too long has not told the other reader of an end.
                user.read(usize::MAX, self.patience.unwrap_or(Duration::MAX)).await;
            }
        }
    }

    async fn both_directions_at_once<L: Line>(mut self, stream: L, side: Shared) {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (script, writes) = (self.clone(), self.dice.below(3 * self.most));
        let (mut own, mut shuts) = (self.dice.split(), self.gentle || self.dice.one_in(2));
        let writing = {
            let side = side.clone();
            tokio::spawn(async move {
                script.write(&mut writer, &side, writes).await;
                pause(&mut own).await;
                // Else the end comes with the drop of both halves.
                shuts |= note(&side, |side| side.saw.is_none());
                if shuts {
                    shutdown::<L>(&mut writer, &side, None).await;
                }
                writer
            })
        };
        pause(&mut self.dice).await;
        self.read(&mut reader, &side, usize::MAX).await;
        match writing.await {
            Ok(writer) => drop(reader.unsplit(writer)),
            Err(error) => resume_unwind(error.into_panic()),
        }
        note(&side, |side| side.dropped = true);
    }

    async fn write(&self, writer: &mut (impl AsyncWrite + Unpin), side: &Shared, mut count: usize) {
        while count > 0 && note(side, |side| !side.shutdown_begun && side.write_failed.is_none()) {
            let from = note(side, |side| side.wrote);
            let bytes: Vec<u8> = (from..from + count.min(3000)).map(|at| byte(self.stream, self.end, at)).collect();
            match writer.write(&bytes).await {
                Ok(taken) => {
                    count -= taken;
                    note(side, |side| side.wrote += taken);
                }
                Err(error) => note(side, |side| side.write_failed = Some(error.to_string())),
            }
        }
    }

    async fn read(&self, reader: &mut (impl AsyncRead + Unpin), side: &Shared, mut count: usize) {
        let mut buffer = [0; 1500];
        while count > 0 && note(side, |side| side.saw.is_none()) {
            let room = buffer.len().min(count);
            let result = reader.read(&mut buffer[..room]).await;
            note(side, |side| match result {
                Ok(0) => side.saw = Some(Ok(())),
                Ok(taken) => {
                    let wrong = (0..taken).find(|at| buffer[*at] != byte(self.stream, 1 - self.end, side.read + at));
                    side.garbled = side.garbled.or(wrong.map(|at| side.read + at));
                    side.read += taken;
                    count -= taken;
                }
                Err(error) => side.saw = Some(Err(error.to_string())),
            });
        }
    }
}

async fn shutdown<L: Line>(writer: &mut (impl AsyncWrite + Unpin), side: &Shared, patience: Option<Duration>) {
    note(side, |side| side.shutdown_begun = true);
    let shut = writer.shutdown();
    let shut = match patience {
        Some(patience) => timeout(patience, shut).await.unwrap_or(Err(std::io::ErrorKind::TimedOut.into())),
        None => shut.await,
    };
    note(side, |side| side.shutdown_ok = shut.is_ok() && L::STREAM);
}

/// A moment, or a while.
pub(crate) async fn pause(dice: &mut Dice) {
    match dice.below(3) {
        0 => tokio::time::sleep(dice.millis(20)).await,
        _ => {
            for _ in 0..dice.below(8) {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// A stream in one hand. Dropped, it is noted.
struct User<L: Line> {
    stream: Option<L>,
    script: Script,
    side: Shared,
}

impl<L: Line> User<L> {
    async fn write(&mut self, count: usize, patience: Duration) {
        let Some(stream) = &mut self.stream else { return };
        let _ = timeout(patience, self.script.write(stream, &self.side, count)).await;
    }

    async fn read(&mut self, count: usize, patience: Duration) {
        let Some(stream) = &mut self.stream else { return };
        let _ = timeout(patience, self.script.read(stream, &self.side, count)).await;
    }

    async fn shutdown(&mut self, patience: Option<Duration>) {
        let Some(stream) = &mut self.stream else { return };
        shutdown::<L>(stream, &self.side, patience).await;
    }

    fn abort(&mut self) {
        let cut = self.stream.take().is_some_and(Line::cut);
        note(&self.side, |side| side.cut = cut);
    }

    /// The stream is dropped on the way out.
    fn panic(&mut self) {
        if !L::STREAM {
            return self.abort();
        }
        note(&self.side, |side| side.cut = true);
        resume_unwind(Box::new("as the script wants"));
    }
}

impl<L: Line> Drop for User<L> {
    fn drop(&mut self) {
        note(&self.side, |side| side.dropped = true);
    }
}
