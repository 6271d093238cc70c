//! The AmpList and optional rows of `wire.md` 2.4, and arguments with several keys.

use ::bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::sample_commands::{Empty, Holder, Item, Kid, Parent};
use crate::value::{
    BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Key, RawValue, Value, ValueWriter,
};
use crate::wire::{BoxDecoder, BoxLimits, RawBox};

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).expect("a value that has a form on the wire");
    bytes
}

fn decoded<T: Value>(bytes: &[u8]) -> Result<T, String> {
    T::decode(RawValue::new(bytes)).map_err(|error| error.to_string())
}

fn raw(bytes: &[u8]) -> RawBox {
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(bytes));
    decoder.next_box().expect("a box").expect("a whole box")
}

fn item(a: i64, b: Option<&str>) -> Item {
    Item { a, b: b.map(str::to_owned) }
}

#[test]
fn rule_54_an_amp_list_is_its_boxes_one_behind_the_other() {
    let rows: Vec<(Vec<Item>, &[u8])> = vec![
        (vec![], b""),
        (vec![item(1, None)], b"\0\x01a\0\x011\0\0"),
        (vec![item(1, Some("x")), item(2, None)], b"\0\x01a\0\x011\0\x01b\0\x01x\0\0\0\x01a\0\x012\0\0"),
    ];
    for (list, bytes) in rows {
        assert_eq!(encoded(&list), bytes);
        assert_eq!(decoded(bytes), Ok(list));
    }
}

#[test]
fn rule_54_boxes_without_fields_are_told_apart() {
    assert_eq!(encoded(&vec![Empty {}, Empty {}]), b"\0\0\0\0");
    assert_eq!(decoded(b"\0\0\0\0"), Ok(vec![Empty {}, Empty {}]));
    assert_eq!(decoded::<Vec<Item>>(b"\0\0"), Err("[0].a: missing".into()));
}

#[test]
fn rule_54_amp_lists_nest() {
    let parents = vec![
        Parent { kids: vec![Kid { k: 1 }, Kid { k: 2 }], name: "x".into() },
        Parent { kids: vec![], name: "y".into() },
    ];
    let bytes = b"\0\x04kids\0\x10\0\x01k\0\x011\0\0\0\x01k\0\x012\0\0\0\x04name\0\x01x\0\0\
        \0\x04kids\0\0\0\x04name\0\x01y\0\0";
    assert_eq!(encoded(&parents), bytes);
    assert_eq!(decoded(bytes), Ok(parents));
}

#[test]
fn rules_03_and_04_in_an_amp_list_unknown_keys_are_passed_over_and_the_last_duplicate_counts() {
    let bytes = b"\0\x01z\0\x019\0\x01a\0\x011\0\x01_\0\0\0\x01a\0\x012\0\0";
    assert_eq!(decoded(bytes), Ok(vec![item(2, None)]));
}

#[test]
fn rule_53_an_amp_list_that_is_cut_short_is_an_error() {
    let whole = b"\0\x01a\0\x011\0\0";
    for end in 1..whole.len() {
        let cut = [&whole[..], &whole[..end]].concat();
        assert_eq!(decoded::<Vec<Item>>(&cut), Err("[1]: cut short".into()), "{end} bytes of the second box");
    }
    let long_key = [b"\x01\0".as_slice(), &[b'k'; 256], b"\0\0\0\0"].concat();
    assert!(decoded::<Vec<Empty>>(&long_key).is_err(), "a key of 256 bytes");
}

#[test]
fn a_nested_box_is_exactly_one_box() {
    let holder = Holder { upper: 3, a: item(1, None) };
    let bytes = b"\0\x05Upper\0\x013\0\x01a\0\x08\0\x01a\0\x011\0\0\0\0";
    assert_eq!(encoded(&holder), bytes);
    assert_eq!(decoded(bytes), Ok(holder));
    assert_eq!(decoded::<Item>(b""), Err("cut short".into()));
    assert_eq!(decoded::<Item>(&encoded(&vec![item(1, None); 2])), Err("not a single box".into()));
    assert_eq!(
        decoded::<Holder>(b"\0\x05Upper\0\x013\0\x01a\0\x08\0\x01a\0\x01x\0\0\0\0"),
        Err("a.a: not an integer".into())
    );
}

#[test]
fn rule_55_an_optional_argument_is_absent_when_none_and_an_empty_value_is_not_absent() {
    assert_eq!(encoded(&item(1, None)), b"\0\x01a\0\x011\0\0");
    assert_eq!(encoded(&item(1, Some(""))), b"\0\x01a\0\x011\0\x01b\0\0\0\0");
    assert_eq!(decoded(b"\0\x01a\0\x011\0\0"), Ok(item(1, None)));
    assert_eq!(decoded(b"\0\x01a\0\x011\0\x01b\0\0\0\0"), Ok(item(1, Some(""))));
    let read = |bytes: &[u8]| {
        let raw = raw(bytes);
        take_required::<Option<i64>>(Key::from_wire(b"\0\x01b"), &mut BoxReader::new(&raw, 1))
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(b"\0\x01c\0\0\0\0"), Ok(None));
    assert_eq!(read(b"\0\x01b\0\x017\0\0"), Ok(Some(7)));
    assert_eq!(read(b"\0\x01b\0\0\0\0"), Err("b: not an integer".into()), "present and empty is not absent");
}

