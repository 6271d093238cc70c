//! The rules for a struct that travels as a box.

use syn::{Data, DeriveInput};

use crate::attributes::Place;
use crate::errors::Errors;
use crate::fields::refuse_exposed;
use crate::generics::refuse_lifetimes;

/// The item is a struct whose fields have names, and owns its parts.
pub(super) fn item(input: &DeriveInput, place: Place, errors: &mut Errors) {
    refuse_exposed(&input.attrs, errors);
    refuse_lifetimes(
        &input.generics,
        "what arrives owns its parts: use owned types, such as `String` for `&str`",
        errors,
    );
    let (this, what) = match place {
        Place::Command => ("#[derive(Command)]", "arguments"),
        _ => ("#[derive(Arguments)]", "pairs of the box"),
    };
    let wrong = || format!("`{this}` stands on a struct, whose fields are the {what}");
    match &input.data {
        Data::Struct(data) => {
            if let syn::Fields::Unnamed(fields) = &data.fields {
                errors.push(fields, "what travels in a box has names: write `{ name: Type, .. }`, or nothing at all");
            }
        }
        Data::Enum(data) => errors.push(data.enum_token, wrong()),
        Data::Union(data) => errors.push(data.union_token, wrong()),
    }
}
