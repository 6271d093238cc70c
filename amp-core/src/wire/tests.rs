//! The rows of `wire.md` 2.1 that need no connection, and what must hold for any bytes.

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SUM: &[u8] = b"\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0";

fn amp_box(pairs: &[(&[u8], &[u8])]) -> AmpBox {
    pairs.iter().fold(AmpBox::new(), |made, (key, value)| {
        made.with(key.to_vec(), value.to_vec()).expect("a pair that fits the format")
    })
}

fn sum() -> AmpBox {
    amp_box(&[(b"b", b"81"), (b"_command", b"Sum"), (b"a", b"13"), (b"_ask", b"1")])
}

fn encoded(one: &AmpBox) -> Vec<u8> {
    let mut bytes = Vec::new();
    one.encode(&mut bytes);
    bytes
}

fn drained(decoder: &mut BoxDecoder) -> (Vec<AmpBox>, Option<WireError>) {
    let mut boxes = Vec::new();
    loop {
        match decoder.next_box() {
            Ok(Some(raw)) => boxes.push(AmpBox::from(&raw)),
            Ok(None) => return (boxes, None),
            Err(error) => return (boxes, Some(error)),
        }
    }
}

fn decoded_with(limits: BoxLimits, bytes: &[u8]) -> (Vec<AmpBox>, Option<WireError>) {
    drained(&mut BoxDecoder::with_leftover(limits, BytesMut::from(bytes)))
}

fn decoded(bytes: &[u8]) -> (Vec<AmpBox>, Option<WireError>) {
    decoded_with(BoxLimits::DEFAULT, bytes)
}

#[test]
fn rule_01_a_box_is_written_with_its_keys_in_bytewise_order() {
    assert_eq!(encoded(&sum()), SUM);
    assert_eq!(sum().encoded_len(), SUM.len());
    let keys = amp_box(&[(b"\xff", b""), (b"b", b""), (b"aa", b""), (b"a", b""), (b"_x", b""), (b"A", b"")]);
    let order: Vec<_> = keys.iter().map(|(key, _)| key.to_vec()).collect();
    assert_eq!(order, [&b"A"[..], b"_x", b"a", b"aa", b"b", b"\xff"]);
}

#[test]
fn rule_02_a_box_is_read_in_any_key_order_in_single_bytes_and_many_at_once() {
    let other_order = b"\0\x01b\0\x0281\0\x01a\0\x0213\0\x08_command\0\x03Sum\0\x04_ask\0\x011\0\0";
    assert_eq!(decoded(other_order), (vec![sum()], None));
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    for (at, byte) in SUM.iter().enumerate() {
        decoder.buffer().extend_from_slice(&[*byte]);
        let whole = decoder.next_box().expect("these bytes are a box").is_some();
        assert_eq!(whole, at + 1 == SUM.len(), "after {} bytes", at + 1);
    }
    assert_eq!(decoded(&SUM.repeat(50)), (vec![sum(); 50], None));
}

#[test]
fn rule_03_of_equal_keys_the_last_counts() {
    let (boxes, _) = decoded(b"\0\x01a\0\x011\0\x01a\0\x012\0\x01b\0\x013\0\0");
    assert_eq!(boxes, [amp_box(&[(b"a", b"2"), (b"b", b"3")])]);
    let mut made = amp_box(&[(b"a", b"1")]);
    assert_eq!(made.insert("a", "2"), Ok(Some("1".into())));
    assert_eq!((made.value("a"), made.len()), (Some(&"2".into()), 1));
    assert_eq!(made.remove("a"), Some("2".into()));
    assert!(made.is_empty());
}

#[test]
fn rules_05_and_06_values_of_0_and_65535_bytes_are_written_and_read() {
    let both = amp_box(&[(b"x", b""), (b"y", &[7; MAX_VALUE])]);
    let bytes = encoded(&both);
    assert!(bytes.starts_with(b"\0\x01x\0\0\0\x01y\xff\xff\x07"));
    assert_eq!(decoded(&bytes), (vec![both], None));
}

