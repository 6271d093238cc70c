//! Counts the notifications that an end of the model receives, where it reads them: whatever becomes of them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use amp::Command;
use amp::wire::{BoxDecoder, BoxLimits};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cable::Cable;
use crate::commands::Note;
use crate::world::World;

/// One end of a cable.
pub(crate) struct Arriving {
    cable: Cable,
    decoder: BoxDecoder,
    world: Arc<World>,
    seat: usize,
}

impl Arriving {
    pub(crate) fn over(cable: Cable, world: &Arc<World>, seat: usize) -> Self {
        Self { cable, decoder: BoxDecoder::new(BoxLimits::default()), world: Arc::clone(world), seat }
    }

    /// What comes when the connection is over is read by nobody.
    fn note(&mut self, bytes: &[u8]) {
        self.decoder.buffer().extend_from_slice(bytes);
        while let Some(received) = self.decoder.next_box().expect("the other end keeps to the format") {
            let mut ledger = self.world.ledger();
            let end = &mut ledger.ends[self.seat];
            if !end.is_over && received.pairs().any(|pair| pair == (b"_command", Note::NAME.as_bytes())) {
                end.arrived += 1;
            }
        }
    }
}

impl AsyncRead for Arriving {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.cable).poll_read(cx, into);
        self.note(&into.filled()[before..]);
        read
    }
}

impl AsyncWrite for Arriving {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.cable).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.cable).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.cable).poll_shutdown(cx)
    }
}
