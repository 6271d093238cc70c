//! An `impl` block stays as it is, and its type gets `into_locator`.

use proc_macro2::TokenStream;
use syn::{ItemImpl, Type, WhereClause, parse_quote};

use super::{Method, Responder, names};
use crate::code::{block_at, code, standing_at};
use crate::generics::stands_alone;

impl Responder<'_> {
    pub(super) fn expand_impl(&self, item: &ItemImpl) -> TokenStream {
        let mut written = item.clone();
        written.items.iter_mut().for_each(names::leave_out_settings);
        // A responder is `async` whether it awaits something or not.
        let block = code!(#[allow(clippy::unused_async)] #written);
        let parts = [block, self.dispatch(item), self.conversion(item), self.reports()];
        parts.into_iter().collect()
    }

    fn dispatch(&self, item: &ItemImpl) -> TokenStream {
        let (krate, this, deprecated) = (&self.krate, &item.self_ty, &self.deprecated);
        let (parameters, _, _) = item.generics.split_for_impl();
        let clause = clause(item);
        let locate = self.locate(&code!(this), &code!(<#this>));
        let (ty, commands) = (self.commands_type(), self.commands());
        // Commands that depend on a type parameter are known only where the parameter is.
        let stands_alone =
            |method: &Method<'_>| [method.command, method.reply].iter().all(|ty| stands_alone(ty, &item.generics));
        let list = if self.methods.iter().all(stands_alone) {
            code!(const COMMANDS: #ty = { #commands }; <#ty>::to_vec(&COMMANDS))
        } else {
            code!(<#ty>::to_vec(&const { #commands }))
        };
        let own = self.own_answers(item);
        let body = code! {
            fn locate(this: &::std::sync::Arc<Self>, ask: #krate::__private::Ask) -> #krate::__private::Located {
                #locate
            }

            fn commands() -> ::std::vec::Vec<#krate::schema::CommandDeclaration> {
                #own
                #list
            }
        };
        // For a second block the compiler reports the whole impl: it has the span of the user's type.
        let (first, body) = (standing_at(this, code!(impl)), block_at(this, body));
        code! {
            #[automatically_derived]
            #deprecated
            #first #parameters #krate::__private::OneResponderBlock for #this #clause #body
        }
    }

    /// Fails at compile time for parameters that answer another command than their method's, unless a type parameter decides.
    fn own_answers(&self, item: &ItemImpl) -> TokenStream {
        let stands_alone = |ty: &&Type| stands_alone(ty, &item.generics);
        let methods = self.methods.iter().filter(|method| stands_alone(&method.command));
        let own = methods.flat_map(|method| {
            let own = method.exposed.iter().copied().filter(stands_alone);
            own.map(|ty| method.own_answer(ty, &self.krate))
        });
        own.collect()
    }

    /// `into_locator`. It is `pub` because the type's own visibility is not known here, and bounds it anyway.
    fn conversion(&self, item: &ItemImpl) -> TokenStream {
        let (krate, this, deprecated) = (&self.krate, &item.self_ty, &self.deprecated);
        let (parameters, _, _) = item.generics.split_for_impl();
        let clause = clause(item);
        let method = standing_at(this, code!(pub fn into_locator(self) -> impl #krate::__private::Locator));
        code! {
            #deprecated
            impl #parameters #this #clause {
                /// Converts it into a locator that answers commands with its methods.
                #method {
                    #krate::__private::Dispatcher::new(self)
                }
            }
        }
    }
}

/// The where clause. A type with parameters may fulfil the bounds of a responder for some of them only.
fn clause(item: &ItemImpl) -> Option<WhereClause> {
    let (mut generics, this) = (item.generics.clone(), &item.self_ty);
    if !generics.params.is_empty() {
        let lives = parse_quote!(#this: ::core::marker::Send + ::core::marker::Sync + 'static);
        generics.make_where_clause().predicates.push(lives);
    }
    generics.where_clause
}
