//! `impl Command`.

use proc_macro2::{Span, TokenStream};
use syn::Ident;

use super::{Command, Constructor};
use crate::arguments::Struct;
use crate::code::code;
use crate::stub;

impl Command<'_> {
    pub(super) fn command(&self) -> TokenStream {
        let krate = &self.arguments.krate;
        let (declarations, expose) = (self.declarations(), self.expose());
        let command = self.arguments.implement(&code!(#krate::Command), &code!(#declarations #expose));
        let Struct { generics, deprecated, fields, .. } = &self.arguments;
        let own = fields.exposed.iter().filter_map(|field| field.own_answer(&self.name, generics, krate));
        code!(#command #(#deprecated #own)*)
    }

    /// The impl that is emitted beside a report. It keeps the types of the answer, because callers use them.
    pub(super) fn stub(&self) -> TokenStream {
        let krate = &self.arguments.krate;
        let Struct { ident, generics, deprecated, .. } = &self.arguments;
        stub::implement(ident, generics, &code!(#krate::Command), deprecated.as_ref(), &self.declarations())
    }

    fn declarations(&self) -> TokenStream {
        let Self { name, doc, response, errors, arguments, .. } = self;
        let krate = &arguments.krate;
        let response = response.as_ref().map_or_else(|| code!(()), |response| code!(#response));
        let errors = errors.as_ref().map_or_else(|| code!(#krate::__private::NoErrors), |errors| code!(#errors));
        let answered = (!self.answered).then(|| {
            code!(
                const ANSWERED: ::core::primitive::bool = false;
            )
        });
        let detached = self.detached.then(|| {
            code!(
                const DETACHED: ::core::primitive::bool = true;
            )
        });
        code! {
            type Response = #response;
            type Errors = #errors;
            const NAME: &'static ::core::primitive::str = #name;
            const DOC: &'static ::core::primitive::str = #doc;
            #answered
            #detached
        }
    }

    /// `new`, whose parameters are in the order of the fields that travel.
    pub(super) fn constructor(&self) -> Option<TokenStream> {
        let Constructor { word, vis } = self.constructor.as_ref()?;
        let Struct { ident, generics, krate, fields, deprecated, .. } = &self.arguments;
        let (parameters, arguments, clause) = generics.split_for_impl();
        let fields_in_order = fields.in_order();
        let many = (fields_in_order.len() > 7).then(|| code!(#[allow(clippy::too_many_arguments)]));
        let taken = fields_in_order.iter().map(|(member, ty)| code!(#member: #ty));
        let members = fields_in_order.iter().map(|(member, _)| member);
        let exposed = fields.exposed.iter().map(|field| field.member);
        let new = Ident::new("new", Span::mixed_site().located_at(word.span()));
        Some(code! {
            #deprecated
            impl #parameters #ident #arguments #clause {
                /// Creates the command from the fields that travel. Exposed fields are empty until it is answered.
                #[must_use]
                #many
                #vis fn #new(#(#taken),*) -> Self {
                    Self { #(#members,)* #(#exposed: #krate::Exposed::empty(),)* }
                }
            }
        })
    }

    fn expose(&self) -> Option<TokenStream> {
        let krate = &self.arguments.krate;
        let exposed = &self.arguments.fields.exposed;
        let lines = exposed.iter().map(|field| field.expose(krate));
        let early = exposed.iter().map(|field| field.early_answer(krate));
        (!exposed.is_empty()).then(|| {
            code! {
                const EARLY_ANSWER: ::core::option::Option<&'static ::core::primitive::str> =
                    #krate::__private::joined(&[#(#early),*]);

                fn expose(
                    &mut self,
                    context: &dyn #krate::__private::Context,
                ) -> ::core::result::Result<(), #krate::__private::ExposeError> {
                    #(#lines)*
                    ::core::result::Result::Ok(())
                }
            }
        })
    }
}
