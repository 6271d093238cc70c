//! Boxes as values: nested ones, and the writer's order and bounds.

use std::fmt::Write;

use ::bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::sample_commands::Item;
use crate::wire::{BoxDecoder, BoxLimits, MAX_KEY, RawBox, put_pair};

const A: Key = Key::from_wire(b"\0\x01a");
const B: Key = Key::from_wire(b"\0\x01b");

/// Keys and values as on the wire.
type Pairs<'a> = &'a [(&'a [u8], &'a str)];

/// A nested box of these pairs, in this order.
fn nested(pairs: Pairs<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        put_pair(&mut bytes, key, value.as_bytes());
    }
    bytes.extend_from_slice(b"\0\0");
    bytes
}

/// The one box of these bytes.
fn received(bytes: &[u8]) -> RawBox {
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(bytes));
    decoder.next_box().expect("a box").expect("a whole one")
}

fn item(a: i64, b: &str) -> Item {
    Item { a, b: Some(b.to_owned()) }
}

#[test]
fn rule_03_a_nested_box_is_read_in_any_order_and_of_equal_keys_the_last_counts() {
    let rows: [(Pairs<'_>, Item); 8] = [
        (&[(b"a", "1"), (b"b", "x")], item(1, "x")),
        (&[(b"b", "x"), (b"a", "1")], item(1, "x")),
        (&[(b"a", "1"), (b"a", "2")], Item { a: 2, b: None }),
        (&[(b"a", "1"), (b"a", "2"), (b"b", "x")], item(2, "x")),
        (&[(b"a", "1"), (b"b", "x"), (b"a", "2")], item(2, "x")),
        (&[(b"b", "x"), (b"b", "y"), (b"a", "1")], item(1, "y")),
        (&[(b"a", "1"), (b"b", "x"), (b"b", "y")], item(1, "y")),
        (&[(b"ab", "?"), (b"a", "1"), (b"aa", "?"), (b"b", "x")], item(1, "x")),
    ];
    for (pairs, expected) in rows {
        assert_eq!(decoded::<Item>(&nested(pairs)), Ok(expected.clone()), "{pairs:?}");
        let two = [nested(&[(b"a", "7")]), nested(pairs)].concat();
        assert_eq!(decoded::<Vec<Item>>(&two), Ok(vec![Item { a: 7, b: None }, expected]), "{pairs:?}");
    }
}

#[test]
fn rule_09_a_key_in_a_nested_box_may_have_255_bytes_and_no_more() {
    let longest = nested(&[(b"a", "1"), (&[b'k'; MAX_KEY], "v")]);
    assert_eq!(decoded::<Item>(&longest), Ok(Item { a: 1, b: None }));
    let mut longer = nested(&[(b"a", "1")]);
    longer.truncate(longer.len() - 2);
    longer.extend_from_slice(&[1, 0]);
    longer.extend_from_slice(&[b'k'; MAX_KEY + 1]);
    longer.extend_from_slice(b"\0\x01v\0\0");
    assert_eq!(decoded::<Item>(&longer), Err(DecodeErrorKind::Truncated));
}

#[test]
fn rule_08_a_key_that_is_named_when_it_is_written_may_have_255_bytes_and_no_more() {
    let mut bytes = Vec::new();
    let mut writer = BoxWriter::new(&mut bytes, 1);
    let [longest, longer] = [MAX_KEY, MAX_KEY + 1].map(|length| "k".repeat(length));
    writer.put_named(&longest, &1_i64).expect("255 bytes");
    writer.put_bytes(&longest, b"2").expect("255 bytes");
    for refused in [longer.as_str(), "", "_k"] {
        let error = writer.put_named(refused, &1_i64).expect_err("no key of a program's");
        assert_eq!((error.kind(), error.path()), (&EncodeErrorKind::Key, refused));
        assert_eq!(writer.put_bytes(refused, b"1").expect_err("the same").kind(), &EncodeErrorKind::Key);
    }
    writer.finish(1000).expect("a short box");
    assert_eq!(bytes, nested(&[(longest.as_bytes(), "2")]), "the last of equal keys, and nothing of what was refused");
}

#[test]
fn rule_64_a_box_may_be_written_with_exactly_as_many_bytes_as_the_limit_says() {
    let whole = nested(&[(b"a", "1"), (b"b", "")]);
    for (limit, fits) in [(whole.len(), true), (whole.len() - 1, false)] {
        // Only the box counts, not what is before it in the buffer.
        let mut bytes = b"before".to_vec();
        let mut writer = BoxWriter::new(&mut bytes, 1);
        writer.put(A, &1_i64).expect("a short value");
        writer.put(B, &String::new()).expect("an empty value");
        let refused = writer.finish(limit).err().map(|error| error.kind().clone());
        assert_eq!(refused, (!fits).then_some(EncodeErrorKind::BoxTooLong { limit }));
    }
}

#[test]
fn all_pairs_are_given_in_the_order_in_which_they_came_with_those_that_came_twice() {
    let bytes = nested(&[(b"b", "1"), (b"a", "2"), (b"b", "3")]);
    let raw = RawValue::new(&bytes);
    let reader = raw.boxes().next().expect("a box").expect("a whole one");
    let pairs: Vec<_> = reader.pairs().map(|(key, value)| (key, value.as_bytes())).collect();
    assert_eq!(pairs, [(&b"b"[..], &b"1"[..]), (b"a", b"2"), (b"b", b"3")]);
    assert_eq!(reader.find(b"b").map(RawValue::as_bytes), Some(&b"3"[..]));
    assert!(reader.find(b"c").is_none());
}

#[test]
fn a_value_that_does_not_fit_is_named_by_its_key() {
    let (mut bytes, long) = (Vec::new(), "x".repeat(65_536));
    let mut writer = BoxWriter::new(&mut bytes, 1);
    let errors = [writer.put(A, &long), writer.put_raw(B, long.as_bytes()), writer.put_named("c", &long)];
    let places = errors.map(|error| error.expect_err("too long").path().to_owned());
    assert_eq!(places, ["a", "b", "c"]);
    assert_eq!(format!("{A:?}"), "\"a\"");
}

#[test]
fn text_can_be_formatted_into_a_value() {
    let mut bytes = Vec::new();
    write!(ValueWriter::new(&mut bytes), "x-{:02}", 7).expect("memory is enough");
    assert_eq!(bytes, b"x-07");
}

#[test]
fn a_value_carries_its_context_in_one_word() {
    let word = size_of::<usize>();
    assert_eq!(size_of::<RawValue<'_>>(), 5 * word);
    assert_eq!(size_of::<ValueWriter<'_>>(), 3 * word);
    assert_eq!(size_of::<Option<crate::exposed::ContextRef<'_>>>(), word);
}

#[cfg(feature = "tokio")]
mod context {
    use std::any::{Any, TypeId};
    use std::sync::Arc;

    use super::*;
    use crate::exposed::{Context, ContextRef};

    struct Nothing;

    impl Context for Nothing {
        fn provide(&self, _: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
            None
        }
    }

    /// Whether a value sees a context where it is written, and where it is read.
    #[derive(Debug, PartialEq)]
    struct Sees(bool, bool);

    impl Value for Sees {
        fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
            let here = out.context().is_some();
            assert_eq!(out.with_buffer(&mut Vec::new()).context().is_some(), here);
            here.encode(out)
        }

        fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
            Ok(Self(bool::decode(raw)?, raw.context().is_some()))
        }
    }

    /// The same, within a box.
    #[derive(Debug, PartialEq)]
    struct Within(Sees);

    impl Value for Within {
        fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
            out.put_box(|inner| inner.put(A, &self.0))
        }

        fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
            let mut inner = raw.boxes().next().expect("a box")?;
            assert_eq!(inner.context().is_some(), raw.context().is_some());
            Sees::decode(inner.value(A).expect("the key")).map(Self)
        }
    }

    #[test]
    fn values_see_the_context_of_their_box_in_nested_lists_and_boxes_too() {
        let context: &dyn Context = &Nothing;
        for (writes, reads) in [(true, true), (true, false), (false, true), (false, false)] {
            let (mut bytes, sees) = (Vec::new(), || Sees(writes, reads));
            let mut writer = BoxWriter::within(&mut bytes, writes.then(|| ContextRef::new(&context)), 5);
            assert_eq!(writer.context().is_some(), writes);
            writer.put(A, &sees()).expect("a short value");
            writer.put(B, &vec![vec![Within(sees())]]).expect("a short list");
            writer.finish(1000).expect("a short box");
            let received = received(&bytes);
            let reader = BoxReader::new(&received, 5);
            let scope = Scope::new(Budget::new(&BoxLimits::DEFAULT), reads.then_some(&context));
            let mut reader = if reads { reader.with_scope(&scope) } else { reader };
            assert_eq!(reader.value(A).map(|raw| Sees::decode(raw).expect("a flag")), Some(sees()));
            let list = reader.value(B).map(|raw| <Vec<Vec<Within>>>::decode(raw).expect("a list"));
            assert_eq!(list, Some(vec![vec![Within(sees())]]));
        }
    }
}

