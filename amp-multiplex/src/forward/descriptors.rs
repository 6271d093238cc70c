//! The descriptors of sockets. Those of all targets and forwards together are at most half of the process's limit, so that a peer
//! that opens streams to a target leaves enough for a server to accept, and for files. Where the limit of the process is unknown,
//! there is no limit.

use std::sync::{Arc, LazyLock};

use amp_core::extension::{EventKind, EventLimit};
use tracing::Level;

use crate::limit::{ConnectionNumber, Limit, Place};

const TOO_MANY: EventKind = EventKind::new(Level::WARN, "sockets of targets and forwards refused");
/// Events of the process as a whole.
static EVENTS: EventLimit = EventLimit::new();

/// The limit is read each time, because a process may raise it.
static DESCRIPTORS: LazyLock<Arc<Limit>> = LazyLock::new(|| Limit::new(usize::MAX));

/// Counts one more for a stream that the peer of a connection has asked for, if that is within the limit.
pub(super) fn take_for_peer(connection: ConnectionNumber) -> Option<Place> {
    told(|max| DESCRIPTORS.take_of(max, connection))
}

/// Counts one more for a client of a forward, which is this end's.
pub(super) fn take_for_client(connection: ConnectionNumber) -> Option<Place> {
    told(|max| DESCRIPTORS.take_any_of(max, connection))
}

fn told(take: impl FnOnce(usize) -> Option<Place>) -> Option<Place> {
    let soft_limit = soft_limit();
    let place = take(usize::try_from(soft_limit / 2).unwrap_or(usize::MAX));
    if place.is_none() {
        EVENTS.tell(TOO_MANY, |omitted| {
            let what = "targets and forwards have half of the descriptors of this process, and get no more";
            tracing::warn!(omitted, soft_limit, "{what}");
        });
    }
    place
}

/// Returns how many descriptors the process may have.
#[cfg(unix)]
fn soft_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit};

    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

#[cfg(not(unix))]
fn soft_limit() -> u64 {
    u64::MAX
}
