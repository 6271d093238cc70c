//! The stubs that are emitted beside a report: impls that only make the trait available, so that one mistake does not cause
//! errors at every place that uses the type.

use proc_macro2::TokenStream;
use syn::{Generics, Ident, Path, parse_quote};

use crate::code::code;

/// `impl Arguments`.
pub(crate) fn arguments(
    ident: &Ident,
    generics: &Generics,
    krate: &Path,
    deprecated: Option<&TokenStream>,
) -> TokenStream {
    let encoded = code!(::core::result::Result<(), #krate::__private::EncodeError>);
    implement(
        ident,
        generics,
        &code!(#krate::Arguments),
        deprecated,
        &code! {
            const FIELDS: #krate::schema::BoxDeclaration = #krate::__private::fields("", &[]);
            fn put_leading(&self, _: &mut #krate::__private::BoxWriter<'_>) -> #encoded {
                ::core::unreachable!()
            }
            fn put_trailing(&self, _: &mut #krate::__private::BoxWriter<'_>) -> #encoded {
                ::core::unreachable!()
            }
            fn take(_: &mut #krate::__private::BoxReader<'_>) -> ::core::result::Result<Self, #krate::__private::DecodeError> {
                ::core::unreachable!()
            }
        },
    )
}

/// `impl Value`.
pub(crate) fn value(ident: &Ident, generics: &Generics, krate: &Path, deprecated: Option<&TokenStream>) -> TokenStream {
    implement(
        ident,
        generics,
        &code!(#krate::__private::Value),
        deprecated,
        &code! {
            fn encode(&self, _: &mut #krate::__private::ValueWriter<'_>) -> ::core::result::Result<(), #krate::__private::EncodeError> {
                ::core::unreachable!()
            }
            fn decode(_: #krate::__private::RawValue<'_>) -> ::core::result::Result<Self, #krate::__private::DecodeError> {
                ::core::unreachable!()
            }
        },
    )
}

/// `impl ErrorCodes`, for a type that need not be an `Error`: that is checked elsewhere.
pub(crate) fn error_codes(
    ident: &Ident,
    generics: &Generics,
    krate: &Path,
    deprecated: Option<&TokenStream>,
) -> TokenStream {
    let mut generics = generics.clone();
    generics.make_where_clause().predicates.push(parse_quote!(for<'later> Self: ::core::error::Error));
    implement(
        ident,
        &generics,
        &code!(#krate::ErrorCodes),
        deprecated,
        &code! {
            const ERRORS: &'static [#krate::schema::ErrorDeclaration] = &[];
            fn code(&self) -> &'static ::core::primitive::str {
                ::core::unreachable!()
            }
            fn from_error(
                _: &::core::primitive::str,
                _: &::core::primitive::str,
                _: &mut #krate::__private::BoxReader<'_>,
            ) -> ::core::result::Result<::core::option::Option<Self>, #krate::__private::DecodeError> {
                ::core::unreachable!()
            }
        },
    )
}

/// An impl without bounds on the fields; the trait's bounds on a generic type are assumed.
pub(crate) fn implement(
    ident: &Ident,
    generics: &Generics,
    implemented: &TokenStream,
    deprecated: Option<&TokenStream>,
    body: &TokenStream,
) -> TokenStream {
    let (parameters, arguments, _) = generics.split_for_impl();
    let written = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let granted =
        (!generics.params.is_empty()).then(|| code!(Self: ::core::marker::Send + ::core::marker::Sync + 'static,));
    code! {
        #[automatically_derived]
        #deprecated
        impl #parameters #implemented for #ident #arguments where #(#written,)* #granted {
            #body
        }
    }
}
