#[cfg(feature = "regex")]
use std::collections::BTreeMap;

#[cfg(feature = "regex")]
use regex::Regex;

use crate::schema::Schema;
#[cfg(feature = "regex")]
use crate::schema::{FieldSchema, Rule};

/// The regular expressions of a schema, compiled. Without the feature `regex` none is checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    #[cfg(feature = "regex")]
    compiled: BTreeMap<String, Option<Regex>>,
}

#[cfg(not(feature = "regex"))]
impl Patterns {
    pub(super) fn of(_: &Schema) -> Self {
        Self::default()
    }

    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn match_whole(&self, _: &str, _: &str) -> bool {
        true
    }
}

#[cfg(feature = "regex")]
impl Patterns {
    pub(super) fn of(schema: &Schema) -> Self {
        let mut patterns = Self::default();
        for command in schema.commands.values() {
            patterns.add(&command.arguments);
            patterns.add(&command.response);
            command.errors.iter().for_each(|error| patterns.add(&error.fields));
        }
        schema.boxes.values().for_each(|fields| patterns.add(fields));
        let variants = schema.enums.values().flat_map(|declared| &declared.variants);
        variants.for_each(|variant| patterns.add(&variant.fields));
        patterns
    }

    fn add(&mut self, fields: &[FieldSchema]) {
        for constraint in fields.iter().flat_map(|field| &field.constraints) {
            let mut rule = &constraint.rule;
            while let Rule::Each(inner) = rule {
                rule = inner;
            }
            if let Rule::Pattern(pattern) = rule {
                self.compiled.entry(pattern.clone()).or_insert_with(|| compile(pattern));
            }
        }
    }

    /// Whether the pattern matches the whole text. One that does not compile matches nothing, as at the ends.
    pub(super) fn match_whole(&self, pattern: &str, text: &str) -> bool {
        match self.compiled.get(pattern) {
            Some(compiled) => compiled.as_ref().is_some_and(|compiled| compiled.is_match(text)),
            // Of a field that is not of the schema.
            None => compile(pattern).is_some_and(|compiled| compiled.is_match(text)),
        }
    }
}

#[cfg(feature = "regex")]
fn compile(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
}