#[test]
fn rules_07_and_08_pairs_that_do_not_fit_are_refused_and_the_box_is_as_before() {
    let mut made = AmpBox::new();
    assert_eq!(made.insert("", "x"), Err(InsertError::EmptyKey));
    assert_eq!(made.insert(vec![b'k'; 256], "x"), Err(InsertError::KeyTooLong(256)));
    assert_eq!(made.insert("k", vec![0; 65_536]), Err(InsertError::ValueTooLong(65_536)));
    assert!(made.is_empty());
    let longest = amp_box(&[(&[b'k'; 255], b"x")]);
    assert_eq!(decoded(&encoded(&longest)), (vec![longest], None));
}

#[test]
fn rule_09_a_key_length_of_256_fails_with_its_second_byte_and_not_before() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(SUM);
    decoder.buffer().extend_from_slice(b"\x01");
    assert_eq!(drained(&mut decoder), (vec![sum()], None), "boxes before it are handed out, and one byte waits");
    decoder.buffer().extend_from_slice(b"\x00");
    let error = decoder.next_box().expect_err("a key of 256 bytes");
    assert!(matches!(error, WireError::KeyTooLong { length: 256, .. }), "{error:?}");
    decoder.buffer().extend_from_slice(SUM);
    let again = decoder.next_box().expect_err("the stream has lost its place for good");
    assert!(matches!(again, WireError::KeyTooLong { length: 256, .. }), "{again:?}");
}

