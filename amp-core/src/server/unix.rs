use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use super::listener::Listener;
use crate::connection::transport::with_context;
use crate::connection::unix_transport;
use crate::peer::{Peer, abstract_name};

impl Listener for UnixListener {
    type Transport = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Peer)> {
        Ok(unix_transport::unix(Self::accept(self).await?.0))
    }
}

/// A listening unix socket that removes its path when it is dropped, if the path still leads to it.
///
/// On Linux a path that begins with a NUL byte, as in `"\0agent"`, is a name in the abstract namespace: there is no file, and
/// the name is free again when the socket is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    /// Dropped first: a path that exists leads to a socket that listens.
    _file: Option<SocketFile>,
    listener: UnixListener,
}

impl UnixSocket {
    /// Binds a path that must not exist yet, or an abstract name that is free.
    ///
    /// # Errors
    /// If the path cannot be bound.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O enabled.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        // Outside a runtime it panics before there is a file.
        drop(tokio::runtime::Handle::current());
        let path = path.as_ref();
        let listener = UnixListener::bind(path)
            .map_err(|error| with_context(&error, format_args!("cannot listen on {path:?}")))?;
        let file = if abstract_name(path).is_some() { None } else { Some(SocketFile::of(path)?) };
        Ok(Self { _file: file, listener })
    }
}

impl Listener for UnixSocket {
    type Transport = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Peer)> {
        Listener::accept(&mut self.listener).await
    }
}

/// The file of a bound socket. Dropping it removes its path, if the path still leads to it.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        // The process may change its directory later. The path was bound as passed, because a socket's path must be short.
        let path = std::path::absolute(path)?;
        let identity = identity(&path)?;
        Ok(Self { path, identity })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Identifies the file that a path leads to.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}
