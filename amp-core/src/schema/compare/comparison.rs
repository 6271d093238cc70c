use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Effect};
use crate::schema::integer::holds;
use crate::schema::{CommandSchema, ConstraintSchema, ErrorSchema, FieldSchema, Numbering, Rule, Schema, TypeSchema};

pub(super) struct Comparison<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    changes: Vec<Change>,
    /// Nested boxes that were compared before; a box may contain itself.
    seen: BTreeSet<(Way, &'a str, &'a str)>,
    /// Enums that were compared before, likewise.
    pub(super) seen_enums: BTreeSet<(Way, &'a str, &'a str)>,
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
        let mut comparison = Self { old, new, changes: Vec::new(), seen: BTreeSet::new(), seen_enums: BTreeSet::new() };
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
        let (senders, receivers) = (way.senders(), way.receivers());
        let lacks = |some: &[ConstraintSchema], others: &[ConstraintSchema]| {
            others.iter().any(|other| some.iter().all(|one| meaning(one) != meaning(other)))
        };
        let what = match (lacks(new, old), lacks(old, new)) {
            (false, false) => return,
            (true, false) => format!("a constraint is gone: old {receivers} may refuse what new {senders} send"),
            (false, true) => format!("a constraint is new: new {receivers} may refuse what old {senders} send"),
            (true, true) => "its constraints have changed: each end may refuse what the other sends".to_owned(),
        };
        self.add(Effect::Caution, place, what);
    }

    fn value(&mut self, place: &str, way: Way, old: &'a TypeSchema, new: &'a TypeSchema) {
        use TypeSchema::{
            AmpList, Array, AsciiJson, Big, Box, Bytes, Custom, Enum, Integer, Json, ListOf, Map, Octets, Path, Tagged,
            TaggedList, Text, Unicode, Zlib,
        };
        let (senders, receivers) = (way.senders(), way.receivers());
        match (old, new) {
            (Integer(old), Integer(new)) => {
                let what = match (holds(old, new), holds(new, old)) {
                    (true, true) => return,
                    (true, false) => {
                        format!("{new} holds less than {old}: new {receivers} may refuse what old {senders} send")
                    }
                    (false, true) => {
                        format!("{new} holds more than {old}: old {receivers} may refuse what new {senders} send")
                    }
                    (false, false) => format!("{new} instead of {old}: each end may refuse what the other sends"),
                };
                self.add(Effect::Caution, place, what);
            }
            (ListOf(old), ListOf(new)) => self.value(place, way, old, new),
            (Array(old, length), Array(new, other)) if length == other => self.value(place, way, old, new),
            (Zlib(old, most), Zlib(new, other)) => {
                let refuses = match other.cmp(most) {
                    Ordering::Less => format!("new {receivers} may refuse what old {senders} send"),
                    Ordering::Equal => return self.value(place, way, old, new),
                    Ordering::Greater => format!("old {receivers} may refuse what new {senders} send"),
                };
                self.add(
                    Effect::Caution,
                    place,
                    format!("at most {other} bytes instead of {most} before compression: {refuses}"),
                );
                self.value(place, way, old, new);
            }
            (Array(list, length), ListOf(_) | AmpList(_) | TaggedList(_) | Bytes) => {
                let items = items_of(list);
                let what = format!(
                    "any number of {items} instead of {length}: old {receivers} may refuse what new {senders} send"
                );
                self.add(Effect::Caution, place, what);
                self.value(place, way, list, new);
            }
            (ListOf(_) | AmpList(_) | TaggedList(_) | Bytes, Array(list, length)) => {
                let items = items_of(list);
                let what = format!(
                    "{length} {items} instead of any number: new {receivers} may refuse what old {senders} send"
                );
                self.add(Effect::Caution, place, what);
                self.value(place, way, old, list);
            }
            (Box(old), Box(new)) | (AmpList(old), AmpList(new)) | (Map(old), Map(new)) => {
                self.nested(way.within(), old, new)
            }
            (Map(old), AmpList(new)) => {
                let what = format!("a list instead of a map: old {receivers} refuse a key that comes twice");
                self.add(Effect::Caution, place, what);
                self.nested(way.within(), old, new);
            }
            (AmpList(old), Map(new)) => {
                let what = format!("a map instead of a list: new {receivers} refuse a key that comes twice");
                self.add(Effect::Caution, place, what);
                self.nested(way.within(), old, new);
            }
            (Enum(old), Enum(new)) | (Tagged(old), Tagged(new)) | (TaggedList(old), TaggedList(new)) => {
                self.enums(place, way.within(), old, new);
            }
            (
                Big { value: old, maximum: before, numbering },
                Big { value: new, maximum: after, numbering: as_before },
            ) if numbering == as_before => {
                if after != before {
                    let [refusing, sending] = if after < before { ["new", "old"] } else { ["old", "new"] };
                    let what = format!(
                        "{after} bytes are the most instead of {before}: {refusing} {receivers} may refuse what {sending} {senders} send"
                    );
                    self.add(Effect::Caution, place, what);
                }
                self.value(place, way, old, new);
            }
            // Only the first part has the key itself, and the others are keys that nobody looks at.
            (old, Big { value: new, numbering: Numbering::FromTwo, .. }) if !matches!(old, Big { .. }) => {
                let what = format!(
                    "it may have several keys now: old {receivers} cut what new {senders} send over 65535 bytes"
                );
                self.add(Effect::Caution, place, what);
                self.value(place, way, old, new);
            }
            (Big { value: old, numbering: Numbering::FromTwo, .. }, new) if !matches!(new, Big { .. }) => {
                let what = format!("it has one key now: new {receivers} cut what old {senders} send over 65535 bytes");
                self.add(Effect::Caution, place, what);
                self.value(place, way, old, new);
            }
            (old, new) if old == new => {}
            (Unicode | Path | Text(_) | Json | AsciiJson, Bytes) => {
                self.add(Effect::Caution, place, format!("bytes instead of text: old {receivers} want UTF-8"))
            }
            (Bytes, Unicode | Path | Text(_) | Json | AsciiJson) => {
                self.add(Effect::Caution, place, format!("text instead of bytes: new {receivers} want UTF-8"))
            }
            (Unicode, Path) | (Path, Unicode) => {
                let what =
                    format!("{new} instead of {old}: both are UTF-8, and only an absolute path is sent as a path");
                self.add(Effect::Caution, place, what);
            }
            (old, new) if is_part(old, new) => {
                let what = format!("{new} instead of {old}: old {receivers} may refuse what new {senders} send");
                self.add(Effect::Caution, place, what);
            }
            (old, new) if is_part(new, old) => {
                let what = format!("{new} instead of {old}: new {receivers} may refuse what old {senders} send");
                self.add(Effect::Caution, place, what);
            }
            (Text(_), Text(_)) | (Octets(_), Octets(_)) => {
                let what = format!("{new} instead of {old}: each end may refuse what the other sends");
                self.add(Effect::Caution, place, what);
            }
            (Custom(old), Custom(new)) => {
                self.add(Effect::Caution, place, format!("{new} instead of {old}, which only Rust knows"));
            }
            (old, new) => self.add(Effect::Breaks, place, format!("{new} instead of {old}")),
        }
    }

    fn nested(&mut self, way: Way, old: &'a str, new: &'a str) {
        let (Some(before), Some(after)) = (self.old.boxes.get(old), self.new.boxes.get(new)) else { return };
        if self.seen.insert((way, old, new)) {
            let name = if old == new { old.to_owned() } else { format!("{old}, now {new},") };
            let way_in = if way == Way::Ask { "asks" } else { "answers" };
            self.fields(&format!("box {name} in {way_in}, field"), way, before, after);
        }
    }
}

/// Whether each value of one type is, as bytes, one of the other type, which has more.
fn is_part(one: &TypeSchema, all: &TypeSchema) -> bool {
    use TypeSchema::{AsciiJson, Bytes, Decimal, Duration, Enum, Float, Integer, Json, Octets, Text, Unicode};
    match (one, all) {
        (Text(one), Text(all)) | (Octets(one), Octets(all)) => {
            all == "IpAddr" && (one == "Ipv4Addr" || one == "Ipv6Addr")
        }
        (AsciiJson, Json)
        | (Json | AsciiJson | Text(_) | Enum(_), Unicode)
        | (Integer(_), Decimal)
        | (Duration, Float)
        | (Octets(_), Bytes) => true,
        _ => false,
    }
}

/// The content of a constraint. A rule of the program has only its name.
fn meaning(constraint: &ConstraintSchema) -> (&Rule, Option<&str>) {
    (&constraint.rule, constraint.rule.is_opaque().then_some(&*constraint.words))
}

/// What an array of this list's type has a number of.
fn items_of(list: &TypeSchema) -> &'static str {
    if *list == TypeSchema::Bytes { "bytes" } else { "items" }
}
