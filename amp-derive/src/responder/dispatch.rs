//! From an ask to the method that answers it: one line a method.

use proc_macro2::{Literal, Span, TokenStream};
use quote::format_ident;
use syn::{Ident, Path, Type};

use super::{Method, Mistaken, Responder};
use crate::code::{as_trait, call_at, code, reaching_over, standing_at};

impl Responder<'_> {
    /// Finds the method for `ask`. `shared` holds the responder, whose methods are those of `owner`.
    pub(super) fn locate(&self, shared: &TokenStream, owner: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        let lines = self.methods.iter().map(|method| method.answer(shared, owner, krate));
        code! {
            #(#lines)*
            #krate::__private::Located::Unknown(ask)
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

    /// The mistakes of parts that may not be compiled.
    pub(super) fn reports(&self) -> TokenStream {
        let reports = self
            .mistaken
            .iter()
            .map(|Mistaken { conditions, report, .. }| code!(#conditions const _: () = { #report };));
        reports.collect()
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
        let Self { conditions, ident, exposed, reply, .. } = self;
        let names: Vec<Ident> =
            (0..exposed.len()).map(|at| format_ident!("exposed_{at}", span = Span::mixed_site())).collect();
        let types = exposed.iter().map(|ty| exposed_type(ty, krate));
        let types = call_at(reply, code!(#(#types,)*));
        let method = reaching_over(reply, code!(#owner::#ident));
        let given = reaching_over(reply, code!(#method(&responder, command, #(#names),*)));
        let begin = self.spawned.then(|| code!(#krate::__private::in_a_task().await;));
        let future = reaching_over(reply, code!(async move { #begin #krate::__private::given(#given).await }));
        let run = reaching_over(reply, code!(|responder, command, (#(#names,)*): #types| #future));
        let is_asked = self.through("is_asked", &code!(&ask), krate);
        let answer = self.through("answer", &code!(ask, #shared, #run), krate);
        code!(#conditions if #is_asked { return #answer; })
    }

    /// Fails at compile time if a parameter of the type answers another command.
    pub(super) fn own_answer(&self, ty: &Type, krate: &Path) -> TokenStream {
        let Self { conditions, command, .. } = self;
        let parameter = exposed_type(ty, krate);
        let answers = standing_at(ty, code!(#krate::__private::parameter_answers));
        let name = call_at(ty, code!(<#command as #krate::Command>::NAME));
        code!(#conditions const _: ::core::primitive::bool = #answers::<#parameter>#name;)
    }

    fn declaration(&self, krate: &Path) -> TokenStream {
        let Self { conditions, command, .. } = self;
        let reply = self.reply_to(krate);
        let and = standing_at(command, code!(commands.and));
        let declaration = call_at(command, code!(#reply::DECLARATION));
        code!(#conditions let commands = #and #declaration;)
    }

    /// The method of the client.
    pub(super) fn call(&self, krate: &Path) -> TokenStream {
        let caller = code!(<#krate::__private::Clients as #krate::__private::ClientOf<_, _>>::caller(self));
        self.implemented(&self.through("call", &code!(command, #caller), krate))
    }

    /// The method of a type that holds an implementor, whose methods are those of `owner`.
    pub(super) fn delegate(&self, owner: &TokenStream) -> TokenStream {
        let ident = self.ident;
        self.implemented(&standing_at(self.command, code!(#owner::#ident(&**self, command))))
    }

    /// The method with a body that returns its future.
    pub(super) fn implemented(&self, body: &TokenStream) -> TokenStream {
        let Self { conditions, ident, command, reply, .. } = self;
        let future = future_of(reply);
        code! {
            #conditions
            fn #ident(&self, command: #command) -> #future {
                #body
            }
        }
    }

    /// A function of the command as clients and locators see it, called at the type of the reply.
    fn through(&self, function: &str, arguments: &TokenStream, krate: &Path) -> TokenStream {
        let reply = self.reply_to(krate);
        let function = Ident::new(function, Span::mixed_site());
        let function = reaching_over(self.reply, code!(#reply::#function));
        reaching_over(self.reply, code!(#function(#arguments)))
    }

    fn reply_to(&self, krate: &Path) -> TokenStream {
        let command = self.command;
        as_trait(self.reply, &code!(#krate::__private::ReplyTo<#command>))
    }
}

/// The type itself, reported where it stands when nothing provides it.
fn exposed_type(ty: &Type, krate: &Path) -> TokenStream {
    let parameter = as_trait(ty, &code!(#krate::__private::ExposedParameter));
    let member = standing_at(ty, code!(::Type));
    code!(#parameter #member)
}

/// The return type of an `async fn` that returns `reply`, with the promise that it can run on any thread.
pub(super) fn future_of(reply: &Type) -> TokenStream {
    let output = reaching_over(reply, code!(Output = #reply));
    reaching_over(reply, code!(impl ::core::future::Future<#output> + ::core::marker::Send))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::attributes::Settings;
    use crate::errors::Errors;

    #[test]
    fn an_ask_is_looked_at_for_every_method_and_moved_to_one() {
        let item = parse_quote! {
            trait Calculator {
                async fn sum(&self, command: Sum) -> Reply<Sum>;
                async fn divide(&self, command: Divide) -> Reply<Divide>;
            }
        };
        let mut errors = Errors::default();
        let responder = Responder::of_trait(&item, &Settings::default(), &mut errors);
        assert!(errors.report().is_none());
        let located: syn::Block = {
            let located = responder.locate(&code!(&self.0), &code!(<T as Calculator>));
            parse_quote!({ #located })
        };
        let written = quote::ToTokens::to_token_stream(&located).to_string();
        assert_eq!(located.stmts.len(), 3, "a statement for each method, and the end: {written}");
        assert_eq!(written.matches(":: is_asked (& ask)").count(), 2, "{written}");
        assert_eq!(written.matches("{ return <").count(), 2, "{written}");
        assert_eq!(written.matches(":: answer (ask ,").count(), 2, "{written}");
        assert!(written.ends_with(":: amp :: __private :: Located :: Unknown (ask) }"), "{written}");
    }
}
