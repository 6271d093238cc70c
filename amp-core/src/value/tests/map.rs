use std::collections::{BTreeMap, HashMap};

use super::*;
use crate::sample_commands::Kid;

/// A map of both kinds.
macro_rules! maps {
    ($($key:expr => $value:expr),* $(,)?) => {
        (BTreeMap::from([$(($key, $value)),*]), HashMap::<_, _>::from([$(($key, $value)),*]))
    };
}

#[test]
fn a_map_is_an_amp_list_of_boxes_with_key_and_value() {
    let (sorted, hashed) = maps! { "b".to_owned() => 2_i64, "a".to_owned() => 1, "".to_owned() => 0 };
    let bytes = b"\0\x03key\0\0\0\x05value\0\x010\0\0\0\x03key\0\x01a\0\x05value\0\x011\0\0\0\x03key\0\x01b\0\x05value\0\x012\0\0";
    assert_eq!([encoded(&sorted), encoded(&hashed)], [bytes, bytes]);
    assert_eq!(decoded(bytes), Ok(sorted));
    assert_eq!(decoded(bytes), Ok(hashed));
    assert_eq!(encoded(&BTreeMap::<u8, u8>::new()), b"");
    assert_eq!(decoded(b""), Ok(HashMap::<u8, u8>::new()));
}

#[test]
fn the_order_is_that_of_the_keys_or_of_their_bytes_and_any_is_read() {
    let (sorted, hashed) = maps! { 10_u8 => true, 9 => false };
    let entry = |key: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).expect("a short text");
        format!("\0\x03key\0{}{key}\0\x05value\0{}{value}\0\0", char::from(length(key)), char::from(length(value)))
    };
    let (nine, ten) = (entry("9", "False"), entry("10", "True"));
    assert_eq!(encoded(&sorted), [&*nine, &*ten].concat().as_bytes());
    assert_eq!(encoded(&hashed), [&*ten, &*nine].concat().as_bytes(), "\"1\" is before \"9\"");
    for bytes in [[&*nine, &*ten].concat(), [&*ten, &*nine].concat()] {
        assert_eq!(decoded(bytes.as_bytes()), Ok(sorted.clone()));
        assert_eq!(decoded(bytes.as_bytes()), Ok(hashed.clone()));
    }
    let with_more = b"\0\x03key\0\x019\0\x04more\0\0\0\x05value\0\x05False\0\0";
    assert_eq!(decoded(with_more), Ok(BTreeMap::from([(9_u8, false)])), "unknown keys are passed over");
}

#[test]
fn a_key_that_comes_twice_is_an_error_at_its_place() {
    fn refuses<T: Value + Debug>() {
        let bytes = b"\0\x03key\0\x019\0\x05value\0\x011\0\0\0\x03key\0\x0209\0\x05value\0\x011\0\0";
        let error = T::decode(RawValue::new(bytes)).expect_err("9 is 09");
        assert_eq!((error.path(), error.kind()), ("[1].key", &DecodeErrorKind::DuplicateKey));
    }
    refuses::<BTreeMap<u8, u8>>();
    refuses::<HashMap<u8, u8>>();
    assert!(
        decoded::<BTreeMap<String, u8>>(
            b"\0\x03key\0\x019\0\x05value\0\x011\0\0\0\x03key\0\x0209\0\x05value\0\x011\0\0"
        )
        .is_ok()
    );
}

