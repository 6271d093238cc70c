//! The settings that are known, and where.

use syn::Ident;

use crate::errors::Errors;
use crate::notation::error;
use crate::spelling;

/// The items that a setting can be attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Command,
    Arguments,
    Field,
    ErrorCodes,
    Variant,
    Description,
    Responder,
    Method,
    /// A type with `#[derive(Value)]`.
    Value,
    /// A variant of one.
    ValueVariant,
    /// The one field of a newtype, or of a variant without named fields.
    Held,
}

/// The subject of a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Name,
    Response,
    Errors,
    NoAnswer,
    Detached,
    New,
    Code,
    Fatal,
    InvalidArgument,
    Include,
    Spawn,
    Extends,
    Dyn,
    Bound,
    RenameAll,
    Tag,
    Other,
    With,
    Text,
    Json,
    Default,
    Alias,
    Flatten,
    Split,
    FromZero,
    Crate,
}

/// A known setting.
pub(super) struct Known {
    pub(super) key: Key,
    pub(super) word: &'static str,
    pub(super) example: &'static str,
    /// Its places, in words.
    belongs_on: &'static str,
    places: &'static [Place],
}

/// Places, and what they are called together.
type Places = (&'static str, &'static [Place]);

const NAMED: Places = (
    "a struct with `#[derive(Command)]`, a field, or a variant of an enum with `#[derive(Value)]`",
    &[Place::Command, Place::Field, Place::ValueVariant],
);
const COMMAND: Places = ("a struct with `#[derive(Command)]`", &[Place::Command]);
const ERROR: Places = ("a variant of an enum with `#[derive(ErrorCodes)]`", &[Place::Variant]);
const RESPONDERS: Places =
    ("a trait or an `impl` block with `#[responder(..)]`, or a method of one", &[Place::Responder, Place::Method]);
const RESPONDER: Places = ("a trait with `#[responder(..)]`", &[Place::Responder]);
const GENERIC: Places =
    ("a struct or an enum with type parameters", &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Value]);
const NAMES: Places = (
    "the item, or a variant with named fields",
    &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Variant, Place::Value, Place::ValueVariant],
);
const ENUM: Places = ("an enum with `#[derive(Value)]`", &[Place::Value]);
const VARIANT: Places = ("a variant of an enum with `#[derive(Value)]`", &[Place::ValueVariant]);
const VALUE: Places = ("a field that is one value", &[Place::Field, Place::Held]);
const FIELD: Places = ("a field with a name", &[Place::Field]);
const ITEM: Places =
    ("the item", &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Value, Place::Responder]);

const fn of(key: Key, word: &'static str, example: &'static str, (belongs_on, places): Places) -> Known {
    Known { key, word, example, belongs_on, places }
}

pub(super) const KNOWN: [Known; 26] = [
    of(Key::Name, "name", "name = \"..\"", NAMED),
    of(Key::Response, "response", "response = Type", COMMAND),
    of(Key::Errors, "errors", "errors = Type", COMMAND),
    of(Key::NoAnswer, "no_answer", "no_answer", COMMAND),
    of(Key::Detached, "detached", "detached", COMMAND),
    of(Key::New, "new", "new", COMMAND),
    of(Key::Code, "code", "code = \"..\"", ERROR),
    of(Key::Fatal, "fatal", "fatal", ERROR),
    of(Key::InvalidArgument, "invalid_argument", "invalid_argument", ERROR),
    of(Key::Include, "include", "include", ERROR),
    of(Key::Spawn, "spawn", "spawn", RESPONDERS),
    of(Key::Extends, "extends", "extends(Trait)", RESPONDER),
    of(Key::Dyn, "dyn", "dyn", RESPONDER),
    of(Key::Bound, "bound", "bound = \"T: Value\"", GENERIC),
    of(Key::RenameAll, "rename_all", "rename_all = \"camelCase\"", NAMES),
    of(Key::Tag, "tag", "tag = \"type\"", ENUM),
    of(Key::Other, "other", "other", VARIANT),
    of(Key::With, "with", "with = Type", VALUE),
    of(Key::Text, "text", "text", VALUE),
    of(Key::Json, "json", "json", VALUE),
    of(Key::Default, "default", "default", FIELD),
    of(Key::Alias, "alias", "alias = \"..\"", FIELD),
    of(Key::Flatten, "flatten", "flatten", FIELD),
    of(Key::Split, "split", "split = 500_000", FIELD),
    of(Key::FromZero, "from_zero", "from_zero", FIELD),
    of(Key::Crate, "crate", "crate = path", ITEM),
];

/// The setting with this key, or the one that was probably meant; an error if it belongs elsewhere.
pub(super) fn known(key: &Ident, place: Place, errors: &mut Errors) -> syn::Result<&'static Known> {
    if let Some(known) = KNOWN.iter().find(|known| key == known.word) {
        let message = || format!("`{key}` belongs on {}; known here: {}", known.belongs_on, examples(place));
        return if known.places.contains(&place) { Ok(known) } else { Err(error(key, message())) };
    }
    let here = || KNOWN.iter().filter(|known| known.places.contains(&place));
    let meant = spelling::meant(&key.to_string(), here().map(|known| known.word));
    let Some(known) = here().find(|known| Some(known.word) == meant) else {
        let elsewhere = ELSEWHERE.iter().find(|(word, _)| key == word);
        let known = || format!("known here: {}", examples(place));
        let hint = elsewhere.map_or_else(known, |(_, instead)| format!("write {instead}"));
        return Err(error(key, format!("`{key}` is no setting; {hint}")));
    };
    errors.push(key, format!("`{key}` is no setting; did you mean `{}`?", known.word));
    Ok(known)
}

/// Words that are no settings and stand for something, and what to write instead.
const ELSEWHERE: [(&str, &str); 11] = [
    ("range", "`#[constrain(range = ..)]`"),
    ("length", "`#[constrain(length = ..)]`"),
    ("in_set", "`#[constrain(in_set = ..)]`"),
    ("not_in_set", "`#[constrain(not_in_set = ..)]`"),
    ("non_empty", "`#[constrain(non_empty)]`"),
    ("pattern", "`#[constrain(pattern = \"..\")]`"),
    ("each", "`#[constrain(each(..))]`"),
    ("exposed", "`#[exposed]`"),
    ("rename", "`#[amp(name = \"..\")]`"),
    ("optional", "`Option<..>` as its type"),
    ("skip", "`#[exposed]` on a field that does not travel"),
];

/// The settings that a place allows, as a list for people.
pub(super) fn examples(place: Place) -> String {
    let here = KNOWN.iter().filter(|known| known.places.contains(&place));
    let examples: Vec<String> = here.map(|known| format!("`{}`", known.example)).collect();
    if examples.is_empty() { "nothing".into() } else { examples.join(", ") }
}
