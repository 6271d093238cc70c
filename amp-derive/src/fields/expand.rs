//! Two lines a field: one that writes it and one that reads it.

use proc_macro2::{Literal, Span, TokenStream};
use syn::{Generics, Ident, Path};

use super::{Exposed, Field, Fields, Split};
use crate::code::{as_trait, call_at, code, standing_at};
use crate::constraints::WholeRule;
use crate::generics::{mentions, stands_alone};

impl Field<'_> {
    /// Writes `value`, the field seen through a reference.
    pub(crate) fn put(&self, value: &TokenStream, krate: &Path) -> TokenStream {
        let (field, key) = (self.as_field(krate), self.key(krate));
        code!(#field::put(#value, #key, out)?;)
    }

    /// Reads the field with `function`, as one member of a struct expression.
    pub(crate) fn take(&self, function: &str, krate: &Path) -> TokenStream {
        let (member, field, own) = (self.member, self.as_field(krate), self.key(krate));
        let key = if self.aliases.is_empty() { own.clone() } else { code!(key) };
        let take = Ident::new(function, Span::mixed_site());
        let judged = self.constraints.iter().filter_map(|constraint| constraint.judge(self, &key, krate));
        let judged: TokenStream = judged.collect();
        let taken = match self.default(krate) {
            None => code!(#field::#take(#key, from)?),
            Some(default) => code!(#field::take_or(#key, from, #default)?),
        };
        if !self.aliases.is_empty() {
            let aliases = self.aliases.iter().map(|alias| key_of(alias, krate));
            let one = code!(#krate::__private::one_of(#own, &[#(#aliases),*], #field::DECLARED.0, &*from)?);
            return code!(#member: { let key = #one; #judged #taken },);
        }
        if judged.is_empty() { code!(#member: #taken,) } else { code!(#member: { #judged #taken },) }
    }

    /// Checks the constraints declared for the field and within it; `value` is the field seen through a reference.
    pub(crate) fn check(&self, value: &TokenStream, krate: &Path) -> TokenStream {
        let Self { ty, name, constraints, .. } = self;
        let place = code!(#krate::__private::Place::key(&place, #name));
        let sight = self.sight(krate);
        let own = constraints.iter().map(|constraint| constraint.check(ty, &sight, value, &place, krate));
        let field = self.as_field(krate);
        code!(#(#own)* #field::check(#value, #place, found);)
    }

    /// The field in a schema, with the rules of its struct that are about it.
    pub(crate) fn declaration(&self, rules: &[WholeRule], krate: &Path) -> TokenStream {
        let Self { ty, name, doc, constraints, aliases, .. } = self;
        let field = self.as_field(krate);
        let sight = self.sight(krate);
        let constraints = constraints.iter().map(|constraint| constraint.declaration(ty, &sight, krate));
        let constraints = constraints.chain(rules.iter().filter_map(|rule| rule.declaration(self, krate)));
        let mut declared = code!(#krate::__private::field(#name, #doc, #field::DECLARED, &[#(#constraints),*]));
        if let Some(default) = self.default(krate) {
            let (field, key) = (self.as_field(krate), self.key(krate));
            let value = code!(#krate::__private::written(#default, |value, out| #field::put(value, #key, out)));
            declared = code!(#krate::__private::defaulted(#declared, || #value));
        }
        if !aliases.is_empty() {
            declared = code!(#krate::__private::aliased(#declared, &[#(#aliases),*]));
        }
        declared
    }

    /// The type that writes and reads the field, seen as a trait that has the functions for it.
    fn as_field(&self, krate: &Path) -> TokenStream {
        let ty = self.ty;
        match &self.with {
            None => as_trait(ty, &self.needed(krate, &code!(#krate::__private::Field))),
            Some(with) => {
                let form = with.of_field(ty, krate);
                as_trait(&with.writer(krate), &code!(#krate::__private::FieldWith<#ty, #form>))
            }
        }
    }

    /// The trait that the field's type needs: `whole`, unless it is split.
    pub(crate) fn needed(&self, krate: &Path, whole: &TokenStream) -> TokenStream {
        let Some(Split { maximum, from_zero }) = &self.split else { return whole.clone() };
        let numbers = if *from_zero { code!(FromZero) } else { code!(FromTwo) };
        code!(#krate::__private::SplitField<{ #maximum }, #krate::value::#numbers>)
    }

    /// The part of the field that constraints look at.
    fn sight(&self, krate: &Path) -> TokenStream {
        match &self.with {
            None => code!(#krate::__private::Whole),
            Some(with) => {
                let (writer, form) = (with.writer(krate), with.of_field(self.ty, krate));
                code!(#krate::__private::Inside<#writer, #form>)
            }
        }
    }

    /// The type in a schema, which says whether it may have several keys.
    pub(super) fn declared_type(&self, krate: &Path) -> TokenStream {
        let field = self.as_field(krate);
        code!(#field::DECLARED.0)
    }

    /// A function that makes what an absent field is.
    fn default(&self, krate: &Path) -> Option<TokenStream> {
        let ty = self.ty;
        let default = self.default.as_ref()?;
        Some(match &default.value {
            Some(value) => code!(|| -> #ty { #value }),
            None => {
                let function = as_trait(ty, &code!(#krate::__private::HasDefault));
                code!(|| #function::make())
            }
        })
    }

    /// Checks that a field with a default is not absent when it is written.
    fn always_written(&self, krate: &Path) -> Option<TokenStream> {
        let word = &self.default.as_ref()?.word;
        let field = self.as_field(krate);
        let ask = standing_at(word, code!(#krate::__private::always_written));
        let arguments = call_at(word, code!(#field::DECLARED.1));
        Some(code!(#ask #arguments))
    }

    /// Checked only where an `Option` is written: an alias of one is found when the program is built.
    fn optional_once(&self, krate: &Path) -> Option<TokenStream> {
        let ty = self.ty;
        (self.with.is_none() && mentions(ty, &|word| word == "Option")).then(|| {
            let field = self.as_field(krate);
            let ask = standing_at(ty, code!(#krate::__private::optional_once));
            let twice = call_at(ty, code!(#field::OPTIONAL_TWICE));
            code!(#ask #twice)
        })
    }

    /// Fails at compile time at `at`, if `key` is that of a part of the field under its name `whole`.
    fn is_apart_from(&self, key: &str, whole: &str, at: &Ident, mistake: &str, krate: &Path) -> TokenStream {
        let field = self.as_field(krate);
        let apart = standing_at(at, code!(#krate::__private::parts_apart));
        let arguments = call_at(at, code!(#field::DECLARED, #key, #whole, #mistake));
        code!(#apart #arguments)
    }

    /// An `Option` behind another name would be written as `null`.
    fn no_hidden_option(&self, krate: &Path) -> Option<TokenStream> {
        let ty = self.ty;
        self.with.as_ref()?.needs_plain_option(ty).then(|| {
            let ask = standing_at(ty, code!(#krate::__private::written_as_option));
            let is_option = call_at(
                ty,
                code!({ use #krate::__private::NoOption as _; #krate::__private::Probe::<#ty>::IS_OPTION }),
            );
            code!(#ask #is_option)
        })
    }

    /// The name behind its two length bytes, as it stands on the wire.
    pub(crate) fn key(&self, krate: &Path) -> TokenStream {
        key_of(&self.name, krate)
    }
}

/// A name behind its two length bytes, as it stands on the wire.
pub(crate) fn key_of(name: &str, krate: &Path) -> TokenStream {
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let wire = Literal::byte_string(&[&[0, length], name.as_bytes()].concat());
    code!(const { #krate::__private::Key::from_wire(#wire) })
}

impl Fields<'_> {
    /// Checks properties that only the fields' types know, for fields that do not depend on a type parameter, before one is
    /// written: that they are no `Option` of an `Option`, that their lengths can be kept, and that their keys are theirs alone.
    pub(crate) fn known_early(
        &self,
        generics: &Generics,
        krate: &Path,
        deprecated: Option<&TokenStream>,
    ) -> Option<TokenStream> {
        let known = self.carried().iter().filter(|field| stands_alone(field.ty, generics));
        let lines = known.flat_map(|field| {
            let is_one = match field.with {
                None => {
                    let (ty, needed) = (field.ty, field.needed(krate, &code!(#krate::__private::Field)));
                    code!(<#ty as #needed>::ONE_VALUE)
                }
                Some(_) => code!(true),
            };
            let lengths = field.constraints.iter().filter_map(move |rule| rule.fits_one_value(&is_one, krate));
            field
                .optional_once(krate)
                .into_iter()
                .chain(field.no_hidden_option(krate))
                .chain(field.always_written(krate))
                .chain(lengths)
                .chain(self.parts_apart(field, krate))
        });
        // A constant for each, because the compiler stops within one at the first mistake.
        let lines: TokenStream = lines.map(|line| code!(#deprecated const _: () = #line;)).collect();
        (!lines.is_empty()).then_some(lines)
    }
}

impl Fields<'_> {
    /// Fails at compile time, at a field whose name is that of a part of `of`, if that is a `Big`.
    fn parts_apart<'f>(&'f self, of: &'f Field<'_>, krate: &'f Path) -> impl Iterator<Item = TokenStream> {
        self.among_parts(of).map(move |(member, name, whole)| {
            let mistake = format!(
                "the field `{}` is split over several keys, and `{name}` is one of them: choose another name with `#[amp(name = \"..\")]`",
                of.member
            );
            of.is_apart_from(name, whole, member, &mistake, krate)
        })
    }

    /// Fails at compile time, at a field that is a `Big` one of whose parts has the key of the variant's code.
    pub(crate) fn apart_from_tag(
        &self,
        tag: &str,
        generics: &Generics,
        krate: &Path,
        deprecated: Option<&TokenStream>,
    ) -> TokenStream {
        let known = self.carried().iter().filter(|field| stands_alone(field.ty, generics));
        let lines = known.flat_map(|field| {
            field.names_before(tag).map(move |whole| {
                let mistake = format!(
                    "this field is split over several keys, and one of them, `{tag}`, is the key of the variant's code: give the field \
                     other names with `name` or `alias`, or the key another with `#[amp(tag = \"..\")]` on the enum"
                );
                field.is_apart_from(tag, whole, field.member, &mistake, krate)
            })
        });
        lines.map(|line| code!(#deprecated const _: () = #line;)).collect()
    }
}

impl Exposed<'_> {
    /// The empty field, as one member of a struct expression.
    pub(crate) fn empty(&self, krate: &Path) -> TokenStream {
        let (member, field) = (self.member, as_trait(self.ty, &code!(#krate::__private::ExposedField)));
        code!(#member: #field::empty(),)
    }

    /// The command that it answers early.
    pub(crate) fn early_answer(&self, krate: &Path) -> TokenStream {
        let field = as_trait(self.ty, &code!(#krate::__private::ExposedField));
        code!(#field::EARLY_ANSWER)
    }

    /// Fails at compile time if it answers another command than the one of the name, and does not depend on a type parameter.
    pub(crate) fn own_answer(&self, name: &str, generics: &Generics, krate: &Path) -> Option<TokenStream> {
        stands_alone(self.ty, generics).then(|| {
            let early = self.early_answer(krate);
            let answers = standing_at(self.ty, code!(#krate::__private::answers_early));
            let arguments = call_at(self.ty, code!(#early, #name));
            code!(const _: ::core::primitive::bool = #answers #arguments;)
        })
    }

    /// Fills the field in.
    pub(crate) fn expose(&self, krate: &Path) -> TokenStream {
        let (member, field) = (self.member, as_trait(self.ty, &code!(#krate::__private::ExposedField)));
        code!(#field::expose(&mut self.#member, context)?;)
    }
}
