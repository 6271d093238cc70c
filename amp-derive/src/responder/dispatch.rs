//! From an ask to the method that answers it: one line a method.

use proc_macro2::{Literal, Span, TokenStream};
use quote::format_ident;
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

    /// The commands, all of different names or else the program does not compile.
    pub(super) fn commands(&self) -> TokenStream {
        let (krate, ty) = (&self.krate, self.commands_type());
        let lines = self.methods.iter().map(|method| method.declaration(krate));
        code! {
            let commands = <#ty>::NONE;
            #(#lines)*
            commands
        }
    }

    /// The type of the constant that holds the commands.
    pub(super) fn commands_type(&self) -> TokenStream {
        let krate = &self.krate;
        let most = Literal::usize_suffixed(self.methods.len());
        code!(#krate::__private::Commands<#most>)
    }
}

impl Method<'_> {
    fn answer(&self, shared: &TokenStream, owner: &TokenStream, krate: &Path) -> TokenStream {
        let Self { cfgs, ident, exposed, reply, .. } = self;
        let names: Vec<Ident> =
            (0..exposed.len()).map(|at| format_ident!("exposed_{at}", span = Span::mixed_site())).collect();
        let types = exposed.iter().map(|ty| exposed_type(ty, krate));
        let begin = standing_at(reply, code!(|responder, command, (#(#names,)*):));
        let types = call_at(reply, code!(#(#types,)*));
        let body = code!(| async move { #owner::#ident(&responder, command, #(#names),*).await });
        let end = standing_at(reply, body);
        let run = code!(#begin #types #end);
        let answered = self.through("answer", code!(located, #shared, #run), krate);
        code!(#(#cfgs)* let located = #answered;)
    }

    fn declaration(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, command, .. } = self;
        let answer = as_trait(command, &code!(#krate::__private::Answer));
        let and = standing_at(command, code!(commands.and));
        let declaration = call_at(command, code!(#answer::DECLARATION));
        code!(#(#cfgs)* let commands = #and #declaration;)
    }

    /// The method of the client.
    pub(super) fn call(&self, krate: &Path) -> TokenStream {
        let Self { cfgs, ident, command, reply, .. } = self;
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

/// The type itself, reported where it stands when nothing provides it.
fn exposed_type(ty: &Type, krate: &Path) -> TokenStream {
    let parameter = as_trait(ty, &code!(#krate::__private::ExposedParameter));
    let member = standing_at(ty, code!(::Type));
    code!(#parameter #member)
}

/// What an `async fn` that gives `reply` returns, with the promise that it can run on any thread.
pub(super) fn future_of(reply: &Type) -> TokenStream {
    let begin = standing_at(reply, code!(impl ::core::future::Future<Output =));
    let end = standing_at(reply, code!(> + ::core::marker::Send));
    code!(#begin #reply #end)
}
