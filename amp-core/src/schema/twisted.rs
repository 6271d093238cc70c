use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::ops::Bound;

use super::{CommandSchema, ErrorSchema, FieldSchema, Rule, Schema, TypeSchema, WireValue};
use crate::python::PythonBytes;

/// What every generated module begins with.
const PREAMBLE: &str = include_str!("twisted_preamble.py");

impl Schema {
    /// A Python module with the same commands for `twisted.protocols.amp`, constraints included, ready to import.
    ///
    /// Both ends of such a command check what the Rust declaration says. A violation is refused as
    /// [`codes::INVALID_ARGUMENT`](crate::codes::INVALID_ARGUMENT) and costs one call, not the connection. A rule that
    /// only Rust knows (`with`) stands as a comment.
    #[must_use]
    pub fn to_twisted(&self) -> String {
        Module { schema: self, raised: self.exceptions() }.to_string()
    }

    /// A Python exception for every error: one for all commands that declare the same name and code.
    fn exceptions(&self) -> BTreeMap<(String, String), String> {
        let mut taken = BTreeSet::from(["ConstraintError".to_owned(), "InvalidArgument".to_owned()]);
        taken.extend(self.commands.keys().map(|name| identifier(name)));
        let errors = self.commands.values().flat_map(|command| &command.errors);
        let keys: BTreeSet<_> = errors.map(|error| (error.name.clone(), error.code.clone())).collect();
        let mut exceptions = BTreeMap::new();
        for (name, code) in keys {
            let mut unique = identifier(&name);
            while !taken.insert(unique.clone()) {
                unique.push('_');
            }
            exceptions.insert((name, code), unique);
        }
        exceptions
    }
}

struct Module<'a> {
    schema: &'a Schema,
    raised: BTreeMap<(String, String), String>,
}

impl fmt::Display for Module<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREAMBLE)?;
        for ((_, code), exception) in &self.raised {
            write!(f, "\n\nclass {exception}(Exception):\n    \"\"\"The error {}.\"\"\"\n", Doc(code))?;
        }
        // Boxes first by name and then by fields: a box may hold itself.
        for name in self.schema.boxes.keys() {
            write!(f, "\n{} = []", box_name(name))?;
        }
        for (name, fields) in &self.schema.boxes {
            write!(f, "\n{}.extend({})\n", box_name(name), Fields(fields, ""))?;
        }
        self.schema.commands.iter().try_for_each(|(name, command)| self.command(f, name, command))
    }
}

impl Module<'_> {
    fn command(&self, f: &mut fmt::Formatter<'_>, name: &str, command: &CommandSchema) -> fmt::Result {
        let CommandSchema { doc, answered, arguments, response, errors } = command;
        write!(f, "\n\nclass {}(_Command):\n", identifier(name))?;
        if !doc.is_empty() {
            writeln!(f, "    \"\"\"{}\"\"\"\n", Doc(doc))?;
        }
        writeln!(f, "    commandName = {}", PythonBytes(name.as_bytes()))?;
        writeln!(f, "    arguments = {}", Fields(arguments, "    "))?;
        writeln!(f, "    response = {}", Fields(response, "    "))?;
        let invalid = errors.iter().find(|error| error.invalid_argument);
        let code = invalid.map_or(crate::codes::INVALID_ARGUMENT, |error| &error.code);
        writeln!(f, "    invalidArgument = {}", PythonBytes(code.as_bytes()))?;
        write!(f, "    errors = {{")?;
        if invalid.is_none() {
            write!(f, "InvalidArgument: {}, ", PythonBytes(code.as_bytes()))?;
        }
        self.errors(f, errors.iter().filter(|error| !error.fatal))?;
        write!(f, "}}\n    fatalErrors = {{")?;
        self.errors(f, errors.iter().filter(|error| error.fatal))?;
        writeln!(f, "}}")?;
        if *answered { Ok(()) } else { writeln!(f, "    requiresAnswer = False") }
    }

    fn errors<'a>(&self, f: &mut fmt::Formatter<'_>, errors: impl Iterator<Item = &'a ErrorSchema>) -> fmt::Result {
        for ErrorSchema { name, code, .. } in errors {
            let exception = &self.raised[&(name.clone(), code.clone())];
            write!(f, "{exception}: {}, ", PythonBytes(code.as_bytes()))?;
        }
        Ok(())
    }
}

/// A list of keys and arguments, at an indentation.
struct Fields<'a>(&'a [FieldSchema], &'a str);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(fields, indent) = self;
        if fields.is_empty() {
            return f.write_str("[]");
        }
        f.write_str("[\n")?;
        for field in *fields {
            write!(f, "{indent}    ({}, {}),", PythonBytes(field.name.as_bytes()), Declared(field))?;
            for constraint in field.constraints.iter().filter(|constraint| constraint.rule.is_opaque()) {
                write!(f, "  # checked in Rust only: {}", constraint.words.replace('\n', " "))?;
            }
            f.write_char('\n')?;
        }
        write!(f, "{indent}]")
    }
}

