//! Reads the methods of a trait or of an `impl` block.

use syn::{Attribute, FnArg, ImplItem, ItemImpl, ItemTrait, Signature, TraitItem, Type};

use super::{Form, Method, Mistaken, Responder, check, names};
use crate::attributes::{Place, Settings};
use crate::conditions::Conditions;
use crate::errors::Errors;
use crate::lints;

impl<'a> Responder<'a> {
    pub(super) fn of_trait(item: &'a ItemTrait, settings: &Settings, errors: &mut Errors) -> Self {
        check::attributes(&item.attrs, errors);
        check::plain_trait(item, errors);
        names::check_unique(&item.items, errors);
        let mut responder = Self::new(settings, &item.attrs, item.items.iter().map(attributes_of_trait_item));
        responder.extends = check::extends(item, settings, errors);
        for member in &item.items {
            match member {
                TraitItem::Fn(function) => responder.add(&function.attrs, &function.sig, Form::Trait, errors),
                other => {
                    let mistake = |errors: &mut Errors| check::no_method(other, Form::Trait, errors);
                    responder.add_mistake(attributes_of_trait_item(other), None, errors, mistake);
                }
            }
        }
        check::each_command_once(&responder.methods, errors);
        responder
    }

    pub(super) fn of_impl(item: &'a ItemImpl, settings: &Settings, errors: &mut Errors) -> Self {
        check::attributes(&item.attrs, errors);
        check::inherent(item, errors);
        check::only_of_traits(settings, errors);
        names::check_unique(&item.items, errors);
        let mut responder = Self::new(settings, &item.attrs, item.items.iter().map(attributes_of_impl_item));
        for member in &item.items {
            match member {
                ImplItem::Fn(function) => responder.add(&function.attrs, &function.sig, Form::Impl, errors),
                other => {
                    let mistake = |errors: &mut Errors| check::no_method(other, Form::Impl, errors);
                    responder.add_mistake(attributes_of_impl_item(other), None, errors, mistake);
                }
            }
        }
        check::each_command_once(&responder.methods, errors);
        responder
    }

    fn new(settings: &Settings, own: &'a [Attribute], members: impl Iterator<Item = &'a [Attribute]>) -> Self {
        let deprecated = lints::deprecated([own].into_iter().chain(members));
        let (krate, spawned) = (settings.krate(), settings.spawn.is_some());
        let has_object = settings.object.is_some();
        Self { krate, methods: Vec::new(), extends: Vec::new(), has_object, spawned, mistaken: Vec::new(), deprecated }
    }

    fn add(&mut self, attributes: &'a [Attribute], signature: &'a Signature, form: Form, errors: &mut Errors) {
        let read = |errors: &mut Errors| Method::of(attributes, signature, form, errors);
        let method = self.add_mistake(attributes, Some(signature), errors, read).flatten();
        self.methods.extend(method.map(|method| Method { spawned: method.spawned || self.spawned, ..method }));
    }

    /// Reads a part with `read`. If it is behind a condition its mistakes are set aside, and nothing of it is kept.
    fn add_mistake<T>(
        &mut self,
        attributes: &[Attribute],
        signature: Option<&'a Signature>,
        errors: &mut Errors,
        read: impl FnOnce(&mut Errors) -> T,
    ) -> Option<T> {
        let conditions = Conditions::of(attributes);
        if conditions.is_empty() {
            return Some(read(errors));
        }
        let mut found = Errors::default();
        let part = read(&mut found);
        let Some(report) = found.report() else { return Some(part) };
        self.mistaken.push(Mistaken { conditions, report, signature });
        None
    }
}

fn attributes_of_trait_item(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

fn attributes_of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

impl<'a> Method<'a> {
    fn of(attributes: &'a [Attribute], signature: &'a Signature, form: Form, errors: &mut Errors) -> Option<Self> {
        if !check::is_method(signature, form, errors) {
            return None;
        }
        let settings = Settings::of(attributes, Place::Method, errors);
        check::settings(attributes, errors);
        names::check_free(&signature.ident, form, errors);
        check::plain_function(signature, errors);
        check::receiver(signature, errors);
        check::parameters(signature, errors);
        let mut types = signature.inputs.iter().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(&*typed.ty),
            FnArg::Receiver(_) => None,
        });
        let command = types.next();
        let exposed: Vec<&Type> = types.collect();
        check::command(signature, command, errors);
        check::exposed(&exposed, form, errors);
        let reply = check::reply(signature, command, errors);
        let conditions = Conditions::of(attributes);
        let (ident, spawned) = (&signature.ident, settings.spawn.is_some());
        Some(Self { conditions, ident, command: command?, exposed, reply: reply?, spawned })
    }
}