#[test]
fn rule_12_well_known_mistakes_are_named_with_their_first_bytes() {
    let rows: [(&[u8], &str); 4] = [
        (
            b"GET / HTTP/1.1\r\nHost: example.org\r\n",
            "\"GET / HTTP/1.1\\r\\nHost: example.or\"; this is an HTTP request",
        ),
        (b"\x16\x03\x01\x02\x00", "this is a TLS handshake"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "this is an SSH greeting"),
        (b"\xff\xff", "the bytes begin \"\\xff\\xff\""),
    ];
    for (bytes, expected) in rows {
        let (_, error) = decoded(bytes);
        let text = error.expect("not a box").to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn an_excerpt_shows_its_first_32_bytes_escaped() {
    let excerpt = Excerpt::of(&[b'\n'; 40]);
    let shown = format!("\"{}\"", "\\n".repeat(Excerpt::MAX));
    assert_eq!((excerpt.to_string(), format!("{excerpt:?}")), (shown.clone(), shown));
}

#[test]
fn an_empty_box_is_a_box_for_the_decoder() {
    assert_eq!(decoded(b"\0\0\0\0"), (vec![AmpBox::new(), AmpBox::new()], None));
}

#[test]
fn rule_64_a_box_may_have_exactly_as_many_bytes_as_the_limit_says() {
    let limit = |bytes| BoxLimits::new().bytes(bytes);
    assert_eq!(decoded_with(limit(SUM.len()), SUM), (vec![sum()], None));
    let (boxes, error) = decoded_with(limit(SUM.len() - 1), SUM);
    assert_eq!((boxes, error), (vec![], Some(WireError::BoxTooLong { limit: SUM.len() - 1 })));
    let claims_too_much = b"\0\x01a\xff\xff";
    let (_, error) = decoded_with(limit(100), claims_too_much);
    assert_eq!(error, Some(WireError::BoxTooLong { limit: 100 }), "refused when it is claimed, not when it has come");
    let (_, error) = decoded_with(limit(100), b"\0\xffa");
    assert_eq!(error, Some(WireError::BoxTooLong { limit: 100 }), "keys count as well");
}

#[test]
fn rule_64_a_box_may_have_exactly_as_many_pairs_as_the_limit_says() {
    let limit = |pairs| BoxLimits::new().pairs(pairs);
    assert_eq!(decoded_with(limit(4), &SUM.repeat(2)), (vec![sum(); 2], None));
    assert_eq!(decoded_with(limit(3), SUM), (vec![], Some(WireError::TooManyPairs { limit: 3 })));
}

#[test]
fn however_a_box_is_chopped_its_keys_are_known_to_ascend_or_not() {
    let boxes = [
        (&b"\0\x01a\0\0\0\x01z\0\0\0\0"[..], true),
        (b"\0\x01z\0\0\0\x01a\0\0\0\0", false),
        (b"\0\x01a\0\0\0\x01a\0\0\0\0", false),
        (b"\0\x02ab\0\0\0\x01a\0\0\0\0", false),
        (b"\0\x01a\0\0\0\x02a\0\0\0\0\0", true),
        (b"\0\x05abcde\0\0\0\x05abcdd\0\0\0\0", false),
        (b"\0\x05abcdd\0\0\0\x05abcde\0\0\0\0", true),
        (b"\0\x04abcd\0\0\0\x05abcde\0\0\0\x03abd\0\0\0\0", true),
    ];
    for (bytes, ascending) in boxes {
        for first in 0..=bytes.len() {
            let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
            let mut whole = None;
            for part in [&bytes[..first], &bytes[first..]] {
                decoder.buffer().extend_from_slice(part);
                whole = decoder.next_box().expect("a box").or(whole);
            }
            let found = whole.map(|whole| whole.is_ascending());
            assert_eq!(found, Some(ascending), "{} cut at {first}", bytes.escape_ascii());
        }
    }
}

#[test]
fn what_follows_a_short_key_does_not_count_when_keys_are_compared() {
    for (short, long) in [(&b"\xff"[..], &b"\xffb"[..]), (b"\xff", b"\xff\0"), (b"ob", b"obc"), (b"abc", b"abc\0")] {
        for length in [0, 1, 0x100, 0x8000, MAX_VALUE] {
            for (keys, ascending) in [([short, long], true), ([long, short], false)] {
                let mut bytes = Vec::new();
                for key in keys {
                    put_pair(&mut bytes, key, &vec![b'v'; length]);
                }
                bytes.extend_from_slice(&END);
                let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(&bytes[..]));
                let whole = decoder.next_box().expect("a box");
                assert_eq!(whole.map(|whole| whole.is_ascending()), Some(ascending), "{keys:?} with {length} bytes");
            }
        }
    }
}

#[test]
fn bytes_behind_the_last_whole_box_are_given_back() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(SUM);
    decoder.buffer().extend_from_slice(b"HELLO");
    assert!(decoder.next_box().expect("a box").is_some());
    assert_eq!(decoder.pending_bytes(), 5);
    assert_eq!(&decoder.into_leftover()[..], b"HELLO");
}

#[test]
fn rule_64_a_box_of_more_than_half_of_the_limit_may_come_in_parts() {
    let whole = amp_box(&[(b"a", &[b'v'; 40]), (b"b", &[b'v'; 10])]);
    let bytes = encoded(&whole);
    let limits = BoxLimits::new().bytes(bytes.len());
    for cut in 0..=bytes.len() {
        let mut decoder = BoxDecoder::new(limits);
        decoder.buffer().extend_from_slice(&bytes[..cut]);
        let (mut boxes, error) = drained(&mut decoder);
        assert_eq!(error, None, "cut at {cut}");
        decoder.buffer().extend_from_slice(&bytes[cut..]);
        let (rest, error) = drained(&mut decoder);
        boxes.extend(rest);
        assert_eq!((boxes.as_slice(), error), (std::slice::from_ref(&whole), None), "cut at {cut}");
    }
}

