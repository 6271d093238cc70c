//! A pipe in memory that can be cut, as when a peer's process or machine ends.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// Cuts what one end writes. What has been written is still read at the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scissors(Arc<Mutex<Cut>>);

#[derive(Debug, Default)]
struct Cut {
    is_cut: bool,
    /// The writer and the reader, if they wait.
    waiting: [Option<Waker>; 2],
}

impl Scissors {
    pub(crate) fn cut(&self) {
        let mut cut = self.0.lock().expect("nobody panics with it");
        cut.is_cut = true;
        let waiting = cut.waiting.each_mut().map(Option::take);
        drop(cut);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    /// Whether it is cut. If not, whoever waits is woken when it is.
    fn poll_cut(&self, at: usize, cx: &Context<'_>) -> bool {
        let mut cut = self.0.lock().expect("nobody panics with it");
        if !cut.is_cut {
            cut.waiting[at] = Some(cx.waker().clone());
        }
        cut.is_cut
    }
}

/// One end.
#[derive(Debug)]
pub(crate) struct Cable {
    pipe: DuplexStream,
    outward: Scissors,
    inward: Scissors,
}

/// Both ends; `scissors` are of what each of them writes.
pub(crate) fn cable(room: usize, scissors: [&Scissors; 2]) -> [Cable; 2] {
    let (near, far) = tokio::io::duplex(room);
    let [outward, inward] = scissors.map(Clone::clone);
    let back = Cable { pipe: far, outward: inward.clone(), inward: outward.clone() };
    [Cable { pipe: near, outward, inward }, back]
}

impl Cable {
    /// The result of `poll` of the pipe, or the error of a writer that is cut off.
    fn written<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut DuplexStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.outward.poll_cut(0, cx) {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        poll(Pin::new(&mut self.pipe), cx)
    }
}

impl AsyncRead for Cable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.pipe).poll_read(cx, into);
        if read.is_pending() && self.inward.poll_cut(1, cx) { Poll::Ready(Ok(())) } else { read }
    }
}

impl AsyncWrite for Cable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.written(cx, |pipe, cx| pipe.poll_write(cx, from))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.written(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
