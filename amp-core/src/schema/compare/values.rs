use std::cmp::Ordering;

use super::change::Effect;
use super::comparison::{Comparison, Way};
use crate::schema::canonical::without_paths;
use crate::schema::integer::holds;
use crate::schema::{Numbering, TextType, TypeSchema};

impl<'a> Comparison<'a> {
    /// Compares two types.
    pub(super) fn value(&mut self, place: &str, way: Way, old: &'a TypeSchema, new: &'a TypeSchema) {
        use TypeSchema::{
            AmpList, Array, AsciiJson, Big, Box, Bytes, Custom, Enum, Integer, Json, ListOf, Map, Octets, Path, Tagged,
            TaggedList, Text, Unicode, Zlib,
        };
        let (senders, receivers) = (way.senders(), way.receivers());
        match (old, new) {
            (Integer(old), Integer(new)) => match (holds(old, new), holds(new, old)) {
                (true, true) => {}
                (true, false) => self.narrower(place, way, &format!("{new} holds less than {old}")),
                (false, true) => self.wider(place, way, &format!("{new} holds more than {old}")),
                (false, false) => self.other(place, &format!("{new} instead of {old}")),
            },
            (ListOf(old), ListOf(new)) => self.value(place, way, old, new),
            (Array(old, length), Array(new, other)) if length == other => self.value(place, way, old, new),
            (Zlib(old, before), Zlib(new, after)) => {
                let what = format!("at most {after} bytes instead of {before} before compression");
                self.maximum(place, way, after.cmp(before), &what);
                self.value(place, way, old, new);
            }
            (Array(list, length), ListOf(_) | AmpList(_) | TaggedList(_) | Bytes) => {
                self.wider(place, way, &format!("any number of {} instead of {length}", items_of(list)));
                self.value(place, way, list, new);
            }
            (ListOf(_) | AmpList(_) | TaggedList(_) | Bytes, Array(list, length)) => {
                self.narrower(place, way, &format!("{length} {} instead of any number", items_of(list)));
                self.value(place, way, old, list);
            }
            (Box(old), Box(new)) | (AmpList(old), AmpList(new)) | (Map(old), Map(new)) => {
                self.nested(way.within(), old, new);
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
                let what = format!("{after} bytes are the most instead of {before}");
                self.maximum(place, way, after.cmp(before), &what);
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
                self.add(Effect::Caution, place, format!("bytes instead of text: old {receivers} want UTF-8"));
            }
            (Bytes, Unicode | Path | Text(_) | Json | AsciiJson) => {
                self.add(Effect::Caution, place, format!("text instead of bytes: new {receivers} want UTF-8"));
            }
            (Unicode, Path) | (Path, Unicode) => {
                let what =
                    format!("{new} instead of {old}: both are UTF-8, and only an absolute path is sent as a path");
                self.add(Effect::Caution, place, what);
            }
            (old, new) if is_part(old, new) => self.wider(place, way, &format!("{new} instead of {old}")),
            (old, new) if is_part(new, old) => self.narrower(place, way, &format!("{new} instead of {old}")),
            // As in a fingerprint, the module of a type of the user's own does not count.
            (Text(before), Text(after)) | (Custom(before), Custom(after))
                if without_paths(before) == without_paths(after) => {}
            (Text(_), Text(_)) | (Octets(_), Octets(_)) => self.other(place, &format!("{new} instead of {old}")),
            (Custom(old), Custom(new)) => {
                let (old, new) = (without_paths(old), without_paths(new));
                self.add(Effect::Caution, place, format!("{new} instead of {old}, which only Rust knows"));
            }
            (old, new) => self.add(Effect::Breaks, place, format!("{new} instead of {old}")),
        }
    }

    /// New receivers take less than old ones.
    pub(super) fn narrower(&mut self, place: &str, way: Way, what: &str) {
        let (senders, receivers) = (way.senders(), way.receivers());
        self.add(Effect::Caution, place, format!("{what}: new {receivers} may refuse what old {senders} send"));
    }

    /// New receivers take more than old ones.
    pub(super) fn wider(&mut self, place: &str, way: Way, what: &str) {
        let (senders, receivers) = (way.senders(), way.receivers());
        self.add(Effect::Caution, place, format!("{what}: old {receivers} may refuse what new {senders} send"));
    }

    /// New receivers take what old ones do not, and the other way round.
    pub(super) fn other(&mut self, place: &str, what: &str) {
        self.add(Effect::Caution, place, format!("{what}: each end may refuse what the other sends"));
    }

    /// A maximum is less than before, or more.
    fn maximum(&mut self, place: &str, way: Way, change: Ordering, what: &str) {
        match change {
            Ordering::Less => self.narrower(place, way, what),
            Ordering::Equal => {}
            Ordering::Greater => self.wider(place, way, what),
        }
    }
}

/// Whether each value of one type is, as bytes, one of the other type, which has more.
fn is_part(one: &TypeSchema, all: &TypeSchema) -> bool {
    use TypeSchema::{AsciiJson, Bytes, Decimal, Duration, Enum, Float, Integer, Json, Octets, Text, Unicode};
    match (one, all) {
        (Text(one), Text(all)) | (Octets(one), Octets(all)) => {
            let families = [TextType::Ipv4Addr, TextType::Ipv6Addr].map(Some);
            TextType::of(all) == Some(TextType::IpAddr) && families.contains(&TextType::of(one))
        }
        (AsciiJson, Json)
        | (Json | AsciiJson | Text(_) | Enum(_), Unicode)
        | (Integer(_), Decimal)
        | (Duration, Float)
        | (Octets(_), Bytes) => true,
        _ => false,
    }
}

/// What an array of this list's type has a number of.
fn items_of(list: &TypeSchema) -> &'static str {
    if *list == TypeSchema::Bytes { "bytes" } else { "items" }
}
