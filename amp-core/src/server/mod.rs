//! The parts of a [`Server`](crate::Server): its builder, the sessions of its connections, and the listeners that they come from.

// The server: accepts connections and makes a session for each. Imports `connection`.
//
// ```text
//   listener      where connections come from
//   unix          unix sockets, and one whose file is removed with it
//   accept        the accept loop and its life cycle     reserve     descriptors that it keeps free
//   roster        which connections there are, and which one makes room for another
//   origins       how many of them one peer has
//   serve         how each connection is set up          refusing    and how one is refused
//   drive         how both are driven
//   session       what a server needs for one connection
//   handle        the server, to its user
//   builder       how a server is set up
// ```

pub(crate) mod accept;
mod builder;
mod drive;
pub(crate) mod handle;
pub(crate) mod listener;
mod origins;
mod refusing;
mod reserve;
mod roster;
mod serve;
mod session;
#[cfg(unix)]
mod unix;

pub use builder::ServerBuilder;
pub use listener::Listener;
pub use session::{IntoSession, MakeSession, Refused, Session};
#[cfg(unix)]
pub use unix::UnixSocket;