const KEYS: [Key; 6] = [
    A,
    Key::from_wire(b"\0\x02aa"),
    Key::from_wire(b"\0\x02ab"),
    B,
    Key::from_wire(b"\0\x02ba"),
    Key::from_wire(b"\0\x01c"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_whatever_order_keys_come_and_are_looked_up_the_last_of_equal_ones_is_found(
        mut pairs in vec((select(&KEYS), "[0-9]{0,3}"), 0..8),
        in_order: bool,
        lookups in vec(select(&KEYS), 1..8),
    ) {
        if in_order {
            pairs.sort_by_key(|(key, _)| key.name_bytes());
            pairs.dedup_by_key(|(key, _)| *key);
        }
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (key.name_bytes(), value.as_str())).collect();
        let bytes = nested(&pairs);
        let received = received(&bytes);
        let within = RawValue::new(&bytes).boxes().next().expect("a box").expect("a whole one");
        for mut reader in [BoxReader::new(&received, 1), within] {
            for key in &lookups {
                let last = pairs.iter().rfind(|(name, _)| *name == key.name_bytes());
                let found = reader.value(*key).map(RawValue::as_bytes);
                prop_assert_eq!(found, last.map(|(_, value)| value.as_bytes()), "{:?}", key);
            }
        }
    }
}
