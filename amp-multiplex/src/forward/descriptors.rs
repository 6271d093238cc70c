//! The descriptors of sockets. All those of targets and forwards are at most half of what the process may have: whoever opens streams
//! to a target leaves enough for a server to accept, and for files. Where it is not known how many the process may have, there is no limit.

use std::sync::{Arc, LazyLock};

use amp_core::extension::{EventKind, EventLimit};
use tracing::Level;

use crate::limit::{ConnectionNumber, Limit, Place};

const TOO_MANY: EventKind = EventKind::new(Level::WARN, "sockets of targets and forwards refused");
/// What belongs to the process.
static EVENTS: EventLimit = EventLimit::new();

/// How many there may be is asked for each time, as a process may raise it.
static DESCRIPTORS: LazyLock<Arc<Limit>> = LazyLock::new(|| Limit::new(usize::MAX));

/// Counts one more for a stream that the peer of a connection has asked for, if it is not one too many.
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

/// How many descriptors the process may have.
#[cfg(unix)]
fn soft_limit() -> u64 {
    use nix::sys::resource::{Resource, getrlimit};

    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

#[cfg(not(unix))]
fn soft_limit() -> u64 {
    u64::MAX
}
