//! A trait becomes itself, with futures that are `Send`, and gets a client and a locator.

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::{Expr, Ident, ItemTrait, ReturnType, Stmt, TraitItem, TraitItemFn, parse_quote};

use super::{Method, Responder};
use crate::code::code;

/// The names that the parts share.
struct Names<'a> {
    item: &'a ItemTrait,
    client: Ident,
    locator: Ident,
}

impl Responder<'_> {
    pub(super) fn expand_trait(&self, item: &ItemTrait) -> TokenStream {
        let names = Names {
            item,
            client: format_ident!("{}Client", item.ident),
            locator: format_ident!("{}Locator", item.ident),
        };
        let parts = [
            rewritten(item),
            self.client(&names),
            self.client_methods(&names),
            locator(&names),
            locator_traits(&names),
            self.locator_dispatch(&names),
        ];
        parts.into_iter().collect()
    }

    fn client(&self, names: &Names<'_>) -> TokenStream {
        let (krate, client, vis) = (&self.krate, &names.client, &names.item.vis);
        let docs =
            format!("Calls the commands of [`{0}`] at the peer, as an implementor of [`{0}`].", names.item.ident);
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

                /// The connection that the commands are called over.
                #vis const fn connection(&self) -> &#krate::Connection {
                    &self.0
                }
            }
        }
    }

    fn client_methods(&self, names: &Names<'_>) -> TokenStream {
        let (client, item) = (&names.client, &names.item.ident);
        let methods = self.methods.iter().map(|Method { cfgs, ident, command, reply }| code! {
            #(#cfgs)*
            fn #ident(&self, command: #command) -> impl ::core::future::Future<Output = #reply> + ::core::marker::Send {
                self.0.call::<#command>(command)
            }
        });
        code! {
            #[automatically_derived]
            impl #item for #client {
                #(#methods)*
            }
        }
    }

    fn locator_dispatch(&self, names: &Names<'_>) -> TokenStream {
        let (krate, locator, item) = (&self.krate, &names.locator, &names.item.ident);
        let locate = self.locate(&code!(&self.0), &code!(<Implementor as #item>));
        let (ty, commands) = (self.names_type(), self.names());
        code! {
            #[automatically_derived]
            impl<Implementor: #item + 'static> #krate::Locator for #locator<Implementor> {
                fn locate(&self, ask: #krate::Ask) -> #krate::Located {
                    #locate
                }

                fn commands(&self) -> ::std::vec::Vec<&'static ::core::primitive::str> {
                    const NAMES: #ty = { #commands };
                    NAMES.to_vec()
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
        #vis struct #locator<Implementor>(::std::sync::Arc<Implementor>);

        #[allow(dead_code)]
        impl<Implementor: #ident + 'static> #locator<Implementor> {
            /// A locator that answers with `responder`.
            #vis fn new(responder: Implementor) -> Self {
                Self(::std::sync::Arc::new(responder))
            }

            /// A locator that answers with a responder that others hold too.
            #vis const fn from_arc(responder: ::std::sync::Arc<Implementor>) -> Self {
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
        impl<Implementor> ::core::clone::Clone for #locator<Implementor> {
            fn clone(&self) -> Self {
                Self(::core::clone::Clone::clone(&self.0))
            }
        }

        #[automatically_derived]
        impl<Implementor> ::core::fmt::Debug for #locator<Implementor> {
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
    function.sig.asyncness = None;
    if let ReturnType::Type(_, reply) = &mut function.sig.output {
        *reply = parse_quote!(impl ::core::future::Future<Output = #reply> + ::core::marker::Send);
    }
    if let Some(body) = &mut function.default {
        let future: Expr = parse_quote!(async move #body);
        body.stmts = vec![Stmt::Expr(future, None)];
    }
}
