use std::io;

use serde_json::ser::Formatter;

/// Writes JSON in ASCII only.
pub(super) struct Ascii;

/// Escapes each character that is `escaped`, in UTF-16 as JSON has it.
fn write_escaped<W: io::Write + ?Sized>(writer: &mut W, text: &str, escaped: impl Fn(char) -> bool) -> io::Result<()> {
    let mut rest = text;
    while let Some((at, character)) = rest.char_indices().find(|(_, character)| escaped(*character)) {
        writer.write_all(&rest.as_bytes()[..at])?;
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(writer, "\\u{unit:04x}")?;
        }
        rest = &rest[at + character.len_utf8()..];
    }
    writer.write_all(rest.as_bytes())
}

impl Formatter for Ascii {
    /// Within a string: the control characters are escaped before, but for DEL.
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(writer, fragment, |character| !(' '..='~').contains(&character))
    }

    /// JSON that was written before: what is not ASCII stands in its strings, and line breaks stand between its tokens.
    fn write_raw_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(writer, fragment, |character| !character.is_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_between_the_tokens_of_raw_json_stay() {
        let (mut text, mut raw) = (Vec::new(), Vec::new());
        Ascii.write_string_fragment(&mut text, "\u{e9}\u{1f600}\u{7f} ~").expect("written");
        assert_eq!(text, br"\u00e9\ud83d\ude00\u007f ~");
        Ascii.write_raw_fragment(&mut raw, "{\n\t\"\u{e9}\": 1\r\n}").expect("written");
        assert_eq!(raw, b"{\n\t\"\\u00e9\": 1\r\n}");
    }
}
