use std::collections::{BTreeMap, BTreeSet};

use super::{CommandSchema, EnumSchema, ErrorSchema, FieldSchema, Schema, TypeSchema, VariantSchema};

/// A nested box or an enum, by its name in the schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nested<'a> {
    Box(&'a str),
    Enum(&'a str),
}

impl Schema {
    /// The schema with numbers for the names of nested boxes and enums, in the order of their first use, and without the paths of types.
    ///
    /// Those that are equal on the wire have one number, so that it does not count how many Rust types declare them.
    pub(super) fn canonical(&self) -> Self {
        let mut numbers = Numbers { classes: self.classes(), by_class: BTreeMap::new(), queue: Vec::new() };
        let mut canonical = Self::default();
        for (name, command) in &self.commands {
            canonical.commands.insert(name.clone(), numbers.command(command));
        }
        let mut next = 0;
        while let Some(nested) = numbers.queue.get(next).copied() {
            self.insert(&mut canonical, nested, next.to_string(), &mut |inner| numbers.name(inner));
            next += 1;
        }
        canonical
    }

    /// A number for each nested box and enum; equal ones have the same.
    ///
    /// All are taken for equal at first, and told apart by what they hold until no more differ. So boxes that hold themselves, or each
    /// other, can be equal, too.
    fn classes(&self) -> BTreeMap<Nested<'_>, usize> {
        let boxes = self.boxes.keys().map(|name| Nested::Box(name));
        let all: Vec<_> = boxes.chain(self.enums.keys().map(|name| Nested::Enum(name))).collect();
        let mut classes: BTreeMap<_, _> = all.iter().map(|nested| (*nested, 0)).collect();
        let mut count = 0;
        loop {
            let texts: Vec<_> = all.iter().map(|nested| self.text_of(*nested, &classes)).collect();
            let distinct: BTreeSet<_> = texts.iter().collect();
            if distinct.len() == count {
                return classes;
            }
            count = distinct.len();
            let number: BTreeMap<_, _> = distinct.into_iter().zip(0..).collect();
            classes = all.iter().zip(&texts).map(|(nested, text)| (*nested, number[text])).collect();
        }
    }

    fn text_of<'a>(&'a self, nested: Nested<'a>, classes: &BTreeMap<Nested<'a>, usize>) -> String {
        let mut alone = Self::default();
        let mut name = |inner| classes.get(&inner).map_or_else(String::new, usize::to_string);
        self.insert(&mut alone, nested, String::new(), &mut name);
        alone.to_string()
    }

    /// Inserts a nested box or enum under a name, with other names for those that it holds.
    fn insert<'a>(&'a self, into: &mut Self, nested: Nested<'a>, name: String, inner: Inner<'_, 'a>) {
        match nested {
            Nested::Box(own) => {
                if let Some(declared) = self.boxes.get(own) {
                    into.boxes.insert(name, fields(declared, inner));
                }
            }
            Nested::Enum(own) => {
                if let Some(declared) = self.enums.get(own) {
                    let variant = |variant: &'a VariantSchema| VariantSchema {
                        fields: fields(&variant.fields, inner),
                        ..variant.clone()
                    };
                    let variants = declared.variants.iter().map(variant).collect();
                    into.enums.insert(name, EnumSchema { variants, ..declared.clone() });
                }
            }
        }
    }
}

/// The numbers of nested boxes and enums, given at their first use.
struct Numbers<'a> {
    classes: BTreeMap<Nested<'a>, usize>,
    by_class: BTreeMap<usize, usize>,
    /// One of each class, in the order of their numbers.
    queue: Vec<Nested<'a>>,
}

impl<'a> Numbers<'a> {
    /// A schema that a person wrote may name what it does not declare: that has no number.
    fn name(&mut self, nested: Nested<'a>) -> String {
        let Some(class) = self.classes.get(&nested) else { return String::new() };
        let next = self.queue.len();
        let number = *self.by_class.entry(*class).or_insert(next);
        if number == next {
            self.queue.push(nested);
        }
        number.to_string()
    }

    fn command(&mut self, command: &'a CommandSchema) -> CommandSchema {
        let mut name = |nested| self.name(nested);
        let arguments = fields(&command.arguments, &mut name);
        let response = fields(&command.response, &mut name);
        let error = |error: &'a ErrorSchema| ErrorSchema { fields: fields(&error.fields, &mut name), ..error.clone() };
        let errors = command.errors.iter().map(error).collect();
        CommandSchema { doc: String::new(), answered: command.answered, arguments, response, errors }
    }
}

/// The names of what a type holds.
type Inner<'f, 'a> = &'f mut dyn FnMut(Nested<'a>) -> String;

fn fields<'a>(fields: &'a [FieldSchema], name: Inner<'_, 'a>) -> Vec<FieldSchema> {
    fields.iter().map(|field| FieldSchema { value: value(&field.value, name), ..field.clone() }).collect()
}

fn value<'a>(of: &'a TypeSchema, name: Inner<'_, 'a>) -> TypeSchema {
    use TypeSchema::{
        AmpList, Array, AsciiJson, Big, Boolean, Bytes, Custom, DateTime, Decimal, Duration, Enum, Float, Integer,
        Json, ListOf, Map, Octets, Path, Tagged, TaggedList, Text, Unicode, Zlib,
    };
    match of {
        ListOf(item) => ListOf(Box::new(value(item, name))),
        Array(list, length) => Array(Box::new(value(list, name)), *length),
        Zlib(inner, most) => Zlib(Box::new(value(inner, name)), *most),
        Big { value: inner, maximum, numbering } => {
            Big { value: Box::new(value(inner, name)), maximum: *maximum, numbering: *numbering }
        }
        TypeSchema::Box(own) => TypeSchema::Box(name(Nested::Box(own))),
        AmpList(own) => AmpList(name(Nested::Box(own))),
        Map(own) => Map(name(Nested::Box(own))),
        Enum(own) => Enum(name(Nested::Enum(own))),
        Tagged(own) => Tagged(name(Nested::Enum(own))),
        TaggedList(own) => TaggedList(name(Nested::Enum(own))),
        Text(own) => Text(without_paths(own)),
        Custom(own) => Custom(without_paths(own)),
        Integer(_) | Float | Boolean | Unicode | Bytes | Decimal | DateTime | Path | Duration | Octets(_) | Json
        | AsciiJson => of.clone(),
    }
}

/// The name of a Rust type without what stands before `::`, which a compiler may write in another way.
pub(super) fn without_paths(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    for (index, part) in name.split("::").enumerate() {
        if index > 0 {
            short.truncate(short.trim_end_matches(|at: char| at.is_alphanumeric() || at == '_').len());
        }
        short.push_str(part);
    }
    short
}

#[cfg(test)]
mod tests {
    use super::without_paths;

    #[test]
    fn paths_are_left_out_of_a_type_and_of_its_parameters() {
        for (name, short) in [
            ("semver::version::Version", "Version"),
            ("alloc::vec::Vec<core::option::Option<my_crate::It>>", "Vec<Option<It>>"),
            ("(a::A, [b::B; 2])", "(A, [B; 2])"),
            ("f32", "f32"),
        ] {
            assert_eq!(without_paths(name), short);
        }
    }
}
