//! The rules for a responder.

use std::collections::HashMap;

use quote::ToTokens;
use syn::{Attribute, FnArg, ItemImpl, ItemTrait, Path, ReceiverKind, ReturnType, Safety, Signature, Type};

use super::{Form, Method};
use crate::attributes::Settings;
use crate::conditions::Conditions;
use crate::errors::Errors;
use crate::generics::refuse_lifetimes;

/// Maximum number of parameters after the command: `Exposable` is implemented for tuples up to this length.
const MAX_EXPOSED: usize = 6;

/// The trait is one that a client can implement and a locator can hold.
pub(super) fn plain_trait(item: &ItemTrait, errors: &mut Errors) {
    if !item.generics.params.is_empty() {
        errors.push(&item.generics, "a responder trait has no parameters: its client must know every command's type");
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.push(
            clause,
            "a responder trait has no where clause: write what `Self` must be behind the name, `trait Name: Bound`",
        );
    }
    if let Some(unsafety) = &item.unsafety {
        errors.push(unsafety, "a responder trait is not `unsafe`: its client is generated");
    }
    if let Some(auto) = &item.modifiers.auto_token {
        errors.push(auto, "a responder trait is not `auto`");
    }
}

/// The item has one `#[responder]`, and its settings are in it.
pub(super) fn attributes(item: &[Attribute], errors: &mut Errors) {
    for attribute in item {
        match Misplaced::of(attribute) {
            Some(Misplaced::Responder) => errors.push(
                attribute,
                "a second `#[responder]`: keep one, with the settings of both, as in `#[responder(spawn, dyn)]`",
            ),
            Some(Misplaced::Settings) => errors.push(
                attribute,
                "settings of a trait or an `impl` block stand in its attribute, as in `#[responder(spawn)]`",
            ),
            None => {}
        }
    }
}

/// Beside a report, attributes that were reported are left out.
pub(super) fn leave_out_misplaced(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| Misplaced::of(attribute).is_none());
}

/// An attribute that does not belong on a responder.
enum Misplaced {
    Responder,
    Settings,
}

impl Misplaced {
    fn of(attribute: &Attribute) -> Option<Self> {
        let path = attribute.path();
        if path.is_ident("amp") {
            return Some(Self::Settings);
        }
        path.segments.last().is_some_and(|last| last.ident == "responder").then_some(Self::Responder)
    }
}

/// The extended traits are among the supertraits. Returns those that are, each once.
pub(super) fn extends(item: &ItemTrait, settings: &Settings, errors: &mut Errors) -> Vec<Path> {
    if let (Some(word), Some(_)) = (&settings.object, &settings.extends) {
        errors.push(word, "a trait that extends others has no form for objects: remove `dyn`, or `extends(..)`");
    }
    let mut extended: Vec<Path> = Vec::new();
    for path in settings.extends.iter().flatten() {
        let words = path.to_token_stream().to_string();
        if !item.supertraits.iter().any(|bound| bound.to_token_stream().to_string() == words) {
            let (this, words) = (&item.ident, words.replace(' ', ""));
            errors.push(path, format!("`{words}` is no supertrait: write `trait {this}: {words}` as well"));
        } else if extended.iter().any(|earlier| earlier.to_token_stream().to_string() == words) {
            errors.push(path, "this trait is given twice; keep one");
        } else {
            extended.push(path.clone());
        }
    }
    extended
}

/// A block has no settings of a trait.
pub(super) fn only_of_traits(settings: &Settings, errors: &mut Errors) {
    if let Some(path) = settings.extends.iter().flatten().next() {
        errors.push(path, "an `impl` block extends no trait: locators are combined with `a.or(b)`");
    }
    if let Some(word) = &settings.object {
        errors.push(
            word,
            "an `impl` block has no trait for objects: its locator is an `Arc<dyn Locator>` where one is wanted",
        );
    }
}

/// The block declares methods.
pub(super) fn inherent(item: &ItemImpl, errors: &mut Errors) {
    refuse_lifetimes(
        &item.generics,
        "a responder lives as long as its connections: it owns its parts, or shares them in an `Arc`",
        errors,
    );
    let Some((path, _)) = &item.trait_ else { return };
    let name = path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
    if item.self_ty.to_token_stream().to_string() == format!("Mock{name}") {
        errors.push(
            path,
            format!(
                "a macro that makes `Mock{name}` copied `#[responder]` here: on the trait `{name}` write `#[responder]` \
                 above the attribute of that macro (`#[automock]`)"
            ),
        );
        return;
    }
    errors.push(
        path,
        format!(
            "`#[responder]` stands where the methods are declared: put it on the trait `{name}` and remove it here; \
             `{name}Locator::new(..)` then makes a locator of this type"
        ),
    );
}

const NOT_A_RESPONDER: &str =
    "every item of this block is a responder: move this to an `impl` block without `#[responder]`";

/// Items that are no methods do not belong here.
pub(super) fn no_method(item: impl ToTokens, form: Form, errors: &mut Errors) {
    errors.push(
        item,
        match form {
            Form::Trait => "a responder trait has methods only: its client could not have this",
            Form::Impl => NOT_A_RESPONDER,
        },
    );
}

