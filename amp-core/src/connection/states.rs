use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::exposed::State;

/// The user's own values, one of each type, by the type of their [`State`].
#[derive(Clone, Default)]
pub(crate) struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    pub(crate) fn set<T: Send + Sync + 'static>(&mut self, value: Arc<T>) -> Option<Arc<T>> {
        self.0.insert(TypeId::of::<State<T>>(), value)?.downcast().ok()
    }

    /// Adds values, which replace those of their types.
    pub(crate) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(crate) fn remove<T: Send + Sync + 'static>(&mut self) -> Option<Arc<T>> {
        self.0.remove(&TypeId::of::<State<T>>())?.downcast().ok()
    }

    pub(crate) fn value(&self, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.get(&wanted).cloned()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}
