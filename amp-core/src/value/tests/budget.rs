//! What a box decodes to is charged before it is made, and what is held is no more than was charged.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use ::bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;

use super::held::Held;
use super::*;
use crate::sample_commands::{Empty, Item, Kid, Parent};
use crate::value::budget::ALLOCATION;
use crate::value::{Budget, Reserve, Scope};
use crate::wire::{BoxDecoder, BoxLimits, RawBox};

/// A box whose `v` is these bytes.
fn boxed(value: &[u8]) -> RawBox {
    let length = u16::try_from(value.len()).expect("a length of a value").to_be_bytes();
    let wire = [b"\0\x01v", &length[..], value, b"\0\0"].concat();
    BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(&wire[..])).next_box().expect("a box").expect("whole")
}

fn take<T: Value>(raw: &RawBox, scope: &Scope<'_>) -> Result<T, DecodeErrorKind> {
    let value = BoxReader::new(raw, 32).with_scope(scope).value(Key::from_wire(b"\0\x01v")).expect("the key");
    T::decode(value).map_err(|error| error.kind().clone())
}

fn within<T: Value>(limits: BoxLimits, value: &[u8]) -> Result<T, DecodeErrorKind> {
    take(&boxed(value), &Scope::new(Budget::new(&limits), None))
}

/// The least budget with which the same comes out as without one.
#[cfg(any(feature = "json", feature = "zlib"))]
pub(super) fn needed<T: Value>(value: &[u8]) -> usize {
    let is_over = |result| matches!(result, Err(DecodeErrorKind::TooManyBytes { .. }));
    let (mut least, mut most) = (0, 1 << 28);
    while least < most {
        let middle = usize::midpoint(least, most);
        if is_over(within::<T>(LIMITS.decoded_bytes(middle), value)) { least = middle + 1 } else { most = middle }
    }
    least
}

/// What was reserved, and how much there is to be.
#[derive(Debug)]
struct Counter {
    reserved: Cell<usize>,
    most: usize,
}

impl Reserve for Counter {
    fn reserve(&self, bytes: usize) -> bool {
        let sum = self.reserved.get() + bytes;
        let fits = sum <= self.most;
        if fits {
            self.reserved.set(sum);
        }
        fits
    }
}

const LIMITS: BoxLimits = BoxLimits::DEFAULT;

#[test]
fn text_and_byte_strings_are_charged_their_length_and_their_allocation_and_nothing_when_empty() {
    fn charged<T: Value + Debug>() {
        assert!(within::<T>(LIMITS.decoded_bytes(0), b"").is_ok());
        assert!(within::<T>(LIMITS.decoded_bytes(3 + ALLOCATION), b"123").is_ok());
        let limit = 2 + ALLOCATION;
        let refused = within::<T>(LIMITS.decoded_bytes(limit), b"123").expect_err("one byte over it");
        assert_eq!(refused, DecodeErrorKind::TooManyBytes { limit });
    }
    charged::<String>();
    charged::<Vec<u8>>();
    charged::<Bytes>();
    charged::<std::path::PathBuf>();
    charged::<Box<str>>();
    charged::<Arc<str>>();
    charged::<std::borrow::Cow<'static, str>>();
    charged::<std::borrow::Cow<'static, [u8]>>();
    // What is written, not what was received.
    for (text, length) in [("123", 3), ("0001_2", 2), (".5", 3)] {
        assert!(within::<Decimal>(LIMITS.decoded_bytes(length + ALLOCATION), text.as_bytes()).is_ok());
        let refused = within::<Decimal>(LIMITS.decoded_bytes(length + ALLOCATION - 1), text.as_bytes());
        assert!(matches!(refused, Err(DecodeErrorKind::TooManyBytes { .. })), "{refused:?}");
    }
    #[cfg(feature = "num-bigint")]
    {
        assert!(within::<num_bigint::BigInt>(LIMITS.decoded_bytes(3 + ALLOCATION), b"123").is_ok());
        assert!(within::<num_bigint::BigInt>(LIMITS.decoded_bytes(2 + ALLOCATION), b"123").is_err());
    }
}

