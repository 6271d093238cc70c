//! A line for each rule where it is checked, and one where it is declared.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, ExprArray, Ident, Lit, Path, Type};

use super::{Constraint, Rule, peeled};
use crate::code::{call_at, code, standing_at};
use crate::fields::Field;

impl Constraint {
    /// Checks the rule for `value`, which is of the type `ty`, is looked at in `sight` and stands at `place`.
    pub(crate) fn check(
        &self,
        ty: &Type,
        sight: &TokenStream,
        value: &TokenStream,
        place: &TokenStream,
        krate: &Path,
    ) -> TokenStream {
        let (words, rule) = (self.words(), self.rule(krate));
        let check = self.through("check", ty, sight, krate);
        let arguments = call_at(&self.key, code!(#rule, #value, #words, #place, found));
        code!(#check #arguments;)
    }

    /// Checks the length of the list under the key before it is decoded, if the rule is about that.
    pub(crate) fn judge(&self, field: &Field<'_>, key: &TokenStream, krate: &Path) -> Option<TokenStream> {
        if self.depth > 0
            || field.with.is_some()
            || field.split.is_some()
            || !matches!(self.rule, Rule::Length(_) | Rule::NonEmpty)
        {
            return None;
        }
        let (rule, words) = (self.rule(krate), self.words());
        let judge = self.through("judge", field.ty, &code!(#krate::__private::Whole), krate);
        let arguments = call_at(&self.key, code!(#rule, #words, #key, &*from));
        Some(code!(#judge #arguments?;))
    }

    /// Fails at compile time if the field is one value and no length of one, or each, keeps the rule.
    pub(crate) fn fits_one_value(&self, is_one: &TokenStream, krate: &Path) -> Option<TokenStream> {
        let mistake = self.too_long.as_ref()?;
        // Items of a list are values.
        let is_one = if self.depth > 0 { code!(true) } else { is_one.clone() };
        let fits = standing_at(&self.key, code!(#krate::__private::fits_one_value));
        let arguments = call_at(&self.key, code!(#is_one, #mistake));
        Some(code!(#fits #arguments))
    }

    /// The rule for a field of the type `ty` in a schema.
    pub(crate) fn declaration(&self, ty: &Type, sight: &TokenStream, krate: &Path) -> TokenStream {
        let (words, rule) = (self.words(), self.rule(krate));
        let declare = self.through("declare", ty, sight, krate);
        let arguments = call_at(&self.key, rule);
        code!(#krate::__private::constraint(#words, || #declare #arguments))
    }

    /// A call of a function of the trait that takes the rule, with the span of the rule's key.
    fn through(&self, function: &str, ty: &Type, sight: &TokenStream, krate: &Path) -> TokenStream {
        let function = Ident::new(function, Span::mixed_site());
        let private = code!(#krate::__private);
        let seen = (0..self.depth).fold(sight.clone(), |inner, _| code!(#private::Items<#inner>));
        let as_trait = match self.rule {
            Rule::With(_) | Rule::Pattern(_) | Rule::LengthInBytes(_) => code!(_ as #private::Fits<#ty, #seen, _>),
            _ => code!(#seen as #private::Takes<#ty, _>),
        };
        standing_at(&self.key, code!(<#as_trait>::#function))
    }

    /// The rule itself, behind a reference.
    fn rule(&self, krate: &Path) -> TokenStream {
        let (name, given) = match &self.rule {
            Rule::InSet(set) => ("InSet", items(set)),
            Rule::NotInSet(set) => ("NotInSet", items(set)),
            Rule::Range(range) => ("Range", code!(#range)),
            Rule::Length(lengths) => ("Length", code!(#lengths)),
            Rule::LengthInBytes(lengths) => ("LengthInBytes", code!(#lengths)),
            Rule::NonEmpty => return standing_at(&self.key, code!(&#krate::constraint::NonEmpty)),
            Rule::With(constraint) => return code!(&#constraint),
            Rule::Pattern(pattern) => {
                let ty = code!(#krate::constraint::Pattern);
                return standing_at(&self.key, code!(&{ static PATTERN: #ty = #ty::new(#pattern); &PATTERN }));
            }
        };
        let name = Ident::new(name, Span::mixed_site());
        let name = standing_at(&self.key, code!(&#krate::constraint::#name));
        let given = call_at(&self.key, given);
        code!(#name #given)
    }
}

/// The set; byte strings of different lengths have different types unless they are converted to slices.
fn items(set: &Expr) -> TokenStream {
    match peeled(set) {
        Expr::Array(array) if array.elems.iter().all(is_byte_string) => in_slices(array),
        _ => code!(#set),
    }
}

fn in_slices(array: &ExprArray) -> TokenStream {
    let items = &array.elems;
    code!({ const SET: &[&[::core::primitive::u8]] = &[#items]; SET })
}

fn is_byte_string(item: &Expr) -> bool {
    matches!(peeled(item), Expr::Lit(literal) if matches!(literal.lit, Lit::ByteStr(_)))
}
