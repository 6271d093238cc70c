//! A trait is emitted with futures that are `Send`, and gets a client and a locator.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::{
    Expr, FnArg, Ident, ItemTrait, Path, ReturnType, Signature, Stmt, TraitItem, TraitItemFn, Type, parse_quote,
};

use super::dispatch::future_of;
use super::{Responder, names};
use crate::code::{call_at, code, standing_at};
use crate::conditions::Conditions;

/// The names that the parts share.
pub(super) struct Names<'a> {
    pub(super) item: &'a ItemTrait,
    client: Ident,
    locator: Ident,
    pub(super) object: Ident,
}

impl<'a> Names<'a> {
    fn of(item: &'a ItemTrait) -> Self {
        // With the span of the macro, so that no lint reports the name as unused.
        let span = Span::mixed_site().located_at(item.ident.span());
        let [client, locator] =
            ["Client", "Locator"].map(|what| format_ident!("{}{what}", item.ident.unraw(), span = span));
        let object = format_ident!("Dyn{}", item.ident.unraw(), span = span);
        Self { item, client, locator, object }
    }

    /// The content of an `Arc`, as an implementor.
    fn shared(&self) -> TokenStream {
        let item = &self.item.ident;
        code!(<__Implementor as #item>)
    }
}

impl Responder<'_> {
    pub(super) fn expand_trait(&self, item: &ItemTrait) -> TokenStream {
        self.with_client(item, Self::implementors)
    }

    /// Emitted beside a report: the trait as the user meant it, a client that cannot call, and a locator. Code that uses them has
    /// no mistake.
    pub(super) fn stub_trait(&self, item: &ItemTrait) -> TokenStream {
        let usual = item.generics.params.is_empty() && item.unsafety.is_none() && item.modifiers.auto_token.is_none();
        if usual && item.items.iter().all(|member| matches!(member, TraitItem::Fn(_))) {
            return self.with_client(item, Self::stub_implementors);
        }
        code!(#[allow(async_fn_in_trait)] #item)
    }

    fn with_client(&self, item: &ItemTrait, implementors: fn(&Self, &Names<'_>) -> TokenStream) -> TokenStream {
        let names = Names::of(item);
        let parts = [
            rewritten(item, &self.krate),
            self.client(&names),
            implementors(self, &names),
            locator(&names, self.deprecated.as_ref()),
            locator_traits(&names),
            self.locator_dispatch(&names),
            self.reports(),
        ];
        parts.into_iter().collect()
    }

    fn client(&self, made: &Names<'_>) -> TokenStream {
        let Names { item, client, locator, .. } = made;
        let (krate, deprecated) = (&self.krate, &self.deprecated);
        let ItemTrait { ident, vis, .. } = item;
        let docs = format!("Calls the commands of [`{0}`] at the peer, as an implementor of [`{0}`].", item.ident);
        // Beside a report the trait may have a method of one of these names, which the client's own would hide.
        let own = |name: &str, method: TokenStream| (!names::has(&item.items, name)).then_some(method);
        let methods = [
            own(
                "connection",
                code! {
                    /// Returns the connection that the commands are called over.
                    #vis const fn connection(&self) -> &#krate::Connection {
                        self.0.connection()
                    }
                },
            ),
            own(
                "with_timeout",
                code! {
                    /// Returns a client whose calls fail with `CallError::Timeout` if their answers do not arrive within `timeout`, counted
                    /// from the first poll of each call.
                    #vis fn with_timeout(&self, timeout: ::core::time::Duration) -> Self {
                        Self(self.0.with_timeout(timeout))
                    }
                },
            ),
            own(
                "with_no_timeout",
                code! {
                    /// Returns a client whose calls have no time limit, whatever the settings of the connection are.
                    #vis fn with_no_timeout(&self) -> Self {
                        Self(self.0.with_no_timeout())
                    }
                },
            ),
        ];
        code! {
            #[doc = #docs]
            #[::core::prelude::v1::derive(::core::clone::Clone, ::core::fmt::Debug)]
            #vis struct #client(#krate::__private::Caller);

            impl #client {
                /// Creates a client that calls over `connection`.
                #vis fn new(connection: &#krate::Connection) -> Self {
                    Self(#krate::__private::Caller::new(connection))
                }

                #(#methods)*
            }

