use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

/// The asks of one connection that have no answer, by the tag that the peer gave them. Kept only when an extension wants it.
///
/// The number distinguishes an ask from others with the same tag.
#[derive(Debug, Default)]
pub(super) struct AsksByTag {
    table: Mutex<Table>,
    /// Whether an ask was cancelled whose responder had not begun to run as a task: the driver must look for it.
    has_cancelled: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    asks: HashMap<Box<[u8]>, Vec<Noted>>,
}

#[derive(Debug)]
struct Noted {
    number: u32,
    is_cancelled: bool,
    /// The task of its responder, once there is one.
    task: Option<AbortHandle>,
}

impl AsksByTag {
    /// Notes an ask.
    pub(super) fn note(&self, tag: &[u8], number: u32) {
        let mut table = self.lock();
        let noted = Noted { number, is_cancelled: false, task: None };
        match table.asks.get_mut(tag) {
            Some(same) => same.push(noted),
            None => {
                table.asks.insert(tag.into(), vec![noted]);
            }
        }
    }

    /// The responder of the ask runs as a task from now on. If the ask was cancelled before, the task is aborted.
    pub(super) fn runs(&self, tag: &[u8], number: u32, task: AbortHandle) {
        let mut table = self.lock();
        let Some(noted) = table.find(tag, number) else { return };
        if noted.is_cancelled {
            drop(table);
            task.abort();
        } else {
            noted.task = Some(task);
        }
    }

    /// The ask has its answer, or another owner answers it. Returns whether it was cancelled.
    pub(super) fn forget(&self, tag: &[u8], number: u32) -> bool {
        let mut table = self.lock();
        let Some(same) = table.asks.get_mut(tag) else { return false };
        let Some(at) = same.iter().position(|noted| noted.number == number) else { return false };
        let forgotten = same.swap_remove(at);
        if same.is_empty() {
            table.asks.remove(tag);
        }
        forgotten.is_cancelled
    }

    pub(super) fn contains(&self, tag: &[u8]) -> bool {
        self.lock().asks.contains_key(tag)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().asks.values().map(Vec::len).sum()
    }

    pub(super) fn is_cancelled(&self, tag: &[u8], number: u32) -> bool {
        self.lock().find(tag, number).is_some_and(|noted| noted.is_cancelled)
    }

    /// Cancels all asks with the tag. Returns whether there was one.
    pub(super) fn cancel(&self, tag: &[u8]) -> bool {
        let mut tasks = Vec::new();
        let mut table = self.lock();
        let Some(same) = table.asks.get_mut(tag) else { return false };
        for noted in same {
            noted.is_cancelled = true;
            match noted.task.take() {
                Some(task) => tasks.push(task),
                None => self.has_cancelled.store(true, Ordering::Release),
            }
        }
        drop(table);
        // A task that is aborted may be dropped here, and forgets its ask.
        tasks.iter().for_each(AbortHandle::abort);
        true
    }

    /// Whether asks without a task were cancelled since the last call.
    pub(super) fn take_cancelled(&self) -> bool {
        self.has_cancelled.swap(false, Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn find(&mut self, tag: &[u8], number: u32) -> Option<&mut Noted> {
        self.asks.get_mut(tag)?.iter_mut().find(|noted| noted.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_with_one_tag_are_cancelled_together_and_forgotten_apart() {
        let asks = AsksByTag::default();
        let [first, second, other] = [1, 2, 3];
        for (tag, number) in [(b"a", first), (b"a", second), (b"b", other)] {
            asks.note(tag, number);
        }
        assert!(asks.cancel(b"a") && !asks.cancel(b"c") && asks.take_cancelled() && !asks.take_cancelled());
        assert!(asks.is_cancelled(b"a", first) && !asks.is_cancelled(b"b", other));
        assert!(asks.forget(b"a", first) && asks.contains(b"a"));
        assert!(asks.forget(b"a", second) && !asks.contains(b"a") && !asks.cancel(b"a"));
        assert!(!asks.forget(b"a", second) && !asks.forget(b"b", other));
        assert_eq!(asks.len(), 0);
    }
}
