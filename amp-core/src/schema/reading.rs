use std::collections::BTreeMap;

use super::same::{Outer, rules, same_box, same_enum};
use super::{
    AmpType, BoxDeclaration, CommandDeclaration, CommandSchema, ConstraintDeclaration, ConstraintSchema,
    EnumDeclaration, EnumSchema, ErrorDeclaration, ErrorSchema, FieldDeclaration, FieldSchema, Schema, TypeSchema,
    VariantDeclaration, VariantSchema,
};

impl Schema {
    /// The schema of commands: those that a [`Locator`](crate::locator::Locator) lists, or
    /// [`Command::DECLARATION`](crate::Command::DECLARATION)s picked by hand. Of two with one name the first counts, as
    /// in a locator.
    #[must_use]
    pub fn of(commands: impl IntoIterator<Item = CommandDeclaration>) -> Self {
        let mut by_name = BTreeMap::new();
        for command in commands {
            by_name.entry(command.name).or_insert(command);
        }
        let mut reading = Reading::default();
        for (name, command) in by_name {
            let entry = reading.command(&command);
            reading.schema.commands.insert(name.to_owned(), entry);
        }
        reading.schema
    }
}

/// A schema that is being built from declarations.
#[derive(Default)]
struct Reading {
    schema: Schema,
    /// The nested boxes so far, by their names in the schema.
    boxes: BTreeMap<String, BoxDeclaration>,
    /// The enums so far, likewise.
    enums: BTreeMap<String, EnumDeclaration>,
}

impl Reading {
    fn command(&mut self, command: &CommandDeclaration) -> CommandSchema {
        CommandSchema {
            doc: command.doc.to_owned(),
            answered: command.answered,
            arguments: self.fields(command.arguments.fields),
            response: self.fields(command.response.fields),
            errors: command.errors.iter().map(|error| self.error(error)).collect(),
        }
    }

    fn error(&mut self, error: &ErrorDeclaration) -> ErrorSchema {
        ErrorSchema {
            code: error.code.to_owned(),
            name: error.name.to_owned(),
            doc: error.doc.to_owned(),
            fatal: error.fatal,
            invalid_argument: error.invalid_argument,
            fields: self.fields(error.fields),
        }
    }

    fn fields(&mut self, fields: &[FieldDeclaration]) -> Vec<FieldSchema> {
        fields.iter().map(|field| self.field(field)).collect()
    }

    fn field(&mut self, field: &FieldDeclaration) -> FieldSchema {
        FieldSchema {
            name: field.name.to_owned(),
            doc: field.doc.to_owned(),
            value: self.value(field.value),
            optional: field.optional,
            default: field.default.and_then(|default| default()),
            aliases: field.aliases.iter().map(ToString::to_string).collect(),
            constraints: rules(field),
        }
    }

    fn value(&mut self, value: AmpType) -> TypeSchema {
        match value {
            AmpType::Integer(bound) => TypeSchema::Integer(bound.to_owned()),
            AmpType::Float => TypeSchema::Float,
            AmpType::Boolean => TypeSchema::Boolean,
            AmpType::Unicode => TypeSchema::Unicode,
            AmpType::Bytes => TypeSchema::Bytes,
            AmpType::Decimal => TypeSchema::Decimal,
            AmpType::DateTime => TypeSchema::DateTime,
            AmpType::Path => TypeSchema::Path,
            AmpType::Text(name) => TypeSchema::Text(name().to_owned()),
            AmpType::Duration => TypeSchema::Duration,
            AmpType::Octets(name) => TypeSchema::Octets(name.to_owned()),
            AmpType::ListOf(item) => TypeSchema::ListOf(Box::new(self.value(*item))),
            AmpType::Array(list, length) => TypeSchema::Array(Box::new(self.value(*list)), length),
            AmpType::Box(declared) => TypeSchema::Box(self.nested(declared())),
            AmpType::AmpList(declared) => TypeSchema::AmpList(self.nested(declared())),
            AmpType::Map(declared) => TypeSchema::Map(self.nested(declared())),
            AmpType::Json => TypeSchema::Json,
            AmpType::AsciiJson => TypeSchema::AsciiJson,
            AmpType::Zlib(inner, most) => TypeSchema::Zlib(Box::new(self.value(*inner)), most),
            AmpType::Enum(declared) => TypeSchema::Enum(self.variants(declared())),
            AmpType::Tagged(declared) => TypeSchema::Tagged(self.variants(declared())),
            AmpType::TaggedList(declared) => TypeSchema::TaggedList(self.variants(declared())),
            AmpType::Constrained(inner, _) => self.value(*inner),
            AmpType::Big { value, maximum, numbering } => {
                TypeSchema::Big { value: Box::new(self.value(*value)), maximum, numbering }
            }
            AmpType::Custom(name) => TypeSchema::Custom(name().to_owned()),
        }
    }

