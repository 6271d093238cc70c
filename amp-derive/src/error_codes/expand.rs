//! `impl ErrorCodes`.

use proc_macro2::{Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Ident, Type, parse_quote};

use super::{ErrorCodes, Shape, Variant};
use crate::code::{as_trait, code, parameter};
use crate::fields::{Field, Fields};
use crate::generics::where_clause;

impl<'a> ErrorCodes<'a> {
    pub(super) fn expand(&self) -> TokenStream {
        let Self { ident, generics, krate, .. } = self;
        let (parameters, arguments, _) = generics.split_for_impl();
        let parts = [
            self.invalid_argument(),
            Some(self.declarations()),
            Some(self.code()),
            self.is_fatal(),
            self.describe(),
            self.put("put_leading", Fields::leading),
            self.put("put_trailing", Fields::trailing),
            Some(self.made_of_error()),
        ];
        let parts = parts.into_iter().flatten();
        let clause = self.clause();
        let is_error = self.is_error();
        let optional_once = self.with_fields().filter_map(|(_, fields)| fields.optional_once(generics, krate));
        code! {
            #is_error
            #(#optional_once)*

            #[automatically_derived]
            #[allow(deprecated)]
            impl #parameters #krate::ErrorCodes for #ident #arguments #clause {
                #(#parts)*
            }
        }
    }

    fn clause(&self) -> TokenStream {
        let krate = &self.krate;
        let carried = self.with_fields().flat_map(|(_, fields)| fields.carried());
        let needs = carried.map(|field| (field.ty, code!(#krate::__private::Argument)));
        let every = code!(::core::marker::Send + ::core::marker::Sync + 'static);
        let clause = where_clause(self.generics, self.ident, &every, needs);
        // With a lifetime the bound is not looked at here, where the compiler has words of its own for it.
        let begin = if clause.is_empty() { code!(where) } else { clause };
        let error = code!(for<'later> Self: ::core::error::Error,);
        code!(#begin #error)
    }

    /// Asks for the `Error`, where no type parameter has a say in it: in words, and before the compiler asks itself.
    pub(super) fn is_error(&self) -> Option<TokenStream> {
        let (ident, krate) = (self.ident, &self.krate);
        let is = as_trait(&parse_quote!(#ident), &code!(#krate::__private::IsError));
        self.generics.params.is_empty().then(|| code!(#[allow(deprecated)] const _: () = #is::IS;))
    }

    fn invalid_argument(&self) -> Option<TokenStream> {
        let code = &self.variants.iter().find(|variant| variant.invalid_argument)?.code;
        Some(code!(const INVALID_ARGUMENT: &'static ::core::primitive::str = #code;))
    }

    fn declarations(&self) -> TokenStream {
        let krate = &self.krate;
        let lines = self.variants.iter().map(|variant| {
            let Variant { ident, code, doc, fatal, invalid_argument, shape } = variant;
            let name = ident.unraw().to_string();
            let fields = match shape {
                Shape::Fields(fields) => fields.carried(),
                _ => &[],
            };
            let fields = fields.iter().map(|field| field.declaration(krate));
            code!(#krate::__private::error(#code, #name, #doc, (#fatal, #invalid_argument), &[#(#fields,)*]))
        });
        code!(const ERRORS: &'static [#krate::schema::ErrorDeclaration] = &[#(#lines,)*];)
    }

    fn code(&self) -> TokenStream {
        let arms = self.variants.iter().map(|Variant { ident, code, .. }| code!(Self::#ident { .. } => #code,));
        // An enum without variants has no value, and only the place behind the reference says so.
        let this = if self.variants.is_empty() { code!(*self) } else { code!(self) };
        code! {
            fn code(&self) -> &'static ::core::primitive::str {
                match #this { #(#arms)* }
            }
        }
    }

    fn is_fatal(&self) -> Option<TokenStream> {
        let fatal = self.variants.iter().filter(|variant| variant.fatal).map(|variant| variant.ident);
        let patterns: Vec<_> = fatal.map(|ident| code!(Self::#ident { .. })).collect();
        (!patterns.is_empty()).then(|| {
            code! {
                fn is_fatal(&self) -> ::core::primitive::bool {
                    ::core::matches!(self, #(#patterns)|*)
                }
            }
        })
    }

    /// The text of the variants that are their description; `Display` for the others.
    fn describe(&self) -> Option<TokenStream> {
        let krate = &self.krate;
        let arms: Vec<_> = self
            .descriptions()
            .map(|(variant, ty)| {
                let description = as_trait(ty, &code!(#krate::__private::Description));
                code!(Self::#variant(text) => #description::to_text(text),)
            })
            .collect();
        let rest = self.rest(arms.len(), &code!(::std::string::ToString::to_string(self)));
        (!arms.is_empty()).then(|| {
            code! {
                fn describe(&self) -> ::std::string::String {
                    match self { #(#arms)* #rest }
                }
            }
        })
    }

    /// Writes the fields of the variants that have some in this half of the box.
    fn put(&self, function: &str, half: impl for<'f> Fn(&'f Fields<'a>) -> &'f [Field<'a>]) -> Option<TokenStream> {
        let krate = &self.krate;
        let function = Ident::new(function, Span::mixed_site());
        let arms: Vec<_> = self
            .with_fields()
            .map(|(variant, fields)| (variant, half(fields)))
            .filter(|(_, fields)| !fields.is_empty())
            .map(|(variant, fields)| self.put_variant(variant, fields))
            .collect();
        let rest = self.rest(arms.len(), &code!({}));
        (!arms.is_empty()).then(|| code! {
            fn #function(&self, out: &mut #krate::__private::BoxWriter<'_>) -> ::core::result::Result<(), #krate::__private::EncodeError> {
                match self { #(#arms)* #rest }
                ::core::result::Result::Ok(())
            }
        })
    }

    fn put_variant(&self, variant: &Ident, fields: &[Field<'_>]) -> TokenStream {
        let local = |at| format_ident!("field_{at}", span = Span::mixed_site());
        let (bindings, lines): (Vec<_>, Vec<_>) = fields
            .iter()
            .enumerate()
            .map(|(at, field)| {
                let (member, local) = (field.member, local(at));
                (code!(#member: #local), field.put(&code!(#local), &self.krate))
            })
            .unzip();
        code!(Self::#variant { #(#bindings,)* .. } => { #(#lines)* })
    }

    fn made_of_error(&self) -> TokenStream {
        let krate = &self.krate;
        let text = parameter("text", self.descriptions().next().is_some());
        let from = parameter("from", self.with_fields().any(|(_, fields)| !fields.carried().is_empty()));
        let arms = self.variants.iter().map(|variant| {
            let (code, made) = (&variant.code, self.make(variant));
            code!(#code => ::core::result::Result::Ok(#made),)
        });
        code! {
            fn from_error(
                code: &::core::primitive::str,
                #text: &::core::primitive::str,
                #from: &mut #krate::__private::BoxReader<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, #krate::__private::DecodeError> {
                #krate::__private::if_complete(|| match code {
                    #(#arms)*
                    _ => ::core::result::Result::Err(#krate::__private::Incomplete::Missing),
                })
            }
        }
    }

    /// The variant, made of what was received.
    fn make(&self, variant: &Variant<'_>) -> TokenStream {
        let (krate, ident) = (&self.krate, variant.ident);
        match &variant.shape {
            Shape::Unit => code!(Self::#ident),
            Shape::Description(ty) => {
                let description = as_trait(ty, &code!(#krate::__private::Description));
                code!(Self::#ident(#description::from_text(text)))
            }
            Shape::Fields(fields) => {
                let taken = fields.carried().iter().map(|field| field.take("take_of_error", krate));
                code!(Self::#ident { #(#taken)* })
            }
        }
    }

    /// The arm for all variants that have none of their own, if there are any.
    fn rest(&self, arms: usize, then: &TokenStream) -> Option<TokenStream> {
        (arms < self.variants.len()).then(|| code!(_ => #then,))
    }

    fn with_fields(&self) -> impl Iterator<Item = (&Ident, &Fields<'a>)> {
        self.variants.iter().filter_map(|variant| match &variant.shape {
            Shape::Fields(fields) => Some((variant.ident, fields)),
            _ => None,
        })
    }

    fn descriptions(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        self.variants.iter().filter_map(|variant| match &variant.shape {
            Shape::Description(ty) => Some((variant.ident, *ty)),
            _ => None,
        })
    }
}
