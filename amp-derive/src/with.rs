//! The type that writes and reads a field which is no value itself.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Ident, Path, Type};

use crate::code::{code, standing_at};

/// What `with`, `text` or `json` names.
pub(crate) enum With {
    Type(Box<Type>),
    Text(Ident),
    Json(Ident),
}

impl With {
    /// The setting that says it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Type(_) => "with",
            Self::Text(_) => "text",
            Self::Json(_) => "json",
        }
    }

    /// The type that writes and reads.
    pub(crate) fn writer(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Type(ty) => ty.to_token_stream(),
            Self::Text(word) => standing_at(word, code!(#krate::value::Text<()>)),
            Self::Json(word) => standing_at(word, code!(#krate::__private::AsJson)),
        }
    }

    /// How a field of the type `ty` contains what is written. Usually only one way fits. But serde also writes a whole `Option` or a whole
    /// `Vec`: an `Option` that is written as one may be absent.
    pub(crate) fn of_field(&self, ty: &Type, krate: &Path) -> TokenStream {
        match self {
            Self::Type(_) | Self::Text(_) => code!(_),
            Self::Json(_) if is_option(ty) => code!(#krate::__private::Absent<#krate::__private::One>),
            Self::Json(_) => code!(#krate::__private::Needed<#krate::__private::One>),
        }
    }

    /// The same for a value.
    pub(crate) fn of_value(&self, krate: &Path) -> TokenStream {
        match self {
            Self::Type(_) | Self::Text(_) => code!(_),
            Self::Json(_) => code!(#krate::__private::One),
        }
    }

    /// Whether an `Option` behind another name would be taken for a value.
    pub(crate) fn needs_plain_option(&self, ty: &Type) -> bool {
        matches!(self, Self::Json(_)) && !is_option(ty)
    }
}

/// The tokens that the user wrote, for an error.
impl ToTokens for With {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Type(ty) => ty.to_tokens(tokens),
            Self::Text(word) | Self::Json(word) => word.to_tokens(tokens),
        }
    }
}

fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        _ => false,
    }
}
