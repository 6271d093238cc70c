//! What each end of each stream did and saw, and what must be true of it.

use std::sync::{Arc, Mutex, PoisonError};

/// One end of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    /// Bytes that the stream took.
    pub(crate) wrote: usize,
    /// The stream took no more.
    pub(crate) write_failed: Option<String>,
    pub(crate) shutdown_begun: bool,
    pub(crate) shutdown_ok: bool,
    /// It ended by an abort or a panic.
    pub(crate) cut: bool,
    pub(crate) dropped: bool,
    pub(crate) read: usize,
    /// How reading ended, if this end did not stop before.
    pub(crate) saw: Option<Result<(), String>>,
    /// What it read was not what was written.
    pub(crate) garbled: Option<usize>,
}

pub(crate) type Shared = Arc<Mutex<Side>>;

pub(crate) fn note<T>(side: &Shared, change: impl FnOnce(&mut Side) -> T) -> T {
    change(&mut side.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The byte that is written at `offset` from end `from` of stream `stream`.
pub(crate) fn byte(stream: usize, from: usize, offset: usize) -> u8 {
    (stream * 31 + from * 17 + offset * 7 + (offset >> 8)).to_le_bytes()[0]
}

/// What happened in all seeds: a model in which nothing happens proves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) whole: usize,
    pub(crate) broken: usize,
    pub(crate) broken_in_the_middle: usize,
    pub(crate) shutdown_ok: usize,
    pub(crate) shutdown_failed: usize,
    pub(crate) cut: usize,
    pub(crate) write_failed: usize,
}

impl Seen {
    pub(crate) fn count(&mut self, side: &Side) {
        self.whole += usize::from(side.saw == Some(Ok(())));
        self.broken += usize::from(matches!(side.saw, Some(Err(_))));
        self.broken_in_the_middle += usize::from(matches!(side.saw, Some(Err(_))) && side.read > 0);
        self.shutdown_ok += usize::from(side.shutdown_ok);
        self.shutdown_failed += usize::from(side.shutdown_begun && !side.shutdown_ok);
        self.cut += usize::from(side.cut);
        self.write_failed += usize::from(side.write_failed.is_some());
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.whole += other.whole;
        self.broken += other.broken;
        self.broken_in_the_middle += other.broken_in_the_middle;
        self.shutdown_ok += other.shutdown_ok;
        self.shutdown_failed += other.shutdown_failed;
        self.cut += other.cut;
        self.write_failed += other.write_failed;
    }

    pub(crate) fn all(&self) -> [usize; 7] {
        let Self { whole, broken, broken_in_the_middle, shutdown_ok, shutdown_failed, cut, write_failed } = *self;
        [whole, broken, broken_in_the_middle, shutdown_ok, shutdown_failed, cut, write_failed]
    }
}

/// What is wrong with one direction of a stream, a sentence each. Between ends of which one is old nothing can be promised of
/// ends.
pub(crate) fn faults(writer: &Side, reader: &Side, old: bool) -> Vec<&'static str> {
    let whole = reader.saw == Some(Ok(()));
    let ended = writer.write_failed.is_none() && (writer.shutdown_begun || (writer.dropped && !writer.cut));
    let rules = [
        (reader.garbled.is_some(), "other bytes were read than were written"),
        (reader.read > writer.wrote, "more was read than was written"),
        (!old && whole && reader.read < writer.wrote, "a part looks whole"),
        (!old && whole && writer.cut && !ended, "what was cut looks whole"),
        (!old && whole && !writer.cut && !ended, "what its writer did not end looks whole"),
        (
            !old && writer.shutdown_ok && matches!(reader.saw, Some(Err(_))),
            "a shutdown was Ok and its reader got an error",
        ),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, rule)| rule).collect()
}
