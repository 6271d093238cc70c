use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::Listener;
use crate::peer::Peer;

/// A listening unix socket that takes its path away when it is dropped, if that still leads to it.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    file: (u64, u64),
}

impl UnixSocket {
    /// Binds a path that must not exist yet.
    ///
    /// # Errors
    /// When the path cannot be bound.
    ///
    /// # Panics
    /// When called outside a tokio runtime with I/O enabled.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        // Outside a runtime it panics before there is a file.
        drop(tokio::runtime::Handle::current());
        let listener = UnixListener::bind(path.as_ref())?;
        // The process may go somewhere else meanwhile. Bound is what was given: a socket's path is short.
        let path = std::path::absolute(path.as_ref())?;
        let file = file(&path)?;
        Ok(Self { listener, path, file })
    }
}

impl Listener for UnixSocket {
    type Transport = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Peer)> {
        Listener::accept(&mut self.listener).await
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if file(&self.path).is_ok_and(|now| now == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Which file a path leads to.
fn file(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}
