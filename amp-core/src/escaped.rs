//! Text from others, made safe for a log or a terminal.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Displays a value on one line and bounded: characters that control a terminal, break lines, change the order of the text around
/// them or cannot be seen are escaped as in Rust source (`\n`, `\u{202e}`), and after [`MAX`](Self::MAX) characters follows the
/// number of the rest. It allocates nothing. Escaping twice changes nothing. If the value's `Display` panics, a note follows the
/// text written so far, and the panic is caught: it would leave half a line in the log.
///
/// A backslash is left as it is, so the output does not show whether an escape was in the original text.
///
/// The library's own errors and events escape text of a peer this way. For a program that logs text of a peer itself:
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::error::Escaped;
///
/// let name = "x\n2026-01-01 ERROR root logged in\u{1b}[2J";
/// assert_eq!(Escaped(name).to_string(), r"x\n2026-01-01 ERROR root logged in\u{1b}[2J");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(pub T);

impl<T> Escaped<T> {
    /// Number of characters that are displayed, each of them escaped where necessary.
    pub const MAX: usize = 512;
}

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaping = Escaping { out: f, room: Self::MAX, omitted: 0 };
        match catch_unwind(AssertUnwindSafe(|| write!(escaping, "{}", self.0))) {
            Ok(written) => written?,
            Err(payload) => {
                // Dropping it may panic again.
                std::mem::forget(payload);
                return f.write_str("... (its text panicked)");
            }
        }
        match escaping.omitted {
            0 => Ok(()),
            omitted => write!(f, "... ({omitted} more)"),
        }
    }
}

struct Escaping<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    room: usize,
    omitted: usize,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.room).map_or(text.len(), |(end, _)| end);
        let (shown, omitted) = text.split_at(end);
        self.omitted += omitted.chars().count();
        let mut plain = 0;
        for (at, letter) in shown.char_indices() {
            self.room -= 1;
            if is_unsafe(letter) {
                self.out.write_str(&shown[plain..at])?;
                write!(self.out, "{}", letter.escape_default())?;
                plain = at + letter.len_utf8();
            }
        }
        self.out.write_str(&shown[plain..])
    }
}

/// Whether it affects the text around it, or cannot be seen.
fn is_unsafe(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e01ef}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_controls_a_terminal_or_the_text_around_it_is_escaped_and_all_else_stands() {
        for unsafe_letter in "\0\n\r\t\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{200b}\u{200e}\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0041}".chars() {
            let shown = Escaped(format!("a{unsafe_letter}b")).to_string();
            assert_eq!(shown, format!("a{}b", unsafe_letter.escape_default()));
        }
        for plain in ["", "plain words", "größer, 数, 🦀", "a \\ \"b\" 'c' = d"] {
            assert_eq!(Escaped(plain).to_string(), plain);
        }
    }

    #[test]
    fn long_text_is_cut_and_says_how_much_is_left_out() {
        let most = "é".repeat(Escaped::<&str>::MAX);
        assert_eq!(Escaped(&most).to_string(), most);
        assert_eq!(
            Escaped(format_args!("{most}\n{}", "x".repeat(1 << 20))).to_string(),
            format!("{most}... (1048577 more)")
        );
    }

    #[test]
    fn a_text_that_panics_ends_there_and_the_line_goes_on() {
        struct Brittle;
        impl fmt::Display for Brittle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("so\n far")?;
                panic!("no further");
            }
        }
        assert_eq!(format!("{}, and on", Escaped(Brittle)), "so\\n far... (its text panicked), and on");
    }

    #[test]
    fn escaping_twice_changes_nothing() {
        let once = Escaped("x\u{1b}[2J\n\u{202e}\\n").to_string();
        assert_eq!(Escaped(&once).to_string(), once);
    }
}