/// One argument, with its rules.
struct Declared<'a>(&'a FieldSchema);

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldSchema { value, optional, constraints, .. } = self.0;
        let rules: Vec<_> = constraints.iter().filter(|constraint| !constraint.rule.is_opaque()).collect();
        let bounds = Limits(value).to_string();
        let optional = if *optional { "optional=True" } else { "" };
        if rules.is_empty() && bounds.is_empty() {
            return write!(f, "{}", Type(value, optional));
        }
        write!(f, "_Constrained({}", Type(value, optional))?;
        f.write_str(&bounds)?;
        for constraint in rules {
            write!(f, ", ({}, {})", Text(&constraint.words), Checked(&constraint.rule, value))?;
        }
        f.write_char(')')
    }
}

/// The bounds of the Rust type, which Rust refuses to decode outside of.
struct Limits<'a>(&'a TypeSchema);

impl fmt::Display for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TypeSchema::Integer(name) = self.0 else { return Ok(()) };
        let (signed, bits) = name.split_at(1);
        let bits = if bits == "size" { "64" } else { bits };
        match signed {
            "i" if bits.parse::<u8>().is_ok() => {
                write!(f, ", (\"out of range for {name}\", _range(-(2**({bits}-1)), 2**({bits}-1) - 1))")
            }
            "u" if bits.parse::<u8>().is_ok() => write!(f, ", (\"out of range for {name}\", _range(0, 2**{bits} - 1))"),
            _ => Ok(()),
        }
    }
}

/// An argument's constructor.
struct Type<'a>(&'a TypeSchema, &'a str);

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, optional) = self;
        let and = if optional.is_empty() { "" } else { ", " };
        match value {
            TypeSchema::Integer(_) => write!(f, "amp.Integer({optional})"),
            TypeSchema::Float => write!(f, "amp.Float({optional})"),
            TypeSchema::Boolean => write!(f, "amp.Boolean({optional})"),
            TypeSchema::Unicode => write!(f, "amp.Unicode({optional})"),
            TypeSchema::Bytes | TypeSchema::Custom(_) => write!(f, "amp.String({optional})"),
            TypeSchema::ListOf(item) => write!(f, "amp.ListOf({}{and}{optional})", Type(item, "")),
            TypeSchema::Box(name) => write!(f, "_Box({}{and}{optional})", box_name(name)),
            TypeSchema::AmpList(name) => write!(f, "amp.AmpList({}{and}{optional})", box_name(name)),
        }
    }
}

/// A predicate; values are given as they travel and read by the argument's own type.
struct Checked<'a>(&'a Rule, &'a TypeSchema);

impl fmt::Display for Checked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(rule, value) = self;
        let read = |wire: &WireValue| format!("{}.fromString({})", Type(value, ""), PythonBytes(&wire.0));
        let all = |items: &[WireValue]| items.iter().map(|item| format!("{}, ", read(item))).collect::<String>();
        match rule {
            Rule::InSet(items) => write!(f, "_in_set([{}])", all(items)),
            Rule::NotInSet(items) => write!(f, "_not_in_set([{}])", all(items)),
            Rule::Range(start, end) => range(f, "_range", start.as_ref().map(read), end.as_ref().map(read)),
            Rule::Length(start, end) => range(f, "_length", *start, *end),
            Rule::LengthInBytes(start, end) => range(f, "_length_in_bytes", *start, *end),
            Rule::Pattern(pattern) => write!(f, "_pattern({})", Text(pattern)),
            Rule::Each(rule) => match value {
                TypeSchema::ListOf(item) => write!(f, "_each({})", Checked(rule, item)),
                _ => write!(f, "_each({})", Checked(rule, &TypeSchema::Bytes)),
            },
            Rule::Opaque => f.write_str("_anything"),
        }
    }
}

fn range<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, start: Bound<T>, end: Bound<T>) -> fmt::Result {
    let show = |bound: Bound<T>| match bound {
        Bound::Included(value) => (value.to_string(), false),
        Bound::Excluded(value) => (value.to_string(), true),
        Bound::Unbounded => ("None".to_owned(), false),
    };
    let ((start, over), (end, under)) = (show(start), show(end));
    write!(f, "{name}({start}, {end}")?;
    f.write_str(if over { ", over=True" } else { "" })?;
    f.write_str(if under { ", under=True)" } else { ")" })
}

/// A Python text literal.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.decode(\"utf-8\")", PythonBytes(self.0.as_bytes()))
    }
}

/// Text within a docstring.
struct Doc<'a>(&'a str);

impl fmt::Display for Doc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\n    "))
    }
}

fn box_name(name: &str) -> String {
    format!("_{}_fields", identifier(name))
}

/// A name that Python takes.
fn identifier(name: &str) -> String {
    const KEYWORDS: [&str; 8] = ["None", "True", "False", "amp", "re", "class", "import", "from"];
    let mut text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || KEYWORDS.contains(&text.as_str()) {
        text.insert(0, '_');
    }
    text
}
