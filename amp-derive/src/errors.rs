//! Collects the mistakes of one expansion, so that all of them are reported at once.

use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. They are taken by [`report`](Self::report) only: dropping them unread is a bug of the macro.
#[derive(Default)]
#[must_use = "mistakes that nobody reports let a wrong program compile"]
pub(crate) struct Errors {
    found: Option<syn::Error>,
    is_reported: bool,
}

impl Errors {
    /// Notes a mistake on its tokens.
    pub(crate) fn push(&mut self, at: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(at, message));
    }

    /// Notes a mistake that was found while parsing.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    /// Returns how many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.as_ref().map_or(0, |all| all.into_iter().count())
    }

    /// The compile errors; `None` when there was no mistake.
    pub(crate) fn report(mut self) -> Option<TokenStream> {
        self.is_reported = true;
        self.found.take().map(|all| all.to_compile_error())
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(self.is_reported || thread::panicking(), "mistakes were collected and not reported");
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn mistakes_cannot_be_dropped_unread() {
        assert!(Errors::default().report().is_none());
        assert!(catch_unwind(|| drop(Errors::default())).is_err());
        let reported = || {
            let mut errors = Errors::default();
            errors.push(TokenStream::new(), "first");
            errors.push(TokenStream::new(), "second");
            (errors.count(), errors.report().is_some())
        };
        assert_eq!(reported(), (2, true));
    }
}
