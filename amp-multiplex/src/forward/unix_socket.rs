use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::socket::Socket;

/// Interval at which a unix socket is checked while its stream is being opened.
const HANG_UP_INTERVAL: Duration = Duration::from_secs(5);

impl Socket for UnixStream {
    async fn hung_up(&self) {
        // The system reports it only together with being writable, which the socket nearly always is: so it cannot be awaited.
        // And the stream needs time to be opened first, because a client may send everything that it has to and not wait.
        loop {
            tokio::time::sleep(HANG_UP_INTERVAL).await;
            match self.ready(Interest::WRITABLE | Interest::ERROR).await {
                Ok(ready) if !ready.is_write_closed() && !ready.is_error() => {}
                _ => return,
            }
        }
    }
}
