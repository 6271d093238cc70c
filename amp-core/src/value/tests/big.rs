//! Values over several keys (`wire.md`, section 6).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::command::{Arguments, take_required};
use crate::sample_commands::Item;
use crate::schema::BoxDeclaration;
use crate::wire::{BoxDecoder, BoxLimits, MAX_VALUE, RawBox, put_pair};

const V: Key = Key::from_wire(b"\0\x01v");

/// As large as these tests need.
const LIMITS: BoxLimits = BoxLimits::new().bytes(16 << 20).pairs(1 << 20);

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn wire(pairs: &Pairs) -> Vec<u8> {
    let mut bytes = Vec::new();
    pairs.iter().for_each(|(key, value)| put_pair(&mut bytes, key, value));
    bytes.extend_from_slice(b"\0\0");
    bytes
}

fn received(bytes: &[u8]) -> RawBox {
    BoxDecoder::with_leftover(LIMITS, BytesMut::from(bytes)).next_box().expect("a box").expect("a whole one")
}

/// The pairs of a box with this one field.
fn put<A: Argument>(value: &A) -> Result<Pairs, EncodeError> {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 32);
    value.put(V, &mut out)?;
    out.finish(LIMITS.bytes)?;
    let raw = received(&bytes);
    assert!(raw.is_ascending(), "keys are sorted");
    Ok(raw.pairs().map(|(key, value)| (key.to_vec(), value.to_vec())).collect())
}

fn take<A: Argument>(pairs: &Pairs) -> Result<A, String> {
    take_required(V, &mut BoxReader::new(&received(&wire(pairs)), 32)).map_err(|error| error.to_string())
}

fn names(pairs: &Pairs) -> Vec<String> {
    pairs.iter().map(|(key, value)| format!("{} {}", key.escape_ascii(), value.len())).collect()
}

/// A value in these parts, under the names of a convention.
fn in_parts(start: usize, parts: &[&[u8]]) -> Pairs {
    let bare = (start == 2).then(|| "v".to_owned()).into_iter();
    let keys = bare.chain((start..).map(|number| format!("v.{number}")));
    keys.zip(parts).map(|(key, part)| (key.into_bytes(), part.to_vec())).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Pairs {
    pairs.map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).to_vec()
}

type Two<T> = Big<T, 1_000_000>;
type Zero<T> = Big<T, 1_000_000, FromZero>;

/// Lengths at which the number of keys changes.
const LENGTHS: [usize; 8] =
    [0, 1, MAX_VALUE - 1, MAX_VALUE, MAX_VALUE + 1, 2 * MAX_VALUE, 2 * MAX_VALUE + 1, 12 * MAX_VALUE];

#[test]
fn rule_57_a_value_is_written_over_as_many_keys_as_it_needs() {
    let rows: [(usize, &[&str], &[&str]); 4] = [
        (0, &["v 0"], &[]),
        (MAX_VALUE, &["v 65535"], &["v.0 65535"]),
        (MAX_VALUE + 1, &["v 65535", "v.2 1"], &["v.0 65535", "v.1 1"]),
        (2 * MAX_VALUE + 7, &["v 65535", "v.2 65535", "v.3 7"], &["v.0 65535", "v.1 65535", "v.2 7"]),
    ];
    for (length, from_two, from_zero) in rows {
        assert_eq!(names(&put(&Two::new(vec![7_u8; length])).expect("fits")), from_two);
        assert_eq!(names(&put(&Zero::new(vec![7_u8; length])).expect("fits")), from_zero);
    }
    // As a plain field, if it is short.
    assert_eq!(put(&Two::new("short".to_owned())).expect("fits"), put(&"short".to_owned()).expect("fits"));
}

#[test]
fn every_length_comes_back() {
    for length in LENGTHS {
        let bytes: Vec<u8> = (0..251).cycle().take(length).collect();
        assert!(*take::<Two<Vec<u8>>>(&put(&Two::new(bytes.clone())).expect("fits")).expect("whole") == bytes);
        assert!(*take::<Zero<Vec<u8>>>(&put(&Zero::new(bytes.clone())).expect("fits")).expect("whole") == bytes);
    }
}

