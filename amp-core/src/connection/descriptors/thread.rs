//! Descriptors that no poller accepts, read and written by threads of their own.
//!
//! Not by tokio's blocking threads: a runtime that shuts down waits for these, and a read of a terminal lasts until the user
//! presses Enter. A process whose `main` returns does not wait for ours.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc as work;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::ReadBuf;
use tokio::sync::mpsc;

/// Maximum bytes of one read.
const MAX_READ: usize = 8 * 1024;
/// A pipe that is ready to be written accepts this many bytes without blocking, so that the thread can be stopped.
const MAX_WRITTEN: usize = nix::libc::PIPE_BUF;
/// Bytes handed to the thread at once.
const MAX_HANDED: usize = 64 * 1024;

/// Reads ahead by no more than two reads.
pub(super) struct ThreadReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
    /// The thread ends when this is dropped.
    _stop: PipeWriter,
}

impl ThreadReader {
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let (sender, chunks) = mpsc::channel(1);
        let (stopped, stop) = io::pipe()?;
        let mut file = File::from(descriptor);
        std::thread::Builder::new().name("amp-read".to_owned()).spawn(move || {
            while let Some(chunk) = read(&mut file, &stopped).transpose() {
                let failed = chunk.is_err();
                if sender.blocking_send(chunk).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, chunk: Bytes::new(), _stop: stop })
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.chunk.is_empty() {
            match ready!(self.chunks.poll_recv(cx)) {
                Some(chunk) => self.chunk = chunk?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = self.chunk.len().min(buffer.remaining());
        buffer.put_slice(&self.chunk[..count]);
        self.chunk.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// The next bytes; `None` at the end, or when the reader was dropped.
fn read(file: &mut File, stopped: &PipeReader) -> io::Result<Option<Bytes>> {
    let mut chunk = vec![0; MAX_READ];
    while wait(file, PollFlags::POLLIN, stopped)? {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                chunk.truncate(count);
                return Ok(Some(chunk.into()));
            }
            Err(error) if passes(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Has one piece written at a time.
pub(super) struct ThreadWriter {
    pieces: work::Sender<Vec<u8>>,
    /// A piece that is written comes back, to be filled again.
    written: mpsc::Receiver<io::Result<Vec<u8>>>,
    /// `None` while the thread has it.
    piece: Option<Vec<u8>>,
    /// The thread ends when this is dropped.
    _stop: PipeWriter,
}

impl ThreadWriter {
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let (pieces, handed) = work::channel::<Vec<u8>>();
        let (sender, written) = mpsc::channel(1);
        let (stopped, stop) = io::pipe()?;
        let mut file = File::from(descriptor);
        std::thread::Builder::new().name("amp-write".to_owned()).spawn(move || {
            while let Ok(piece) = handed.recv() {
                let result = write(&mut file, &stopped, &piece).map(|()| piece);
                let failed = result.is_err();
                if sender.blocking_send(result).is_err() || failed {
                    return;
                }
            }
        })?;
        Ok(Self { pieces, written, piece: Some(Vec::new()), _stop: stop })
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let mut piece = self.piece.take().unwrap_or_default();
        let count = bytes.len().min(MAX_HANDED);
        piece.clear();
        piece.extend_from_slice(&bytes[..count]);
        let handed = self.pieces.send(piece);
        Poll::Ready(handed.map(|()| count).map_err(|_| io::ErrorKind::BrokenPipe.into()))
    }

    /// Ready when all is written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.piece.is_none() {
            let written = ready!(self.written.poll_recv(cx));
            self.piece = Some(written.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))?);
        }
        Poll::Ready(Ok(()))
    }
}

fn write(file: &mut File, stopped: &PipeReader, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        if !wait(file, PollFlags::POLLOUT, stopped)? {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        match file.write(&piece[..piece.len().min(MAX_WRITTEN)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => piece = &piece[count..],
            Err(error) if passes(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether it is no failure: a signal arrived, or, where another process has made the description non-blocking, another holder
/// was quicker.
fn passes(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Waits until the descriptor is ready, or has failed. Returns false when the connection has left it.
fn wait(file: &File, wanted: PollFlags, stopped: &PipeReader) -> io::Result<bool> {
    loop {
        let mut polled = [PollFd::new(stopped.as_fd(), PollFlags::POLLIN), PollFd::new(file.as_fd(), wanted)];
        match poll(&mut polled, PollTimeout::NONE) {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(polled[0].any() == Some(false)),
        }
    }
}
