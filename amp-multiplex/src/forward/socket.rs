use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;

/// A local socket that can end in a way that does not look whole.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Sets whether it is reset when it is closed, also by the system, as when the process is killed.
    fn set_reset_on_close(&self, _: bool) {}

    /// Waits until the other end has reset the connection, or has closed it where that can be told from an end of its direction,
    /// even if there are unread bytes.
    fn hung_up(&self) -> impl Future<Output = ()> + Send;
}

impl Socket for TcpStream {
    #[allow(deprecated, reason = "only a time to linger blocks a thread; to take it back there is nothing else")]
    fn set_reset_on_close(&self, resets: bool) {
        let _ = if resets { self.set_zero_linger() } else { self.set_linger(None) };
    }

    async fn hung_up(&self) {
        let _ = self.ready(Interest::ERROR).await;
    }
}
