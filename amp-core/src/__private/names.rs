//! The keys that a field has on the wire, known at compile time.

use crate::exposed::equal;
use crate::schema::{AmpType, FieldDeclaration, Numbering};

/// Whether two fields share a name or an alias.
pub(super) const fn share_a_name(a: &FieldDeclaration, b: &FieldDeclaration) -> bool {
    equal(a.name, b.name) || has(a.aliases, b.name) || has(b.aliases, a.name) || {
        let (mut at, mut shared) = (0, false);
        while at < a.aliases.len() {
            shared |= has(b.aliases, a.aliases[at]);
            at += 1;
        }
        shared
    }
}

/// Whether a name of a field is that of a part of another.
pub(super) const fn is_among_parts(field: &FieldDeclaration, of: &FieldDeclaration) -> bool {
    let AmpType::Big { numbering, .. } = of.value else { return false };
    let mut is = is_part(field.name, of, numbering);
    let mut at = 0;
    while at < field.aliases.len() {
        is |= is_part(field.aliases[at], of, numbering);
        at += 1;
    }
    is
}

const fn is_part(name: &str, of: &FieldDeclaration, numbering: Numbering) -> bool {
    let mut is = numbering.index_of(name.as_bytes(), of.name.as_bytes()).is_some();
    let mut at = 0;
    while at < of.aliases.len() {
        is |= numbering.index_of(name.as_bytes(), of.aliases[at].as_bytes()).is_some();
        at += 1;
    }
    is
}

/// Whether a field has a key: as its name, an alias, or that of a part.
pub(super) const fn has_key(field: &FieldDeclaration, key: &str) -> bool {
    equal(field.name, key)
        || has(field.aliases, key)
        || match field.value {
            AmpType::Big { numbering, .. } => is_part(key, field, numbering),
            _ => false,
        }
}

const fn has(names: &[&str], name: &str) -> bool {
    let mut at = 0;
    while at < names.len() {
        if equal(names[at], name) {
            return true;
        }
        at += 1;
    }
    false
}
