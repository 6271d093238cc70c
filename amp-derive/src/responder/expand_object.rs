//! A form of the trait for `dyn`, because a trait with asynchronous methods has none.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::Ident;
use syn::ext::IdentExt;

use super::expand_trait::{Names, stub_method};
use super::{Method, Responder};
use crate::code::{code, standing_at};

impl Responder<'_> {
    /// The trait, which every implementor implements, and whose objects are implementors.
    pub(super) fn object(&self, names: &Names<'_>) -> TokenStream {
        let (Names { item, object, .. }, deprecated) = (names, &self.deprecated);
        let (ident, vis, supertraits) = (&item.ident, &item.vis, &item.supertraits);
        let also = (!supertraits.is_empty()).then(|| code!(+ #supertraits));
        let docs = format!(
            "[`{ident}`] for trait objects: every implementor implements it, and `dyn {object}` is a [`{ident}`] itself, \
             as an `Arc` of it is."
        );
        let declared = self.methods.iter().map(Method::boxed);
        let boxed = self.methods.iter().map(|method| method.boxing(&code!(<__Implementor as #ident>)));
        let unboxed = self.methods.iter().map(|method| method.unboxing(object));
        let mistaken = self.mistaken.iter().filter_map(|part| Some(stub_method(&part.conditions, part.signature?)));
        code! {
            #[doc = #docs]
            #deprecated
            #vis trait #object: ::core::marker::Send + ::core::marker::Sync #also {
                #(#[doc(hidden)] #declared;)*
            }

            #[automatically_derived]
            #deprecated
            impl<__Implementor: #ident> #object for __Implementor {
                #(#boxed)*
            }

            #[automatically_derived]
            #deprecated
            impl #ident for dyn #object {
                #(#unboxed)*
                #(#mistaken)*
            }
        }
    }
}

impl Method<'_> {
    /// The method whose future is boxed. It has another name, so that a call of the method by its own name means one trait only.
    fn boxed(&self) -> TokenStream {
        let (Self { conditions, command, reply, .. }, name) = (self, self.name_of_boxed());
        code! {
            #conditions
            fn #name<'__responder>(
                &'__responder self,
                command: #command,
            ) -> ::core::pin::Pin<
                ::std::boxed::Box<dyn ::core::future::Future<Output = #reply> + ::core::marker::Send + '__responder>
            >
        }
    }

    fn boxing(&self, owner: &TokenStream) -> TokenStream {
        let (Self { ident, command, .. }, boxed) = (self, self.boxed());
        let future = standing_at(command, code!(#owner::#ident(self, command)));
        code!(#boxed { ::std::boxed::Box::pin(#future) })
    }

    fn unboxing(&self, object: &Ident) -> TokenStream {
        let name = self.name_of_boxed();
        self.implemented(&standing_at(self.command, code!(<Self as #object>::#name(self, command))))
    }

    fn name_of_boxed(&self) -> Ident {
        format_ident!("__{}", self.ident.unraw(), span = Span::mixed_site().located_at(self.ident.span()))
    }
}