    /// Adds a nested box and returns its name.
    fn nested(&mut self, declared: BoxDeclaration) -> String {
        let (name, is_new) =
            unique_name(&self.boxes, declared.name, |taken| same_box(taken, declared, &mut Outer::default()));
        if is_new {
            // A box may contain itself: its name is taken before its fields are read.
            self.boxes.insert(name.clone(), declared);
            let fields = self.fields(declared.fields);
            self.schema.boxes.insert(name.clone(), fields);
        }
        name
    }

    /// Adds an enum and returns its name.
    fn variants(&mut self, declared: EnumDeclaration) -> String {
        let (name, is_new) =
            unique_name(&self.enums, declared.name, |taken| same_enum(taken, declared, &mut Outer::default()));
        if is_new {
            self.enums.insert(name.clone(), declared);
            let of = |variant: &VariantDeclaration| VariantSchema {
                code: variant.code.to_owned(),
                doc: variant.doc.to_owned(),
                fields: self.fields(variant.fields),
            };
            let variants = declared.variants.iter().map(of).collect();
            let tag = declared.tag.map(str::to_owned);
            self.schema.enums.insert(name.clone(), EnumSchema { tag, other: declared.other, variants });
        }
        name
    }
}

/// The name of a declaration in the schema, another than its own if that is taken by a different one, and whether it is new there.
fn unique_name<D: Copy>(taken: &BTreeMap<String, D>, own: &str, is_same: impl Fn(D) -> bool) -> (String, bool) {
    let mut name = own.to_owned();
    let mut count = 1;
    while let Some(other) = taken.get(&name) {
        if is_same(*other) {
            return (name, false);
        }
        count += 1;
        name = format!("{own}_{count}");
    }
    (name, true)
}

impl ConstraintSchema {
    pub(super) fn of(declared: &ConstraintDeclaration) -> Self {
        let (code, rule) = (declared.rule)();
        Self { code: code.to_owned(), words: declared.words.to_owned(), rule }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConstrainedDeclaration;
    use super::*;

    #[test]
    fn a_type_may_be_empty_in_a_schema_as_in_its_declaration() {
        const NO_FIELDS: fn() -> BoxDeclaration = || BoxDeclaration { name: "Box", fields: &[] };
        const NO_VARIANTS: fn() -> EnumDeclaration =
            || EnumDeclaration { name: "Enum", tag: None, other: false, variants: &[] };
        const NO_RULES: fn() -> ConstrainedDeclaration = || ConstrainedDeclaration { constraints: &[], each: false };
        use AmpType::{
            AmpList, Array, AsciiJson, Boolean, Box, Bytes, Constrained, Custom, DateTime, Decimal, Duration, Enum,
            Float, Integer, Json, ListOf, Map, Octets, Path, Tagged, TaggedList, Text, Unicode, Zlib,
        };
        let never = [
            Array(&Bytes, 4),
            AsciiJson,
            Boolean,
            Box(NO_FIELDS),
            Constrained(&Box(NO_FIELDS), NO_RULES),
            Constrained(&Constrained(&Integer("u8"), NO_RULES), NO_RULES),
            DateTime,
            Decimal,
            Duration,
            Float,
            Integer("u8"),
            Json,
            Octets("Ipv4Addr"),
            Tagged(NO_VARIANTS),
            Zlib(&Unicode, 9),
        ];
        let sometimes = [
            AmpList(NO_FIELDS),
            Array(&Bytes, 0),
            Bytes,
            Constrained(&Unicode, NO_RULES),
            Custom(|| "It"),
            Enum(NO_VARIANTS),
            ListOf(&Float),
            Map(NO_FIELDS),
            Path,
            TaggedList(NO_VARIANTS),
            Text(|| "Url"),
            Unicode,
        ];
        for (all, may_be_empty) in [(&never[..], false), (&sometimes, true)] {
            for declared in all {
                let read = Reading::default().value(*declared);
                assert_eq!((declared.may_be_empty(), read.may_be_empty()), (may_be_empty, may_be_empty), "{read:?}");
            }
        }
    }
}