#[test]
fn one_byte_over_the_maximum_is_neither_written_nor_read() {
    fn check<const MAX: usize, N: KeyNumbers + Debug>(start: usize) {
        let full = Big::<Vec<u8>, MAX, N>::new(vec![7; MAX]);
        let sent = put(&full).expect("as long as it may be");
        assert!(*take::<Big<Vec<u8>, MAX, N>>(&sent).expect("as long as it may be") == *full);
        let over = vec![7; MAX + 1];
        let error = put(&Big::<Vec<u8>, MAX, N>::new(over.clone())).expect_err("too long");
        let length = MAX + 1;
        assert_eq!((error.path(), error.kind()), ("v", &EncodeErrorKind::OverMaximum { length, maximum: MAX }));
        for cut in [1, MAX] {
            let parts: Vec<_> = over.chunks(cut.max(length.div_ceil(1000)).min(MAX_VALUE)).collect();
            let refused = take::<Big<Vec<u8>, MAX, N>>(&in_parts(start, &parts)).map(|_| ());
            assert_eq!(refused, Err(format!("v: more than {MAX} bytes, the maximum that this end declares")));
        }
    }
    macro_rules! each {
        ($($max:literal)*) => {$(
            check::<$max, FromTwo>(2);
            check::<$max, FromZero>(0);
        )*};
    }
    each! { 1 2 3 65_534 65_535 65_536 131_069 131_070 131_071 1_000_000 }
    assert!(put(&Big::<_, 0>::new(Vec::<u8>::new())).is_ok() && put(&Big::<_, 0>::new(vec![7_u8])).is_err());
}

#[test]
fn the_error_says_what_to_do() {
    let error = put(&Big::<_, 3>::new(vec![7_u8; 4])).expect_err("too long");
    let words = "v: 4 bytes where 3 is the declared maximum; raise it at both ends, or use several calls or a stream";
    assert_eq!(error.to_string(), words);
    let error = put(&vec![7_u8; MAX_VALUE + 1]).expect_err("too long for one key");
    let words = "v: 65536 bytes where 65535 is the most of one value; declare it at both ends as `Big`, which is split over \
        several keys, or use several calls or a stream";
    assert_eq!(error.to_string(), words);
}

#[test]
fn a_part_that_is_missing_is_named() {
    let rows = [
        (pairs([("v", "a"), ("v.3", "c")]), Err("v.2"), Err("v.0")),
        (pairs([("v.2", "b")]), Err("v"), Err("v.0")),
        (pairs([("v", "a"), ("v.2", "b"), ("v.4", "d")]), Err("v.3"), Err("v.0")),
        (pairs([("v.0", "x"), ("v.2", "b")]), Err("v"), Err("v.1")),
        (pairs([("v", "a"), ("v.18446744073709551616", "b")]), Err("v.2"), Err("v.0")),
        (pairs([("v", "a"), ("v.2", "b"), ("v.2", "c"), ("v.4", "d")]), Err("v.3"), Err("v.0")),
        // These are other keys.
        (pairs([("v", "a"), ("v.1", "x"), ("v.0", "y")]), Ok("a"), Ok("yx")),
        (pairs([("v", "a"), ("v.02", "x"), ("v.+2", "x"), ("v.2x", "x"), ("v.", "x"), ("v2", "x")]), Ok("a"), Ok("")),
        (
            pairs([("v", "a"), ("v.-2", "x"), ("v. 2", "x"), ("v.2.2", "x"), ("w.2", "x"), ("vv.2", "x")]),
            Ok("a"),
            Ok(""),
        ),
        // Twenty parts, of which the tenth sorts before the second.
        (in_parts(2, &[&b"a"[..]; 20]), Ok("aaaaaaaaaaaaaaaaaaaa"), Err("v.0")),
        (in_parts(0, &[&b"a"[..]; 20]), Err("v"), Ok("aaaaaaaaaaaaaaaaaaaa")),
    ];
    let missing = |key: &str| format!("{key}: missing, and later parts of the value are there");
    for (sent, from_two, from_zero) in rows {
        let two = take::<Two<String>>(&sent).map(Big::into_inner);
        assert_eq!(two, from_two.map(str::to_owned).map_err(missing), "{sent:?}");
        let zero = take::<Zero<String>>(&sent).map(Big::into_inner);
        assert_eq!(zero, from_zero.map(str::to_owned).map_err(missing), "{sent:?}");
    }
}

