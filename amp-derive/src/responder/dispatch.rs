//! From an ask to the method that answers it: one line a method.

use proc_macro2::{Literal, TokenStream};

use super::{Method, Responder};
use crate::code::{code, standing_at};

impl Responder<'_> {
    /// Finds the method for `ask`. `shared` holds the responder, whose methods are those of `owner`.
    pub(super) fn locate(&self, shared: &TokenStream, owner: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        let lines = self.methods.iter().map(|method| method.locate(shared, owner, krate));
        code! {
            #(#lines)*
            #krate::Located::Unknown(ask)
        }
    }

    /// The names of the commands, all different or else the program does not compile.
    pub(super) fn names(&self) -> TokenStream {
        let ty = self.names_type();
        let lines = self.methods.iter().map(|Method { cfgs, command, .. }| {
            let and = standing_at(command, code!(names.and));
            code!(#(#cfgs)* let names = #and::<#command>();)
        });
        code! {
            let names = <#ty>::new();
            #(#lines)*
            names
        }
    }

    /// The type of the constant that holds the names.
    pub(super) fn names_type(&self) -> TokenStream {
        let krate = &self.krate;
        let most = Literal::usize_suffixed(self.methods.len());
        code!(#krate::__private::Names<#most>)
    }
}

impl Method<'_> {
    fn locate(&self, shared: &TokenStream, owner: &TokenStream, krate: &syn::Path) -> TokenStream {
        let Self { cfgs, ident, command, .. } = self;
        let is = standing_at(command, code!(ask.is));
        let respond = standing_at(command, code!(#krate::__private::respond));
        code! {
            #(#cfgs)*
            if #is::<#command>() {
                return #respond::<#command, _, _, _>(ask, #shared, |responder, command| async move {
                    #owner::#ident(&responder, command).await
                });
            }
        }
    }
}
