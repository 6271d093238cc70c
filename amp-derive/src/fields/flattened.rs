//! The fields of other types in a struct.

use proc_macro2::{Span, TokenStream};
use syn::{Ident, Path};

use super::{Fields, Flattened};
use crate::code::{as_trait, call_at, code, standing_at};

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
    pub(crate) fn declarations(&self, krate: &Path) -> TokenStream {
        let lines = self.carried().iter().map(|field| field.declaration(krate));
        if self.flattened.is_empty() {
            return code!(&[#(#lines,)*]);
        }
        let parts = self.parts(krate);
        let declaration = code!(#krate::schema::FieldDeclaration);
        code!({
            const PARTS: &[&[#declaration]] = #parts;
            const ALL: [#declaration; #krate::__private::count_fields(PARTS)] = #krate::__private::in_order(PARTS);
            &ALL
        })
    }

    /// Checks at compile time that no two fields have one name: reported where the fields of a type are taken in.
    pub(crate) fn apart(&self, krate: &Path, deprecated: Option<&TokenStream>) -> Option<TokenStream> {
        let parts = self.parts(krate);
        let looks = self.flattened.iter().enumerate().map(|(at, Flattened { ty, .. })| {
            let look = standing_at(ty, code!(#krate::__private::fields_stand_apart));
            let arguments = call_at(ty, code!(PARTS, #at + 1));
            code!(const _: () = #look #arguments;)
        });
        (!self.flattened.is_empty()).then(|| {
            code! {
                #deprecated
                const _: () = {
                    const PARTS: &[&[#krate::schema::FieldDeclaration]] = #parts;
                    #(#looks)*
                };
            }
        })
    }

    /// The declarations of the struct's own fields, and those of each type that is taken in.
    fn parts(&self, krate: &Path) -> TokenStream {
        let own = self.carried().iter().map(|field| field.declaration(krate));
        let others = self.flattened.iter().map(|field| field.as_flat(krate));
        code!(&[&[#(#own,)*], #(#others::FIELDS.fields,)*])
    }
}

/// The name of a function of `Arguments`.
pub(crate) fn half(function: &str) -> Ident {
    Ident::new(function, Span::mixed_site())
}