#[test]
fn what_is_absent_is_missing_or_none_or_empty() {
    let nothing = pairs([("w", "")]);
    assert_eq!(take::<Two<String>>(&nothing).map(Big::into_inner), Err("v: missing".into()));
    assert_eq!(take::<Option<Two<String>>>(&nothing), Ok(None));
    assert_eq!(take::<Option<Two<String>>>(&pairs([("v", "")])), Ok(Some(String::new().into())));
    assert!(take::<Option<Two<String>>>(&pairs([("v.2", "")])).is_err(), "a part is there");
    assert_eq!(take::<Zero<String>>(&nothing).map(Big::into_inner), Ok(String::new()));
    assert_eq!(take::<Zero<Vec<Item>>>(&nothing).map(Big::into_inner), Ok(vec![]));
    assert_eq!(take::<Zero<String>>(&pairs([("v.0", ""), ("v.1", "a")])).map(Big::into_inner), Ok("a".into()));
    // A type without an empty value is missing, and can be optional.
    assert_eq!(take::<Zero<i64>>(&nothing).map(Big::into_inner), Err("v: missing".into()));
    assert_eq!(take::<Option<Zero<i64>>>(&nothing), Ok(None));
    assert_eq!(take::<Zero<[u8; 4]>>(&nothing).map(Big::into_inner), Err("v: missing".into()), "bytes, but four");
    let optional =
        [<Zero<String>>::OPTIONAL, <Zero<Vec<Item>>>::OPTIONAL, <Zero<i64>>::OPTIONAL, <Two<String>>::OPTIONAL];
    assert_eq!(optional, [true, true, false, false]);
    assert_eq!(put(&None::<Two<String>>).expect("nothing"), vec![]);
}

#[test]
fn what_is_wrong_within_is_placed_in_the_field() {
    let texts = in_parts(2, &[b"\0\x01a\0", b"\x01\xff"]);
    assert_eq!(take::<Two<Vec<String>>>(&texts).map(|_| ()), Err("v[1]: not UTF-8 text".into()));
    let items = in_parts(0, &[b"\0\x01a\0\x01", b"1\0\0\0\x01a\0\x01x\0\0"]);
    assert_eq!(take::<Zero<Vec<Item>>>(&items).map(|_| ()), Err("v[1].a: not an integer".into()));
    let long = Two::new(vec!["x".repeat(MAX_VALUE + 1)]);
    assert_eq!(put(&long).expect_err("an item stays one value").path(), "v[0]");
}

/// Nested boxes have no limit of pairs.
#[test]
fn very_many_parts_take_time_in_proportion_to_their_number() {
    struct Inner(Two<String>);

    impl Arguments for Inner {
        const FIELDS: BoxDeclaration = crate::__private::fields("Inner", &[]);

        fn put_leading(&self, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
            Ok(())
        }

        fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
            self.0.put(V, out)
        }

        fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
            take_required(V, from).map(Self)
        }
    }

    impl Value for Inner {
        fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
            crate::command::nested_encode(self, out)
        }

        fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
            crate::command::nested_decode(raw)
        }
    }

    let start = Instant::now();
    for part in ["", "x"] {
        let many = in_parts(2, &vec![part.as_bytes(); 100_000]);
        let inner = decoded::<Inner>(&wire(&many)).expect("all of them");
        assert_eq!(inner.0.len(), 100_000 * part.len());
    }
    let many = in_parts(0, &vec![&b""[..]; 100_000]);
    assert!(decoded::<Inner>(&wire(&many)).is_err(), "the first one is missing");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    // A big value may hold another.
    let inner = Inner("x".repeat(2 * MAX_VALUE).into());
    let outer = put(&Zero::new(inner)).expect("fits");
    assert_eq!(names(&outer), ["v.0 65535", "v.1 65535", "v.2 14"]);
    assert_eq!(take::<Zero<Inner>>(&outer).expect("whole").into_inner().0.len(), 2 * MAX_VALUE);
}

#[test]
fn a_value_of_one_part_may_stay_a_slice_of_its_box() {
    let bytes = Bytes::from(vec![7_u8; 20_000]);
    for raw in [wire(&put(&Two::new(bytes.clone())).expect("fits")), wire(&put(&Zero::new(bytes)).expect("fits"))] {
        let raw = received(&raw);
        let mut reader = BoxReader::new(&raw, 32);
        let taken = take_required::<Two<Bytes>>(V, &mut reader).map(Big::into_inner);
        let taken =
            taken.or_else(|_| take_required::<Zero<Bytes>>(V, &mut reader).map(Big::into_inner)).expect("whole");
        assert!(raw.as_bytes().as_ptr_range().contains(&taken.as_ptr()));
    }
}

