//! Text for Python: the `repr` of bytes.

use std::fmt::{self, Write};

/// Bytes as a Python literal, exactly as `repr` writes them.
pub(crate) struct PythonBytes<'a>(pub(crate) &'a [u8]);

impl fmt::Display for PythonBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.0.contains(&b'\'') && !self.0.contains(&b'"') { '"' } else { '\'' };
        write!(f, "b{quote}")?;
        for byte in self.0 {
            match byte {
                b'\\' => f.write_str("\\\\")?,
                b'\t' => f.write_str("\\t")?,
                b'\n' => f.write_str("\\n")?,
                b'\r' => f.write_str("\\r")?,
                b'\'' if quote == '\'' => f.write_str("\\'")?,
                b' '..=b'~' => f.write_char(char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_char(quote)
    }
}
