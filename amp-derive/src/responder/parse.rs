//! Reads the methods of a trait or of an `impl` block.

use syn::{Attribute, FnArg, ImplItem, ItemImpl, ItemTrait, Path, Signature, TraitItem, Type};

use super::{Form, Method, Responder, check, names};
use crate::errors::Errors;
use crate::generics::refuse_lifetimes;

impl<'a> Responder<'a> {
    pub(super) fn of_trait(item: &'a ItemTrait, krate: Path, errors: &mut Errors) -> Self {
        check::plain_trait(item, errors);
        names::check(&item.items, Form::Trait, errors);
        let mut methods = Vec::new();
        for member in &item.items {
            match member {
                TraitItem::Fn(function) => {
                    methods.extend(Method::of(&function.attrs, &function.sig, Form::Trait, errors))
                }
                other => errors.push(other, "a responder trait has methods only: its client could not give this"),
            }
        }
        Self::new(krate, methods, errors)
    }

    pub(super) fn of_impl(item: &'a ItemImpl, krate: Path, errors: &mut Errors) -> Self {
        check::inherent(item, errors);
        names::check(&item.items, Form::Impl, errors);
        refuse_lifetimes(
            &item.generics,
            "a responder lives as long as its connections: it owns its parts, or shares them in an `Arc`",
            errors,
        );
        let mut methods = Vec::new();
        for member in &item.items {
            match member {
                ImplItem::Fn(function) if check::is_helper(&function.sig) => {
                    errors.push(&function.sig, NOT_A_RESPONDER);
                }
                ImplItem::Fn(function) => {
                    methods.extend(Method::of(&function.attrs, &function.sig, Form::Impl, errors))
                }
                other => errors.push(other, NOT_A_RESPONDER),
            }
        }
        Self::new(krate, methods, errors)
    }

    fn new(krate: Path, methods: Vec<Method<'a>>, errors: &mut Errors) -> Self {
        check::each_command_once(&methods, errors);
        Self { krate, methods }
    }
}

const NOT_A_RESPONDER: &str =
    "every item of this block is a responder: move this to an `impl` block without `#[responder]`";

impl<'a> Method<'a> {
    fn of(attributes: &'a [Attribute], signature: &'a Signature, form: Form, errors: &mut Errors) -> Option<Self> {
        if signature.receiver().is_none() {
            errors.push(&signature.ident, "a responder is a method with `&self`: move other functions elsewhere");
            return None;
        }
        check::plain_function(signature, errors);
        check::receiver(signature, errors);
        let mut types = signature.inputs.iter().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(&*typed.ty),
            FnArg::Receiver(_) => None,
        });
        let command = types.next();
        let exposed: Vec<&Type> = types.collect();
        check::command(signature, command, errors);
        check::exposed(&exposed, form, errors);
        let reply = check::reply(signature, command, errors);
        let cfgs = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
        Some(Self { cfgs, ident: &signature.ident, command: command?, exposed, reply: reply? })
    }
}
