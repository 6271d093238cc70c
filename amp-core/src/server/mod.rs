//! The server: accepts connections and gives each a session of its own. Imports `connection`.
//!
//! ```text
//!   listener      where connections come from
//!   unix          a listener whose socket file is removed with it
//!   accept        the accept loop, its limit of connections and its life cycle
//!   serve         how each connection is set up and driven
//!   session       what a server needs for one connection
//!   handle        the server, to its user
//!   builder       how a server is set up
//! ```

pub mod accept;
mod builder;
mod handle;
mod listener;
mod serve;
mod session;
mod unix;

pub use builder::ServerBuilder;
pub use handle::Server;
pub use listener::Listener;
pub use session::{IntoSession, Session};
pub use unix::UnixSocket;
