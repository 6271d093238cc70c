//! Finds the word that was meant by a misspelt one.

/// The word among `known` that is one or two letters away from `written`; of short ones, one letter.
pub(crate) fn meant<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = |word: &str| if word.len() < 6 { 1 } else { 2 };
    let distances = known.map(|word| (distance(&written.to_lowercase(), word), word));
    distances.filter(|&(distance, word)| distance <= most(word)).min().map(|(_, word)| word)
}

/// The number of letters that are left out, put in, changed, or exchanged with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|word| word.chars().collect::<Vec<_>>());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(letter != other);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == *other {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_meant_when_it_is_nearly_written() {
        let known = || ["name", "response", "errors", "no_answer", "with"].into_iter();
        for (written, expected) in [
            ("respons", Some("response")),
            ("reponse", Some("response")),
            ("respnose", Some("response")),
            ("Response", Some("response")),
            ("error", Some("errors")),
            ("noanswer", Some("no_answer")),
            ("nmae", Some("name")),
            ("wiht", Some("with")),
            ("nam", Some("name")),
            ("same_", None),
            ("answer", None),
            ("äöü", None),
            ("", None),
        ] {
            assert_eq!(meant(written, known()), expected, "{written}");
        }
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
