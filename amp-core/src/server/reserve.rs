use std::io;
use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use nix::errno::Errno;

use crate::events::Shortage;

/// Descriptors that are kept free for connections that come when the process has no more: each is an open file of its own, which counts
/// in the whole system, too.
#[derive(Debug)]
pub(super) struct Reserve {
    size: usize,
    spare: Vec<UnixDatagram>,
    shortage: Shortage,
}

impl Reserve {
    pub(super) fn new(size: usize) -> Self {
        let mut reserve = Self { size, spare: Vec::with_capacity(size), shortage: Shortage::default() };
        reserve.fill();
        reserve
    }

    fn fill(&mut self) {
        while self.spare.len() < self.size
            && let Ok(spare) = UnixDatagram::unbound()
        {
            self.spare.push(spare);
        }
    }

    /// Fills it up again, as far as there are descriptors. Whether the shortage is over: it is full, and there are more.
    pub(super) fn refill(&mut self, owner: &str) -> bool {
        if self.spare.len() == self.size && !self.shortage.is_told() {
            return true;
        }
        self.fill();
        let is_over = self.spare.len() == self.size && UnixDatagram::unbound().is_ok();
        if is_over && self.shortage.ends().is_some() {
            tracing::info!("a {owner} has descriptors again");
        }
        is_over
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spare.is_empty()
    }

    /// There was no descriptor for a connection. Frees one. Whether there was one to free.
    pub(super) fn lend(&mut self, owner: &str, error: &io::Error, now: Instant) -> bool {
        if self.shortage.begins(now) {
            tracing::warn!(%error, "a {owner} has no descriptors left: connections are refused");
        }
        self.spare.pop().is_some()
    }
}

/// Whether an error says that the process, or the system, has no descriptors left.
pub(super) fn wants_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::EMFILE | Errno::ENFILE))
}
