use std::fmt;

use super::literals::{Comment, Text};
use super::names::{self, Names};
use super::rules::{Checked, Limits};
use super::types::{Type, python_class};
use crate::python::PythonBytes;
use crate::schema::{ConstraintSchema, FieldSchema, TextType, TypeSchema, WireValue};

/// A list of keys and arguments, at an indentation.
pub(super) struct Fields<'a>(pub(super) &'a [FieldSchema], pub(super) &'a str, pub(super) &'a Names);

/// The same beside the code of a variant, whose key has a name of its own.
pub(super) struct FieldsBeside<'a>(pub(super) Fields<'a>, pub(super) &'a str);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

impl fmt::Display for FieldsBeside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, Some(self.1))
    }
}

impl Fields<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>, beside: Option<&str>) -> fmt::Result {
        let Self(fields, indent, names) = self;
        if fields.is_empty() {
            return f.write_str("[]");
        }
        f.write_str("[\n")?;
        for (field, python) in fields.iter().zip(names::fields(fields, beside)) {
            let key = PythonBytes(field.name.as_bytes());
            match python {
                Some(python) => write!(f, "{indent}    (_Name({key}, \"{python}\"), {}),", Declared(field, names))?,
                None => write!(f, "{indent}    ({key}, {}),", Declared(field, names))?,
            }
            match field.value.innermost() {
                TypeSchema::Custom(name) => write!(f, "  # {}, which only Rust knows", Comment(name))?,
                TypeSchema::Text(name)
                    if TextType::of(name) != Some(TextType::Char) && python_class(name).is_none() =>
                {
                    write!(f, "  # the text of {}, which only Rust reads", Comment(name))?;
                }
                _ => {}
            }
            for constraint in field.constraints.iter().filter(|constraint| !is_known(constraint, field)) {
                write!(f, "  # only Rust checks: {}", Comment(&constraint.words))?;
            }
            f.write_str("\n")?;
        }
        write!(f, "{indent}]")
    }
}

/// Whether Python can check it.
fn is_known(constraint: &ConstraintSchema, field: &FieldSchema) -> bool {
    !constraint.rule.is_opaque() && !matches!(field.value.innermost(), TypeSchema::Custom(_))
}

/// One argument, with its rules.
struct Declared<'a>(&'a FieldSchema, &'a Names);

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(field, names) = self;
        let optional = if field.optional { "optional=True" } else { "" };
        write!(f, "_Field({}{}", Type(&field.value, optional, names), Limits(field.value.whole()))?;
        for constraint in field.constraints.iter().filter(|constraint| is_known(constraint, field)) {
            write!(f, ", ({}, {})", Text(&constraint.words), Checked(&constraint.rule, field.value.whole(), names))?;
        }
        if let Some(WireValue(default)) = &field.default {
            write!(f, ", default={}", PythonBytes(default))?;
        }
        if !field.aliases.is_empty() {
            let aliases: Vec<_> = field.aliases.iter().map(|name| PythonBytes(name.as_bytes()).to_string()).collect();
            write!(f, ", aliases=[{}]", aliases.join(", "))?;
        }
        f.write_str(")")
    }
}

impl TypeSchema {
    /// The type of the items of the items.
    fn innermost(&self) -> &Self {
        match self {
            Self::ListOf(inner) | Self::Array(inner, _) | Self::Zlib(inner, _) | Self::Big { value: inner, .. } => {
                inner.innermost()
            }
            other => other,
        }
    }
}
