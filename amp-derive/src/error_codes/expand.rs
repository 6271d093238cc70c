//! `impl ErrorCodes`.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Ident, Path, Type};

use super::{ErrorCodes, Shape, Variant};
use crate::code::{as_trait, call_at, code, parameter, standing_at};
use crate::fields::{Field, Fields};
use crate::generics::where_clause;

impl<'a> ErrorCodes<'a> {
    pub(super) fn expand(&self) -> TokenStream {
        let Self { ident, generics, krate, deprecated, .. } = self;
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
        let (is_error, apart) = (self.is_error(), self.apart());
        let lifted = self.lifted();
        let known_early =
            self.with_fields().filter_map(|(_, fields)| fields.known_early(generics, krate, deprecated.as_ref()));
        code! {
            #is_error
            #apart
            #(#known_early)*

            #[automatically_derived]
            #deprecated
            impl #parameters #krate::ErrorCodes for #ident #arguments #clause {
                #(#parts)*
            }

            #(#lifted)*
        }
    }

    /// `?` lifts what is included. A type that is named twice is reported for its codes and gets one impl.
    fn lifted(&self) -> impl Iterator<Item = TokenStream> {
        let Self { ident, krate, deprecated, .. } = self;
        let mut seen = HashSet::new();
        self.included().filter(move |(_, ty)| seen.insert(ty.to_token_stream().to_string())).map(
            move |(variant, ty)| {
                code! {
                    #[automatically_derived]
                    #deprecated
                    impl #krate::__private::IncludedIn<#ident> for #ty {
                        fn include(self) -> #ident {
                            #ident::#variant(self)
                        }
                    }
                }
            },
        )
    }

    fn clause(&self) -> TokenStream {
        let krate = &self.krate;
        let carried = self.with_fields().flat_map(|(_, fields)| fields.values());
        let needs = carried.map(|field| (field.ty, field.needed(krate, &code!(#krate::__private::Argument))));
        let every = code!(::core::marker::Send + ::core::marker::Sync + 'static);
        let clause = where_clause(self.generics, self.ident, self.bound.as_deref(), &every, needs);
        // With a lifetime the bound is not checked here, where the compiler has its own message for it.
        let begin = if clause.is_empty() { code!(where) } else { clause };
        let error = code!(for<'later> Self: ::core::error::Error,);
        code!(#begin #error)
    }

    /// Requires the `Error` bound where it does not depend on a type parameter: with our message, and before the compiler checks
    /// it itself.
    pub(super) fn is_error(&self) -> Option<TokenStream> {
        let Self { ident, krate, deprecated, .. } = self;
        let is = as_trait(ident, &code!(#krate::__private::IsError));
        self.generics.params.is_empty().then(|| code!(#deprecated const _: () = #is::IS;))
    }

    fn invalid_argument(&self) -> Option<TokenStream> {
        let krate = &self.krate;
        let own = self.variants.iter().find(|variant| variant.invalid_argument);
        let code = match own.and_then(|variant| variant.code.as_ref()) {
            Some(code) => code!(#code),
            None => {
                self.included().next()?;
                code!(#krate::__private::invalid_argument(Self::ERRORS))
            }
        };
        Some(code!(const INVALID_ARGUMENT: &'static ::core::primitive::str = #code;))
    }

    fn declarations(&self) -> TokenStream {
        let (krate, parts) = (&self.krate, self.parts());
        let declaration = code!(#krate::schema::ErrorDeclaration);
        if self.included().next().is_none() {
            let lines = self.variants.iter().filter_map(|variant| variant.declaration(krate));
            return code!(const ERRORS: &'static [#declaration] = &[#(#lines,)*];);
        }
        code! {
            const ERRORS: &'static [#declaration] = {
                const PARTS: &[&[#declaration]] = #parts;
                const ALL: [#declaration; #krate::__private::count(PARTS)] = #krate::__private::together(PARTS);
                &ALL
            };
        }
    }

    /// The declarations of each variant; an included enum has as many as it has variants.
    fn parts(&self) -> TokenStream {
        let krate = &self.krate;
        let parts = self.variants.iter().map(|variant| match &variant.shape {
            Shape::Included(ty) => {
                let included = as_trait(ty, &code!(#krate::ErrorCodes));
                code!(#included::ERRORS)
            }
            _ => {
                let declaration = variant.declaration(krate);
                code!(&[#declaration])
            }
        });
        code!(&[#(#parts,)*])
    }

    /// Checks at compile time that included enums have codes of their own: reported where they are included.
    fn apart(&self) -> Option<TokenStream> {
        let (krate, parts, deprecated) = (&self.krate, self.parts(), &self.deprecated);
        let looks: Vec<TokenStream> = self
            .variants
            .iter()
            .enumerate()
            .filter_map(|(at, variant)| match &variant.shape {
                Shape::Included(ty) => {
                    let look = standing_at(ty, code!(#krate::__private::stands_apart));
                    let arguments = call_at(ty, code!(PARTS, #at));
                    Some(code!(const _: () = #look #arguments;))
                }
                _ => None,
            })
            .collect();
        (!looks.is_empty()).then(|| {
            code! {
                #deprecated
                const _: () = {
                    const PARTS: &[&[#krate::schema::ErrorDeclaration]] = #parts;
                    #(#looks)*
                };
            }
        })
    }

    fn included(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        self.variants.iter().filter_map(|variant| match &variant.shape {
            Shape::Included(ty) => Some((variant.ident, *ty)),
            _ => None,
        })
    }

    /// An arm for each included enum, which answers itself.
    fn delegated(&self, function: &str, arguments: &TokenStream, end: &TokenStream) -> Vec<TokenStream> {
        let (krate, function) = (&self.krate, Ident::new(function, Span::mixed_site()));
        let arm = |(variant, ty): (&Ident, &Type)| {
            let included = as_trait(ty, &code!(#krate::ErrorCodes));
            code!(Self::#variant(error) => #included::#function(error #arguments) #end,)
        };
        self.included().map(arm).collect()
    }

    fn code(&self) -> TokenStream {
        let delegated = self.delegated("code", &code!(), &code!());
        let own = self.variants.iter().filter_map(|variant| Some((variant.ident, variant.code.as_ref()?)));
        let arms = own.map(|(ident, code)| code!(Self::#ident { .. } => #code,)).chain(delegated);
        // An enum without variants has no value, and only the dereferenced place shows that.
        let this = if self.variants.is_empty() { code!(*self) } else { code!(self) };
        code! {
            fn code(&self) -> &'static ::core::primitive::str {
                match #this { #(#arms)* }
            }
        }
    }

    fn is_fatal(&self) -> Option<TokenStream> {
        let fatal = self.variants.iter().filter(|variant| variant.fatal);
        let mut arms = self.delegated("is_fatal", &code!(), &code!());
        arms.extend(fatal.map(|Variant { ident, .. }| code!(Self::#ident { .. } => true,)));
        let rest = self.rest(arms.len(), &code!(false));
        (!arms.is_empty()).then(|| {
            code! {
                fn is_fatal(&self) -> ::core::primitive::bool {
                    match self { #(#arms)* #rest }
                }
            }
        })
    }

    /// The text of the variants that are their description; `Display` for the others.
    fn describe(&self) -> Option<TokenStream> {
        let krate = &self.krate;
        let mut arms = self.delegated("describe", &code!(), &code!());
        arms.extend(self.descriptions().map(|(variant, ty)| {
            let description = as_trait(ty, &code!(#krate::__private::Description));
            code!(Self::#variant(text) => #description::to_text(text),)
        }));
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
        let mut arms = self.delegated(function, &code!(, out), &code!(?));
        let own = self.with_fields().map(|(variant, fields)| (variant, half(fields)));
        let own = own.filter(|(_, fields)| !fields.is_empty());
        arms.extend(own.map(|(variant, fields)| self.put_variant(variant, fields)));
        let function = Ident::new(function, Span::mixed_site());
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
        let includes = self.included().next().is_some();
        let text = parameter("text", includes || self.descriptions().next().is_some());
        let from = parameter("from", includes || self.with_fields().any(|(_, fields)| !fields.carried().is_empty()));
        let arms = self.variants.iter().filter_map(|variant| {
            let (code, made) = (variant.code.as_ref()?, self.make(variant)?);
            Some(code!(#code => ::core::result::Result::Ok(#made),))
        });
        let made = code! {
            #krate::__private::if_complete(|| match code {
                #(#arms)*
                _ => ::core::result::Result::Err(#krate::__private::Incomplete::Missing),
            })
        };
        let included = self.included().map(|(variant, ty)| {
            let included = as_trait(ty, &code!(#krate::ErrorCodes));
            code! {
                if let ::core::option::Option::Some(error) = #included::from_error(code, text, from)? {
                    return ::core::result::Result::Ok(::core::option::Option::Some(Self::#variant(error)));
                }
            }
        });
        code! {
            fn from_error(
                code: &::core::primitive::str,
                #text: &::core::primitive::str,
                #from: &mut #krate::__private::BoxReader<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, #krate::__private::DecodeError> {
                #(#included)*
                #made
            }
        }
    }

    /// The variant, made from the received fields; an included enum makes its own.
    fn make(&self, variant: &Variant<'_>) -> Option<TokenStream> {
        let (krate, ident) = (&self.krate, variant.ident);
        Some(match &variant.shape {
            Shape::Unit => code!(Self::#ident),
            Shape::Description(ty) => {
                let description = as_trait(ty, &code!(#krate::__private::Description));
                code!(Self::#ident(#description::from_text(text)))
            }
            Shape::Fields(fields) => {
                let taken = fields.carried().iter().map(|field| field.take("take_of_error", krate));
                code!(Self::#ident { #(#taken)* })
            }
            Shape::Included(_) => return None,
        })
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

impl Variant<'_> {
    /// `None` where others are included, which are declared elsewhere.
    fn declaration(&self, krate: &Path) -> Option<TokenStream> {
        let code = self.code.as_ref()?;
        let Self { ident, doc, fatal, invalid_argument, shape, .. } = self;
        let name = ident.unraw().to_string();
        let fields = match shape {
            Shape::Fields(fields) => fields.carried(),
            _ => &[],
        };
        let fields = fields.iter().map(|field| field.declaration(&[], krate));
        Some(code!(#krate::__private::error(#code, #name, #doc, (#fatal, #invalid_argument), &[#(#fields,)*])))
    }
}
