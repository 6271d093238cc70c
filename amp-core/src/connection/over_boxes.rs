//! A connection within a connection: its boxes go out through a box sender and come in through a box receiver.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Builder, Connection};
use crate::boxes::{BoxReceiver, BoxSender};
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::settings::Settings;
use crate::wire::{AmpBox, BoxDecoder};

impl Builder {
    /// Runs a connection over boxes instead of bytes: what it sends goes to `sender`, what it receives is what the
    /// returned inlet is given. With a sender that adds a key and a receiver that looks at it, many connections share one.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn start_over(self, sender: Arc<dyn BoxSender>, peer: Peer) -> (Connection, BoxInlet) {
        let Settings { boxes: limits, most_outbound: most, .. } = *self.settings_ref();
        let inlet = BoxInlet { inbound: Arc::default(), most };
        let transport = BoxTransport { sender, decoder: BoxDecoder::new(limits), inbound: Arc::clone(&inlet.inbound) };
        (self.start(transport, peer), inlet)
    }
}

/// Takes the boxes for a connection that runs over boxes. Dropping it ends that connection as its peer would.
#[derive(Debug)]
pub struct BoxInlet {
    inbound: Arc<Mutex<Inbound>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Inbound {
    bytes: Vec<u8>,
    ended: bool,
    reader: Option<Waker>,
}

impl BoxInlet {
    fn change(&self, change: impl FnOnce(&mut Inbound)) {
        let mut inbound = lock(&self.inbound);
        change(&mut inbound);
        let reader = inbound.reader.take();
        drop(inbound);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl BoxReceiver for BoxInlet {
    /// Queues the box. A connection that does not take its boxes ends when
    /// [`most_outbound`](crate::Settings::most_outbound) bytes of them wait.
    fn receive_box(&mut self, received: AmpBox) {
        let most = self.most;
        self.change(|inbound| {
            inbound.ended |= inbound.bytes.len() + received.encoded_len() > most;
            if !inbound.ended {
                received.encode(&mut inbound.bytes);
            }
        });
    }

    fn stop(&mut self, _: &CloseReason) {
        self.change(|inbound| inbound.ended = true);
    }
}

impl Drop for BoxInlet {
    fn drop(&mut self) {
        self.change(|inbound| inbound.ended = true);
    }
}

/// The byte stream that such a connection sees.
struct BoxTransport {
    sender: Arc<dyn BoxSender>,
    decoder: BoxDecoder,
    inbound: Arc<Mutex<Inbound>>,
}

impl AsyncRead for BoxTransport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inbound = lock(&self.inbound);
        if inbound.bytes.is_empty() && !inbound.ended {
            inbound.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = inbound.bytes.len().min(buffer.remaining());
        buffer.put_slice(&inbound.bytes[..count]);
        inbound.bytes.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for BoxTransport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.sender.poll_room(cx));
        self.decoder.buffer().extend_from_slice(bytes);
        while let Some(whole) = self.decoder.next_box().map_err(io::Error::other)? {
            self.sender.send_box(AmpBox::from(&whole)).map_err(io::Error::other)?;
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// There is no box that says "no more": the sender goes on to be used by others.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.inbound).ended = true;
        Poll::Ready(Ok(()))
    }
}

fn lock(inbound: &Mutex<Inbound>) -> MutexGuard<'_, Inbound> {
    inbound.lock().unwrap_or_else(PoisonError::into_inner)
}
