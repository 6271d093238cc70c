use std::ptr;

use super::{AmpType, BoxDeclaration, ConstraintSchema, EnumDeclaration, FieldDeclaration, Rule, VariantDeclaration};

/// The pairs of boxes and of enums that are being compared further out: they are assumed to be the same.
#[derive(Default)]
pub(super) struct Outer {
    boxes: Vec<[&'static [FieldDeclaration]; 2]>,
    enums: Vec<[&'static [VariantDeclaration]; 2]>,
}

/// Whether two boxes are the same on the wire.
pub(super) fn same_box(a: BoxDeclaration, b: BoxDeclaration, outer: &mut Outer) -> bool {
    is_assumed(&mut outer.boxes, a.fields, b.fields) || same_fields(a.fields, b.fields, outer)
}

/// Whether two enums are the same on the wire.
pub(super) fn same_enum(a: EnumDeclaration, b: EnumDeclaration, outer: &mut Outer) -> bool {
    let mut variants = a.variants.iter().zip(b.variants);
    (a.tag, a.other, a.variants.len()) == (b.tag, b.other, b.variants.len())
        && (is_assumed(&mut outer.enums, a.variants, b.variants)
            || variants.all(|(a, b)| a.code == b.code && same_fields(a.fields, b.fields, outer)))
}

/// Whether two slices are one, or are being compared further out; from now on they are.
fn is_assumed<T>(pairs: &mut Vec<[&'static [T]; 2]>, a: &'static [T], b: &'static [T]) -> bool {
    // By address and length: an empty slice may begin where another does.
    let is_known = ptr::eq(a, b) || pairs.iter().any(|[one, other]| ptr::eq(*one, a) && ptr::eq(*other, b));
    if !is_known {
        pairs.push([a, b]);
    }
    is_known
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str) -> FieldDeclaration {
        let (doc, value) = ("", AmpType::Float);
        FieldDeclaration { name, doc, value, optional: false, default: None, aliases: &[], constraints: &[] }
    }

    const fn variant(code: &'static str) -> VariantDeclaration {
        VariantDeclaration { code, doc: "", fields: &[] }
    }

    #[test]
    fn slices_that_begin_at_one_address_are_not_taken_for_each_other() {
        static ONE: [FieldDeclaration; 1] = [field("one")];
        static OTHER: [FieldDeclaration; 1] = [field("other")];
        let of = |fields| BoxDeclaration { name: "", fields };
        let mut outer = Outer::default();
        assert!(same_box(of(&ONE[..0]), of(&OTHER[..0]), &mut outer));
        assert!(!same_box(of(&ONE), of(&OTHER), &mut outer));
    }

    #[test]
    fn variants_that_begin_at_one_address_are_not_taken_for_each_other() {
        static ONE: [VariantDeclaration; 1] = [variant("one")];
        static OTHER: [VariantDeclaration; 1] = [variant("other")];
        let of = |variants| EnumDeclaration { name: "", tag: None, other: false, variants };
        let mut outer = Outer::default();
        assert!(same_enum(of(&ONE[..0]), of(&OTHER[..0]), &mut outer));
        assert!(!same_enum(of(&ONE), of(&OTHER), &mut outer));
    }
}
