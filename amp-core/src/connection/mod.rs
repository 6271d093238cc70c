//! The connection: the only async code. Imports everything below it.
//!
//! One future, the driver, reads and writes; handles append what they send to one outbound buffer under one short
//! lock. The reader never waits: not for the writer, not for a responder, not for a full queue.

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
pub mod extension;
mod failure;
mod halt;
mod handle;
mod inbound;
mod over_boxes;
mod pending;
mod queued;
mod reader;
mod receiver;
mod responders;
mod shared;
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
