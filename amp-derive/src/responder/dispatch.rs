//! From an ask to the method that answers it: one line a method.

use proc_macro2::{Literal, TokenStream};
use syn::Path;

use super::{Method, Responder};
use crate::code::{as_trait, code, standing_at};

impl Responder<'_> {
    /// Finds the method for `ask`. `shared` holds the responder, whose methods are those of `owner`.
    pub(super) fn locate(&self, shared: &TokenStream, owner: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        let lines = self.methods.iter().map(|method| method.answer(shared, owner, krate));
        code! {
            let located = #krate::Located::Unknown(ask);
            #(#lines)*
            located
        }
    }

    /// The names of the commands, all different or else the program does not compile.
    pub(super) fn names(&self) -> TokenStream {
        let (krate, ty) = (&self.krate, self.names_type());
        let lines = self.methods.iter().map(|method| method.name(krate));
        code! {
            let names = <#ty>::NONE;
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
    fn answer(&self, shared: &TokenStream, owner: &TokenStream, krate: &Path) -> TokenStream {
        let Self { cfgs, ident, command, reply } = self;
        let answer = as_trait(command, code!(#krate::__private::Answer));
        let run =
            standing_at(reply, code!(|responder, command| async move { #owner::#ident(&responder, command).await }));
        code!(#(#cfgs)* let located = #answer::answer(located, #shared, #run);)
    }

    fn name(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, command, .. } = self;
        let answer = as_trait(command, code!(#krate::__private::Answer));
        let and = standing_at(command, code!(names.and));
        let name = standing_at(command, code!((#answer::NAME)));
        code!(#(#cfgs)* let names = #and #name;)
    }

    /// The method of the client.
    pub(super) fn call(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, ident, command, reply } = self;
        let future = standing_at(reply, code!(impl ::core::future::Future));
        let answer = as_trait(command, code!(#krate::__private::Answer));
        code! {
            #(#cfgs)*
            fn #ident(&self, command: #command) -> #future<Output = #reply> + ::core::marker::Send {
                #answer::call(command, &self.0)
            }
        }
    }
}
