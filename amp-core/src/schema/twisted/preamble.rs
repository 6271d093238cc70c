use std::fmt;

use crate::schema::{FieldSchema, Schema, TypeSchema};

/// The beginning of every generated module.
const PREAMBLE: &str = include_str!("preamble.py");
/// What every module imports first; a module with more of the parts imports more.
const IMPORTS: &str = "import re\nimport warnings\n";

/// Argument types that only some modules need.
struct Part {
    imports: &'static [&'static str],
    classes: &'static str,
    needs: fn(&TypeSchema) -> bool,
}

const PARTS: &[Part] = &[
    Part {
        imports: &["ipaddress", "uuid"],
        classes: include_str!("texts.py"),
        needs: |value| matches!(value, TypeSchema::Text(_) | TypeSchema::Octets(_)),
    },
    Part { imports: &[], classes: include_str!("maps.py"), needs: |value| matches!(value, TypeSchema::Map(_)) },
    Part {
        imports: &["json"],
        classes: include_str!("json.py"),
        needs: |value| matches!(value, TypeSchema::Json | TypeSchema::AsciiJson),
    },
    Part { imports: &["zlib"], classes: include_str!("zlib.py"), needs: |value| matches!(value, TypeSchema::Zlib(..)) },
];

/// The beginning of a module for one schema.
pub(super) struct Preamble(Vec<&'static Part>);

impl Preamble {
    pub(super) fn of(schema: &Schema) -> Self {
        let of_commands = schema.commands.values().flat_map(|command| {
            let of_errors = command.errors.iter().flat_map(|error| &error.fields);
            command.arguments.iter().chain(&command.response).chain(of_errors)
        });
        let variants = schema.enums.values().flat_map(|declared| &declared.variants);
        let of_variants = variants.flat_map(|variant| &variant.fields);
        let fields: Vec<&FieldSchema> = of_commands.chain(schema.boxes.values().flatten()).chain(of_variants).collect();
        let is_needed = |part: &&Part| fields.iter().any(|field| within(&field.value, part.needs));
        Self(PARTS.iter().filter(is_needed).collect())
    }
}

impl fmt::Display for Preamble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = PREAMBLE.split_once(IMPORTS).unwrap_or((PREAMBLE, ""));
        let mut imports: Vec<_> =
            ["re", "warnings"].iter().chain(self.0.iter().flat_map(|part| part.imports)).collect();
        imports.sort_unstable();
        f.write_str(before)?;
        imports.iter().try_for_each(|module| writeln!(f, "import {module}"))?;
        f.write_str(after)?;
        self.0.iter().try_for_each(|part| f.write_str(part.classes))
    }
}

/// Whether it holds for a type, or for one within it. Nested boxes are looked at by themselves.
fn within(value: &TypeSchema, holds: fn(&TypeSchema) -> bool) -> bool {
    holds(value)
        || match value {
            TypeSchema::ListOf(inner)
            | TypeSchema::Array(inner, _)
            | TypeSchema::Zlib(inner, _)
            | TypeSchema::Big { value: inner, .. } => within(inner, holds),
            _ => false,
        }
}
