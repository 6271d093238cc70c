//! What an attack may cost: the numbers of the documentation's table, and what is added to them for measuring from outside.
//!
//! Sizes are what the resident size of the server grows by, at its peak, over that of the idle server. It is built without optimisation.

use std::time::Duration;

pub(crate) const MIB: usize = 1 << 20;

/// `ServerBuilder::max_memory`: what a server's connections hold together.
const MAX_MEMORY: usize = 256 * MIB;
/// `Settings::max_inbound`: what the commands of one connection hold while they wait or run.
const MAX_INBOUND: usize = 64 * MIB;
/// `StreamSettings::max_early`: what is kept for streams of a client whose Connect is not answered yet.
const MAX_EARLY: usize = 32 * MIB;
/// `BoxLimits::decoded_bytes`: what decoding one box may build, beside what is held.
const DECODED: usize = 16 * MIB;

/// What is no connection's: the allocator's rest and its fragments, stacks of threads, pages of code that are touched first.
pub(crate) const SLACK: usize = 64 * MIB;

/// However many connections attack, and whatever they do.
pub(crate) const SERVER: usize = MAX_MEMORY + SLACK;
/// What one connection holds in its commands.
pub(crate) const COMMANDS: usize = MAX_INBOUND + DECODED + SLACK;
/// What a client holds for a hostile server.
pub(crate) const CLIENT: usize = MAX_EARLY + SLACK;
/// Attacks whose asks are few or small: they hold not much more than was sent.
pub(crate) const LITTLE: usize = SLACK;
/// Lists that are refused: not even one of them is built, which would take 6 MiB.
pub(crate) const REFUSED: usize = 4 * MIB;
/// 1,024 idle connections: 9 KiB each, and as much again.
pub(crate) const IDLE: usize = 32 * MIB;

/// What may be left of it when the attackers have gone.
pub(crate) const LEFT: usize = SLACK;
/// The same where tens of thousands of tasks and their values were held: of their pages the allocator was measured to keep 40 to 117
/// MiB resident, however long one waits.
pub(crate) const LEFT_OF_MANY: usize = 2 * LEFT;

/// `ServerBuilder::max_connections`.
pub(crate) const MAX_CONNECTIONS: usize = 1024;
/// `Target::max_streams`: sockets to one target.
pub(crate) const TARGET_STREAMS: usize = 256;
/// Threads for eight look-ups at once, and a few of the runtime.
pub(crate) const THREADS: usize = 12;

/// An honest client makes at least one of so many calls that it makes beside no attack, in the same time.
pub(crate) const SERVED: f64 = 10.0;

/// What the log may grow by at any time, in bytes: a burst of some dozens of lines for each kind of event.
pub(crate) const LOG_BURST: usize = 48 << 10;
/// What it may grow by a second after that.
pub(crate) const LOG_RATE: usize = 1 << 10;
/// The longest line.
pub(crate) const LOG_LINE: usize = 4 << 10;

/// How many calls the client of a hostile server has made and does not look after.
pub(crate) const KEPT_CALLS: usize = 600;

/// What takes longer does not happen: a hang becomes a failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The same for a client that comes during an attack. Some of what it could wait for ends after 10 s.
pub(crate) const NEWCOMERS_PATIENCE: Duration = Duration::from_secs(8);
