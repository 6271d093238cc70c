use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{CommandSchema, ErrorSchema, FieldSchema, Schema, TypeSchema};

/// What has changed between two schemas, and what that means to peers of the other one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    changes: Vec<Change>,
}

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Where, such as `Divide, argument note`.
    pub place: String,
    /// What has changed there.
    pub what: &'static str,
    /// What it means to peers of the old schema.
    pub effect: Effect,
}

/// What a change means to a peer of the old schema, whichever end calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Old and new peers understand each other.
    None,
    /// They understand each other as long as the values stay within what both allow.
    Caution,
    /// They do not understand each other.
    Breaks,
}

/// Which way a box travels: what the other end must find in it, and what may be new to it.
#[derive(Clone, Copy)]
enum Way {
    /// From callers of one schema to responders of the other, both ways round.
    Ask,
    /// From responders to callers, both ways round.
    Answer,
}

impl Report {
    /// Compares a schema with an older one.
    #[must_use]
    pub fn between(old: &Schema, new: &Schema) -> Self {
        let mut comparison = Comparison { old, new, report: Self::default(), seen: BTreeSet::new() };
        comparison.commands();
        comparison.report
    }

    /// The changes, in the order of the commands' names.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether peers of the old schema no longer understand peers of the new one somewhere.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.effect == Effect::Breaks)
    }

    fn add(&mut self, place: impl Into<String>, what: &'static str, effect: Effect) {
        self.changes.push(Change { place: place.into(), what, effect });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return f.write_str("nothing has changed\n");
        }
        for Change { place, what, effect } in &self.changes {
            let effect = match effect {
                Effect::None => "fine   ",
                Effect::Caution => "caution",
                Effect::Breaks => "BREAKS ",
            };
            writeln!(f, "{effect} {place}: {what}")?;
        }
        Ok(())
    }
}

struct Comparison<'a> {
    old: &'a Schema,
    new: &'a Schema,
    report: Report,
    /// Nested boxes that were compared before; a box may hold itself.
    seen: BTreeSet<(String, String)>,
}

impl Comparison<'_> {
    fn commands(&mut self) {
        let (old, new) = (self.old, self.new);
        for (name, before) in &old.commands {
            match new.commands.get(name) {
                None => self.report.add(name, "the command is gone", Effect::Breaks),
                Some(after) => self.command(name, before, after),
            }
        }
        for name in new.commands.keys().filter(|name| !old.commands.contains_key(*name)) {
            self.report.add(name, "the command is new; old peers answer UNHANDLED", Effect::None);
        }
    }

    fn command(&mut self, name: &str, before: &CommandSchema, after: &CommandSchema) {
        if before.answered != after.answered {
            self.report.add(name, "it was answered and is not, or the other way round", Effect::Breaks);
        }
        self.fields(&format!("{name}, argument"), Way::Ask, &before.arguments, &after.arguments);
        self.fields(&format!("{name}, response"), Way::Answer, &before.response, &after.response);
        self.errors(name, &before.errors, &after.errors);
    }

    fn errors(&mut self, name: &str, before: &[ErrorSchema], after: &[ErrorSchema]) {
        let by_code = |errors: &[ErrorSchema]| -> BTreeMap<String, ErrorSchema> {
            errors.iter().map(|error| (error.code.clone(), error.clone())).collect()
        };
        let (before, after) = (by_code(before), by_code(after));
        for (code, old) in &before {
            let place = format!("{name}, error {code}");
            match after.get(code) {
                None => self.report.add(place, "it is gone; new callers see it as an undeclared code", Effect::Caution),
                Some(new) => {
                    if old.fatal != new.fatal {
                        self.report.add(&place, "whether it ends the connection has changed", Effect::Caution);
                    }
                    self.fields(&format!("{place}, field"), Way::Answer, &old.fields, &new.fields);
                }
            }
        }
        for code in after.keys().filter(|code| !before.contains_key(*code)) {
            let place = format!("{name}, error {code}");
            self.report.add(place, "it is new; old callers see it as an undeclared code", Effect::Caution);
        }
    }

    fn fields(&mut self, place: &str, way: Way, before: &[FieldSchema], after: &[FieldSchema]) {
        for old in before {
            let place = format!("{place} {}", old.name);
            match after.iter().find(|new| new.name == old.name) {
                None if old.optional => self.report.add(place, "it is gone, and it was optional", Effect::None),
                None => self.report.add(place, "it is gone, and old peers need it", Effect::Breaks),
                Some(new) => self.field(&place, way, old, new),
            }
        }
        for new in after.iter().filter(|new| before.iter().all(|old| old.name != new.name)) {
            let place = format!("{place} {}", new.name);
            if new.optional {
                self.report.add(place, "it is new and optional", Effect::None);
            } else {
                self.report.add(place, "it is new and required, and old peers do not send it", Effect::Breaks);
            }
        }
    }

    fn field(&mut self, place: &str, way: Way, old: &FieldSchema, new: &FieldSchema) {
        match (old.optional, new.optional) {
            (true, false) => {
                self.report.add(place, "it is required now, and old peers may leave it out", Effect::Breaks)
            }
            (false, true) => {
                self.report.add(place, "it is optional now, and old peers need it when it is left out", Effect::Caution)
            }
            _ => {}
        }
        self.value(place, way, &old.value, &new.value);
        if !old.constraints.iter().map(|c| &c.rule).eq(new.constraints.iter().map(|c| &c.rule)) {
            let what = match way {
                Way::Ask => "its constraints have changed: calls that one end allows the other may refuse",
                Way::Answer => "its constraints have changed: answers that one end allows the other may refuse",
            };
            self.report.add(place, what, Effect::Caution);
        }
    }

    fn value(&mut self, place: &str, way: Way, old: &TypeSchema, new: &TypeSchema) {
        use TypeSchema::{AmpList, Box, Integer, ListOf};
        match (old, new) {
            (Integer(old), Integer(new)) if old != new => {
                self.report.add(place, "the integer has other bounds", Effect::Caution);
            }
            (ListOf(old), ListOf(new)) => self.value(place, way, old, new),
            (Box(old), Box(new)) | (AmpList(old), AmpList(new)) => self.nested(place, way, old, new),
            (old, new) if old != new => self.report.add(place, "its type has changed", Effect::Breaks),
            _ => {}
        }
    }

    fn nested(&mut self, place: &str, way: Way, old: &str, new: &str) {
        if !self.seen.insert((format!("{place} {old}"), new.to_owned())) || place.matches(" > ").count() > 16 {
            return;
        }
        if let (Some(before), Some(after)) = (self.old.boxes.get(old), self.new.boxes.get(new)) {
            self.fields(&format!("{place} >"), way, before, after);
        }
    }
}