#[test]
fn rule_64_a_claim_that_leaves_no_room_for_the_end_of_the_box_is_refused_at_once() {
    // A key of one byte and a value of 10 with their lengths are 15 bytes, and the end is 2 more.
    let claim = b"\0\x01a\0\x0a";
    let with = |limit, bytes: &[u8]| decoded_with(BoxLimits::new().bytes(limit), bytes).1;
    assert_eq!(with(17, claim), None);
    assert_eq!(with(16, claim), Some(WireError::BoxTooLong { limit: 16 }));
    // Behind a key of 10 bytes come at least the length of its value and the end.
    assert_eq!(with(16, b"\0\x0a"), None);
    assert_eq!(with(15, b"\0\x0a"), Some(WireError::BoxTooLong { limit: 15 }));
    // Nothing but the end fits into two bytes, and nothing into one.
    assert_eq!(with(2, b"\0\0"), None);
    assert_eq!(with(1, b"\0\0"), Some(WireError::BoxTooLong { limit: 1 }));
    assert_eq!(with(1, b"\0"), None, "no length has come");
}

#[test]
fn of_several_broken_limits_the_first_in_the_stream_is_told() {
    let pair = b"\0\x01a\0\x01v";
    let long_key = b"\x01\x00";
    let told = |bytes_limit, pairs, bytes: &[&[u8]]| {
        let limits = BoxLimits::new().bytes(bytes_limit).pairs(pairs);
        match decoded_with(limits, &bytes.concat()).1 {
            Some(WireError::BoxTooLong { limit }) => format!("{limit} bytes"),
            Some(WireError::TooManyPairs { limit }) => format!("{limit} pairs"),
            Some(WireError::KeyTooLong { length, .. }) => format!("key of {length}"),
            None => "nothing".to_owned(),
        }
    };
    // The pair and the end are 8 bytes: over that, the pair was too much before the next key came.
    assert_eq!(told(8, 1, &[pair, long_key]), "key of 256");
    assert_eq!(told(7, 1, &[pair, long_key]), "7 bytes");
    assert_eq!(told(8, 1, &[pair, pair]), "1 pairs");
    assert_eq!(told(7, 1, &[pair, pair]), "7 bytes");
    // A key that is too long is no pair that is too much, and what it claims is not looked at.
    assert_eq!(told(100, 1, &[pair, long_key]), "key of 256");
    assert_eq!(told(2, 1, &[long_key]), "key of 256");
    assert_eq!(told(0, 1, &[long_key]), "key of 256");
    assert_eq!(told(100, 0, &[pair]), "0 pairs");
    assert_eq!(told(5, 0, &[pair]), "0 pairs");
    assert_eq!(told(100, 1, &[pair, b"\0\xff"]), "1 pairs", "a key of 255 bytes is not too long");
    assert_eq!(told(100, 2, &[pair, pair]), "nothing");
    assert_eq!(told(14, 2, &[pair, pair, b"\0\0"]), "nothing");
    assert_eq!(told(13, 2, &[pair, pair, b"\0\0"]), "13 bytes");
}

#[test]
fn a_box_of_the_programs_counts_its_pairs_and_gives_them_away() {
    let made = amp_box(&[(b"b", b"2"), (b"a", b"1")]);
    assert_eq!((made.len(), AmpBox::new().len()), (2, 0));
    assert_eq!((made.is_empty(), AmpBox::new().is_empty()), (false, true));
    let pairs: Vec<_> = made.into_iter().collect();
    assert_eq!(pairs, [("a".into(), "1".into()), ("b".into(), "2".into())]);
}

#[cfg(feature = "tokio")]
#[test]
fn a_box_is_detached_from_a_buffer_that_is_more_than_twice_as_large() {
    for (length, buffer, detaches) in [(7, 8192, true), (4096, 8194, true), (4096, 8192, false), (5000, 8192, false)] {
        let bytes = encoded(&amp_box(&[(b"a", &vec![b'v'; length - 7])]));
        let mut received = BytesMut::with_capacity(buffer);
        received.extend_from_slice(&bytes);
        let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, received);
        let received = decoder.next_box().expect("a box").expect("a whole one");
        let detached = received.clone().detached();
        assert_eq!((&detached.as_bytes()[..], detached.is_ascending()), (&bytes[..], true));
        assert_eq!(detached.as_bytes().as_ptr() != received.as_bytes().as_ptr(), detaches, "{length} bytes");
    }
}