            // Otherwise a trait would be reported that only the client implements, though the client is there for others to use.
            #deprecated
            const _: () = {
                const fn is_used<__Implementor: #ident + 'static>(_: fn(&#krate::Connection) -> __Implementor) {
                    let _ = #locator::<__Implementor>::new;
                }
                is_used(#client::new);
            };
        }
    }

    /// The client and an `Arc` of any implementor are implementors, too.
    fn implementors(&self, names: &Names<'_>) -> TokenStream {
        let object = self.has_object.then(|| self.object(names));
        let mistaken = || self.mistaken.iter().filter_map(|part| Some(stub_method(&part.conditions, part.signature?)));
        let called = self.methods.iter().map(|method| method.call(&self.krate)).chain(mistaken());
        let shared = names.shared();
        let delegated = self.methods.iter().map(|method| method.delegate(&shared)).chain(mistaken());
        let parts = [Some(self.client_implements(names, called)), Some(self.arc_implements(names, delegated)), object];
        parts.into_iter().flatten().collect()
    }

    /// The same, never run: they are emitted beside a report.
    fn stub_implementors(&self, names: &Names<'_>) -> TokenStream {
        let methods = || {
            names.item.items.iter().filter_map(|member| match member {
                TraitItem::Fn(TraitItemFn { attrs, sig, .. }) => Some(stub_method(&Conditions::of(attrs), sig)),
                _ => None,
            })
        };
        [self.client_implements(names, methods()), self.arc_implements(names, methods())].into_iter().collect()
    }

    /// The client, and that of each trait that extends this one.
    fn client_implements(&self, names: &Names<'_>, methods: impl Iterator<Item = TokenStream>) -> TokenStream {
        let (Names { item, client, locator, .. }, krate, deprecated) = (names, &self.krate, &self.deprecated);
        let ItemTrait { ident, supertraits, .. } = item;
        let called = [locator.clone()].into_iter().map(|locator| code!(#locator));
        let called = called.chain(self.extends.iter().map(|path| {
            let locator = locator_of(path);
            code!(#locator)
        }));
        let also = (!supertraits.is_empty()).then(|| code!(+ #supertraits));
        code! {
            #(
                #[automatically_derived]
                impl #krate::__private::ClientOf<#client, #called<()>> for #krate::__private::Clients {
                    fn caller(client: &#client) -> &#krate::__private::Caller {
                        &client.0
                    }
                }
            )*

            #[automatically_derived]
            #deprecated
            impl<__Client: ::core::marker::Send + ::core::marker::Sync + 'static #also> #ident for __Client
            where
                #krate::__private::Clients: #krate::__private::ClientOf<__Client, #locator<()>>,
            {
                #(#methods)*
            }
        }
    }

    /// Where an `Arc` has the supertraits that the user asks for.
    fn arc_implements(&self, names: &Names<'_>, methods: impl Iterator<Item = TokenStream>) -> TokenStream {
        let (ItemTrait { ident, supertraits, .. }, deprecated) = (names.item, &self.deprecated);
        let clause = (!supertraits.is_empty()).then(|| code!(where Self: #supertraits));
        code! {
            #[automatically_derived]
            #deprecated
            impl<__Implementor: #ident + ?::core::marker::Sized> #ident for ::std::sync::Arc<__Implementor> #clause {
                #(#methods)*
            }
        }
    }

    /// Checks at compile time that an extended trait has no command of the same name as another: reported where the trait is
    /// named.
    fn apart(&self, names: &Names<'_>) -> Vec<TokenStream> {
        let (krate, client, deprecated) = (&self.krate, &names.client, &self.deprecated);
        let own = code!(#krate::__private::OwnCommands<#client>);
        let locator = &names.locator;
        let all: Vec<TokenStream> = [code!(#locator)]
            .into_iter()
            .chain(self.extends.iter().map(|path| locator_of(path).to_token_stream()))
            .collect();
        let looks = self.extends.iter().enumerate().flat_map(|(at, path)| {
            let this = all[at + 1].clone();
            all[..=at].iter().map(move |other| (path, this.clone(), other.clone())).collect::<Vec<_>>()
        });
        looks
            .map(|(path, this, other)| {
                let look = standing_at(path, code!(#krate::__private::traits_stand_apart));
                let arguments =
                    call_at(path, code!(<#this<#client> as #own>::COMMANDS, <#other<#client> as #own>::COMMANDS));
                code!(#deprecated const _: () = #look #arguments;)
            })
            .collect()
    }

    fn locator_dispatch(&self, names: &Names<'_>) -> TokenStream {
        let (krate, locator, item) = (&self.krate, &names.locator, &names.item.ident);
        let deprecated = &self.deprecated;
        let locate = self.locate(&code!(shared), &names.shared());
        let (ty, commands) = (self.commands_type(), self.commands());
        let own = code!(#krate::__private::OwnCommands<__Implementor>);
        let extended: Vec<Path> = self.extends.iter().map(locator_of).collect();
        let apart = self.apart(names);
        code! {
            #[automatically_derived]
            #deprecated
            impl<__Implementor: #item + 'static> #own for #locator<__Implementor> {
                fn locate(shared: &::std::sync::Arc<__Implementor>, ask: #krate::__private::Ask) -> #krate::__private::Located {
                    #locate
                }

                const COMMANDS: &'static [::core::option::Option<#krate::schema::CommandDeclaration>] = {
                    const OWN: &#ty = &{ #commands };
                    <#ty>::as_slice(OWN)
                };

                fn commands() -> ::std::vec::Vec<#krate::schema::CommandDeclaration> {
                    ::core::iter::Iterator::collect(::core::iter::Iterator::copied(::core::iter::Iterator::flatten(
                        <[_]>::iter(<Self as #own>::COMMANDS),
                    )))
                }
            }

            #(#apart)*

            #[automatically_derived]
            #deprecated
            impl<__Implementor: #item + 'static> #krate::__private::Locator for #locator<__Implementor> {
                fn locate(&self, ask: #krate::__private::Ask) -> #krate::__private::Located {
                    let located = <Self as #own>::locate(&self.0, ask);
                    #(
                        let extended = |ask| <#extended<__Implementor> as #own>::locate(&self.0, ask);
                        let located = #krate::__private::Located::or_else(located, extended);
                    )*
                    located
                }

                fn commands(&self) -> ::std::vec::Vec<#krate::schema::CommandDeclaration> {
                    let commands = [<Self as #own>::commands() #(, <#extended<__Implementor> as #own>::commands())*];
                    <[_]>::concat(&commands)
                }

                fn keeps_asks(&self) -> ::core::primitive::bool {
                    false
                }
            }
        }
    }
}

/// The locator that stands beside a responder trait.
fn locator_of(path: &Path) -> Path {
    let mut path = path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = format_ident!("{}Locator", last.ident.unraw(), span = last.ident.span());
    }
    path
}

fn locator(names: &Names<'_>, deprecated: Option<&TokenStream>) -> TokenStream {
    let Names { item: ItemTrait { ident, vis, .. }, locator, .. } = names;
    let docs = format!("Answers the commands of [`{ident}`] with an implementor of it.");
    code! {
        #[doc = #docs]
        #vis struct #locator<__Implementor>(::std::sync::Arc<__Implementor>);

        #deprecated
        impl<__Implementor: #ident + 'static> #locator<__Implementor> {
            /// Creates a locator that answers with `responder`.
            #vis fn new(responder: __Implementor) -> Self {
                Self(::std::sync::Arc::new(responder))
            }

            /// Creates a locator that answers with a shared responder.
            #vis const fn from_arc(responder: ::std::sync::Arc<__Implementor>) -> Self {
                Self(responder)
            }
        }
    }
}

/// Clones share the responder; neither impl has bounds on it.
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
fn rewritten(item: &ItemTrait, krate: &Path) -> TokenStream {
    let mut item = item.clone();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.colon_token.get_or_insert_default();
    for member in &mut item.items {
        names::leave_out_settings(member);
        if let TraitItem::Fn(function) = member {
            rewrite(function, krate);
        }
    }
    code!(#item)
}

fn rewrite(function: &mut TraitItemFn, krate: &Path) {
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
        // The type is written out: a body that returns another type gets an error about that, and not about an `async` block that
        // nobody wrote.
        let said = standing_at(&reply, code!(return #krate::__private::never::<#reply>();));
        let future = code!(async move { if false { #said } #body });
        let future: Expr = parse_quote!(#future);
        body.stmts = vec![Stmt::Expr(future, None)];
    }
}

/// A method that is never run.
pub(super) fn stub_method(conditions: &Conditions, signature: &Signature) -> TokenStream {
    // A body that never returns is of any type that is written out, but `impl Future` is inferred from the body.
    let body = match &signature.output {
        ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => code!(::core::future::pending()),
        _ => code!(::core::unreachable!()),
    };
    let mut signature = signature.clone();
    for argument in &mut signature.inputs {
        if let FnArg::Typed(typed) = argument {
            typed.pat = parse_quote!(_);
        }
    }
    code!(#conditions #signature { #body })
}
