//! The names of the methods: each is given once, and none is that of a generated method.

use std::collections::HashSet;

use syn::ext::IdentExt;
use syn::{Attribute, Ident, ImplItem, TraitItem};

use super::Form;
use crate::attributes::Settings;
use crate::conditions::Conditions;
use crate::errors::Errors;

/// A trait's or a block's item, perhaps a method.
pub(super) trait Member {
    fn method(&self) -> Option<(&[Attribute], &Ident)>;

    fn attributes(&mut self) -> Option<&mut Vec<Attribute>>;

    /// The name of a method that is there in any case: those behind a `cfg` may exclude each other.
    fn name(&self) -> Option<&Ident> {
        let (attributes, name) = self.method()?;
        Conditions::of(attributes).is_empty().then_some(name)
    }
}

impl Member for TraitItem {
    fn method(&self) -> Option<(&[Attribute], &Ident)> {
        if let Self::Fn(function) = self { Some((&function.attrs, &function.sig.ident)) } else { None }
    }

    fn attributes(&mut self) -> Option<&mut Vec<Attribute>> {
        if let Self::Fn(function) = self { Some(&mut function.attrs) } else { None }
    }
}

impl Member for ImplItem {
    fn method(&self) -> Option<(&[Attribute], &Ident)> {
        if let Self::Fn(function) = self { Some((&function.attrs, &function.sig.ident)) } else { None }
    }

    fn attributes(&mut self) -> Option<&mut Vec<Attribute>> {
        if let Self::Fn(function) = self { Some(&mut function.attrs) } else { None }
    }
}

/// No two methods have one name.
pub(super) fn check_unique<M: Member>(members: &[M], errors: &mut Errors) {
    let mut names = HashSet::new();
    for name in members.iter().filter_map(Member::name).filter(|name| !names.insert(*name)) {
        errors.push(name, format!("there is a method `{name}` already: give each command a method of its own name"));
    }
}

/// The method does not have the name of one that stands beside it.
pub(super) fn check_free(name: &Ident, form: Form, errors: &mut Errors) {
    if let Some((_, why)) = form.taken().iter().find(|(taken, _)| name.unraw() == taken) {
        errors.push(name, format!("{why}: choose another name for this one; the peer sees the command's only"));
    }
}

/// Whether there is a method of this name.
pub(super) fn has<M: Member>(members: &[M], wanted: &str) -> bool {
    members.iter().filter_map(Member::method).any(|(_, name)| name.unraw() == wanted)
}

/// Removes the macro's own attributes, which mean nothing to the compiler.
pub(super) fn leave_out_settings<M: Member>(member: &mut M) {
    if let Some(attributes) = member.attributes() {
        attributes.retain(|attribute| !attribute.path().is_ident("amp") && !Settings::are_made_by(attribute));
    }
}

/// Removes the methods whose names were taken.
pub(super) fn leave_out_taken<M: Member>(members: &mut Vec<M>, form: Form) {
    let mut names = HashSet::new();
    members.retain(|member| member.name().is_none_or(|name| names.insert(name.clone())));
    if form == Form::Impl {
        let is_taken = |name: &Ident| form.taken().iter().any(|(taken, _)| name.unraw() == taken);
        members.retain(|member| member.method().is_none_or(|(_, name)| !is_taken(name)));
    }
}

impl Form {
    /// The names of the generated methods beside the user's own, and their purposes. Of the prelude's names these are the ones
    /// that a call of the client's method could mean as well.
    const fn taken(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Trait => &[
                ("connection", "the client has a method `connection`, which returns the connection that it calls over"),
                ("with_timeout", "the client has a method `with_timeout`, which sets how long its calls may take"),
                ("with_no_timeout", "the client has a method `with_no_timeout`, whose calls wait without end"),
                ("clone", "the client is `Clone`, so that it has a method `clone` already"),
                ("to_owned", "the client is `Clone`, so that it has a method `to_owned` already"),
                ("clone_into", "the client is `Clone`, so that it has a method `clone_into` already"),
                ("into", "every type has a method `into`, the client too"),
                ("try_into", "every type has a method `try_into`, the client too"),
            ],
            Self::Impl => &[("into_locator", "`#[responder]` makes a method `into_locator` of this type")],
        }
    }
}
