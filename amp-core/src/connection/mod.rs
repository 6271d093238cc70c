//! The parts of a [`Connection`]: its builder and driver, a call in progress, handles that do not keep it open, raw boxes in
//! place of commands, meters for memory that a program keeps for its peer, and the credentials of a peer.

// The connection: the only async code. Imports everything below it.
//
// One future, the driver, reads and writes; handles append boxes to one outbound buffer under one short lock. The reader never
// waits: not for the writer, not for a responder, not for a full queue.
//
// ```text
//   builder       how a connection is set up             transport, unix_transport, descriptors, over_boxes   over what
//   new_connection  what its closures get
//   handle, weak  the user's handles of a connection     calling, call   what they call and notify
//   exchange      one ask of this end and its answer     queued          its wait to be sent
//   failure       how it fails                           callback        which asks are callbacks
//   timer, clock  instants                               states          the user's own values
//   shared        what handles and driver share: the one lock around `proto::ConnectionState`
//   driver        one turn of a connection               ending          what goes on behind its end, and who is told
//   turns         when others go first                   lingering       the transport behind the end
//   reader        bytes to boxes to asks and answers     batch_size      how many boxes before the next write
//   recv_buffer   what was read from the transport       writer          the outbound buffer to the transport
//   responders    runs responders                        waiting         asks of the peer that wait to be run
//   inbound       what asks of the peer hold             unsettled       which of them closing waits for
//   answering     the connection, as an answer sees it   box_switch      a box receiver in place of all that
//   context       what responders and values see         asks_by_tag     asks that an extension may cancel
//   replacement   what makes the next transport          time_limits     how long the peer keeps the driver waiting
//   decoding      an ask decoded on another thread       memory_holder   who is told when it holds the most
//   out_of_memory the end of the connection then         waker           what waits, as `proto` sees it
//   give_back     buffers that have grown large          workload        how much work the peer makes
//   decoders      how many are decoded at once           metering        what a program holds for the peer
//   responding    one of them that runs as a task        extension       protocols that ride beside the commands
//   busy          who has to wait before it reads on
// ```

mod answering;
mod any_transport;
mod asks_by_tag;
mod batch_size;
mod box_switch;
mod builder;
mod busy;
mod call;
mod callback;
mod calling;
mod clock;
mod context;
mod decoders;
mod decoding;
#[cfg(unix)]
mod descriptors;
mod driver;
mod ending;
mod exchange;
#[doc(hidden)]
pub mod extension;
mod failure;
mod give_back;
mod halt;
pub(crate) mod handle;
mod inbound;
mod lingering;
mod memory_holder;
mod metering;
mod new_connection;
mod out_of_memory;
mod over_boxes;
mod queued;
mod reader;
mod recv_buffer;
mod replacement;
pub(crate) mod reply;
mod responders;
mod responding;
mod shared;
mod sink;
mod slow_polls;
mod states;
mod time_limits;
mod timer;
pub(crate) mod transport;
mod turns;
#[cfg(unix)]
pub(crate) mod unix_transport;
mod unsettled;
mod waiting;
mod waker;
mod weak;
mod workload;
mod writer;

pub use crate::boxes::{BoxReceiver, BoxSender};
pub use crate::memory::{Held, Meter};
pub use crate::peer::Credentials;
pub use crate::settings::{Batching, Strictness};
pub use builder::ConnectionBuilder;
pub use call::Call;
pub(crate) use clock::{now, require_time};
pub use driver::Driver;
pub(crate) use handle::Connection;
pub use new_connection::{MakeLocator, NewConnection};
pub use over_boxes::BoxInlet;
pub(crate) use states::States;
pub use timer::Timer;
pub use transport::pair;
pub use weak::WeakConnection;
