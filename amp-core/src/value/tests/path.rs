use std::path::PathBuf;

use super::*;

#[cfg(unix)]
#[test]
fn rule_51_an_absolute_path_is_sent_as_its_text_and_any_other_is_refused() {
    for text in ["/", "/etc/passwd", "/a//b/", "/x/../etc", "/sn\u{2603}w", "/\u{feff}a b\n"] {
        assert_eq!(encoded(&PathBuf::from(text)), text.as_bytes());
    }
    for relative in ["", "a", "./a", "../a"] {
        assert!(refused(&PathBuf::from(relative)).to_string().contains("std::path::absolute"), "{relative:?}");
    }
}

#[cfg(unix)]
#[test]
fn rule_51_a_path_that_is_not_utf_8_is_not_sent() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    let path = PathBuf::from(OsString::from_vec(b"/\xff".to_vec()));
    assert!(refused(&path).to_string().contains("UTF-8"));
}

#[test]
fn rule_51_a_path_arrives_as_it_was_written() {
    for text in ["", "a", "/", "/x/../etc", "/a//b/", "//a", "./a", "a\0b", "/sn\u{2603}w"] {
        // Paths are equal by their components; here the text counts.
        let path = decoded::<PathBuf>(text.as_bytes()).expect("a path");
        assert_eq!(path.as_os_str(), text);
    }
    rejects::<PathBuf>("UTF-8 text", &[b"/\xff", b"\xc0\x80", b"/\xed\xa0\x80"]);
}
