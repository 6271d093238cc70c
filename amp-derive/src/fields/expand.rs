//! Two lines a field: one that writes it and one that reads it.

use proc_macro2::{Literal, TokenStream};
use syn::Path;

use super::{Exposed, Field};
use crate::code::{code, standing_at};

impl Field<'_> {
    /// Writes `value`, the field seen through a reference.
    pub(crate) fn put(&self, value: &TokenStream, krate: &Path) -> TokenStream {
        let (ty, key) = (self.ty, self.key(krate));
        let put = standing_at(ty, code!(#krate::__private::put));
        code!(#put::<#ty>(#value, #key, out)?;)
    }

    /// Reads the field with `function` of the private module, as one member of a struct expression.
    pub(crate) fn take(&self, function: &str, krate: &Path) -> TokenStream {
        let (member, ty, key) = (self.member, self.ty, self.key(krate));
        let function = syn::Ident::new(function, proc_macro2::Span::mixed_site());
        let take = standing_at(ty, code!(#krate::__private::#function));
        code!(#member: #take::<#ty>(#key, from)?,)
    }

    /// The name behind its two length bytes, as it stands on the wire.
    fn key(&self, krate: &Path) -> TokenStream {
        let length = u8::try_from(self.name.len()).unwrap_or(u8::MAX);
        let wire = Literal::byte_string(&[&[0, length], self.name.as_bytes()].concat());
        code!(const { #krate::__private::Key::from_wire(#wire) })
    }
}

impl Exposed<'_> {
    /// The empty field, as one member of a struct expression.
    pub(crate) fn empty(&self, krate: &Path) -> TokenStream {
        let (member, ty) = (self.member, self.ty);
        let empty = standing_at(ty, code!(#krate::__private::unexposed));
        code!(#member: #empty::<#ty>(),)
    }

    /// Fills the field in.
    pub(crate) fn expose(&self, krate: &Path) -> TokenStream {
        let (member, ty) = (self.member, self.ty);
        let expose = standing_at(ty, code!(#krate::__private::expose));
        code!(#expose::<#ty>(&mut self.#member, context)?;)
    }
}