/// What the conventions say, found the slow way: the value, or the key that is missing; `None` if there are no parts.
fn model(sent: &Pairs, start: usize) -> Option<Result<Vec<u8>, String>> {
    let last: BTreeMap<&[u8], &[u8]> = sent.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    let bare = (start == 2).then(|| "v".to_owned()).into_iter();
    let keys: Vec<String> = bare.chain((start..20).map(|number| format!("v.{number}"))).collect();
    let found: Vec<_> = keys.iter().map(|key| last.get(key.as_bytes())).collect();
    let end = found.iter().rposition(Option::is_some)?;
    let parts = &found[..=end];
    Some(match parts.iter().position(Option::is_none) {
        Some(at) => Err(format!("{}: missing, and later parts of the value are there", keys[at])),
        None => Ok(parts.iter().flatten().copied().copied().collect::<Vec<_>>().concat()),
    })
}

/// Pairs of a few parts, and of keys that look like parts.
fn likely_pairs() -> impl Strategy<Value = Pairs> {
    let key = select(vec!["v", "v.0", "v.1", "v.2", "v.3", "v.4", "v.02", "v.+2", "v.", "v.2x", "u", "w", "v.12"]);
    let likely =
        prop_oneof![3 => key.prop_map(|key| key.as_bytes().to_vec()), 1 => "v(\\.[0-4])?".prop_map(String::into_bytes)];
    vec((likely, vec(any::<u8>(), 0..4)), 0..8)
}

fn comes_back<T: Value + Clone + Debug + PartialEq>(value: &T) -> Result<(), TestCaseError> {
    let two = Two::new(value.clone());
    prop_assert_eq!(take::<Two<T>>(&put(&two).expect("fits")), Ok(two));
    let zero = Zero::new(value.clone());
    prop_assert_eq!(take::<Zero<T>>(&put(&zero).expect("fits")), Ok(zero));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_pairs_the_conventions_hold_and_nothing_panics(sent in likely_pairs()) {
        fn check<const MAX: usize, N: KeyNumbers + Debug>(sent: &Pairs, start: usize) -> Result<(), TestCaseError> {
            let too_long = format!("v: more than {MAX} bytes, the maximum that this end declares");
            let expected = match model(sent, start) {
                None if start == 0 => Ok(Vec::new()),
                None => Err("v: missing".to_owned()),
                Some(Ok(value)) if value.len() > MAX => Err(too_long),
                Some(result) => result,
            };
            prop_assert_eq!(take::<Big<Vec<u8>, MAX, N>>(sent).map(Big::into_inner), expected);
            let _ = take::<Big<Vec<Item>, MAX, N>>(sent);
            let _ = take::<Option<Big<i64, MAX, N>>>(sent);
            Ok(())
        }
        check::<1, FromTwo>(&sent, 2)?;
        check::<3, FromTwo>(&sent, 2)?;
        check::<9, FromTwo>(&sent, 2)?;
        check::<2, FromZero>(&sent, 0)?;
        check::<9, FromZero>(&sent, 0)?;
    }

    #[test]
    fn parts_of_any_size_in_any_order_are_one_value(
        value in vec(any::<u8>(), 0..200),
        cuts in vec(0..200_usize, 0..30),
        order in vec(any::<u32>(), 32),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(value.len())).collect();
        cuts.sort_unstable();
        let ends = cuts.iter().copied().chain([value.len()]);
        let parts: Vec<&[u8]> = [0].into_iter().chain(cuts.iter().copied()).zip(ends).map(|(from, to)| &value[from..to]).collect();
        for start in [0, 2] {
            let mut sent: Vec<_> = in_parts(start, &parts).into_iter().zip(&order).collect();
            sent.sort_by_key(|(_, at)| **at);
            let sent: Pairs = sent.into_iter().map(|(pair, _)| pair).collect();
            let taken = if start == 2 {
                take::<Two<Vec<u8>>>(&sent).map(Big::into_inner)
            } else {
                take::<Zero<Vec<u8>>>(&sent).map(Big::into_inner)
            };
            prop_assert_eq!(taken.as_ref(), Ok(&value));
        }
    }

    #[test]
    fn lists_texts_and_boxes_come_back(
        texts in vec(any::<String>(), 0..8),
        numbers in vec(any::<i64>(), 0..8),
        times in select(vec![1_usize, 1, 1, 3000, 20_000]),
    ) {
        comes_back(&texts.concat())?;
        comes_back(&texts)?;
        comes_back(&numbers)?;
        let items: Vec<Item> = numbers.iter().map(|a| Item { a: *a, b: texts.first().map(|text| text.chars().take(3).collect()) }).collect();
        comes_back(&items)?;
        if let Some(item) = items.first() {
            comes_back(item)?;
            let many = vec![item.clone(); times.min(900_000 / (encoded(item).len()))];
            comes_back(&many)?;
        }
    }
}
