//! From an ask to the method that answers it: one line a method.

use proc_macro2::{Literal, Span, TokenStream};
use syn::{Ident, Path, Type};

use super::{Method, Responder};
use crate::code::{as_trait, call_at, code, standing_at};

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
        let Self { cfgs, ident, reply, .. } = self;
        let run = code!(|responder, command| async move { #owner::#ident(&responder, command).await });
        let run = standing_at(reply, run);
        let answered = self.through("answer", code!(located, #shared, #run), krate);
        code!(#(#cfgs)* let located = #answered;)
    }

    fn name(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, command, .. } = self;
        let answer = as_trait(command, &code!(#krate::__private::Answer));
        let and = standing_at(command, code!(names.and));
        let name = call_at(command, code!(#answer::NAME));
        code!(#(#cfgs)* let names = #and #name;)
    }

    /// The method of the client.
    pub(super) fn call(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, ident, command, reply } = self;
        let future = future_of(reply);
        let called = self.through("call", code!(command, &self.0), krate);
        code! {
            #(#cfgs)*
            fn #ident(&self, command: #command) -> #future {
                #called
            }
        }
    }

    /// A function of the command as clients and locators see it, called at the command's type.
    fn through(&self, function: &str, arguments: TokenStream, krate: &Path) -> TokenStream {
        let answer = as_trait(self.command, &code!(#krate::__private::Answer));
        let function = Ident::new(function, Span::mixed_site());
        let function = standing_at(self.command, code!(::#function));
        let arguments = call_at(self.command, arguments);
        code!(#answer #function #arguments)
    }
}

/// What an `async fn` that gives `reply` returns, with the promise that it can run on any thread.
pub(super) fn future_of(reply: &Type) -> TokenStream {
    let begin = standing_at(reply, code!(impl ::core::future::Future<Output =));
    let end = standing_at(reply, code!(> + ::core::marker::Send));
    code!(#begin #reply #end)
}
