use std::ptr;

use super::{AmpType, BoxDeclaration, ConstraintSchema, EnumDeclaration, FieldDeclaration, Rule, VariantDeclaration};

/// The pairs of boxes and of enums that are being compared further out: they are assumed to be the same.
#[derive(Default)]
pub(super) struct Outer {
    boxes: Vec<[*const FieldDeclaration; 2]>,
    enums: Vec<[*const VariantDeclaration; 2]>,
}

/// Whether two boxes are the same on the wire.
pub(super) fn same_box(a: BoxDeclaration, b: BoxDeclaration, outer: &mut Outer) -> bool {
    let pair = [a.fields.as_ptr(), b.fields.as_ptr()];
    if ptr::eq(a.fields, b.fields) || outer.boxes.contains(&pair) {
        return true;
    }
    outer.boxes.push(pair);
    same_fields(a.fields, b.fields, outer)
}

/// Whether two enums are the same on the wire.
pub(super) fn same_enum(a: EnumDeclaration, b: EnumDeclaration, outer: &mut Outer) -> bool {
    let pair = [a.variants.as_ptr(), b.variants.as_ptr()];
    if (a.tag, a.other, a.variants.len()) != (b.tag, b.other, b.variants.len()) {
        return false;
    }
    if ptr::eq(a.variants, b.variants) || outer.enums.contains(&pair) {
        return true;
    }
    outer.enums.push(pair);
    a.variants.iter().zip(b.variants).all(|(a, b)| a.code == b.code && same_fields(a.fields, b.fields, outer))
}

fn same_fields(a: &[FieldDeclaration], b: &[FieldDeclaration], outer: &mut Outer) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_field(a, b, outer))
}

fn same_field(a: &FieldDeclaration, b: &FieldDeclaration, outer: &mut Outer) -> bool {
    let default = |field: &FieldDeclaration| field.default.and_then(|default| default());
    (a.name, a.optional, a.aliases) == (b.name, b.optional, b.aliases)
        && same_type(a.value, b.value, outer)
        && default(a) == default(b)
        && rules(a) == rules(b)
}

fn same_type(a: AmpType, b: AmpType, outer: &mut Outer) -> bool {
    use AmpType::{
        AmpList, Array, Big, Box, Constrained, Custom, Enum, Integer, ListOf, Map, Octets, Tagged, TaggedList, Text,
        Zlib,
    };
    match (a, b) {
        (Constrained(a, _), b) => same_type(*a, b, outer),
        (a, Constrained(b, _)) => same_type(a, *b, outer),
        (Integer(a), Integer(b)) | (Octets(a), Octets(b)) => a == b,
        (ListOf(a), ListOf(b)) => same_type(*a, *b, outer),
        (Array(a, length), Array(b, other)) | (Zlib(a, length), Zlib(b, other)) => {
            length == other && same_type(*a, *b, outer)
        }
        (Big { value: a, maximum: longest, numbering: numbered }, Big { value: b, maximum, numbering }) => {
            (longest, numbered) == (maximum, numbering) && same_type(*a, *b, outer)
        }
        (Box(a), Box(b)) | (AmpList(a), AmpList(b)) | (Map(a), Map(b)) => same_box(a(), b(), outer),
        (Enum(a), Enum(b)) | (Tagged(a), Tagged(b)) | (TaggedList(a), TaggedList(b)) => same_enum(a(), b(), outer),
        (Custom(a), Custom(b)) | (Text(a), Text(b)) => a() == b(),
        (a, b) => std::mem::discriminant(&a) == std::mem::discriminant(&b),
    }
}

/// The constraints of a field: those of its type first.
pub(super) fn rules(field: &FieldDeclaration) -> Vec<ConstraintSchema> {
    let mut rules = rules_of_type(field.value);
    rules.extend(field.constraints.iter().map(ConstraintSchema::of));
    rules
}

fn rules_of_type(value: AmpType) -> Vec<ConstraintSchema> {
    match value {
        AmpType::ListOf(item) => rules_of_type(*item).into_iter().map(ConstraintSchema::each).collect(),
        AmpType::Constrained(inner, declared) => {
            let declared = declared();
            let own = declared.constraints.iter().map(ConstraintSchema::of);
            let own = own.map(|rule| if declared.each { rule.each() } else { rule });
            rules_of_type(*inner).into_iter().chain(own).collect()
        }
        AmpType::Array(value, _) | AmpType::Zlib(value, _) | AmpType::Big { value, .. } => rules_of_type(*value),
        _ => Vec::new(),
    }
}

impl ConstraintSchema {
    /// The same for each item of a list.
    fn each(self) -> Self {
        Self { rule: Rule::Each(Box::new(self.rule)), ..self }
    }
}
