use std::fmt;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{CommandSchema, ConstraintSchema, EnumSchema, ErrorSchema, FieldSchema, Schema, TypeSchema, VariantSchema};

/// A number that is the same for two schemas that declare the same on the wire. Docs do not count, nor do the names of nested structs and
/// enums. A type of the user's own, of which a schema knows no more, counts by its name, without the path of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(try_from = "String", into = "String"))]
pub struct Fingerprint(u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// As it is displayed, because JSON's numbers have fewer bits in some languages.
#[cfg(feature = "serde")]
impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<String> for Fingerprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let number = u64::from_str_radix(&text, 16).map(Self);
        // Neither a sign nor other spellings.
        number.ok().filter(|number| number.to_string() == text).ok_or("not a fingerprint: 16 hexadecimal digits")
    }
}

impl Schema {
    /// The schema's fingerprint: equal on both ends, or on two builds, when they declare the same.
    ///
    /// It is the 64-bit FNV-1a hash of the schema's text, in which nested boxes and enums have numbers instead of names, and types no paths.
    /// So it is stable between machines and compilers, and does not change when a struct is renamed, moved or declared twice. It guards
    /// against mistakes, not against an attacker who wants two schemas to look the same.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Fingerprint(self.canonical().to_string().bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// One line a command, field and error; docs are left out.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, CommandSchema { answered, arguments, response, errors, .. }) in &self.commands {
            writeln!(f, "command {name}{}", if *answered { "" } else { " (no answer)" })?;
            write_fields(f, "  argument", arguments)?;
            write_fields(f, "  response", response)?;
            for ErrorSchema { code, fatal, invalid_argument, fields, .. } in errors {
                let fatal = if *fatal { " (fatal)" } else { "" };
                let invalid_argument = if *invalid_argument { " (invalid argument)" } else { "" };
                writeln!(f, "  error {code}{fatal}{invalid_argument}")?;
                write_fields(f, "    field", fields)?;
            }
        }
        for (name, fields) in &self.boxes {
            writeln!(f, "box {name}")?;
            write_fields(f, "  field", fields)?;
        }
        for (name, EnumSchema { tag, other, variants }) in &self.enums {
            write!(f, "enum {name}")?;
            if let Some(tag) = tag {
                write!(f, ", under the key {tag}")?;
            }
            writeln!(f, "{}", if *other { ", or any other" } else { "" })?;
            for VariantSchema { code, fields, .. } in variants {
                writeln!(f, "  variant {code}")?;
                write_fields(f, "    field", fields)?;
            }
        }
        Ok(())
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, what: &str, fields: &[FieldSchema]) -> fmt::Result {
    for FieldSchema { name, value, optional, default, aliases, constraints, .. } in fields {
        write!(f, "{what} {name}: {value}{}", if *optional { ", optional" } else { "" })?;
        if let Some(default) = default {
            write!(f, ", default {default}")?;
        }
        for alias in aliases {
            write!(f, ", also {alias}")?;
        }
        for ConstraintSchema { code, words, rule } in constraints {
            write!(f, ", {code}: {rule}")?;
            if rule.is_opaque() {
                // Only its name distinguishes it from others.
                write!(f, " ({words})")?;
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

impl fmt::Display for TypeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(bound) => write!(f, "Integer({bound})"),
            Self::Float => f.write_str("Float"),
            Self::Boolean => f.write_str("Boolean"),
            Self::Unicode => f.write_str("Unicode"),
            Self::Bytes => f.write_str("String"),
            Self::Decimal => f.write_str("Decimal"),
            Self::DateTime => f.write_str("DateTime"),
            Self::Path => f.write_str("Path"),
            Self::Text(name) => write!(f, "Text({name})"),
            Self::Duration => f.write_str("Duration"),
            Self::Octets(name) => write!(f, "Octets({name})"),
            Self::ListOf(item) => write!(f, "ListOf({item})"),
            Self::Array(list, length) => write!(f, "Array({list}; {length})"),
            Self::Box(name) => write!(f, "Box({name})"),
            Self::AmpList(name) => write!(f, "AmpList({name})"),
            Self::Map(name) => write!(f, "Map({name})"),
            Self::Json => f.write_str("Json"),
            Self::AsciiJson => f.write_str("AsciiJson"),
            Self::Zlib(inner, most) => write!(f, "Zlib({inner}; {most})"),
            Self::Enum(name) => write!(f, "Enum({name})"),
            Self::Tagged(name) => write!(f, "Tagged({name})"),
            Self::TaggedList(name) => write!(f, "TaggedList({name})"),
            Self::Big { value, maximum, numbering } => {
                write!(f, "Big({value}, {maximum} bytes, from {})", numbering.start())
            }
            Self::Custom(name) => write!(f, "Custom({name})"),
        }
    }
}