/// The function has a `self`, and may be meant as a responder.
pub(super) fn is_method(signature: &Signature, form: Form, errors: &mut Errors) -> bool {
    let is_method = signature.receiver().is_some();
    if form == Form::Impl && is_method && signature.asyncness.is_none() && signature.inputs.len() == 1 {
        errors.push(signature, NOT_A_RESPONDER);
        return false;
    }
    if !is_method {
        errors.push(&signature.ident, "a responder is a method with `&self`: move other functions elsewhere");
    }
    is_method
}

/// No setting stands behind a condition, which is not known to the macro.
pub(super) fn settings(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg_attr")) {
        if Settings::are_made_by(attribute) {
            errors.push(
                attribute,
                "a setting of a responder has no condition: write the method twice, each with a `cfg` of its own",
            );
        }
    }
}

/// Every parameter is there in any case.
pub(super) fn parameters(signature: &Signature, errors: &mut Errors) {
    for argument in &signature.inputs {
        let conditions = match argument {
            FnArg::Receiver(receiver) => Conditions::of(&receiver.attrs),
            FnArg::Typed(typed) => Conditions::of(&typed.attrs),
        };
        if !conditions.is_empty() {
            errors.push(
                conditions,
                "a parameter of a responder has no condition: write the method twice, each with a `cfg` of its own",
            );
        }
    }
}

/// The function is an `async fn` and nothing more.
pub(super) fn plain_function(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.push(signature.fn_token, "a responder is asynchronous: write `async fn`");
    }
    if !signature.generics.params.is_empty() {
        errors.push(&signature.generics, "a responder answers one command: it has no type or lifetime parameters");
    }
    let safety = match &signature.safety {
        Safety::Default => None,
        marked => Some(marked as &dyn ToTokens),
    };
    let also: [Option<&dyn ToTokens>; 5] = [
        signature.constness.as_ref().map(|word| word as _),
        safety,
        signature.abi.as_ref().map(|abi| abi as _),
        signature.variadic.as_ref().map(|dots| dots as _),
        signature.generics.where_clause.as_ref().map(|clause| clause as _),
    ];
    for more in also.into_iter().flatten() {
        errors.push(more, "a responder is a plain `async fn`: remove this");
    }
}

/// The method takes `&self`.
pub(super) fn receiver(signature: &Signature, errors: &mut Errors) {
    let Some(receiver) = signature.receiver() else { return };
    if !matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        errors.push(
            receiver,
            "a responder takes `&self`, because calls are answered at the same time: \
             keep what changes in a lock or an atomic",
        );
    }
}

/// The function's first parameter can be a command.
pub(super) fn command(signature: &Signature, command: Option<&Type>, errors: &mut Errors) {
    let Some(command) = command else {
        errors.push(&signature.ident, "a responder takes the command that it answers: `(&self, command: MyCommand)`");
        return;
    };
    match command {
        Type::Path(_) | Type::Group(_) | Type::Paren(_) | Type::Macro(_) => {}
        Type::Reference(_) => errors.push(command, "a responder owns its command: remove the `&`"),
        _ => errors.push(command, "a responder takes a command: a struct with `#[derive(Command)]`"),
    }
}

/// The other parameters can be filled in where the command is answered.
pub(super) fn exposed(types: &[&Type], form: Form, errors: &mut Errors) {
    for (at, ty) in types.iter().enumerate() {
        if form == Form::Trait {
            errors.push(
                ty,
                "a method of a responder trait takes one command, because its client sends nothing else: make this a field of the \
                 command, a struct with `#[derive(Command)]`; what is exposed is a field with `#[exposed]`, or a parameter of a \
                 responder in an `impl` block",
            );
        } else if at >= MAX_EXPOSED {
            errors.push(
                ty,
                format!(
                    "a responder takes at most {MAX_EXPOSED} parameters behind the command: put some in one `State`"
                ),
            );
        } else if let Type::Reference(_) = ty {
            errors.push(ty, "a responder owns what is exposed to it: remove the `&`");
        }
    }
}

/// The type that the function returns.
pub(super) fn reply<'a>(signature: &'a Signature, command: Option<&Type>, errors: &mut Errors) -> Option<&'a Type> {
    match &signature.output {
        ReturnType::Type(_, reply) => Some(reply),
        ReturnType::Default => {
            let command = command.map_or_else(|| "MyCommand".into(), |command| command.to_token_stream().to_string());
            errors
                .push(&signature.ident, format!("a responder returns the reply to its command: `-> Reply<{command}>`"));
            None
        }
    }
}

/// No two methods answer one type. Types that are written differently are compared by their names on the wire, in the expansion;
/// so are those behind a `cfg`, which may exclude each other.
pub(super) fn each_command_once(methods: &[Method<'_>], errors: &mut Errors) {
    let mut answered = HashMap::new();
    for method in methods.iter().filter(|method| method.conditions.is_empty()) {
        let command = method.command.to_token_stream().to_string();
        if let Some(first) = answered.get(&command) {
            errors.push(method.command, format!("`{first}` already answers `{command}`: a command has one responder"));
        } else {
            answered.insert(command, method.ident);
        }
    }
}
