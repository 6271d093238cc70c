//! The identity of the other end of a connection. Imports `escaped` and the traits that make it exposable.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::escaped::Escaped;
use crate::exposed::{Context, Exposable, ExposeError, provided};

/// The identity of the other end of a connection.
///
/// It is displayed for logs: control characters of a path or a name, which the peer may have chosen, are escaped, and what is over
/// 512 characters is left out.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::Peer;
///
/// fn is_local(peer: &Peer) -> bool {
///     match peer {
///         Peer::Tcp { address } => address.ip().is_loopback(),
///         Peer::Unix { .. } | Peer::Process { .. } => true,
///         _ => false,
///     }
/// }
///
/// let peer = Peer::Tcp { address: ([127, 0, 0, 1], 1234).into() };
/// assert!(is_local(&peer) && !is_local(&Peer::other("serial line")));
/// assert_eq!(peer.to_string(), "127.0.0.1:1234");
/// ```
#[doc(alias("getPeer"))]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// A TCP connection.
    Tcp {
        /// The peer's address.
        address: SocketAddr,
    },
    /// A unix socket.
    Unix {
        /// The path of the socket, if it has one at this end or the other. A name in Linux's abstract namespace begins with a NUL
        /// byte, as when it is bound or connected to; it is displayed with an `@` instead, escaped.
        path: Option<PathBuf>,
        /// The process at the other end, as the kernel reports it.
        credentials: Option<Credentials>,
    },
    /// A child process over its pipes, or the parent of this process over the standard streams that this process inherited.
    Process {
        /// The process id of the child or parent, where known.
        id: Option<u32>,
    },
    /// Any other byte stream, by a name for logs.
    Other(Cow<'static, str>),
}

/// The process at the other end of a unix socket, at the moment when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user's id.
    pub user: u32,
    /// The group's id.
    pub group: u32,
    /// The process's id, where the platform reports it.
    pub process: Option<i32>,
}

impl Peer {
    /// A byte stream that is none of the known kinds, by a name for logs.
    #[must_use]
    pub fn other(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Other(name.into())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address } => address.fmt(f),
            Self::Unix { path: Some(path), .. } => match abstract_name(path) {
                Some(name) => write!(f, "unix:@{}", Escaped(name.escape_ascii())),
                // A space must not look like the end of a field in a log.
                None if path.as_os_str().as_encoded_bytes().contains(&b' ') => {
                    write!(f, "unix:{}", Escaped(format_args!("{path:?}")))
                }
                None => write!(f, "unix:{}", Escaped(path.display())),
            },
            Self::Unix { path: None, .. } => f.write_str("unix"),
            Self::Process { id: Some(id) } => write!(f, "process {id}"),
            Self::Process { id: None } => f.write_str("process"),
            Self::Other(name) => Escaped(name).fmt(f),
        }
    }
}

/// The name in the abstract namespace that the path stands for, if it stands for one.
pub(crate) fn abstract_name(path: &Path) -> Option<&[u8]> {
    path.as_os_str().as_encoded_bytes().strip_prefix(b"\0")
}

impl Exposable for Peer {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(Arc::unwrap_or_clone)
    }
}
