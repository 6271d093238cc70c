//! `impl Value` for an enum: its variants as texts, or as boxes.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{Ident, Path};

use super::{Data, Item, Variant};
use crate::code::{as_trait, call_at, code, parameter, standing_at};
use crate::fields::{Field, key_of};
use crate::generics::stands_alone;

/// Maximum number of codes that the error for an unknown one names.
const SHOWN: usize = 8;

impl Item<'_> {
    /// A text, the code of a variant.
    pub(super) fn codes(&self, variants: &[Variant<'_>]) -> TokenStream {
        let krate = &self.krate;
        let nested = code!(#krate::__private);
        let declared = self.enum_declaration(variants, None);
        let written = variants.iter().map(|variant| variant.code_arm(krate));
        let read = variants.iter().filter_map(|variant| {
            let (ident, code) = (variant.ident, variant.code()?);
            Some(code!(#code => ::core::result::Result::Ok(Self::#ident),))
        });
        let rest = rest(variants, &code!(#nested::other_code(raw)), &code!(#nested::unknown_code), krate);
        self.implement(
            &code!(#nested::Value),
            &code! {
                const TYPE: #krate::schema::AmpType = #krate::schema::AmpType::Enum(|| #declared);
                fn encode(&self, out: &mut #nested::ValueWriter<'_>) -> ::core::result::Result<(), #nested::EncodeError> {
                    let code: &[::core::primitive::u8] = match self { #(#written)* };
                    #nested::ValueWriter::write(out, code);
                    ::core::result::Result::Ok(())
                }
                fn decode(raw: #nested::RawValue<'_>) -> ::core::result::Result<Self, #nested::DecodeError> {
                    match #nested::RawValue::as_bytes(raw) { #(#read)* #rest }
                }
            },
        )
    }

    /// A box with the code of a variant.
    pub(super) fn tagged(&self, tag: &str, variants: &[Variant<'_>]) -> TokenStream {
        let krate = &self.krate;
        let early = self.known_early(tag, variants);
        let tagged = self.implement(&code!(#krate::__private::Tagged), &self.tagged_body(tag, variants));
        let value = self.tagged_value(tag, variants);
        code!(#early #tagged #value)
    }

    fn tagged_body(&self, tag: &str, variants: &[Variant<'_>]) -> TokenStream {
        let krate = &self.krate;
        let nested = code!(#krate::__private);
        let key = key_of(tag, krate);
        let put = variants.iter().map(|variant| variant.put_arm(tag, krate));
        let taken = variants.iter().filter_map(|variant| variant.take_arm(krate));
        let unknown = code!(#nested::unknown_variant::<Self>);
        let rest = rest(variants, &code!(#nested::other_variant::<Self>(code)), &unknown, krate);
        let has_fields = variants.iter().any(|variant| match &variant.data {
            Data::Held(_) => true,
            Data::Fields(fields) => !fields.carried().is_empty(),
            _ => false,
        });
        let from = parameter("from", has_fields);
        let lines = variants.iter().filter_map(|variant| variant.declaration(krate));
        code! {
            const TAG: #nested::Key = #key;
            const VARIANTS: &'static [#krate::schema::VariantDeclaration] = &[#(#lines,)*];
            fn put(&self, out: &mut #nested::BoxWriter<'_>) -> ::core::result::Result<(), #nested::EncodeError> {
                match self { #(#put)* }
                ::core::result::Result::Ok(())
            }
            fn take(
                code: #nested::RawValue<'_>,
                #from: &mut #nested::BoxReader<'_>,
            ) -> ::core::result::Result<Self, #nested::DecodeError> {
                match #nested::RawValue::as_bytes(code) { #(#taken)* #rest }
            }
        }
    }

    fn tagged_value(&self, tag: &str, variants: &[Variant<'_>]) -> TokenStream {
        let krate = &self.krate;
        let nested = code!(#krate::__private);
        let encoded = code!(::core::result::Result<(), #nested::EncodeError>);
        let error = code!(#nested::DecodeError);
        let declared = self.enum_declaration(variants, Some(tag));
        let amp_type = code!(#krate::schema::AmpType);
        let check = self.tagged_check(variants);
        self.implement(
            &code!(#nested::Value),
            &code! {
                const TYPE: #amp_type = #amp_type::Tagged(|| #declared);
                const LIST_TYPE: #amp_type = #amp_type::TaggedList(|| #declared);
                const COUNT_LIST: ::core::option::Option<#nested::Count> =
                    ::core::option::Option::Some(#nested::nested_count_list);
                fn encode(&self, out: &mut #nested::ValueWriter<'_>) -> #encoded {
                    #nested::tagged_encode(self, out)
                }
                fn decode(raw: #nested::RawValue<'_>) -> ::core::result::Result<Self, #error> {
                    #nested::tagged_decode(raw)
                }
                fn encode_list(items: &[Self], out: &mut #nested::ValueWriter<'_>) -> #encoded {
                    #nested::tagged_encode_list(items, out)
                }
                fn decode_list(raw: #nested::RawValue<'_>) -> ::core::result::Result<::std::vec::Vec<Self>, #error> {
                    #nested::tagged_decode_list(raw)
                }
                #check
            },
        )
    }

    fn tagged_check(&self, variants: &[Variant<'_>]) -> Option<TokenStream> {
        let krate = &self.krate;
        let arms: Vec<_> = variants.iter().filter_map(|variant| variant.check_arm(krate)).collect();
        let rest = (arms.len() < variants.len()).then(|| code!(_ => {}));
        (!arms.is_empty()).then(|| {
            code! {
                fn check(&self, place: #krate::__private::Place<'_>, found: &mut #krate::__private::Violations) {
                    match self { #(#arms)* #rest }
                }
            }
        })
    }

    fn enum_declaration(&self, variants: &[Variant<'_>], tag: Option<&str>) -> TokenStream {
        let krate = &self.krate;
        let name = self.ident.unraw().to_string();
        let other = variants.iter().any(|variant| matches!(variant.data, Data::Other(_)));
        let (tag, declared) = match tag {
            Some(tag) => {
                (code!(::core::option::Option::Some(#tag)), code!(<Self as #krate::__private::Tagged>::VARIANTS))
            }
            None => {
                let lines = variants.iter().filter_map(|variant| variant.declaration(krate));
                (code!(::core::option::Option::None), code!(const { &[#(#lines,)*] }))
            }
        };
        code!(#krate::__private::variants(#name, #tag, #other, #declared))
    }

    /// Checks what only the types of the fields know, for those that do not depend on a type parameter.
    fn known_early(&self, tag: &str, variants: &[Variant<'_>]) -> TokenStream {
        let Self { krate, generics, deprecated, .. } = self;
        let early = variants.iter().filter_map(|variant| match &variant.data {
            Data::Fields(fields) => {
                let apart = fields.apart_from_tag(tag, generics, krate, deprecated.as_ref());
                Some(fields.known_early(generics, krate, deprecated.as_ref()).into_iter().chain([apart]).collect())
            }
            Data::Held(ty) if stands_alone(ty, generics) => {
                let held = as_trait(ty, &code!(#krate::__private::HeldFields));
                let ask = standing_at(ty, code!(#krate::__private::apart_from_tag));
                let arguments = call_at(ty, code!(#held::FIELDS, #tag));
                Some(code!(#deprecated const _: () = #ask #arguments;))
            }
            _ => None,
        });
        early.collect()
    }
}

/// The arm for all other codes: the variant that keeps them, or an error that names what is known.
fn rest(variants: &[Variant<'_>], other: &TokenStream, unknown: &TokenStream, krate: &Path) -> TokenStream {
    let nested = code!(#krate::__private);
    if let Some((ident, ty)) = variants.iter().find_map(Variant::as_other) {
        let held = as_trait(ty, &code!(#nested::OtherCode));
        return code!(_ => ::core::result::Result::map(#other, |code| Self::#ident(#held::keep(code))),);
    }
    let codes: Vec<_> = variants.iter().filter_map(|variant| Some(format!("`{}`", variant.code.as_ref()?))).collect();
    let mut known = match codes.as_slice() {
        [one] => one.clone(),
        codes => format!("one of {}", codes.get(..SHOWN).unwrap_or(codes).join(", ")),
    };
    if codes.len() > SHOWN {
        known += &format!(" and {} more", codes.len() - SHOWN);
    }
    code!(_ => ::core::result::Result::Err(#unknown(#known)),)
}

impl Variant<'_> {
    fn as_other(&self) -> Option<(&Ident, &syn::Type)> {
        match &self.data {
            Data::Other(ty) => Some((self.ident, *ty)),
            _ => None,
        }
    }

    /// The code as bytes, if it has one of its own.
    fn code(&self) -> Option<Literal> {
        self.code.as_ref().map(|code| Literal::byte_string(code.as_bytes()))
    }

    /// The variant's code as it is written.
    fn code_arm(&self, krate: &Path) -> TokenStream {
        let ident = self.ident;
        if let Some((_, ty)) = self.as_other() {
            let held = as_trait(ty, &code!(#krate::__private::OtherCode));
            return code!(Self::#ident(code) => #held::as_bytes(code),);
        }
        let code = self.code();
        code!(Self::#ident => #code,)
    }

    /// Writes the pairs of the variant, its code in its place among them.
    fn put_arm(&self, tag: &str, krate: &Path) -> TokenStream {
        let (ident, nested) = (self.ident, code!(#krate::__private));
        let key = key_of(tag, krate);
        let code = self.code();
        let put_code = code!(#nested::BoxWriter::put_raw(out, #key, #code)?;);
        match &self.data {
            Data::Nothing => code!(Self::#ident => { #put_code }),
            Data::Other(ty) => {
                let held = as_trait(ty, &code!(#nested::OtherCode));
                code!(Self::#ident(code) => #nested::BoxWriter::put_raw(out, #key, #held::as_bytes(code))?,)
            }
            Data::Held(ty) => {
                let held = as_trait(ty, &code!(#nested::HeldFields));
                code!(Self::#ident(held) => #held::put::<Self>(held, #code, out)?,)
            }
            Data::Fields(fields) => {
                let fields = fields.carried();
                let (before, after) =
                    fields.split_at(fields.partition_point(|field| field.name.as_bytes() < tag.as_bytes()));
                let bindings = bindings(fields);
                let lines = |fields: &[Field<'_>], from: usize| -> TokenStream {
                    let put =
                        |(at, field): (usize, &Field<'_>)| field.put(&local(from + at).into_token_stream(), krate);
                    fields.iter().enumerate().map(put).collect()
                };
                let (first, last) = (lines(before, 0), lines(after, before.len()));
                code!(Self::#ident { #bindings } => { #first #put_code #last })
            }
        }
    }

    /// The variant, made from the received pairs.
    fn take_arm(&self, krate: &Path) -> Option<TokenStream> {
        let (ident, code) = (self.ident, self.code()?);
        let made = match &self.data {
            Data::Fields(fields) => {
                let taken = fields.carried().iter().map(|field| field.take("take", krate));
                code!(Self::#ident { #(#taken)* })
            }
            Data::Held(ty) => {
                let held = as_trait(ty, &code!(#krate::__private::HeldFields));
                code!(Self::#ident(#held::take(from)?))
            }
            _ => code!(Self::#ident),
        };
        Some(code!(#code => ::core::result::Result::Ok(#made),))
    }

    fn check_arm(&self, krate: &Path) -> Option<TokenStream> {
        let ident = self.ident;
        match &self.data {
            Data::Held(ty) => {
                let held = as_trait(ty, &code!(#krate::__private::HeldFields));
                Some(code!(Self::#ident(held) => #held::check(held, place, found),))
            }
            Data::Fields(fields) if !fields.carried().is_empty() => {
                let bindings = bindings(fields.carried());
                let checks = fields.carried().iter().enumerate();
                let lines = checks.map(|(at, field)| field.check(&local(at).into_token_stream(), krate));
                Some(code!(Self::#ident { #bindings } => { #(#lines)* }))
            }
            _ => None,
        }
    }

    fn declaration(&self, krate: &Path) -> Option<TokenStream> {
        let (Self { doc, data, .. }, code) = (self, self.code.as_ref()?);
        let fields = match data {
            Data::Nothing | Data::Other(_) => code!(&[]),
            Data::Held(ty) => {
                let held = as_trait(ty, &code!(#krate::__private::HeldFields));
                code!(#held::FIELDS.fields)
            }
            Data::Fields(fields) => {
                let lines = fields.carried().iter().map(|field| field.declaration(&[], krate));
                code!(&[#(#lines,)*])
            }
        };
        Some(code!(#krate::__private::variant(#code, #doc, #fields)))
    }
}

/// A local variable for the field at this position.
fn local(at: usize) -> Ident {
    format_ident!("field_{at}", span = Span::mixed_site())
}

fn bindings(fields: &[Field<'_>]) -> TokenStream {
    fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let (member, local) = (field.member, local(at));
            code!(#member: #local,)
        })
        .collect()
}