fn any_box() -> impl Strategy<Value = AmpBox> {
    let pair = (vec(any::<u8>(), 1..=255), vec(any::<u8>(), 0..300));
    vec(pair, 0..6).prop_map(|pairs| {
        pairs.into_iter().fold(AmpBox::new(), |made, (key, value)| made.with(key, value).expect("a pair that fits"))
    })
}

/// Feeds the bytes in chunks of the given sizes, over and over.
fn decoded_in_chunks(bytes: &[u8], sizes: &[usize]) -> (Vec<AmpBox>, Option<WireError>) {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    let (mut rest, mut all) = (bytes, Vec::new());
    for size in sizes.iter().cycle() {
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        decoder.buffer().extend_from_slice(chunk);
        let (boxes, error) = drained(&mut decoder);
        all.extend(boxes);
        if error.is_some() || after.is_empty() {
            return (all, error);
        }
        rest = after;
    }
    unreachable!("the sizes repeat without end")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chopping_of_the_bytes_gives_the_same_boxes(
        boxes in vec(any_box(), 0..5),
        tail in vec(any::<u8>(), 0..8),
        sizes in vec(1_usize..400, 1..20),
    ) {
        let mut bytes: Vec<u8> = boxes.iter().flat_map(encoded).collect();
        prop_assert_eq!(decoded(&bytes), (boxes, None));
        bytes.extend(tail);
        let at_once = decoded(&bytes);
        let chopped = decoded_in_chunks(&bytes, &sizes);
        prop_assert_eq!(at_once.0, chopped.0);
        prop_assert_eq!(at_once.1.is_some(), chopped.1.is_some());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic_and_boxes_read_back_as_written(bytes in vec(prop_oneof![Just(0), 0..4_u8, any::<u8>()], 0..600)) {
        let (boxes, _) = decoded(&bytes);
        for one in boxes {
            prop_assert_eq!(decoded(&encoded(&one)), (vec![one], None));
        }
    }

    /// A wrong answer reads the wrong value of a key that came twice.
    #[test]
    fn whether_keys_ascend_is_what_plain_comparison_says(
        pairs in vec((vec(prop_oneof![Just(0), Just(b'a'), Just(b'b'), Just(255)], 1..7), 0..6_usize), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        for (key, length) in &pairs {
            put_pair(&mut bytes, key, &[b'v'; 6][..*length]);
        }
        bytes.extend_from_slice(&END);
        let cut = cut.index(bytes.len() + 1);
        let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
        let mut whole = None;
        for part in [&bytes[..cut], &bytes[cut..]] {
            decoder.buffer().extend_from_slice(part);
            whole = decoder.next_box().expect("a box").or(whole);
        }
        let ascend = pairs.windows(2).all(|two| two[0].0 < two[1].0);
        prop_assert_eq!(whole.map(|whole| whole.is_ascending()), Some(ascend));
    }

    #[test]
    fn the_decoder_never_holds_more_than_the_limit(
        bytes in vec(prop_oneof![3 => Just(0), 2 => 0..200_u8, 1 => any::<u8>()], 0..900),
        limit in 2_usize..300,
    ) {
        let mut decoder = BoxDecoder::new(BoxLimits::new().bytes(limit));
        for byte in bytes {
            decoder.buffer().extend_from_slice(&[byte]);
            if drained(&mut decoder).1.is_some() {
                break;
            }
            prop_assert!(decoder.pending_bytes() < limit, "{} bytes for a box of {limit}", decoder.pending_bytes());
        }
    }
}
