use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the asks that have no answer, wherever they are, and anything else that closing waits for; also records whether the
/// connection closes.
///
/// Both are in one word, so that the thread that removes the last one knows whether closing waits for it: of the removal and the
/// beginning of closing one comes first, and the other sees it. It is counted without the connection's lock, for every ask.
#[derive(Debug, Default)]
pub(super) struct Unsettled(AtomicUsize);

const CLOSING: usize = 1;
const ONE: usize = 2;

impl Unsettled {
    pub(super) fn add(&self) {
        self.0.fetch_add(ONE, Ordering::Relaxed);
    }

    /// Counts one less. Returns whether closing may have waited for that: then the driver must look again.
    pub(super) fn remove(&self) -> bool {
        self.0.fetch_sub(ONE, Ordering::AcqRel) == ONE | CLOSING
    }

    /// Closing begins. The driver must look after this.
    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSING, Ordering::AcqRel);
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) < ONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Step {
        Remove,
        Close,
        /// The driver looks, as it does after closing has begun.
        Look,
    }

    /// All orders of the steps. Each is one access to the same word, so that these are all that threads can do.
    fn orders(left: &[Step], order: &mut Vec<Step>, check: &mut impl FnMut(&[Step])) {
        if left.is_empty() {
            check(order);
        }
        for at in 0..left.len() {
            let mut others = left.to_vec();
            order.push(others.remove(at));
            orders(&others, order, check);
            order.pop();
        }
    }

    #[test]
    fn in_whatever_order_asks_are_settled_and_closing_begins_the_driver_sees_the_last_one_settled() {
        use Step::{Close, Look, Remove};
        let mut checked = 0;
        orders(&[Remove, Remove, Remove, Close, Look], &mut Vec::new(), &mut |order| {
            let at = |step| order.iter().position(|other| *other == step);
            if at(Look) < at(Close) {
                return;
            }
            let pending = Unsettled::default();
            (0..3).for_each(|_| pending.add());
            let mut has_seen = false;
            for step in order {
                match step {
                    Remove if pending.remove() => {
                        assert!(
                            !has_seen && pending.is_empty(),
                            "{order:?}: the driver is woken once, by the last one"
                        );
                        has_seen = true;
                    }
                    Remove => {}
                    Close => pending.close(),
                    Look => has_seen |= pending.is_empty(),
                }
            }
            assert!(has_seen, "{order:?}: closing waits for what is settled");
            checked += 1;
        });
        assert_eq!(checked, 60);
    }

    #[test]
    fn an_ask_that_is_settled_while_nothing_closes_wakes_nobody() {
        let pending = Unsettled::default();
        pending.add();
        assert!(!pending.is_empty() && !pending.remove() && pending.is_empty());
        pending.close();
        pending.add();
        assert!(!pending.is_empty() && pending.remove(), "also when it came after closing had begun");
    }
}
