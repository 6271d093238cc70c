use super::*;

fn list_rows() -> Vec<(Vec<i64>, &'static [u8])> {
    vec![(vec![], b""), (vec![3, 7, 9, 15], b"\0\x013\0\x017\0\x019\0\x0215"), (vec![-1], b"\0\x02-1")]
}

#[test]
fn rule_52_lists_are_written_and_read_as_their_items_behind_their_lengths() {
    for (list, bytes) in list_rows() {
        assert_eq!(encoded(&list), bytes);
        assert_eq!(decoded::<Vec<i64>>(bytes), Ok(list));
    }
    let texts = vec![String::new(), "a".to_owned()];
    assert_eq!(encoded(&texts), b"\0\0\0\x01a");
    assert_eq!(decoded(b"\0\0\0\x01a"), Ok(texts));
    assert_eq!(encoded(&vec![true, false]), b"\0\x04True\0\x05False");
    assert_eq!(decoded(b"\0\x04True\0\x05False"), Ok(vec![true, false]));
}

#[test]
fn rule_52_lists_nest() {
    let nested = vec![vec![], vec![1_i64]];
    assert_eq!(encoded(&nested), b"\0\0\0\x03\0\x011");
    assert_eq!(decoded(b"\0\0\0\x03\0\x011"), Ok(nested));
    let bytes = vec![vec![1_u8, 2], vec![]];
    assert_eq!(encoded(&bytes), b"\0\x02\x01\x02\0\0", "a list of byte strings");
    assert_eq!(decoded(b"\0\x02\x01\x02\0\0"), Ok(bytes));
}

#[test]
fn rule_52_an_item_may_have_65535_bytes_and_no_more() {
    let item = "x".repeat(65_535);
    let bytes = encoded(&vec![item.clone()]);
    assert!(bytes.starts_with(b"\xff\xffxx"));
    assert_eq!(decoded(&bytes), Ok(vec![item.clone()]));
    assert_eq!(refused(&vec![item + "x"]), EncodeErrorKind::TooLong { length: 65_536 });
}

#[test]
fn rule_53_a_list_that_is_cut_short_is_an_error() {
    for cut in [&b"\0"[..], b"\0\x011\0", b"\0\x011\0\x05ab", b"\xff\xff"] {
        assert_eq!(decoded::<Vec<i64>>(cut), Err(DecodeErrorKind::Truncated), "\"{}\"", cut.escape_ascii());
    }
}

#[test]
fn a_bad_item_is_named_by_its_place() {
    let error = <Vec<Vec<i64>>>::decode(RawValue::new(b"\0\0\0\x06\0\x011\0\x01x")).expect_err("x is no integer");
    assert_eq!(error.path(), "[1][1]");
    assert_eq!(error.at_key("grid").to_string(), "grid[1][1]: not an integer");
    let long = vec![vec!["a".repeat(70_000)]];
    let error = long.encode(&mut ValueWriter::new(&mut Vec::new())).expect_err("too long");
    assert_eq!(error.path(), "[0][0]");
}

/// A list in a list in a list, without end. An empty one breaks its rule.
#[derive(Debug, PartialEq)]
struct Deep(Vec<Deep>);

impl Value for Deep {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        self.0.encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Vec::decode(raw).map(Deep)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        if self.0.is_empty() {
            found.add(place, "non_empty", "empty");
        }
        Value::check(&self.0, place, found);
    }
}

fn deep(levels: usize) -> Deep {
    (0..levels).fold(Deep(vec![]), |inner, _| Deep(vec![inner]))
}

#[test]
fn rule_64_values_nest_exactly_as_deep_as_the_limit_says() {
    let allowed = deep(32);
    let bytes = encoded(&allowed);
    assert_eq!(decoded::<Deep>(&bytes), Ok(allowed));
    assert_eq!(refused(&deep(33)), EncodeErrorKind::TooDeep);
    let mut one_more = u16::try_from(bytes.len()).expect("a short list").to_be_bytes().to_vec();
    one_more.extend(bytes);
    assert_eq!(decoded::<Deep>(&one_more), Err(DecodeErrorKind::TooDeep));
}

#[test]
fn each_item_of_a_list_is_checked_at_its_place() {
    let (list, mut found) = (vec![deep(0), deep(2), Deep(vec![deep(1), deep(0)])], Violations::new());
    Value::check(&list, Place::WHOLE.key("lists"), &mut found);
    let places: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(places, ["lists[0]", "lists[1][0][0]", "lists[2][0][0]", "lists[2][1]"]);
}
