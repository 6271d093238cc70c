use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::shared::Shared;
use crate::reason::CloseReason;
use crate::responder::Answering;

/// Tells everybody that the connection has ended, however the driver ends.
pub(super) struct Latch(pub(super) Arc<Shared>);

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        let reason = self.0.over();
        self.0.switch.stop(reason.as_ref().unwrap_or(&CloseReason::DriverDropped));
        self.0.ended.send_replace(reason);
    }
}

/// Writes the last bytes, says that they were the last, and lets the peer read them: a socket that is closed with
/// unread bytes in it is reset, and the peer's unread answers with it.
pub(super) async fn part<T: AsyncRead + AsyncWrite + Unpin>(
    mut transport: T,
    last: &[u8],
    at_end: bool,
) -> std::io::Result<()> {
    transport.write_all(last).await?;
    transport.shutdown().await?;
    if !at_end {
        tokio::io::copy(&mut transport, &mut tokio::io::sink()).await?;
    }
    Ok(())
}
