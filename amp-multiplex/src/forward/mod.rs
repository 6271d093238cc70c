//! Forwarded ports: a local listener to a factory of the peer, and a factory that leads to a target. Imports the streams.

mod counters;
mod listen;
mod target;

pub use counters::Counts;
pub use listen::Forward;
pub use target::Target;

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};

use crate::stream::Stream;
use counters::{Counted, Counters};

/// How much each direction of a forwarded stream holds while it is passed on.
const BUFFER: usize = 64 * 1024;

/// Passes bytes both ways until both directions have ended, each for itself.
async fn pass_on(
    local: impl AsyncRead + AsyncWrite + Unpin,
    mut stream: Stream,
    counters: &Arc<Counters>,
) -> io::Result<()> {
    let _open = counters.open();
    let mut local = Counted::new(local, Arc::clone(counters));
    copy_bidirectional_with_sizes(&mut local, &mut stream, BUFFER, BUFFER).await?;
    Ok(())
}
