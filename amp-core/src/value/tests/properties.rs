use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use ::bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Decodes as every type there is; only a panic can fail.
fn decode_all(bytes: &[u8]) {
    macro_rules! each {
        ($($type:ty)*) => { $(let _ = decoded::<$type>(bytes);)* };
    }
    each! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool String Vec<u8> Bytes [u8; 4] }
    each! { Decimal DateTime std::path::PathBuf Vec<Decimal> Vec<DateTime> }
    each! { char Duration NonZero<u8> NonZero<i128> Box<i64> Arc<str> Box<[String]> Cow<'static, [u8]> [String; 2] [[u8; 4]; 2] }
    each! { IpAddr Ipv4Addr Ipv6Addr SocketAddr SocketAddrV4 SocketAddrV6 Octets<IpAddr> Octets<Ipv6Addr> }
    each! { BTreeMap<String, i64> HashMap<u8, Option<bool>> BTreeMap<u8, HashMap<bool, String>> }
    each! { Vec<Box<i64>> Vec<Arc<Vec<u8>>> Vec<[i64; 1]> Vec<Duration> Vec<IpAddr> }
    #[cfg(feature = "ipnet")]
    each! { ipnet::IpNet ipnet::Ipv4Net ipnet::Ipv6Net }
    #[cfg(feature = "url")]
    each! { ::url::Url }
    #[cfg(feature = "uuid")]
    each! { ::uuid::Uuid }
    each! { Vec<i64> Vec<f64> Vec<bool> Vec<String> Vec<Vec<u8>> Vec<Vec<Vec<i64>>> }
    #[cfg(feature = "num-bigint")]
    each! { num_bigint::BigInt Vec<num_bigint::BigInt> }
}

/// Bytes that look like numbers, lists or text rather often.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let likely = prop::sample::select(b"0123456789+-_.eE \t\0\x01\x02infnaNTrueFals".to_vec());
    vec(prop_oneof![4 => likely, 1 => any::<u8>()], 0..60)
}

/// Texts that are decimals rather often.
fn likely_decimals() -> impl Strategy<Value = String> {
    "[-+]?([0-9]{0,25}(\\.[0-9]{0,25})?([eE][-+]?[0-9]{1,19})?|s?nan[0-9]{0,3}|inf)"
}