#[test]
fn a_list_is_charged_what_it_grows_to_before_it_does() {
    let (one, four) = (b"\0\x011".to_vec(), b"\0\x011".repeat(4));
    // A list of one has room for one here: its value is too short for more.
    for (list, bytes) in [(&one, 8), (&four, 4 * 8)] {
        assert!(within::<Vec<i64>>(LIMITS.decoded_bytes(bytes + ALLOCATION), list).is_ok());
        let refused = within::<Vec<i64>>(LIMITS.decoded_bytes(bytes + ALLOCATION - 1), list);
        assert!(matches!(refused, Err(DecodeErrorKind::TooManyBytes { .. })), "{refused:?}");
    }
    let boxes = b"\0\x01k\0\x011\0\0".repeat(3);
    assert!(within::<Vec<Kid>>(LIMITS.decoded_bytes(4 * 8 + ALLOCATION), &boxes).is_ok());
    assert!(within::<Vec<Kid>>(LIMITS.decoded_bytes(4 * 8 + ALLOCATION - 1), &boxes).is_err());
}

#[test]
fn a_map_is_charged_its_nodes_or_its_table_before_it_grows() {
    fn needs<T: Value + Debug>(entries: u16, bytes: usize) {
        let entry = |key: u16| format!("\0\x03key\0\x04{key:04}\0\x05value\0\x011\0\0");
        let list: String = (0..entries).map(entry).collect();
        assert!(within::<T>(LIMITS.decoded_bytes(bytes), list.as_bytes()).is_ok(), "{entries} in {bytes}");
        let refused = within::<T>(LIMITS.decoded_bytes(bytes - 1), list.as_bytes());
        assert!(matches!(refused, Err(DecodeErrorKind::TooManyBytes { .. })), "{entries} in {bytes}: {refused:?}");
    }
    let leaf = 11 * 16 + 16;
    needs::<BTreeMap<u64, u64>>(1, leaf + ALLOCATION);
    needs::<BTreeMap<u64, u64>>(5, leaf + ALLOCATION);
    needs::<BTreeMap<u64, u64>>(6, 3 * (leaf + ALLOCATION) + 12 * 8);
    needs::<BTreeMap<u64, u64>>(501, 201 * (leaf + ALLOCATION) + 100 * 12 * 8);
    let table = |places: usize| places * 17 + 64 + ALLOCATION;
    needs::<HashMap<u64, u64>>(3, table(4));
    needs::<HashMap<u64, u64>>(4, table(4) + table(8));
    needs::<HashMap<u64, u64>>(7, table(4) + table(8));
    needs::<HashMap<u64, u64>>(8, table(4) + table(8) + table(16));
    needs::<HashMap<u64, u64>>(15, table(4) + table(8) + table(16) + table(32));
    let of = HashMap::<u64, u64>::with_capacity(14);
    assert_eq!(of.capacity(), 14, "what is charged is what the library takes");
    let limits = LIMITS.items(2);
    let three = b"\0\x03key\0\x011\0\x05value\0\x011\0\0\0\x03key\0\x012\0\x05value\0\x011\0\0\0\x03key\0\x013\0\x05value\0\x011\0\0";
    assert_eq!(within::<HashMap<u8, u8>>(limits, three), Err(DecodeErrorKind::TooManyItems { limit: 2 }));
}

#[test]
fn items_of_all_lists_of_a_box_are_counted_together() {
    let two = [&b"\0\x06\0\x011\0\x011"[..], b"\0\x03\0\x011"].concat();
    assert_eq!(within::<Vec<Vec<u16>>>(LIMITS.items(5), &two), Ok(vec![vec![1, 1], vec![1]]));
    let refused = within::<Vec<Vec<u16>>>(LIMITS.items(4), &two).expect_err("two lists and three numbers");
    assert_eq!(refused, DecodeErrorKind::TooManyItems { limit: 4 });
    assert_eq!(refused.to_string(), "more than 4 items in the lists of one box; see `BoxLimits::items`");
    let empty = [0; 8];
    assert_eq!(within::<Vec<Empty>>(LIMITS.items(4), &empty).map(|list| list.len()), Ok(4));
    assert!(within::<Vec<Empty>>(LIMITS.items(3), &empty).is_err(), "that they need no memory does not matter");
}

