use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::sync::{Semaphore, watch};

/// Time for a target to accept, including the look-up of its name.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Number of names that this process looks up at once. Each look-up has a thread to itself, for as long as the system takes.
const MAX_LOOKUPS: usize = 8;

static LOOKUPS: Semaphore = Semaphore::const_new(MAX_LOOKUPS);

/// A host and a port to connect to.
pub(super) struct TcpAddress {
    text: String,
    /// The last look-up of the host. While it runs, further connects wait for it, too.
    lookup: Mutex<Option<Lookup>>,
}

/// The result of a look-up, once it is there. The sender is dropped with its task, which a runtime may drop earlier.
type Lookup = watch::Receiver<Option<Result<Arc<[SocketAddr]>, Arc<io::Error>>>>;

impl TcpAddress {
    pub(super) fn new(text: String) -> Self {
        Self { text, lookup: Mutex::default() }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Connects. Small packets of a dialogue must not wait for each other; a socket that rejects options still carries bytes.
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        let socket = match self.text.parse::<SocketAddr>() {
            Ok(literal) => TcpStream::connect(literal).await?,
            Err(_) => TcpStream::connect(&*self.addresses().await?).await?,
        };
        let _ = socket.set_nodelay(true);
        Ok(socket)
    }

    async fn addresses(&self) -> io::Result<Arc<[SocketAddr]>> {
        let mut lookup = self.lookup();
        match lookup.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Ok(addresses))) => Ok(Arc::clone(addresses)),
            Ok(Some(Err(error))) => Err(io::Error::new(error.kind(), error.to_string())),
            _ => Err(ErrorKind::Interrupted.into()),
        }
    }

    /// The running look-up, or a new one. It is a task of its own, because its thread continues when nothing waits any more.
    fn lookup(&self) -> Lookup {
        let mut last = self.lookup.lock().unwrap_or_else(PoisonError::into_inner);
        let goes_on = |lookup: &&Lookup| lookup.borrow().is_none() && lookup.has_changed().is_ok();
        if let Some(running) = last.as_ref().filter(goes_on) {
            return running.clone();
        }
        let (result, lookup) = watch::channel(None);
        let text = self.text.clone();
        tokio::spawn(async move {
            let _permit = LOOKUPS.acquire().await;
            let found = lookup_host(text).await.map(Iterator::collect).map_err(Arc::new);
            result.send_replace(Some(found));
        });
        *last = Some(lookup.clone());
        lookup
    }
}

/// Returns the result of `connect`, or an error when it takes too long.
pub(super) async fn with_timeout<T>(connect: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, connect).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Look-ups are counted in the whole process, so tests of them run one after the other.
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[tokio::test]
    async fn a_socket_to_a_target_sends_small_packets_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = TcpAddress::new(listener.local_addr().unwrap().to_string());
        assert!(address.connect().await.unwrap().nodelay().unwrap());
        assert!(address.lookup.lock().unwrap().is_none(), "an address needs no look-up");
    }

    #[tokio::test]
    async fn eight_names_are_looked_up_at_once_and_a_ninth_waits() {
        let _alone = ALONE.lock().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = TcpAddress::new(format!("localhost:{}", listener.local_addr().unwrap().port()));
        let seven = LOOKUPS.acquire_many(7).await.unwrap();
        assert!(address.connect().await.is_ok(), "an eighth is looked up");
        let eighth = LOOKUPS.acquire().await.unwrap();
        let mut ninth = std::pin::pin!(address.connect());
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut ninth).await.is_err(), "it waits");
        drop(eighth);
        assert!(ninth.await.is_ok());
        drop(seven);
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_all_that_wait_for_it() {
        let _alone = ALONE.lock().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = TcpAddress::new(format!("localhost:{}", listener.local_addr().unwrap().port()));
        // All other look-ups of this process wait, too.
        let all = LOOKUPS.acquire_many(8).await.unwrap();
        let (first, second) = (address.lookup(), address.lookup());
        assert!(first.same_channel(&second));
        drop(all);
        assert!(address.connect().await.is_ok());
        assert!(first.borrow().is_some(), "it is over");
        assert!(!address.lookup().same_channel(&first), "names may move");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_is_an_error() {
        let _alone = ALONE.lock().await;
        let error = TcpAddress::new("name.invalid:1".to_owned()).connect().await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Interrupted, "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn connecting_to_a_target_that_does_not_answer_times_out() {
        let error = with_timeout::<()>(std::future::pending()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
