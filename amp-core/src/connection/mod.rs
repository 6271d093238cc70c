//! The connection: the only async code. Imports everything below it.
//!
//! One future, the driver, reads and writes; handles append what they send to one outbound buffer under one short
//! lock. The reader never waits: not for the writer, not for a responder, not for a full queue.
//!
//! ```text
//!   builder       how a connection is set up             transport, descriptors, over_boxes   over what
//!   handle, weak  the user's handles of a connection     calling, call   what they call and notify
//!   exchange      one ask of this end and its answer     queued          its wait to be sent
//!   failure       how it fails                           callback        which asks are callbacks
//!   timer, clock  instants                               states          the user's own values
//!   shared        what handles and driver share: the one lock around `proto::ConnectionState`
//!   driver        one turn of a connection               ending          its last bytes, and who is told of the end
//!   reader        bytes to boxes to asks and answers     batching        how many boxes before the next write
//!   writer        the outbound buffer to the transport
//!   responders    runs responders                        waiting         asks of the peer that wait to be run
//!   inbound       what asks of the peer hold             pending         which of them closing waits for
//!   answering     the connection, as an answer sees it   receiver        a box receiver in place of all that
//!   extension     protocols that ride beside the commands
//! ```

mod answering;
mod any_transport;
mod batching;
mod builder;
mod call;
mod callback;
mod calling;
mod clock;
mod descriptors;
mod driver;
mod ending;
mod exchange;
mod exposing;
pub mod extension;
mod failure;
mod halt;
mod handle;
mod inbound;
mod lingering;
mod noted;
mod over_boxes;
mod pending;
mod queued;
mod reader;
mod receiver;
mod reply;
mod responders;
mod shared;
mod sink;
mod states;
mod timer;
pub(crate) mod transport;
mod upgrade;
mod waiting;
mod weak;
mod writer;

pub use builder::Builder;
pub use call::Call;
pub(crate) use clock::require_time;
pub use driver::Driver;
pub use handle::Connection;
pub use over_boxes::BoxInlet;
pub use timer::Timer;
pub use transport::pair;
pub use weak::WeakConnection;