#[test]
fn the_error_says_the_limit_and_where() {
    let raw = boxed(b"\0\x01a\0\x01b");
    let limits = LIMITS.decoded_bytes(3 * 24 + ALLOCATION + 1 + ALLOCATION);
    let scope = Scope::new(Budget::new(&limits), None);
    let mut reader = BoxReader::new(&raw, 32).with_scope(&scope);
    let error = crate::command::take_required::<Vec<String>>(Key::from_wire(b"\0\x01v"), &mut reader)
        .expect_err("the second text is over it");
    let limit = limits.decoded_bytes;
    assert_eq!(error.to_string(), format!("v[1]: decodes to more than {limit} bytes; see `BoxLimits::decoded_bytes`"));
}

#[test]
fn what_a_box_decodes_to_beyond_its_own_bytes_is_reserved_in_steps_and_refused_where_there_is_no_room() {
    let list = b"\0\0".repeat(10_000);
    let raw = boxed(&list);
    let needed = 10_000 * size_of::<String>();
    for (most, is_taken) in [(1 << 20, true), (needed / 2, false), (0, false)] {
        let counter = Counter { reserved: Cell::new(0), most };
        let scope = Scope::new(Budget::reserving(&LIMITS, raw.as_bytes().len(), &counter), None);
        let taken = take::<Vec<String>>(&raw, &scope);
        assert_eq!((taken.is_ok(), scope.budget().spent().is_refused), (is_taken, !is_taken));
        match taken {
            Ok(list) => {
                let counted = raw.as_bytes().len() + 512 + counter.reserved.get()
                    - scope.budget().spent().room.min(counter.reserved.get());
                assert!((list.held()..list.held() + 1024).contains(&counted), "{counted}");
            }
            Err(kind) => assert_eq!(kind, DecodeErrorKind::NoRoom),
        }
    }
    let counter = Counter { reserved: Cell::new(0), most: usize::MAX };
    let limits = LIMITS.decoded_bytes(needed / 2);
    let scope = Scope::new(Budget::reserving(&limits, raw.as_bytes().len(), &counter), None);
    let limit = limits.decoded_bytes;
    assert_eq!(take::<Vec<String>>(&raw, &scope), Err(DecodeErrorKind::TooManyBytes { limit }));
    assert!(!scope.budget().spent().is_refused && counter.reserved.get() <= limit, "the box itself is at fault");
}

#[test]
fn what_is_needed_only_while_it_is_decoded_is_free_again_behind_it_and_not_before() {
    let parts = [&[b'x'; 1000][..], &[b'y'; 500]];
    let raw = in_parts(&parts);
    let scope = Scope::new(Budget::new(&LIMITS), None);
    let mut reader = BoxReader::new(&raw, 32).with_scope(&scope);
    let taken = <Big<Vec<u8>, 2000>>::take(Key::from_wire(b"\0\x01v"), &mut reader).expect("within its maximum");
    assert_eq!(taken.expect("there").len(), 1500);
    let together = 1500 + 2 * size_of::<Option<&[u8]>>();
    let spent = LIMITS.decoded_bytes - scope.budget().spent().room;
    assert_eq!((scope.budget().spent().released, spent), (together, together + 1500 + 3 * ALLOCATION));
}

