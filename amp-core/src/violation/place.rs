use std::fmt;

/// The place of a value in a box, such as `nodes[3].port`. A chain on the stack: it is converted to text only for a violation.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    outer: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Whole,
    Key(&'a str),
    Index(usize),
}

impl Place<'_> {
    /// The box as a whole.
    pub const WHOLE: Place<'static> = Place { outer: None, step: Step::Whole };

    /// The value of a key within this place.
    #[must_use]
    pub const fn key<'b>(&'b self, key: &'b str) -> Place<'b> {
        Place { outer: Some(self), step: Step::Key(key) }
    }

    /// The item at an index within this place.
    #[must_use]
    pub const fn index(&self, index: usize) -> Place<'_> {
        Place { outer: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            outer.fmt(f)?;
        }
        match self.step {
            Step::Whole => Ok(()),
            Step::Key(key) if matches!(self.outer, None | Some(Place { step: Step::Whole, .. })) => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}
