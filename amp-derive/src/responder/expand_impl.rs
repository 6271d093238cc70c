//! An `impl` block stays as it is, and its type gets `into_locator`.

use proc_macro2::TokenStream;
use syn::ItemImpl;

use super::Responder;
use crate::code::code;

impl Responder<'_> {
    pub(super) fn expand_impl(&self, item: &ItemImpl) -> TokenStream {
        let parts = [code!(#item), self.dispatch(item), self.conversion(item)];
        parts.into_iter().collect()
    }

    fn dispatch(&self, item: &ItemImpl) -> TokenStream {
        let (krate, this) = (&self.krate, &item.self_ty);
        let (parameters, _, clause) = item.generics.split_for_impl();
        let locate = self.locate(&code!(this), &code!(<#this>));
        let (ty, commands) = (self.commands_type(), self.commands());
        // Commands that a type parameter has a say in are known only where the parameter is.
        let list = if item.generics.params.is_empty() {
            code!(const COMMANDS: #ty = { #commands }; COMMANDS.to_vec())
        } else {
            code!(const { #commands }.to_vec())
        };
        code! {
            #[automatically_derived]
            impl #parameters #krate::__private::Dispatch for #this #clause {
                #[allow(deprecated)]
                fn locate(this: &::std::sync::Arc<Self>, ask: #krate::Ask) -> #krate::Located {
                    #locate
                }

                fn commands() -> ::std::vec::Vec<#krate::schema::CommandDeclaration> {
                    #list
                }
            }
        }
    }

    /// `into_locator`. It is `pub` because the type's own visibility is not known here, and bounds it anyway.
    fn conversion(&self, item: &ItemImpl) -> TokenStream {
        let (krate, this) = (&self.krate, &item.self_ty);
        let (parameters, _, clause) = item.generics.split_for_impl();
        code! {
            impl #parameters #this #clause {
                /// A locator that answers commands with this value's methods.
                #[allow(dead_code, unreachable_pub)]
                pub fn into_locator(self) -> impl #krate::Locator {
                    #krate::__private::Dispatcher::new(self)
                }
            }
        }
    }
}