#[cfg(feature = "zlib")]
#[test]
fn what_is_decompressed_is_free_again_and_no_more_may_be_decompressed_for_it() {
    let value = Zlib::<Vec<u8>>(vec![0; 100_000]);
    let mut packed = Vec::new();
    vec![value.clone(), value].encode(&mut ValueWriter::new(&mut packed)).expect("short");
    let scope = Scope::new(Budget::new(&LIMITS), None);
    take::<Vec<Zlib<Vec<u8>>>>(&boxed(&packed), &scope).expect("within the limits");
    let released = scope.budget().spent().released;
    assert!((200_000..500_000).contains(&released), "{released}");
    let refused = within::<Vec<Zlib<Vec<u8>>>>(LIMITS.decoded_bytes(350_000), &packed);
    assert!(matches!(refused, Err(DecodeErrorKind::TooManyBytes { .. })), "{refused:?}");
}

#[test]
fn a_short_box_reserves_nothing() {
    let raw = boxed(b"\0\x01a\0\x01b\0\x01c");
    let counter = Counter { reserved: Cell::new(0), most: 0 };
    let scope = Scope::new(Budget::reserving(&LIMITS, raw.as_bytes().len(), &counter), None);
    assert_eq!(take::<Vec<String>>(&raw, &scope).map(|list| list.len()), Ok(3));
}

#[test]
fn a_value_of_the_users_charges_what_it_makes_and_without_a_box_all_goes() {
    #[derive(Debug, PartialEq)]
    struct Zeros(usize);

    impl Value for Zeros {
        fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
            self.0.encode(out)
        }

        fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
            let length = usize::decode(raw)?;
            // What is unpacked is charged as what it is unpacked from.
            raw.with_bytes(b"unpacked").charge(length)?;
            Ok(Self(length))
        }
    }

    assert_eq!(within::<Zeros>(LIMITS.decoded_bytes(9), b"9"), Ok(Zeros(9)));
    assert_eq!(within::<Zeros>(LIMITS.decoded_bytes(8), b"9"), Err(DecodeErrorKind::TooManyBytes { limit: 8 }));
    assert_eq!(decoded::<Zeros>(b"99999999999"), Ok(Zeros(99_999_999_999)));
}

/// A box whose `v` is a value in these parts.
fn in_parts(parts: &[&[u8]]) -> RawBox {
    let mut wire = Vec::new();
    let keys = std::iter::once("v".to_owned()).chain((2..).map(|number| format!("v.{number}")));
    keys.zip(parts).for_each(|(key, part)| crate::wire::put_pair(&mut wire, key.as_bytes(), part));
    wire.extend_from_slice(b"\0\0");
    BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(&wire[..])).next_box().expect("a box").expect("whole")
}

#[test]
fn a_value_over_several_keys_is_charged_before_it_is_put_together_and_what_it_decodes_to_as_well() {
    const INDEX: usize = 2 * size_of::<&[u8]>() + ALLOCATION;
    fn taken<const MAX: usize>(raw: &RawBox, limit: usize) -> Result<Vec<u8>, DecodeErrorKind> {
        let limits = LIMITS.decoded_bytes(limit);
        let scope = Scope::new(Budget::new(&limits), None);
        let mut reader = BoxReader::new(raw, 32).with_scope(&scope);
        let taken = crate::command::take_required::<Big<Vec<u8>, MAX>>(Key::from_wire(b"\0\x01v"), &mut reader);
        taken.map(Big::into_inner).map_err(|error| error.kind().clone())
    }
    let two = in_parts(&[&[7; 600], &[7; 400]]);
    let needed = INDEX + 2 * (1000 + ALLOCATION);
    assert_eq!(taken::<1000>(&two, needed), Ok(vec![7; 1000]));
    assert_eq!(taken::<1000>(&two, needed - 1), Err(DecodeErrorKind::TooManyBytes { limit: needed - 1 }));
    // The maximum is checked first, and costs no more than the index.
    assert_eq!(taken::<999>(&two, INDEX), Err(DecodeErrorKind::OverMaximum { limit: 999 }));
    assert_eq!(taken::<999>(&two, INDEX - 1), Err(DecodeErrorKind::TooManyBytes { limit: INDEX - 1 }));
    // One part is decoded from the box.
    let one = in_parts(&[&[7; 1000]]);
    assert_eq!(taken::<1000>(&one, 1000 + ALLOCATION), Ok(vec![7; 1000]));
    assert!(taken::<1000>(&one, 999 + ALLOCATION).is_err());
    assert_eq!(taken::<999>(&one, 0), Err(DecodeErrorKind::OverMaximum { limit: 999 }));
    // Parts of no bytes are charged as well.
    let empty = in_parts(&[&b""[..]; 1000]);
    let needed = 1000 * size_of::<&[u8]>() + ALLOCATION;
    assert_eq!(taken::<1>(&empty, needed), Ok(vec![]));
    assert!(taken::<1>(&empty, needed - 1).is_err());
}