#[test]
fn what_is_wrong_in_an_entry_is_named_by_its_place() {
    let rows: [(&[u8], &str); 6] = [
        (b"\0\x03key\0\x01x\0\x05value\0\x011\0\0", "[0].key: not an integer"),
        (b"\0\x03key\0\x011\0\x05value\0\x01x\0\0", "[0].value: not an integer"),
        (b"\0\x03key\0\x011\0\0", "[0].value: missing"),
        (b"\0\x05value\0\x011\0\0", "[0].key: missing"),
        (b"\0\0", "[0].key: missing"),
        (b"\0\x03key\0\x011", "[0]: cut short"),
    ];
    for (bytes, said) in rows {
        let sorted = <BTreeMap<u8, u8>>::decode(RawValue::new(bytes)).expect_err("no map").to_string();
        let hashed = <HashMap<u8, u8>>::decode(RawValue::new(bytes)).expect_err("no map").to_string();
        assert_eq!([sorted, hashed], [said, said]);
    }
    let (sorted, hashed) = maps! { "a".to_owned() => String::new(), "b".to_owned() => "x".repeat(70_000) };
    let fails = |error: Result<(), EncodeError>| error.expect_err("too long").path().to_owned();
    assert_eq!(fails(sorted.encode(&mut ValueWriter::new(&mut Vec::new()))), "[1].value");
    assert_eq!(fails(hashed.encode(&mut ValueWriter::new(&mut Vec::new()))), "[1].value");
    let (sorted, hashed) = maps! { "x".repeat(70_000) => 1_u8 };
    assert_eq!(fails(sorted.encode(&mut ValueWriter::new(&mut Vec::new()))), "[0].key");
    assert_eq!(fails(hashed.encode(&mut ValueWriter::new(&mut Vec::new()))), "[0].key");
}

#[test]
fn values_of_a_map_may_be_boxes_lists_maps_and_absent() {
    fn alike<V: Argument + Debug + PartialEq>(value: V) {
        let map = BTreeMap::from([("k".to_owned(), value)]);
        assert_eq!(decoded(&encoded(&map)), Ok(map));
    }
    alike(Kid { k: 1 });
    alike(vec![Kid { k: 1 }, Kid { k: 2 }]);
    alike(Box::new(vec![String::new()]));
    alike(BTreeMap::from([(1_i8, "a".to_owned())]));
    alike(HashMap::<_, _>::from([(true, 0.5)]));
    alike(Some(1_i64));
    alike(None::<i64>);
    assert_eq!(encoded(&BTreeMap::from([(1_u8, None::<u8>)])), b"\0\x03key\0\x011\0\0");
    let list = vec![BTreeMap::from([(1_u8, 2_u8)]), BTreeMap::new()];
    assert_eq!(decoded(&encoded(&list)), Ok(list));
    let boxes = HashMap::<_, _>::from([(vec![1_u8], 1_u8), (vec![], 2)]);
    assert_eq!(decoded(&encoded(&boxes)), Ok(boxes));
}

#[test]
fn the_length_of_a_map_is_known_before_it_is_decoded() {
    let count = |bytes| <BTreeMap<u8, u8> as Value>::COUNT.and_then(|count| count(RawValue::new(bytes)));
    assert_eq!(count(b""), Some(0));
    assert_eq!(count(b"\0\x03key\0\x01x\0\0\0\0"), Some(2));
    assert_eq!(count(b"\0\x03key\0\x01x"), None);
    assert_eq!(<Option<HashMap<u8, u8>> as Argument>::COUNT.map(|count| count(RawValue::new(b"\0\0"))), Some(Some(1)));
}

#[derive(Debug)]
struct Nested(BTreeMap<u8, Nested>);

impl Value for Nested {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        self.0.encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        BTreeMap::decode(raw).map(Self)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        if self.0.is_empty() {
            found.add(place, "non_empty", "empty");
        }
        Value::check(&self.0, place, found);
    }
}

#[test]
fn maps_nest_as_deep_as_the_limit_says_and_their_entries_are_checked() {
    let deep =
        |levels: usize| (0..levels).fold(Nested(BTreeMap::new()), |inner, _| Nested(BTreeMap::from([(1, inner)])));
    assert!(decoded::<Nested>(&encoded(&deep(32))).is_ok());
    assert_eq!(refused(&deep(33)), EncodeErrorKind::TooDeep);
    let mut found = Violations::new();
    Value::check(&HashMap::<_, _>::from([(1_u8, deep(1))]), Place::WHOLE.key("map"), &mut found);
    let places: Vec<_> = found.iter().map(|violation| violation.path.as_str()).collect();
    assert_eq!(places, ["map.value[0].value"]);
}
