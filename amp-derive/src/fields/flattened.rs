//! The fields of other types in a struct.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path};

use super::{Fields, Flattened};
use crate::code::{as_trait, call_at, code, standing_at};
use crate::constraints::WholeRule;

impl Flattened<'_> {
    /// Writes one half of its fields.
    pub(crate) fn put(&self, function: &Ident, krate: &Path) -> TokenStream {
        let (member, held) = (self.member, self.as_flat(krate));
        code!(#held::#function(&self.#member, out)?;)
    }

    /// Reads its fields, as one member of a struct expression.
    pub(crate) fn take(&self, krate: &Path) -> TokenStream {
        let (member, held) = (self.member, self.as_flat(krate));
        code!(#member: #held::take(from)?,)
    }

    /// Checks the constraints of its fields.
    pub(crate) fn check(&self, krate: &Path) -> TokenStream {
        let (member, held) = (self.member, self.as_flat(krate));
        code!(#held::check(&self.#member, place, found);)
    }

    fn as_flat(&self, krate: &Path) -> TokenStream {
        as_trait(self.ty, &code!(#krate::__private::Flat))
    }
}

impl Fields<'_> {
    /// The declarations of all fields, in bytewise order of their names.
    pub(crate) fn declarations(&self, rules: &[WholeRule], krate: &Path) -> TokenStream {
        let lines = self.carried().iter().map(|field| field.declaration(rules, krate));
        if self.flattened.is_empty() {
            return code!(&[#(#lines,)*]);
        }
        let others = self.flattened.iter().map(|field| field.as_flat(krate));
        let parts = code!(&[&[#(#lines,)*], #(#others::FIELDS.fields,)*]);
        let (private, names) = (code!(#krate::__private), self.names(krate));
        code!(&#private::in_order::<{ #private::count_fields(#names) }>(#parts))
    }

    /// Checks at compile time that no two fields have one name, and that no type that is taken in has exposed fields: reported where
    /// the fields of a type are taken in.
    pub(crate) fn apart(&self, krate: &Path, deprecated: Option<&TokenStream>) -> Option<TokenStream> {
        let names = self.names(krate);
        let looks = self.flattened.iter().enumerate().map(|(at, held)| {
            let (ty, flat) = (held.ty, held.as_flat(krate));
            let look = standing_at(ty, code!(#krate::__private::fields_stand_apart));
            let names = call_at(ty, code!(NAMES, #at + 1));
            let ask = standing_at(ty, code!(#krate::__private::nothing_is_exposed));
            let exposed = call_at(ty, code!(#flat::HAS_EXPOSED));
            code! {
                const _: () = #look #names;
                const _: () = #ask #exposed;
            }
        });
        (!self.flattened.is_empty()).then(|| {
            code! {
                #deprecated
                const _: () = {
                    const NAMES: &[&[#krate::schema::FieldDeclaration]] = #names;
                    #(#looks)*
                };
            }
        })
    }

    /// The names of the struct's own fields, and the fields of each type that is taken in.
    fn names(&self, krate: &Path) -> TokenStream {
        let own = self.carried().iter().map(|field| {
            let (name, aliases) = (&field.name, &field.aliases);
            let ty = field.declared_type(krate);
            code!(#krate::__private::named(#name, &[#(#aliases),*], #ty))
        });
        let others = self.flattened.iter().map(|field| field.as_flat(krate));
        code!(&[&[#(#own,)*], #(#others::FIELDS.fields,)*])
    }
}

/// The name of a function of `Arguments`.
pub(crate) fn half(function: &str) -> Ident {
    Ident::new(function, Span::mixed_site())
}