/// Bytes that are lists and boxes rather often.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let short = vec(prop_oneof![6 => Just(0_u8), 3 => 1..4_u8, 2 => prop::sample::select(b"abkn".to_vec())], 0..200);
    let names = prop::sample::select(vec![
        &b"\0\x01a\0\x011"[..],
        b"\0\x01b\0\x02xy",
        b"\0\x01k\0\x011",
        b"\0\0",
        b"\0\x04name\0\x01n",
        b"\0\x03key\0\x011\0\x05value\0\x011\0\0",
        b"\0\x03key\0\x012\0\x05value\0\x012\0\0",
        b"\0\x03key\0\x013\0\x05value\0\x01n\0\0",
    ]);
    prop_oneof![short, vec(names, 0..100).prop_map(|parts| parts.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_bytes_no_more_is_held_than_was_charged(bytes in likely_bytes(), limit in 0..3000_usize) {
        fn check<T: Value + Held>(bytes: &[u8], limit: usize) -> Result<(), TestCaseError> {
            if let Ok(value) = within::<T>(LIMITS.decoded_bytes(limit), bytes) {
                prop_assert!(value.held() <= limit, "{} of {limit}", value.held());
            }
            let raw = boxed(bytes);
            let counter = Counter { reserved: Cell::new(0), most: limit };
            let scope = Scope::new(Budget::reserving(&LIMITS, raw.as_bytes().len(), &counter), None);
            if let Ok(value) = take::<T>(&raw, &scope) {
                let counted = raw.as_bytes().len() + 512 + counter.reserved.get() - scope.budget().spent().room.min(counter.reserved.get());
                prop_assert!(value.held() <= counted, "{} of {counted}", value.held());
            }
            Ok(())
        }
        macro_rules! each {
            ($($type:ty)*) => { $(check::<$type>(&bytes, limit)?;)* };
        }
        each! { String Vec<u8> Bytes Vec<i64> Vec<f64> Vec<bool> Vec<[u8; 4]> Vec<String> Vec<Vec<u8>> Vec<Vec<Vec<i64>>> }
        each! { Decimal DateTime std::path::PathBuf Vec<Decimal> Vec<DateTime> Vec<std::path::PathBuf> }
        each! { char Duration NonZero<u8> IpAddr SocketAddr Octets<IpAddr> [String; 1] [Vec<u8>; 2] Vec<[Vec<i64>; 1]> }
        each! { Box<i64> Box<String> Arc<i64> Box<[Vec<u8>]> Vec<Box<u8>> Vec<Arc<Vec<u8>>> Vec<Box<Kid>> }
        each! { BTreeMap<u8, u8> BTreeMap<String, Vec<u8>> HashMap<String, Option<i64>> HashMap<u8, HashMap<u8, u8>> }
        // An empty one has no bytes to charge, and two counters.
        if !bytes.is_empty() {
            each! { Arc<str> Arc<[u8]> Arc<[Box<i64>]> }
        }
        #[cfg(feature = "zlib")]
        each! { Zlib<Vec<String>> Zlib<Bytes> }
        #[cfg(feature = "url")]
        each! { ::url::Url }
        each! { Item Parent Vec<Item> Vec<Parent> Vec<Vec<Item>> Vec<Empty> Vec<Vec<Empty>> Vec<Bytes> }
        #[cfg(feature = "num-bigint")]
        each! { num_bigint::BigInt Vec<num_bigint::BigInt> }
    }
}
