use super::budget::Budget;
use crate::exposed::{Context, ContextRef};

/// State that all values of one box share while they are decoded: the context that they see, and the budget that they are charged
/// to. A value carries both in one word.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    context: Option<ContextRef<'a>>,
    budget: Budget<'a>,
}

impl<'a> Scope<'a> {
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn new(budget: Budget<'a>, context: Option<&'a &'a dyn Context>) -> Self {
        Self { context: context.map(ContextRef::new), budget }
    }

    #[inline]
    pub(crate) fn budget(&self) -> &Budget<'a> {
        &self.budget
    }

    pub(super) fn context(&self) -> Option<&'a dyn Context> {
        self.context.map(ContextRef::context)
    }
}
