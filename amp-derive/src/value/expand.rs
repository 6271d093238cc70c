//! `impl Value`, and the one for a newtype.

use proc_macro2::TokenStream;
use syn::{Path, Type};

use super::{Data, Item, Newtype, Shape};
use crate::code::{as_trait, code};
use crate::generics::where_clause;

impl Item<'_> {
    pub(super) fn expand(&self) -> TokenStream {
        match &self.shape {
            Shape::Newtype(newtype) => self.newtype(newtype),
            Shape::Codes(variants) => self.codes(variants),
            Shape::Tagged { tag, variants } => self.tagged(tag, variants),
            Shape::Wrong => TokenStream::new(),
        }
    }

    /// An impl of a trait with all bounds on the type parameters.
    pub(super) fn implement(&self, implemented: &TokenStream, body: &TokenStream) -> TokenStream {
        let Self { ident, generics, bound, deprecated, .. } = self;
        let (parameters, arguments, _) = generics.split_for_impl();
        let every = code!(::core::marker::Send + 'static);
        let clause = where_clause(generics, ident, bound.as_deref(), &every, self.needs().into_iter());
        code! {
            #[automatically_derived]
            #deprecated
            impl #parameters #implemented for #ident #arguments #clause {
                #body
            }
        }
    }

    /// The types that are written and read, each with what it has to be.
    fn needs(&self) -> Vec<(&Type, TokenStream)> {
        let krate = &self.krate;
        if let Shape::Newtype(newtype) = &self.shape {
            let need = newtype.with.is_none().then(|| (newtype.ty, code!(#krate::__private::Value)));
            return need.into_iter().collect();
        }
        let mut needs = Vec::new();
        for variant in self.shape.variants() {
            match &variant.data {
                Data::Nothing => {}
                Data::Other(ty) => needs.push((*ty, code!(#krate::__private::OtherCode))),
                Data::Held(ty) => needs.push((*ty, code!(#krate::Arguments))),
                Data::Fields(fields) => {
                    let values = fields.values();
                    needs.extend(
                        values.map(|field| (field.ty, field.needed(krate, &code!(#krate::__private::Argument)))),
                    );
                }
            }
        }
        needs
    }

    fn newtype(&self, newtype: &Newtype<'_>) -> TokenStream {
        let Newtype { member, .. } = newtype;
        let krate = &self.krate;
        let nested = code!(#krate::__private);
        let encoded = code!(::core::result::Result<(), #nested::EncodeError>);
        let error = code!(#nested::DecodeError);
        let value = newtype.as_value(krate);
        let (declared, check) = (self.newtype_declared(newtype), self.newtype_check(newtype));
        self.implement(
            &code!(#nested::Value),
            &code! {
                #declared
                const COUNT: ::core::option::Option<#nested::Count> = #value::COUNT;
                const COUNT_LIST: ::core::option::Option<#nested::Count> = #value::COUNT_LIST;
                fn encode(&self, out: &mut #nested::ValueWriter<'_>) -> #encoded {
                    #value::encode(&self.#member, out)
                }
                fn decode(raw: #nested::RawValue<'_>) -> ::core::result::Result<Self, #error> {
                    ::core::result::Result::map(#value::decode(raw), |held| Self { #member: held })
                }
                fn encode_list(items: &[Self], out: &mut #nested::ValueWriter<'_>) -> #encoded {
                    #value::encode_list(items, |item| &item.#member, out)
                }
                fn decode_list(raw: #nested::RawValue<'_>) -> ::core::result::Result<::std::vec::Vec<Self>, #error> {
                    #value::decode_list(raw, |held| Self { #member: held })
                }
                #check
            },
        )
    }

    /// The type that it holds; with its rules, if it has some.
    fn newtype_declared(&self, newtype: &Newtype<'_>) -> TokenStream {
        let (krate, Newtype { ty, constraints, .. }) = (&self.krate, newtype);
        let (value, sight) = (newtype.as_value(krate), newtype.sight(krate));
        let declared = code!(#krate::schema::AmpType);
        if constraints.is_empty() {
            return code! {
                const TYPE: #declared = #value::TYPE;
                const LIST_TYPE: #declared = #value::LIST_TYPE;
            };
        }
        let rules: Vec<_> = constraints.iter().map(|constraint| constraint.declaration(ty, &sight, krate)).collect();
        let constrained = code!(#krate::__private::constrained);
        code! {
            const TYPE: #declared =
                #declared::Constrained(&#value::TYPE, || #constrained(const { &[#(#rules),*] }, false));
            const LIST_TYPE: #declared =
                #declared::Constrained(&#value::LIST_TYPE, || #constrained(const { &[#(#rules),*] }, true));
        }
    }

    fn newtype_check(&self, newtype: &Newtype<'_>) -> TokenStream {
        let (krate, Newtype { member, ty, constraints, .. }) = (&self.krate, newtype);
        let (value, sight) = (newtype.as_value(krate), newtype.sight(krate));
        let (field, place) = (code!(&self.#member), code!(place));
        let own = constraints.iter().map(|constraint| constraint.check(ty, &sight, &field, &place, krate));
        code! {
            fn check(&self, place: #krate::__private::Place<'_>, found: &mut #krate::__private::Violations) {
                #(#own)*
                #value::check(#field, place, found)
            }
        }
    }
}

impl Newtype<'_> {
    /// The type that writes and reads what it holds, seen as a trait that has the functions for it.
    fn as_value(&self, krate: &Path) -> TokenStream {
        let ty = self.ty;
        match &self.with {
            None => as_trait(ty, &code!(#krate::__private::HeldValue)),
            Some(with) => {
                let form = with.of_value(krate);
                as_trait(&with.writer(krate), &code!(#krate::__private::ValueWith<#ty, #form>))
            }
        }
    }

    /// The part of it that constraints look at.
    fn sight(&self, krate: &Path) -> TokenStream {
        match &self.with {
            None => code!(#krate::__private::Whole),
            Some(with) => {
                let (writer, form) = (with.writer(krate), with.of_value(krate));
                code!(#krate::__private::Inside<#writer, #krate::__private::Needed<#form>>)
            }
        }
    }
}
