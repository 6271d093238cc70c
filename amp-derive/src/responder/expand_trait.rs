//! A trait becomes itself, with futures that are `Send`, and gets a client and a locator.

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::{Expr, Ident, ItemTrait, ReturnType, Stmt, TraitItem, TraitItemFn, Type, parse_quote};

use super::dispatch::future_of;
use super::{Responder, names};
use crate::code::code;

/// The names that the parts share.
struct Names<'a> {
    item: &'a ItemTrait,
    client: Ident,
    locator: Ident,
}

impl<'a> Names<'a> {
    fn of(item: &'a ItemTrait) -> Self {
        let [client, locator] = ["Client", "Locator"].map(|what| format_ident!("{}{what}", item.ident));
        Self { item, client, locator }
    }
}

impl Responder<'_> {
    pub(super) fn expand_trait(&self, item: &ItemTrait) -> TokenStream {
        self.with_client(item, Self::client_methods)
    }

    /// Stands beside a report: the trait as the user meant it, a client that cannot call, and a locator.
    /// Whoever uses them has made no mistake.
    pub(super) fn stub_trait(&self, item: &ItemTrait) -> TokenStream {
        let usual = item.generics.params.is_empty() && item.unsafety.is_none() && item.modifiers.auto_token.is_none();
        if usual && item.items.iter().all(|member| matches!(member, TraitItem::Fn(_))) {
            return self.with_client(item, |_, names| stub_methods(names));
        }
        code!(#[allow(async_fn_in_trait)] #item)
    }

    fn with_client(&self, item: &ItemTrait, client_methods: fn(&Self, &Names<'_>) -> TokenStream) -> TokenStream {
        let names = Names::of(item);
        let parts = [
            rewritten(item),
            self.client(&names),
            client_methods(self, &names),
            locator(&names),
            locator_traits(&names),
            self.locator_dispatch(&names),
        ];
        parts.into_iter().collect()
    }

    fn client(&self, made: &Names<'_>) -> TokenStream {
        let (krate, client, vis) = (&self.krate, &made.client, &made.item.vis);
        let docs = format!("Calls the commands of [`{0}`] at the peer, as an implementor of [`{0}`].", made.item.ident);
        // Beside a report the trait may have a method of this name, which the client's own would hide.
        let connection = (!names::has(&made.item.items, "connection")).then(|| {
            code! {
                /// The connection that the commands are called over.
                #vis const fn connection(&self) -> &#krate::Connection {
                    &self.0
                }
            }
        });
        code! {
            #[doc = #docs]
            #[allow(dead_code)]
            #[::core::prelude::v1::derive(::core::clone::Clone, ::core::fmt::Debug)]
            #vis struct #client(#krate::Connection);

            #[allow(dead_code)]
            impl #client {
                /// A client that calls over `connection`.
                #vis fn new(connection: &#krate::Connection) -> Self {
                    Self(::core::clone::Clone::clone(connection))
                }

                #connection
            }
        }
    }

    fn client_methods(&self, names: &Names<'_>) -> TokenStream {
        let (client, item) = (&names.client, &names.item.ident);
        let methods = self.methods.iter().map(|method| method.call(&self.krate));
        code! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl #item for #client {
                #(#methods)*
            }
        }
    }

    fn locator_dispatch(&self, names: &Names<'_>) -> TokenStream {
        let (krate, locator, item) = (&self.krate, &names.locator, &names.item.ident);
        let locate = self.locate(&code!(&self.0), &code!(<__Implementor as #item>));
        let (ty, commands) = (self.commands_type(), self.commands());
        code! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl<__Implementor: #item + 'static> #krate::__private::Locator for #locator<__Implementor> {
                fn locate(&self, ask: #krate::__private::Ask) -> #krate::__private::Located {
                    #locate
                }

                fn commands(&self) -> ::std::vec::Vec<#krate::schema::CommandDeclaration> {
                    const COMMANDS: #ty = { #commands };
                    <#ty>::to_vec(&COMMANDS)
                }

                fn decodes_at_once(&self) -> ::core::primitive::bool {
                    true
                }
            }
        }
    }
}

fn locator(names: &Names<'_>) -> TokenStream {
    let Names { item: ItemTrait { ident, vis, .. }, locator, .. } = names;
    let docs = format!("Answers the commands of [`{ident}`] with an implementor of it.");
    code! {
        #[doc = #docs]
        #[allow(dead_code)]
        #vis struct #locator<__Implementor>(::std::sync::Arc<__Implementor>);

        #[allow(dead_code, deprecated)]
        impl<__Implementor: #ident + 'static> #locator<__Implementor> {
            /// A locator that answers with `responder`.
            #vis fn new(responder: __Implementor) -> Self {
                Self(::std::sync::Arc::new(responder))
            }

            /// A locator that answers with a responder that others hold too.
            #vis const fn from_arc(responder: ::std::sync::Arc<__Implementor>) -> Self {
                Self(responder)
            }
        }
    }
}

/// Clones share the responder; neither impl asks anything of it.
fn locator_traits(names: &Names<'_>) -> TokenStream {
    let locator = &names.locator;
    let name = locator.to_string();
    code! {
        #[automatically_derived]
        impl<__Implementor> ::core::clone::Clone for #locator<__Implementor> {
            fn clone(&self) -> Self {
                Self(::core::clone::Clone::clone(&self.0))
            }
        }

        #[automatically_derived]
        impl<__Implementor> ::core::fmt::Debug for #locator<__Implementor> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(#name)
            }
        }
    }
}

/// The trait with `async` spelled out, so that its futures can run on any thread.
fn rewritten(item: &ItemTrait) -> TokenStream {
    let mut item = item.clone();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.colon_token.get_or_insert_default();
    for member in &mut item.items {
        if let TraitItem::Fn(function) = member {
            rewrite(function);
        }
    }
    code!(#item)
}

fn rewrite(function: &mut TraitItemFn) {
    if function.sig.asyncness.take().is_none() {
        return;
    }
    let reply: Type = match &function.sig.output {
        ReturnType::Type(_, reply) => (**reply).clone(),
        ReturnType::Default => parse_quote!(()),
    };
    let future = future_of(&reply);
    function.sig.output = parse_quote!(-> #future);
    if let Some(body) = &mut function.default {
        // The type is written out: a body that gives another is told so, and not of an `async` block that nobody wrote.
        let future = code! {
            async move {
                #[allow(clippy::diverging_sub_expression)]
                let reply: #reply = #body;
                #[allow(unreachable_code)]
                reply
            }
        };
        let future: Expr = parse_quote!(#future);
        body.stmts = vec![Stmt::Expr(future, None)];
    }
}

/// The methods of a client that is never run.
fn stub_methods(Names { item, client, .. }: &Names<'_>) -> TokenStream {
    let ident = &item.ident;
    let methods = item.items.iter().filter_map(|member| match member {
        TraitItem::Fn(TraitItemFn { attrs, sig, .. }) => {
            let cfgs = attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
            // A body that never comes back is of any type that is written out, but `impl Future` is found out by the body.
            let body = match &sig.output {
                ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => code!(::core::future::pending()),
                _ => code!(::core::unreachable!()),
            };
            Some(code!(#(#cfgs)* #sig { #body }))
        }
        _ => None,
    });
    code! {
        #[automatically_derived]
        #[allow(unused)]
        impl #ident for #client {
            #(#methods)*
        }
    }
}
