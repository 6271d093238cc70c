//! A schema as a Python module for Twisted.

mod fields;
mod literals;
mod names;
mod preamble;
mod rules;
mod types;

use std::collections::BTreeSet;
use std::fmt;

use super::{CommandSchema, EnumSchema, ErrorSchema, Schema, VariantSchema};
use crate::error::codes;
use crate::python::PythonBytes;
use fields::{Fields, FieldsBeside};
use literals::{Doc, Text};
use names::Names;
use preamble::Preamble;

impl Schema {
    /// A Python module with the same commands for `twisted.protocols.amp`, constraints included, ready to import.
    ///
    /// Both ends of such a command check the constraints of the Rust declaration. A violation is refused as
    /// [`codes::INVALID_ARGUMENT`] and costs one call, not the connection. Rules that only Rust knows are comments: the rules
    /// `with` and those of types of the program's own, which are bytes in Python. So are, without a comment, the few regular
    /// expressions that Python does not read as Rust does.
    ///
    /// A name that is invalid in Python has another one there: `from` is `From`, as always in Twisted, `async` is `Async`,
    /// `1st.try` is `_1st_try`, and a taken name gets a `_` at its end.
    #[must_use]
    pub fn to_twisted(&self) -> String {
        Module { schema: self, names: Names::of(self) }.to_string()
    }
}

struct Module<'a> {
    schema: &'a Schema,
    names: Names,
}

impl fmt::Display for Module<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, names } = self;
        Preamble::of(schema).fmt(f)?;
        self.exceptions(f)?;
        // Enums and boxes first by name and then by fields: each may contain itself.
        self.enums(f)?;
        f.write_str(if schema.boxes.is_empty() { "" } else { "\n" })?;
        for name in schema.boxes.keys() {
            write!(f, "\n{} = []", names.fields_of(name))?;
        }
        for (name, fields) in &schema.boxes {
            write!(f, "\n{}.extend({})", names.fields_of(name), Fields(fields, "", names))?;
        }
        f.write_str(if schema.boxes.is_empty() { "" } else { "\n" })?;
        self.variants(f)?;
        schema.commands.iter().try_for_each(|(name, command)| self.command(f, name, command))
    }
}

impl Module<'_> {
    /// The name of each enum, without its variants.
    fn enums(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.schema.enums.is_empty() { "" } else { "\n" })?;
        for (name, EnumSchema { tag, other, .. }) in &self.schema.enums {
            let other = if *other { "True" } else { "False" };
            write!(f, "\n{} = _Variants(", self.names.variants_of(name))?;
            match tag {
                Some(tag) => {
                    let key = PythonBytes(tag.as_bytes());
                    write!(f, "_Name({key}, \"{}\"), {other})", names::tag(tag))?;
                }
                None => write!(f, "None, {other})")?,
            }
        }
        f.write_str(if self.schema.enums.is_empty() { "" } else { "\n" })
    }

    /// The codes of each enum, with the fields of its variants.
    fn variants(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, EnumSchema { tag, variants, .. }) in &self.schema.enums {
            write!(f, "\n{}.update({{\n", self.names.variants_of(name))?;
            for VariantSchema { code, fields, .. } in variants {
                let fields = Fields(fields, "    ", &self.names);
                writeln!(f, "    {}: {},", Text(code), FieldsBeside(fields, tag.as_deref().unwrap_or_default()))?;
            }
            f.write_str("})\n")?;
        }
        Ok(())
    }

    fn exceptions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = BTreeSet::from(["InvalidArgument"]);
        for error in self.schema.commands.values().flat_map(|command| &command.errors) {
            let name = self.exception(error);
            if written.insert(name) {
                let said = format!("The error {}.", error.code);
                let doc = if error.doc.is_empty() { &said } else { &error.doc };
                write!(f, "\n\nclass {name}(Exception):\n{}\n", Doc(doc))?;
            }
        }
        Ok(())
    }

    fn exception(&self, error: &ErrorSchema) -> &str {
        self.names.exception(&error.name, &error.code)
    }

    fn command(&self, f: &mut fmt::Formatter<'_>, name: &str, command: &CommandSchema) -> fmt::Result {
        let CommandSchema { doc, answered, arguments, response, errors } = command;
        write!(f, "\n\nclass {}(_Command):\n", self.names.command(name))?;
        if !doc.is_empty() {
            writeln!(f, "{}\n", Doc(doc))?;
        }
        writeln!(f, "    commandName = {}", PythonBytes(name.as_bytes()))?;
        writeln!(f, "    arguments = {}", Fields(arguments, "    ", &self.names))?;
        writeln!(f, "    response = {}", Fields(response, "    ", &self.names))?;
        if let Some(error) = errors.iter().find(|error| error.invalid_argument) {
            writeln!(f, "    invalidArgument = {}", PythonBytes(error.code.as_bytes()))?;
        }
        writeln!(f, "    errors = {{{}}}", self.errors(errors, false))?;
        writeln!(f, "    fatalErrors = {{{}}}", self.errors(errors, true))?;
        if *answered { Ok(()) } else { writeln!(f, "    requiresAnswer = False") }
    }

    /// The errors that are fatal, or those that are not, which include the refusal of invalid arguments.
    fn errors(&self, errors: &[ErrorSchema], fatal: bool) -> String {
        let one = |name: &str, code: &str| format!("{name}: {}", PythonBytes(code.as_bytes()));
        let is_known = errors.iter().any(|error| error.invalid_argument || error.code == codes::INVALID_ARGUMENT);
        let refusal = (!fatal && !is_known).then(|| one("InvalidArgument", codes::INVALID_ARGUMENT));
        let declared = errors.iter().filter(|error| error.fatal == fatal);
        let declared = declared.map(|error| one(self.exception(error), &error.code));
        refusal.into_iter().chain(declared).collect::<Vec<_>>().join(", ")
    }
}
