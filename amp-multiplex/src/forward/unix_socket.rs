use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;

use super::socket::Socket;

/// How often a unix socket is checked whose stream is being opened.
const HANG_UP_INTERVAL: Duration = Duration::from_secs(5);

impl Socket for UnixStream {
    async fn hung_up(&self) {
        // The system reports it only along with being writable, which the socket is nearly always: that cannot be waited for. And
        // first the stream has time to be opened, because a client may send all that it has to and not wait.
        loop {
            tokio::time::sleep(HANG_UP_INTERVAL).await;
            match self.ready(Interest::WRITABLE | Interest::ERROR).await {
                Ok(ready) if !ready.is_write_closed() && !ready.is_error() => {}
                _ => return,
            }
        }
    }
}
