use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Effect};
use crate::schema::{CommandSchema, ConstraintSchema, ErrorSchema, FieldSchema, Rule, Schema};

pub(super) struct Comparison<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    changes: Vec<Change>,
    /// The nested boxes and enums that were compared before.
    seen: BTreeSet<(Kind, Way, &'a str, &'a str)>,
}

/// What has a name in a schema beside the commands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Box,
    Enum,
}

/// The direction in which a box travels, and so which end misses absent fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Ask,
    Answer,
    /// An answer whose fields may be missing: the caller then sees an undeclared code.
    Error,
}

impl Way {
    pub(super) fn senders(self) -> &'static str {
        if self == Self::Ask { "callers" } else { "responders" }
    }

    pub(super) fn receivers(self) -> &'static str {
        if self == Self::Ask { "responders" } else { "callers" }
    }

    /// The effect of an absent required field.
    pub(super) fn when_missing(self) -> Effect {
        if self == Self::Error { Effect::Caution } else { Effect::Breaks }
    }

    /// The direction of nested boxes: their fields are needed in an error too.
    pub(super) fn within(self) -> Self {
        if self == Self::Ask { Self::Ask } else { Self::Answer }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn of(old: &'a Schema, new: &'a Schema) -> Vec<Change> {
        let mut comparison = Self { old, new, changes: Vec::new(), seen: BTreeSet::new() };
        comparison.commands();
        comparison.changes
    }

    pub(super) fn add(&mut self, effect: Effect, place: impl Into<String>, what: impl Into<String>) {
        self.changes.push(Change { place: place.into(), what: what.into(), effect });
    }

    fn commands(&mut self) {
        let (old, new) = (self.old, self.new);
        let names: BTreeSet<_> = old.commands.keys().chain(new.commands.keys()).collect();
        for name in names {
            match (old.commands.get(name), new.commands.get(name)) {
                (Some(before), Some(after)) => self.command(name, before, after),
                (Some(_), None) => {
                    self.add(Effect::Breaks, name, "the command is gone; new responders answer UNHANDLED")
                }
                _ => self.add(Effect::None, name, "the command is new; old responders answer UNHANDLED"),
            }
        }
    }

    fn command(&mut self, name: &str, before: &'a CommandSchema, after: &'a CommandSchema) {
        match (before.answered, after.answered) {
            (true, false) => {
                self.add(Effect::Caution, name, "no answer is wanted any more; new callers do not learn of errors");
            }
            (false, true) => self.add(Effect::None, name, "an answer is wanted now; old callers still want none"),
            _ => {}
        }
        self.fields(&format!("{name}, argument"), Way::Ask, &before.arguments, &after.arguments);
        self.fields(&format!("{name}, response"), Way::Answer, &before.response, &after.response);
        self.errors(name, &before.errors, &after.errors);
    }

    fn errors(&mut self, name: &str, before: &'a [ErrorSchema], after: &'a [ErrorSchema]) {
        let by_code = |errors: &'a [ErrorSchema]| -> BTreeMap<&str, &'a ErrorSchema> {
            errors.iter().map(|error| (&*error.code, error)).collect()
        };
        let (before, after) = (by_code(before), by_code(after));
        let codes: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
        for code in codes {
            let place = format!("{name}, error {code}");
            match (before.get(code), after.get(code)) {
                (Some(old), Some(new)) => self.error(&place, old, new),
                (Some(_), None) => {
                    self.add(Effect::Caution, place, "it is gone; new callers see it as an undeclared code");
                }
                _ => self.add(Effect::Caution, place, "it is new; old callers see it as an undeclared code"),
            }
        }
    }

    fn error(&mut self, place: &str, old: &'a ErrorSchema, new: &'a ErrorSchema) {
        if old.fatal != new.fatal {
            let what = if new.fatal { "it ends the connection now" } else { "it no longer ends the connection" };
            self.add(Effect::Caution, place, what);
        }
        if old.invalid_argument != new.invalid_argument {
            let code = if new.invalid_argument { "this code" } else { "another code" };
            self.add(Effect::Caution, place, format!("a refused argument has {code} now"));
        }
        self.fields(&format!("{place}, field"), Way::Error, &old.fields, &new.fields);
    }

    pub(super) fn fields(&mut self, place: &str, way: Way, before: &'a [FieldSchema], after: &'a [FieldSchema]) {
        let (senders, receivers) = (way.senders(), way.receivers());
        for old in before {
            let place = format!("{place} {}", old.name);
            match after.iter().find(|new| new.name == old.name).or_else(|| old.renamed(after)) {
                Some(new) => self.field(&place, way, old, new),
                None if old.optional => self.add(Effect::None, place, "it is gone, and was optional"),
                None => {
                    let what = format!("it is gone, and old {receivers} need it");
                    self.add(way.when_missing(), place, what);
                }
            }
        }
        let is_new = |new: &&FieldSchema| before.iter().all(|old| old.name != new.name && !old.is_renamed(new));
        for new in after.iter().filter(is_new) {
            let place = format!("{place} {}", new.name);
            if new.optional {
                self.add(Effect::None, place, "it is new and optional");
            } else {
                let what = format!("it is new and required, and old {senders} do not send it");
                self.add(way.when_missing(), place, what);
            }
        }
    }

    fn field(&mut self, place: &str, way: Way, old: &'a FieldSchema, new: &'a FieldSchema) {
        let (senders, receivers) = (way.senders(), way.receivers());
        match (old.optional, new.optional) {
            (true, false) if old.default.is_some() => {
                self.add(Effect::None, place, format!("it has no default any more, and old {senders} write it"));
            }
            (true, false) => {
                let what = format!("it is required now, and old {senders} may leave it out");
                self.add(way.when_missing(), place, what);
            }
            (false, true) if new.default.is_some() => {
                self.add(Effect::None, place, format!("it has a default now, and new {senders} write it"));
            }
            (false, true) => {
                let what = format!("it is optional now, and old {receivers} need it when new {senders} leave it out");
                self.add(Effect::Caution, place, what);
            }
            _ => {}
        }
        if old.name != new.name {
            self.renamed(place, way, old, new);
        } else if old.aliases != new.aliases {
            self.aliases(place, way, old, new);
        }
        match (&old.default, &new.default) {
            (Some(before), Some(after)) if before != after => {
                self.add(Effect::Caution, place, format!("an absent one is {after} now instead of {before}"));
            }
            (Some(before), None) if new.optional => {
                let what = format!("new {senders} may leave it out, and it is {before} to old {receivers} then");
                self.add(Effect::Caution, place, what);
            }
            (None, Some(after)) if old.optional => {
                self.add(Effect::None, place, format!("an absent one is {after} to new {receivers} now"));
            }
            _ => {}
        }
        self.value(place, way, &old.value, &new.value);
        self.constraints(place, way, &old.constraints, &new.constraints);
    }

    fn constraints(&mut self, place: &str, way: Way, old: &[ConstraintSchema], new: &[ConstraintSchema]) {
        let lacks = |some: &[ConstraintSchema], others: &[ConstraintSchema]| {
            others.iter().any(|other| some.iter().all(|one| meaning(one) != meaning(other)))
        };
        match (lacks(new, old), lacks(old, new)) {
            (false, false) => {}
            (true, false) => self.wider(place, way, "a constraint is gone"),
            (false, true) => self.narrower(place, way, "a constraint is new"),
            (true, true) => self.other(place, "its constraints have changed"),
        }
    }

    pub(super) fn nested(&mut self, way: Way, old: &'a str, new: &'a str) {
        let (Some(before), Some(after)) = (self.old.boxes.get(old), self.new.boxes.get(new)) else { return };
        if self.is_first(Kind::Box, way, old, new) {
            self.fields(&format!("{}, field", titled(Kind::Box, way, old, new)), way, before, after);
        }
    }

    /// Whether two nested boxes or enums were not compared before; a box may contain itself.
    pub(super) fn is_first(&mut self, kind: Kind, way: Way, old: &'a str, new: &'a str) -> bool {
        self.seen.insert((kind, way, old, new))
    }
}

/// The place of a nested box or an enum.
pub(super) fn titled(kind: Kind, way: Way, old: &str, new: &str) -> String {
    let kind = if kind == Kind::Box { "box" } else { "enum" };
    let renamed = if old == new { String::new() } else { format!(", now {new},") };
    let way_in = if way == Way::Ask { "asks" } else { "answers" };
    format!("{kind} {old}{renamed} in {way_in}")
}

/// The content of a constraint. A rule of the program has only its name.
fn meaning(constraint: &ConstraintSchema) -> (&Rule, Option<&str>) {
    (&constraint.rule, constraint.rule.is_opaque().then_some(&*constraint.words))
}
