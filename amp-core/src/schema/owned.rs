use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{
    AmpType, BoxDeclaration, CommandDeclaration, ConstraintDeclaration, ErrorDeclaration, FieldDeclaration, Rule,
};

/// What a set of commands declares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Schema {
    /// The commands, by their names on the wire.
    pub commands: BTreeMap<String, CommandSchema>,
    /// The boxes that are nested in arguments and answers, by the names of their Rust structs.
    pub boxes: BTreeMap<String, Vec<FieldSchema>>,
}

/// What one command declares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct CommandSchema {
    /// The doc comment.
    pub doc: String,
    /// Whether the caller waits for an answer.
    pub answered: bool,
    /// The fields of the ask.
    pub arguments: Vec<FieldSchema>,
    /// The fields of the answer.
    pub response: Vec<FieldSchema>,
    /// The errors with which it may be answered.
    pub errors: Vec<ErrorSchema>,
}

/// A field of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct FieldSchema {
    /// The key on the wire.
    pub name: String,
    /// The doc comment.
    pub doc: String,
    /// The type of the value.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub value: TypeSchema,
    /// Whether it may be absent.
    pub optional: bool,
    /// What it must be besides well-formed.
    pub constraints: Vec<ConstraintSchema>,
}

/// The AMP type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TypeSchema {
    /// `Integer`, with the name of the Rust type that bounds it.
    Integer(String),
    /// `Float`.
    Float,
    /// `Boolean`.
    Boolean,
    /// `Unicode`.
    Unicode,
    /// `String`: bytes.
    Bytes,
    /// `ListOf` the inner type.
    ListOf(Box<TypeSchema>),
    /// One nested box in a `String`, by its name in [`Schema::boxes`].
    Box(String),
    /// `AmpList`, by the name of its boxes in [`Schema::boxes`].
    AmpList(String),
    /// A value or argument type of the user's own.
    Custom(String),
}

/// A constraint on a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ConstraintSchema {
    /// The rule's code: `in_set`, `range`, …
    pub code: String,
    /// The rule, for people.
    pub words: String,
    /// What it compares with.
    pub rule: Rule,
}

/// An error that a command declares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ErrorSchema {
    /// The code on the wire.
    pub code: String,
    /// The name of the variant.
    pub name: String,
    /// The doc comment.
    pub doc: String,
    /// Whether the connection ends after it.
    pub fatal: bool,
    /// Whether it stands for an argument that does not decode or breaks a constraint.
    pub invalid_argument: bool,
    /// The keys that it adds to the error box.
    pub fields: Vec<FieldSchema>,
}

impl Schema {
    /// The schema of commands: those that a [`Locator`](crate::Locator) lists, or
    /// [`Command::DECLARATION`](crate::Command::DECLARATION)s picked by hand. Of two with one name the first counts, as
    /// in a locator.
    #[must_use]
    pub fn of(commands: impl IntoIterator<Item = CommandDeclaration>) -> Self {
        let mut schema = Self::default();
        for command in commands {
            if !schema.commands.contains_key(command.name) {
                let entry = schema.command(&command);
                schema.commands.insert(command.name.to_owned(), entry);
            }
        }
        schema
    }

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
            constraints: field.constraints.iter().map(ConstraintSchema::of).collect(),
        }
    }

    fn value(&mut self, value: AmpType) -> TypeSchema {
        match value {
            AmpType::Integer(bound) => TypeSchema::Integer(bound.to_owned()),
            AmpType::Float => TypeSchema::Float,
            AmpType::Boolean => TypeSchema::Boolean,
            AmpType::Unicode => TypeSchema::Unicode,
            AmpType::Bytes => TypeSchema::Bytes,
            AmpType::ListOf(item) => TypeSchema::ListOf(Box::new(self.value(*item))),
            AmpType::Box(declared) => TypeSchema::Box(self.nested(declared())),
            AmpType::AmpList(declared) => TypeSchema::AmpList(self.nested(declared())),
            AmpType::Custom(name) => TypeSchema::Custom(name().to_owned()),
        }
    }

    /// Takes a nested box in and gives its name: another one when the name is taken by a different box.
    fn nested(&mut self, declared: BoxDeclaration) -> String {
        let taken = |name: &str| self.boxes.get(name).is_some_and(|fields| !looks_like(fields, &declared));
        let mut name = declared.name.to_owned();
        let mut count = 1;
        while taken(&name) {
            count += 1;
            name = format!("{}_{count}", declared.name);
        }
        if !self.boxes.contains_key(&name) {
            // A box may hold itself: its name is taken before its fields are looked at.
            let shape = declared.fields.iter().map(FieldSchema::shape).collect();
            self.boxes.insert(name.clone(), shape);
            let fields = self.fields(declared.fields);
            self.boxes.insert(name.clone(), fields);
        }
        name
    }
}

/// Whether a box that was taken in has the same keys with the same options and constraints.
fn looks_like(fields: &[FieldSchema], declared: &BoxDeclaration) -> bool {
    let same = |(field, declared): (&FieldSchema, &FieldDeclaration)| {
        let shape = FieldSchema::shape(declared);
        (&field.name, field.optional, &field.doc) == (&shape.name, shape.optional, &shape.doc)
            && field.constraints.iter().map(|c| &c.words).eq(declared.constraints.iter().map(|c| c.words))
            && std::mem::discriminant(&field.value) == std::mem::discriminant(&shape.value)
    };
    fields.len() == declared.fields.len() && fields.iter().zip(declared.fields).all(same)
}

impl FieldSchema {
    /// The field without what is nested in it.
    fn shape(declared: &FieldDeclaration) -> Self {
        let value = match declared.value {
            AmpType::ListOf(_) => TypeSchema::ListOf(Box::new(TypeSchema::Bytes)),
            AmpType::Box(_) => TypeSchema::Box(String::new()),
            AmpType::AmpList(_) => TypeSchema::AmpList(String::new()),
            plain => Schema::default().value(plain),
        };
        Self {
            name: declared.name.to_owned(),
            doc: declared.doc.to_owned(),
            value,
            optional: declared.optional,
            constraints: Vec::new(),
        }
    }
}

impl ConstraintSchema {
    fn of(declared: &ConstraintDeclaration) -> Self {
        let (code, rule) = (declared.rule)();
        Self { code: code.to_owned(), words: declared.words.to_owned(), rule }
    }
}