/// Bytes of 32 characters that are a time rather often.
fn likely_times() -> impl Strategy<Value = Vec<u8>> {
    let (places, character) = (vec(0..32_usize, 0..4), prop::sample::select(b"0123456789 _+-".to_vec()));
    (places, vec(character, 4)).prop_map(|(places, characters)| {
        let mut bytes = b"2012-01-23T12:34:56.054321-01:23".to_vec();
        places.iter().zip(characters).for_each(|(at, character)| bytes[*at] = character);
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_integer_is_read_as_it_was_written(
        a: i8, b: i16, c: i32, d: i64, e: i128, f: u16, g: u32, h: u64, i: u128,
    ) {
        comes_back(&a)?;
        comes_back(&b)?;
        comes_back(&c)?;
        comes_back(&d)?;
        comes_back(&e)?;
        comes_back(&f)?;
        comes_back(&g)?;
        comes_back(&h)?;
        comes_back(&i)?;
    }

    #[test]
    fn every_float_is_read_as_it_was_written(bits: u64, short: u32) {
        let (double, single) = (f64::from_bits(bits), f32::from_bits(short));
        if double.is_nan() || single.is_nan() {
            return Ok(());
        }
        prop_assert_eq!(decoded::<f64>(&encoded(&double)).map(f64::to_bits), Ok(bits));
        prop_assert_eq!(decoded::<f32>(&encoded(&single)).map(f32::to_bits), Ok(short));
    }

    #[test]
    fn texts_bytes_and_lists_are_read_as_they_were_written(
        flag: bool,
        text in any::<String>(),
        bytes in vec(any::<u8>(), 0..2000),
        array: [u8; 16],
        texts in vec(any::<String>(), 0..5),
        nested in vec(vec(any::<i64>(), 0..5), 0..5),
    ) {
        comes_back(&flag)?;
        comes_back(&text)?;
        comes_back(&Bytes::from(bytes.clone()))?;
        comes_back(&bytes)?;
        comes_back(&array)?;
        comes_back(&texts)?;
        comes_back(&nested)?;
    }

    #[test]
    fn characters_holders_arrays_and_addresses_are_read_as_they_were_written(
        character: char,
        number in (1..=i64::MAX).prop_flat_map(|number| prop_oneof![Just(number), Just(-number)]),
        texts: [String; 3],
        ip in prop_oneof![any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())), any::<u128>().prop_map(|bits| IpAddr::V6(bits.into()))],
        port: u16,
        bytes in vec(any::<u8>(), 0..50),
    ) {
        comes_back(&character)?;
        comes_back(&NonZero::new(number).expect("not 0"))?;
        comes_back(&Cow::Owned::<'static, str>(texts[0].clone()))?;
        comes_back(&Arc::<str>::from(&*texts[1]))?;
        comes_back(&Cow::Owned::<'static, [u8]>(bytes))?;
        comes_back(&texts.clone().map(Box::new))?;
        comes_back(&vec![Arc::new(texts.to_vec())])?;
        comes_back(&Box::<[String]>::from(texts.to_vec()))?;
        comes_back(&[texts.clone(), texts])?;
        comes_back(&ip)?;
        comes_back(&Octets(ip))?;
        comes_back(&SocketAddr::new(ip, port))?;
        #[cfg(feature = "ipnet")]
        comes_back(&ipnet::IpNet::new(ip, port.to_be_bytes()[0] % 33).expect("a prefix length of both"))?;
    }

    #[test]
    fn every_duration_is_read_as_it_was_written_as_far_as_floats_go(seconds: u64, short in 0..97 * 86_400_u64, nanoseconds in 0..1_000_000_000_u32) {
        comes_back(&Duration::new(short, nanoseconds))?;
        let long = Duration::new(seconds, nanoseconds);
        if long < Duration::from_secs(u64::MAX - 2047) {
            let read = decoded::<Duration>(&encoded(&long)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(read.abs_diff(long) <= Duration::from_nanos(1) + long / (1 << 31) / (1 << 21), "{read:?}");
            comes_back(&read)?;
        }
    }

    #[cfg(feature = "uuid")]
    #[test]
    fn every_uuid_is_read_as_it_was_written(id: u128) {
        comes_back(&::uuid::Uuid::from_u128(id))?;
    }

    #[cfg(feature = "url")]
    #[test]
    fn every_url_is_read_as_it_was_written(text in "[a-z]{1,9}://[a-z0-9.\u{e4}\u{2603}]{1,20}(:[0-9]{1,5})?(/\\PC{0,10})?(\\?\\PC{0,5})?") {
        if let Ok(url) = text.parse::<::url::Url>() {
            comes_back(&url)?;
        }
    }

    #[test]
    fn every_decimal_is_read_as_it_was_written_and_says_what_number_it_is(coefficient: i128, exponent in -50..50, text in likely_decimals()) {
        let decimal = Decimal::new(coefficient, exponent);
        comes_back(&decimal)?;
        if let Ok(number) = i128::try_from(&decimal) {
            prop_assert_eq!(decimal.compare(&number.into()), Some(std::cmp::Ordering::Equal));
        } else if exponent == 0 {
            prop_assert!(false, "every coefficient is an integer");
        }
        if let Ok(decimal) = text.parse::<Decimal>() {
            comes_back(&decimal)?;
            prop_assert_eq!(decimal.to_string().parse(), Ok(decimal.clone()));
            prop_assert_eq!(decimal.compare(&decimal).is_none(), decimal.is_nan());
            let _ = i64::try_from(&decimal);
            #[cfg(feature = "num-bigint")]
            let _ = num_bigint::BigInt::try_from(&decimal);
        }
    }

    #[test]
    fn every_time_is_read_as_it_was_written(microseconds in -62_135_596_800_000_000..253_402_300_800_000_000_i64, offset in -86_340..86_400) {
        let fields = |time: DateTime| (time.date(), time.time(), time.offset_minutes());
        if let Ok(time) = DateTime::from_unix_microseconds(microseconds, offset) {
            prop_assert_eq!(time.unix_microseconds(), microseconds);
            let text = encoded(&time);
            prop_assert_eq!(text.len(), 32);
            prop_assert_eq!(decoded::<DateTime>(&text).map(fields), Ok(fields(time)));
            prop_assert_eq!(DateTime::new(time.date(), time.time(), offset).map(fields), Ok(fields(time)));
        }
    }

    #[test]
    fn what_is_read_as_a_time_is_written_as_the_same_time(bytes in likely_times()) {
        let fields = |time: DateTime| (time.date(), time.time(), time.offset_minutes());
        if let Ok(time) = decoded::<DateTime>(&bytes) {
            prop_assert_eq!(time.to_string().parse().map(fields), Ok(fields(time)));
            let utc = time.with_offset(0);
            prop_assert!(utc.is_err() || utc == Ok(time));
        }
    }

    #[test]
    fn every_path_is_read_as_it_was_written(text in "/\\PC*") {
        let path = std::path::PathBuf::from(&text);
        if path.is_absolute() {
            prop_assert_eq!(decoded::<std::path::PathBuf>(&encoded(&path)).map(std::path::PathBuf::into_os_string), Ok(text.into()));
        }
    }

    #[test]
    fn maps_are_read_as_they_were_written_and_both_kinds_alike(entries in vec((any::<String>(), any::<Option<i64>>()), 0..60)) {
        let (sorted, hashed): (BTreeMap<_, _>, HashMap<_, _>) = (entries.iter().cloned().collect(), entries.into_iter().collect());
        comes_back(&sorted)?;
        comes_back(&hashed)?;
        // Texts are in the order of their bytes.
        prop_assert_eq!(encoded(&sorted), encoded(&hashed));
    }

    #[test]
    fn no_bytes_make_any_type_panic(bytes in prop_oneof![likely_bytes(), vec(any::<u8>(), 0..60)]) {
        decode_all(&bytes);
    }

    #[test]
    fn what_is_read_as_an_integer_is_written_as_the_same_integer(bytes in likely_bytes()) {
        if let Ok(number) = decoded::<i128>(&bytes) {
            prop_assert_eq!(decoded::<i128>(&encoded(&number)), Ok(number));
            prop_assert_eq!(decoded::<i64>(&bytes).ok(), i64::try_from(number).ok());
            prop_assert_eq!(decoded::<u8>(&bytes).ok(), u8::try_from(number).ok());
        }
    }
}
