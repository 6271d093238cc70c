use std::fmt;
use std::sync::Arc;

use crate::connection::Builder;
use crate::connection::extension::{Extension, Extensions};
use crate::locator::Locator;

/// What a server needs for one connection: what answers it, and what extends it.
///
/// A server's closure returns one, or a [`Locator`] where no more is needed. The extensions are those of this connection only;
/// [`ServerBuilder::extension`](super::ServerBuilder::extension) adds those that all have.
#[must_use = "a session does nothing until a server's closure returns it"]
pub struct Session {
    locator: Arc<dyn Locator>,
    extensions: Extensions,
}

impl Session {
    /// A session whose commands `locator` answers.
    pub fn new(locator: impl Locator) -> Self {
        Self { locator: Arc::new(locator), extensions: Extensions::default() }
    }

    /// Adds a protocol that rides beside the commands; see [`Builder::extension`].
    pub fn extension(mut self, extension: impl Extension) -> Self {
        self.extensions.add(Arc::new(extension));
        self
    }

    /// A builder of the session's connection.
    pub(super) fn set_up(self, builder: Builder) -> Builder {
        builder.locator(self.locator).extensions(self.extensions)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("extensions", &self.extensions).finish_non_exhaustive()
    }
}

/// What a server's closure returns: a [`Locator`] or a [`Session`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a connection answers",
    label = "neither a locator nor a `Session`",
    note = "a trait `Calculator` with `#[responder]` has a `CalculatorLocator::new(..)` that makes a locator of its implementors",
    note = "a type whose `impl` block has `#[responder]` becomes one with `.into_locator()`"
)]
pub trait IntoSession: 'static {
    /// The session of one connection.
    fn into_session(self) -> Session;
}

impl IntoSession for Session {
    fn into_session(self) -> Session {
        self
    }
}

impl<L: Locator> IntoSession for L {
    fn into_session(self) -> Session {
        Session::new(self)
    }
}
