//! `impl Arguments` and `impl Value`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use super::Struct;
use crate::code::{code, parameter};
use crate::fields::{Field, half};
use crate::generics::where_clause;

impl Struct<'_> {
    /// `impl Arguments`.
    pub(crate) fn arguments(&self) -> TokenStream {
        let Self { fields, krate, generics, .. } = self;
        let known_early = fields.known_early(generics, krate, self.deprecated.as_ref());
        let apart = fields.apart(krate, self.deprecated.as_ref());
        let declaration = self.declaration();
        let check = self.check();
        let put_leading = self.put("put_leading", fields.leading());
        let put_trailing = self.put("put_trailing", fields.trailing());
        let taken = fields.carried().iter().map(|field| field.take("take", krate));
        let flattened = fields.flattened.iter().map(|field| field.take(krate));
        let empty = fields.exposed.iter().map(|field| field.empty(krate));
        let has_exposed = (!fields.exposed.is_empty()).then(|| {
            code!(
                const HAS_EXPOSED: ::core::primitive::bool = true;
            )
        });
        let from = parameter("from", !fields.travel_empty());
        let arguments = self.implement(
            &code!(#krate::Arguments),
            &code! {
                #declaration
                #has_exposed
                #put_leading
                #put_trailing
                fn take(#from: &mut #krate::__private::BoxReader<'_>) -> ::core::result::Result<Self, #krate::__private::DecodeError> {
                    ::core::result::Result::Ok(Self { #(#taken)* #(#flattened)* #(#empty)* })
                }
                #check
            },
        );
        code!(#known_early #apart #arguments)
    }

    /// `impl Value`: the struct as one nested box.
    pub(crate) fn value(&self) -> TokenStream {
        let krate = &self.krate;
        let nested = code!(#krate::__private);
        let encoded = code!(::core::result::Result<(), #krate::__private::EncodeError>);
        let error = code!(#krate::__private::DecodeError);
        self.implement(
            &code!(#krate::__private::Value),
            &code! {
                const TYPE: #krate::schema::AmpType = #krate::schema::AmpType::Box(#nested::declared::<Self>);
                const LIST_TYPE: #krate::schema::AmpType = #krate::schema::AmpType::AmpList(#nested::declared::<Self>);
                const COUNT_LIST: ::core::option::Option<#nested::Count> =
                    ::core::option::Option::Some(#nested::nested_count_list);
                fn encode(&self, out: &mut #krate::__private::ValueWriter<'_>) -> #encoded {
                    #nested::nested_encode(self, out)
                }
                fn decode(raw: #krate::__private::RawValue<'_>) -> ::core::result::Result<Self, #error> {
                    #nested::nested_decode(raw)
                }
                fn encode_list(items: &[Self], out: &mut #krate::__private::ValueWriter<'_>) -> #encoded {
                    #nested::nested_encode_list(items, out)
                }
                fn decode_list(raw: #krate::__private::RawValue<'_>) -> ::core::result::Result<::std::vec::Vec<Self>, #error> {
                    #nested::nested_decode_list(raw)
                }
                fn check(&self, place: #krate::__private::Place<'_>, found: &mut #krate::__private::Violations) {
                    #krate::Arguments::check(self, place, found)
                }
            },
        )
    }

    /// An impl of a trait with all bounds on the type parameters.
    pub(crate) fn implement(&self, implemented: &TokenStream, body: &TokenStream) -> TokenStream {
        let Self { ident, generics, krate, fields, deprecated, bound, .. } = self;
        let (parameters, arguments, _) = generics.split_for_impl();
        let carried = fields.values().map(|field| (field.ty, field.needed(krate, &code!(#krate::__private::Argument))));
        let exposed = fields.exposed.iter().map(|field| (field.ty, code!(#krate::__private::ExposedField)));
        let every = code!(::core::marker::Send + 'static);
        let clause = where_clause(generics, ident, bound.as_deref(), &every, carried.chain(exposed));
        code! {
            #[automatically_derived]
            #deprecated
            impl #parameters #implemented for #ident #arguments #clause {
                #body
            }
        }
    }

    fn declaration(&self) -> TokenStream {
        let Self { ident, fields, krate, .. } = self;
        let name = ident.unraw().to_string();
        let lines = fields.declarations(&self.rules, krate);
        code! {
            const FIELDS: #krate::schema::BoxDeclaration = #krate::__private::fields(#name, #lines);
        }
    }

    fn check(&self) -> Option<TokenStream> {
        let Self { fields, krate, .. } = self;
        let lines = fields.carried().iter().map(|field| {
            let member = field.member;
            field.check(&code!(&self.#member), krate)
        });
        let flattened = fields.flattened.iter().map(|field| field.check(krate));
        let rules = self.rules.iter().map(|rule| rule.check(krate));
        (!fields.travel_empty()).then(|| {
            code! {
                fn check(&self, place: #krate::__private::Place<'_>, found: &mut #krate::__private::Violations) {
                    #(#lines)*
                    #(#flattened)*
                    #(#rules)*
                }
            }
        })
    }

    fn put(&self, function: &str, fields: &[Field<'_>]) -> TokenStream {
        let krate = &self.krate;
        let function = half(function);
        let flattened = self.fields.flattened.iter().map(|field| field.put(&function, krate));
        let out = parameter("out", !fields.is_empty() || !self.fields.flattened.is_empty());
        let lines = fields.iter().map(|field| {
            let member = field.member;
            field.put(&code!(&self.#member), krate)
        });
        code! {
            fn #function(&self, #out: &mut #krate::__private::BoxWriter<'_>) -> ::core::result::Result<(), #krate::__private::EncodeError> {
                #(#lines)*
                #(#flattened)*
                ::core::result::Result::Ok(())
            }
        }
    }
}
