use syn::LitStr;

use crate::notation::error;
use crate::spelling;

/// How the words of a Rust name are spelt on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// Every case as it is written in `rename_all`.
const KNOWN: [(Case, &str); 8] = [
    (Case::Lower, "lowercase"),
    (Case::Upper, "UPPERCASE"),
    (Case::Pascal, "PascalCase"),
    (Case::Camel, "camelCase"),
    (Case::Snake, "snake_case"),
    (Case::ScreamingSnake, "SCREAMING_SNAKE_CASE"),
    (Case::Kebab, "kebab-case"),
    (Case::ScreamingKebab, "SCREAMING-KEBAB-CASE"),
];

impl Case {
    /// The case that is named in quotes.
    pub(crate) fn of(written: &LitStr) -> syn::Result<Self> {
        let text = written.value();
        if let Some((case, _)) = KNOWN.iter().find(|(_, name)| *name == text) {
            return Ok(*case);
        }
        let lower: Vec<String> = KNOWN.iter().map(|(_, name)| name.to_lowercase()).collect();
        let meant = spelling::meant(&text, lower.iter().map(String::as_str));
        let meant = meant.and_then(|meant| KNOWN.iter().find(|(_, name)| name.to_lowercase() == meant));
        let hint = match meant {
            Some((_, name)) => format!("did you mean `{name}`?"),
            None => format!("known: {}", KNOWN.map(|(_, name)| format!("`{name}`")).join(", ")),
        };
        Err(error(written, format!("`{text}` is no case; {hint}")))
    }

    /// The name in this case. An acronym is one word: `HTTPError` is `http_error`.
    pub(crate) fn spell(self, name: &str) -> String {
        let joined = |separator: &str, spell: fn(&str) -> String| {
            words(name).iter().map(|word| spell(word)).collect::<Vec<_>>().join(separator)
        };
        match self {
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Pascal => joined("", capitalised),
            Self::Camel => match words(name).split_first() {
                Some((first, rest)) => rest.iter().fold(first.to_lowercase(), |name, word| name + &capitalised(word)),
                None => String::new(),
            },
            Self::Snake => joined("_", str::to_lowercase),
            Self::ScreamingSnake => joined("_", str::to_uppercase),
            Self::Kebab => joined("-", str::to_lowercase),
            Self::ScreamingKebab => joined("-", str::to_uppercase),
        }
    }
}

/// The word that begins with a capital; other capitals stay.
fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words of a name: `ZeroDivision`, `zero_division` and `ZERO_DIVISION` have two, `HTTPError` too. An underscore at the
/// begin or the end, and each further one, is a word without letters, so that it is kept where words are separated.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let (mut words, mut word) = (Vec::new(), String::new());
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let word_ended = before.is_some_and(|c| c.is_lowercase() || c.is_numeric());
        let acronym_ended = before.is_some_and(|c| c.is_uppercase()) && after.is_some_and(|c| c.is_lowercase());
        if letter == '_' || (letter.is_uppercase() && (word_ended || acronym_ended)) {
            words.push(std::mem::take(&mut word));
        }
        if letter != '_' {
            word.push(letter);
        }
    }
    words.push(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_screaming_snake_case_is_the_code_of_an_error() {
        for (name, code) in [
            ("ZeroDivision", "ZERO_DIVISION"),
            ("Broken", "BROKEN"),
            ("HTTPError", "HTTP_ERROR"),
            ("NotHTTP", "NOT_HTTP"),
            ("Utf8Invalid", "UTF8_INVALID"),
            ("Code404", "CODE404"),
            ("V2", "V2"),
            ("A", "A"),
            ("Snake_Case", "SNAKE_CASE"),
            ("SCREAMING_SNAKE", "SCREAMING_SNAKE"),
            ("ÄrgerÜber", "ÄRGER_ÜBER"),
            ("_x_", "_X_"),
            ("a__b", "A__B"),
        ] {
            assert_eq!(Case::ScreamingSnake.spell(name), code, "{name}");
        }
    }

    #[test]
    fn every_case_spells_fields_and_variants() {
        let spelt = |name: &str| KNOWN.map(|(case, _)| case.spell(name));
        for (name, expected) in [
            (
                "in_progress",
                "in_progress IN_PROGRESS InProgress inProgress in_progress IN_PROGRESS in-progress IN-PROGRESS",
            ),
            (
                "InProgress",
                "inprogress INPROGRESS InProgress inProgress in_progress IN_PROGRESS in-progress IN-PROGRESS",
            ),
            ("HTTPError", "httperror HTTPERROR HTTPError httpError http_error HTTP_ERROR http-error HTTP-ERROR"),
            ("id", "id ID Id id id ID id ID"),
            ("x1_y2", "x1_y2 X1_Y2 X1Y2 x1Y2 x1_y2 X1_Y2 x1-y2 X1-Y2"),
            ("ÄrgerÜber", "ärgerüber ÄRGERÜBER ÄrgerÜber ärgerÜber ärger_über ÄRGER_ÜBER ärger-über ÄRGER-ÜBER"),
        ] {
            assert_eq!(spelt(name).join(" "), expected);
        }
    }

    #[test]
    fn a_case_is_known_by_its_own_spelling() {
        for (case, name) in KNOWN {
            let literal = LitStr::new(name, proc_macro2::Span::call_site());
            assert_eq!(Case::of(&literal).ok(), Some(case));
        }
        let said = |text: &str| {
            let error = Case::of(&LitStr::new(text, proc_macro2::Span::call_site())).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(said("CamelCase"), "`CamelCase` is no case; did you mean `camelCase`?");
        assert_eq!(said("snake-case"), "`snake-case` is no case; did you mean `snake_case`?");
        assert!(said("Train-Case").contains("known: `lowercase`, "), "{}", said("Train-Case"));
    }
}
