use super::change::Effect;
use super::comparison::{Comparison, Way};
use crate::schema::FieldSchema;

impl FieldSchema {
    /// The field that this old one is called now, by the other names of either.
    pub(super) fn renamed<'a>(&self, after: &'a [Self]) -> Option<&'a Self> {
        after.iter().find(|new| self.is_renamed(new))
    }

    /// Whether two fields of different names are one.
    pub(super) fn is_renamed(&self, new: &Self) -> bool {
        new.aliases.contains(&self.name) || self.aliases.contains(&new.name)
    }
}

impl Comparison<'_> {
    /// A field has another name, and is read under another one.
    pub(super) fn renamed(&mut self, place: &str, way: Way, old: &FieldSchema, new: &FieldSchema) {
        let (receivers, name) = (way.receivers(), &new.name);
        let when_missing = if new.optional && new.default.is_none() { Effect::Caution } else { way.when_missing() };
        let (effect, what) = match (new.aliases.contains(&old.name), old.aliases.contains(name)) {
            (true, true) => (Effect::None, "and both ends read both names".to_owned()),
            (true, false) => (when_missing, format!("and old {receivers} know only the old name")),
            (false, _) => (when_missing, format!("and new {receivers} know only that")),
        };
        self.add(effect, place, format!("it is called {name} now, {what}"));
    }

    /// A field is read under other names than before, and written under the same.
    pub(super) fn aliases(&mut self, place: &str, way: Way, old: &FieldSchema, new: &FieldSchema) {
        let (senders, receivers) = (way.senders(), way.receivers());
        for alias in new.aliases.iter().filter(|alias| !old.aliases.contains(alias)) {
            self.add(Effect::None, place, format!("new {receivers} also read it as {alias}"));
        }
        for alias in old.aliases.iter().filter(|alias| !new.aliases.contains(alias)) {
            let what = format!("new {receivers} no longer read it as {alias}: no {senders} may write that any more");
            self.add(Effect::Caution, place, what);
        }
    }
}
