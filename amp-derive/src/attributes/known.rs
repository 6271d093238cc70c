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
    Case,
    /// The one field of a newtype, or of a variant without named fields.
    Held,
}

/// The subject of a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
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
    /// Its place, in words.
    home: &'static str,
    places: &'static [Place],
}

impl Known {
    const fn of_command(key: Key, word: &'static str, example: &'static str) -> Self {
        Self { key, word, example, home: "a struct with `#[derive(Command)]`", places: &[Place::Command] }
    }

    const fn of_field(key: Key, word: &'static str, example: &'static str) -> Self {
        Self { key, word, example, home: "a field with a name", places: &[Place::Field] }
    }

    const fn of_value(key: Key, word: &'static str, example: &'static str) -> Self {
        Self { key, word, example, home: "a field that is one value", places: &[Place::Field, Place::Held] }
    }

    const fn of_variant(key: Key, word: &'static str, example: &'static str) -> Self {
        Self {
            key,
            word,
            example,
            home: "a variant of an enum with `#[derive(ErrorCodes)]`",
            places: &[Place::Variant],
        }
    }
}

pub(super) const KNOWN: [Known; 26] = [
    Known {
        key: Key::Name,
        word: "name",
        example: "name = \"..\"",
        home: "a struct with `#[derive(Command)]`, a field, or a variant of an enum with `#[derive(Value)]`",
        places: &[Place::Command, Place::Field, Place::Case],
    },
    Known::of_command(Key::Response, "response", "response = Type"),
    Known::of_command(Key::Errors, "errors", "errors = Type"),
    Known::of_command(Key::NoAnswer, "no_answer", "no_answer"),
    Known::of_command(Key::Detached, "detached", "detached"),
    Known::of_command(Key::New, "new", "new"),
    Known::of_variant(Key::Code, "code", "code = \"..\""),
    Known::of_variant(Key::Fatal, "fatal", "fatal"),
    Known::of_variant(Key::InvalidArgument, "invalid_argument", "invalid_argument"),
    Known::of_variant(Key::Include, "include", "include"),
    Known {
        key: Key::Spawn,
        word: "spawn",
        example: "spawn",
        home: "a trait or an `impl` block with `#[responder(..)]`, or a method of one",
        places: &[Place::Responder, Place::Method],
    },
    Known {
        key: Key::Extends,
        word: "extends",
        example: "extends(Trait)",
        home: "a trait with `#[responder(..)]`",
        places: &[Place::Responder],
    },
    Known {
        key: Key::Dyn,
        word: "dyn",
        example: "dyn",
        home: "a trait with `#[responder(..)]`",
        places: &[Place::Responder],
    },
    Known {
        key: Key::Bound,
        word: "bound",
        example: "bound = \"T: Value\"",
        home: "a struct or an enum with type parameters",
        places: &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Value],
    },
    Known {
        key: Key::RenameAll,
        word: "rename_all",
        example: "rename_all = \"camelCase\"",
        home: "the item, or a variant with named fields",
        places: &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Variant, Place::Value, Place::Case],
    },
    Known {
        key: Key::Tag,
        word: "tag",
        example: "tag = \"type\"",
        home: "an enum with `#[derive(Value)]`",
        places: &[Place::Value],
    },
    Known {
        key: Key::Other,
        word: "other",
        example: "other",
        home: "a variant of an enum with `#[derive(Value)]`",
        places: &[Place::Case],
    },
    Known::of_value(Key::With, "with", "with = Type"),
    Known::of_value(Key::Text, "text", "text"),
    Known::of_value(Key::Json, "json", "json"),
    Known::of_field(Key::Default, "default", "default"),
    Known::of_field(Key::Alias, "alias", "alias = \"..\""),
    Known::of_field(Key::Flatten, "flatten", "flatten"),
    Known::of_field(Key::Split, "split", "split = 500_000"),
    Known::of_field(Key::FromZero, "from_zero", "from_zero"),
    Known {
        key: Key::Crate,
        word: "crate",
        example: "crate = path",
        home: "the item",
        places: &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Value, Place::Responder],
    },
];

/// The setting with this key, or the one that was probably meant; an error if it belongs elsewhere.
pub(super) fn known(key: &Ident, place: Place, errors: &mut Errors) -> syn::Result<&'static Known> {
    if let Some(known) = KNOWN.iter().find(|known| key == known.word) {
        let message = || format!("`{key}` belongs on {}; known here: {}", known.home, examples(place));
        return if known.places.contains(&place) { Ok(known) } else { Err(error(key, message())) };
    }
    let here = || KNOWN.iter().filter(|known| known.places.contains(&place));
    let meant = spelling::meant(&key.to_string(), here().map(|known| known.word));
    let Some(known) = here().find(|known| Some(known.word) == meant) else {
        return Err(error(key, format!("`{key}` is no setting; known here: {}", examples(place))));
    };
    errors.push(key, format!("`{key}` is no setting; did you mean `{}`?", known.word));
    Ok(known)
}

/// The settings that a place allows, as a list for people.
pub(super) fn examples(place: Place) -> String {
    let here = KNOWN.iter().filter(|known| known.places.contains(&place));
    let examples: Vec<String> = here.map(|known| format!("`{}`", known.example)).collect();
    if examples.is_empty() { "nothing".into() } else { examples.join(", ") }
}
