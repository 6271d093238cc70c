use std::fmt::{self, Write};

/// A Python text literal.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => f.write_char(character)?,
                _ => write!(f, "\\U{:08x}", u32::from(character))?,
            }
        }
        f.write_char('"')
    }
}

/// Text as a docstring, at the indentation of a class.
pub(super) struct Doc<'a>(pub(super) &'a str);

impl fmt::Display for Doc<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("    \"\"\"")?;
        for (index, line) in self.0.split('\n').enumerate() {
            if index > 0 {
                f.write_str(if line.is_empty() { "\n" } else { "\n    " })?;
            }
            for character in line.chars() {
                match character {
                    '"' | '\\' => write!(f, "\\{character}")?,
                    '\t' => f.write_char('\t')?,
                    _ if character.is_control() => write!(f, "\\x{:02x}", u32::from(character))?,
                    _ => f.write_char(character)?,
                }
            }
        }
        f.write_str("\"\"\"")
    }
}

/// Text within a comment.
pub(super) struct Comment<'a>(pub(super) &'a str);

impl fmt::Display for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| f.write_char(if character.is_control() { ' ' } else { character }))
    }
}
