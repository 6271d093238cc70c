use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Identifies a connection. No two have the same number.
pub(crate) type ConnectionNumber = u64;

/// Number of places of one kind at once, over all connections.
///
/// A connection gets one more place while it has fewer than are left: one alone gets half, and another may have half of the rest.
/// So no connection locks the others out, however much it asks for.
#[derive(Debug)]
pub(crate) struct Limit {
    max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Places by connection.
    by: HashMap<ConnectionNumber, usize>,
}

impl Limit {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::default() })
    }

    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// Takes a place for a connection, if there is one for it.
    pub(crate) fn take(self: &Arc<Self>, connection: ConnectionNumber) -> Option<Place> {
        self.take_of(self.max, connection)
    }

    /// The same while there may be as many as `max`.
    pub(crate) fn take_of(self: &Arc<Self>, max: usize, connection: ConnectionNumber) -> Option<Place> {
        let mut taken = self.lock();
        let free = max.saturating_sub(taken.total);
        let own = taken.by.get(&connection).copied().unwrap_or(0);
        (own < free).then(|| self.place(&mut taken, connection))
    }

    /// The same for a place that no peer asks for: up to the last one.
    pub(crate) fn take_any_of(self: &Arc<Self>, max: usize, connection: ConnectionNumber) -> Option<Place> {
        let mut taken = self.lock();
        (taken.total < max).then(|| self.place(&mut taken, connection))
    }

    fn place(self: &Arc<Self>, taken: &mut Taken, connection: ConnectionNumber) -> Place {
        taken.total += 1;
        *taken.by.entry(connection).or_default() += 1;
        Place { limit: Arc::clone(self), connection }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place of the limit, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    limit: Arc<Limit>,
    connection: ConnectionNumber,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.limit.lock();
        taken.total -= 1;
        if let Some(own) = taken.by.get_mut(&self.connection) {
            *own -= 1;
            if *own == 0 {
                taken.by.remove(&self.connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many places a connection gets that wants all, and the places.
    fn greedy(limit: &Arc<Limit>, connection: ConnectionNumber) -> Vec<Place> {
        std::iter::from_fn(|| limit.take(connection)).collect()
    }

    #[test]
    fn a_connection_gets_half_of_what_others_leave_and_at_least_one_while_there_is_one() {
        let limit = Limit::new(16);
        let places: Vec<_> = (0..7).map(|connection| greedy(&limit, connection)).collect();
        assert_eq!(places.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1, 1, 0, 0]);
        for (max, alone) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)] {
            assert_eq!(greedy(&Limit::new(max), 1).len(), alone, "of {max}");
        }
    }

    #[test]
    fn places_that_are_given_back_are_there_for_others() {
        let limit = Limit::new(8);
        let mut places = greedy(&limit, 1);
        assert!(limit.take(1).is_none());
        places.pop();
        assert!(limit.take(1).is_some(), "it was dropped at once");
        drop(places);
        assert_eq!(greedy(&limit, 2).len(), 4);
        let taken = limit.lock();
        assert_eq!((taken.total, taken.by.len()), (0, 0));
    }

    #[test]
    fn a_maximum_that_has_become_smaller_takes_nothing_back() {
        let limit = Limit::new(8);
        let places = greedy(&limit, 1);
        assert!(limit.take_of(2, 2).is_none());
        drop(places);
        assert!(limit.take_of(2, 2).is_some());
    }
}