#[test]
fn keys_are_found_in_whatever_order_they_are_asked_for() {
    let orders: [&[u8]; 3] = [
        b"\0\x01a\0\x011\0\x01b\0\x012\0\x01c\0\x013\0\0",
        b"\0\x01c\0\x013\0\x01b\0\x012\0\x01a\0\x011\0\0",
        b"\0\x01b\0\x010\0\x01a\0\x011\0\x01b\0\x012\0\x01c\0\x013\0\0",
    ];
    let keys: [(Key, &[u8]); 3] =
        [(Key::from_wire(b"\0\x01a"), b"1"), (Key::from_wire(b"\0\x01b"), b"2"), (Key::from_wire(b"\0\x01c"), b"3")];
    for bytes in orders {
        let raw = raw(bytes);
        for asked in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 1, 0], [2, 2, 2], [0, 2, 1]] {
            let mut reader = BoxReader::new(&raw, 1);
            for at in asked {
                let (key, value) = keys[at];
                assert_eq!(reader.value(key).map(RawValue::as_bytes), Some(value), "{key:?} of {asked:?}");
                assert!(reader.value(Key::from_wire(b"\0\x02aa")).is_none());
            }
        }
    }
}

/// The convention (a) of `wire.md` section 6: `name`, `name.2`, `name.3`, …
#[derive(Debug, PartialEq)]
struct Pieces(Vec<u8>);

impl Argument for Pieces {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        let mut pieces = self.0.chunks(4);
        out.put_bytes(key.name(), pieces.next().unwrap_or(b""))?;
        pieces.zip(2..).try_for_each(|(piece, at)| out.put_bytes(&format!("{}.{at}", key.name()), piece))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(first) = from.value(key) else { return Ok(None) };
        let more = (2..).map_while(|at| from.find(format!("{}.{at}", key.name()).as_bytes()));
        Ok(Some(Self(std::iter::once(first).chain(more).flat_map(|piece| piece.as_bytes().to_vec()).collect())))
    }
}

#[test]
fn rule_57_an_argument_may_use_several_keys_and_the_box_stays_in_order() {
    let key = Key::from_wire(b"\0\x01x");
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 1);
    Pieces(b"0123456789".to_vec()).put(key, &mut out).expect("three short values");
    out.put(Key::from_wire(b"\0\x03x.1"), &true).expect("a short value");
    out.finish(1000).expect("a short box");
    assert_eq!(bytes, b"\0\x01x\0\x040123\0\x03x.1\0\x04True\0\x03x.2\0\x044567\0\x03x.3\0\x0289\0\0");
    let raw = raw(&bytes);
    let read = take_required::<Pieces>(key, &mut BoxReader::new(&raw, 1)).expect("three values");
    assert_eq!(read, Pieces(b"0123456789".to_vec()));
}

#[test]
fn rule_08_a_key_of_no_or_256_bytes_or_one_of_amps_own_is_refused() {
    for name in ["", &"k".repeat(256), "_ask", "_"] {
        let mut bytes = Vec::new();
        let error = BoxWriter::new(&mut bytes, 1).put_named(name, &1_i64).expect_err("such a key is never written");
        assert_eq!(error.kind(), &EncodeErrorKind::Key);
    }
}

#[test]
fn rule_64_nested_boxes_are_read_exactly_as_deep_as_the_limit_says() {
    let raw = raw(b"\0\x01a\0\x08\0\x01a\0\x011\0\0\0\0");
    let key = Key::from_wire(b"\0\x01a");
    let read = |nesting| take_required::<Item>(key, &mut BoxReader::new(&raw, nesting));
    assert_eq!(read(1).expect("one level"), item(1, None));
    assert_eq!(read(0).expect_err("no level").kind(), &DecodeErrorKind::TooDeep);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nested_boxes_are_read_as_they_were_written(
        items in vec((any::<i64>(), any::<Option<String>>()), 0..6),
        upper: i64,
    ) {
        let items: Vec<Item> = items.into_iter().map(|(a, b)| Item { a, b }).collect();
        prop_assert_eq!(decoded(&encoded(&items)), Ok(items.clone()));
        for a in items {
            let holder = Holder { upper, a };
            prop_assert_eq!(decoded(&encoded(&holder)), Ok(holder));
        }
    }

    #[test]
    fn no_bytes_make_a_nested_box_panic(bytes in vec(prop_oneof![4 => 0..4_u8, 2 => b'a'..b'c', 1 => any::<u8>()], 0..80)) {
        let _ = decoded::<Item>(&bytes);
        let _ = decoded::<Holder>(&bytes);
        let _ = decoded::<Vec<Parent>>(&bytes);
        let _ = decoded::<Vec<Empty>>(&bytes);
        let _ = decoded::<Vec<Vec<i64>>>(&bytes);
    }
}
