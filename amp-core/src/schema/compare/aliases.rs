use super::change::Effect;
use super::comparison::{Comparison, Way};
use crate::schema::FieldSchema;

/// The field that an old one is called now, by the other names of either.
pub(super) fn renamed<'a>(old: &FieldSchema, after: &'a [FieldSchema]) -> Option<&'a FieldSchema> {
    after.iter().find(|new| is_renamed(old, new))
}

/// Whether two fields of different names are one.
pub(super) fn is_renamed(old: &FieldSchema, new: &FieldSchema) -> bool {
    new.aliases.contains(&old.name) || old.aliases.contains(&new.name)
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
}
