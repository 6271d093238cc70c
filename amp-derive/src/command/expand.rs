//! `impl Command`.

use proc_macro2::TokenStream;

use super::Command;
use crate::code::code;
use crate::stub;

impl Command<'_> {
    pub(super) fn command(&self) -> TokenStream {
        let krate = &self.arguments.krate;
        let (declarations, expose) = (self.declarations(), self.expose());
        self.arguments.implement(&code!(#krate::Command), &code!(#declarations #expose))
    }

    /// The impl that stands beside a report. It keeps the types of the answer, because callers look at them.
    pub(super) fn stub(&self) -> TokenStream {
        let krate = &self.arguments.krate;
        stub::implement(self.arguments.ident, self.arguments.generics, &code!(#krate::Command), &self.declarations())
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

    fn expose(&self) -> Option<TokenStream> {
        let krate = &self.arguments.krate;
        let exposed = &self.arguments.fields.exposed;
        let lines = exposed.iter().map(|field| field.expose(krate));
        (!exposed.is_empty()).then(|| {
            code! {
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
