//! Bodies of any length that are never in memory as a whole, and their hashes.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use sha2::{Digest, Sha256};

/// Bytes that show when a part of them is missing, twice there or out of place.
pub(crate) struct Pattern {
    block: Bytes,
    left: u64,
}

/// No multiple of a chunk's or a buffer's length.
const BLOCK: usize = 251 * 239;

impl Pattern {
    pub(crate) fn new(length: u64) -> Self {
        Self { block: (0..=250).cycle().take(BLOCK).collect(), left: length }
    }

    pub(crate) fn digest(length: u64) -> String {
        let mut pattern = Self::new(length);
        let mut hash = Sha256::new();
        while let Some(block) = pattern.next() {
            hash.update(block);
        }
        hex(hash)
    }

    fn next(&mut self) -> Option<Bytes> {
        let length = usize::try_from(self.left).map_or(BLOCK, |left| left.min(BLOCK));
        self.left -= length as u64;
        (length > 0).then(|| self.block.slice(..length))
    }
}

impl Body for Pattern {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|block| Ok(Frame::data(block))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// How long a body is and what it hashes to.
pub(crate) async fn measured<B: Body<Data = Bytes> + Unpin>(mut body: B) -> (u64, String)
where
    B::Error: std::fmt::Debug,
{
    let (mut length, mut hash) = (0, Sha256::new());
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap_or_default();
        length += data.len() as u64;
        hash.update(data);
    }
    (length, hex(hash))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
