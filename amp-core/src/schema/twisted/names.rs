use std::collections::{BTreeMap, BTreeSet};

use crate::error::codes;
use crate::schema::{FieldSchema, Schema, TypeSchema};

/// Python's reserved words.
const KEYWORDS: &str = "False None True and as assert async await break class continue def del elif else except finally \
    for from global if import in is lambda nonlocal not or pass raise return try while with yield";

/// Twisted's keywords: it calls an argument `from` `From`.
const CAPITALISED: &str = "and assert break class continue def del elif else except exec finally for from global if \
    import in is lambda not or pass print raise return try while yield";

/// Names that every module uses, and the attributes of a command.
const USED: &str = "ConstraintError Deferred Exception InvalidArgument Logger ValueError Warning _AmpList _Box _Command _Field _Map \
    _Name _Octets _Text _broken _each _in_set _length _length_in_bytes _log _not_in_set _objectsToStrings _pattern \
    _range _socket_address _stringsToObjects _wireNameToPythonIdentifier _within amp bytes classmethod \
    contextmanager enumerate fail int ipaddress isinstance len re str super uuid warnings wraps arguments \
    commandName errors fatalErrors invalidArgument requiresAnswer response _Json _Zlib json sorted zlib _Big _Enum \
    _Tagged _TaggedList _Variants dict";

/// The parameters of Twisted's own methods, which are passed beside arguments.
const PARAMETERS: &str = "self commandType";

/// The names in a module.
pub(super) struct Names {
    commands: BTreeMap<String, String>,
    /// By name and code: one for all commands that declare the same.
    exceptions: BTreeMap<(String, String), String>,
    boxes: BTreeMap<String, String>,
    /// Entries of maps whose keys are no keys of a dict.
    unhashable: BTreeSet<String>,
    enums: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(schema: &Schema) -> Self {
        let mut taken = USED.split_whitespace().chain(KEYWORDS.split_whitespace()).map(str::to_owned).collect();
        let mut names = Self {
            commands: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            boxes: BTreeMap::new(),
            unhashable: BTreeSet::new(),
            enums: BTreeMap::new(),
        };
        for name in schema.commands.keys() {
            names.commands.insert(name.clone(), free(identifier(name), &mut taken));
        }
        for error in schema.commands.values().flat_map(|command| &command.errors) {
            let key = (error.name.clone(), error.code.clone());
            let is_ours = (&*error.name, &*error.code) == ("InvalidArgument", codes::INVALID_ARGUMENT);
            let name = || if is_ours { error.name.clone() } else { free(identifier(&error.name), &mut taken) };
            names.exceptions.entry(key).or_insert_with(name);
        }
        for (name, fields) in &schema.boxes {
            if fields.iter().any(|field| field.name == "key" && !is_hashable(&field.value)) {
                names.unhashable.insert(name.clone());
            }
            names.boxes.insert(name.clone(), free(format!("_fields_of_{}", identifier(name)), &mut taken));
        }
        for name in schema.enums.keys() {
            names.enums.insert(name.clone(), free(format!("_variants_of_{}", identifier(name)), &mut taken));
        }
        names
    }

    pub(super) fn command(&self, name: &str) -> &str {
        self.commands.get(name).map_or("_", |name| name)
    }

    pub(super) fn exception(&self, name: &str, code: &str) -> &str {
        self.exceptions.get(&(name.to_owned(), code.to_owned())).map_or("_", |name| name)
    }

    /// The argument type of a map with these entries.
    pub(super) fn map_class(&self, name: &str) -> &'static str {
        if self.unhashable.contains(name) { "_AmpList" } else { "_Map" }
    }

    /// The list of a nested box's fields. A schema that was not made of declarations may not have it.
    pub(super) fn fields_of(&self, name: &str) -> &str {
        self.boxes.get(name).map_or("[]", |name| name)
    }

    /// The variants of an enum, likewise.
    pub(super) fn variants_of(&self, name: &str) -> &str {
        self.enums.get(name).map_or("_Variants(None, False)", |name| name)
    }
}

/// Whether Python takes a value of this type for a key of a dict.
fn is_hashable(value: &TypeSchema) -> bool {
    use TypeSchema::{AmpList, Array, AsciiJson, Box, Json, ListOf, Map, Tagged, TaggedList, Zlib};
    match value {
        ListOf(_) | Array(..) | Box(_) | AmpList(_) | Map(_) | Json | AsciiJson | Tagged(_) | TaggedList(_) => false,
        Zlib(inner, _) => is_hashable(inner),
        _ => true,
    }
}

/// The Python name of the key of a variant's code, which no field of the variants has.
pub(super) fn tag(name: &str) -> String {
    capitalised(identifier(&twisted(name)), KEYWORDS)
}

/// The Python name of each field, `beside` a key of its box, where Twisted's own choice is not usable: keywords, other fields' names, and names that are no
/// identifiers.
pub(super) fn fields(fields: &[FieldSchema], beside: Option<&str>) -> Vec<Option<String>> {
    let words = KEYWORDS.split_whitespace().chain(PARAMETERS.split_whitespace());
    let mut taken = words.map(str::to_owned).chain(beside.map(tag)).collect();
    let mut names = vec![None; fields.len()];
    // Fields that keep their names go first.
    for keeps in [true, false] {
        for (field, name) in
            fields.iter().zip(&mut names).filter(|(field, _)| (twisted(&field.name) == field.name) == keeps)
        {
            let natural = twisted(&field.name);
            let unique = free(capitalised(identifier(&natural), KEYWORDS), &mut taken);
            *name = (unique != natural).then_some(unique);
        }
    }
    names
}

/// Twisted's name of an argument.
fn twisted(name: &str) -> String {
    capitalised(name.replace('-', "_"), CAPITALISED)
}

fn capitalised(mut name: String, keywords: &str) -> String {
    if keywords.split_whitespace().any(|keyword| keyword == name) {
        name[..1].make_ascii_uppercase();
    }
    name
}

/// Returns the name, or a similar one that is not taken.
fn free(mut name: String, taken: &mut BTreeSet<String>) -> String {
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// A name that is an identifier in Python, and is not mangled within a class.
fn identifier(name: &str) -> String {
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    while text.starts_with("__") {
        text.remove(0);
    }
    text
}
