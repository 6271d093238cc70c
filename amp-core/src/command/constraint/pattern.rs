use std::sync::OnceLock;

use regex::Regex;

use super::Constraint;
use crate::schema::Rule;

/// `pattern`: the whole text matches a regular expression, as if it stood between `^` and `$`.
///
/// It is compiled at its first use. The macro has checked that it compiles; an invalid pattern made by hand allows nothing.
#[derive(Debug)]
pub struct Pattern {
    pattern: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A rule that is compiled later.
    #[must_use]
    pub const fn new(pattern: &'static str) -> Self {
        Self { pattern, compiled: OnceLock::new() }
    }
}

impl<T: AsRef<str>> Constraint<T> for &Pattern {
    const CODE: &'static str = "pattern";

    fn holds(&self, value: &T) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&format!(r"\A(?:{})\z", self.pattern)).ok());
        compiled.as_ref().is_some_and(|pattern| pattern.is_match(value.as_ref()))
    }

    fn rule(&self) -> Rule {
        Rule::Pattern(self.pattern.to_owned())
    }
}
