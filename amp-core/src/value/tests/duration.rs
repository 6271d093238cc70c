use std::time::Duration;

use super::*;

#[test]
fn a_duration_is_a_float_of_seconds() {
    writes([
        (Duration::ZERO, "0.0"),
        (Duration::from_secs(5), "5.0"),
        (Duration::from_millis(1_500), "1.5"),
        (Duration::from_nanos(1), "1e-09"),
        (Duration::from_secs(86_400 * 365), "31536000.0"),
        (Duration::from_secs(1 << 63), "9.223372036854776e+18"),
    ]);
    accepts([
        ("0", Duration::ZERO),
        ("-0.0", Duration::ZERO),
        ("5", Duration::from_secs(5)),
        (" 1_0.5\n", Duration::from_millis(10_500)),
        ("1e-9", Duration::from_nanos(1)),
        ("4e-10", Duration::ZERO),
        ("6e-10", Duration::from_nanos(1)),
        ("5e-324", Duration::ZERO),
        ("18446744073709549568", Duration::from_secs(u64::MAX - 2047)),
    ]);
}

#[test]
fn a_number_that_is_negative_or_none_is_no_duration_and_one_that_is_too_large_is_out_of_range() {
    rejects::<Duration>("a float", &[b"", b"1s", b"0x1"]);
    let negative: &[&[u8]] = &[b"-1", b"-5e-324", b"-inf", b"nan", b"-nan"];
    rejects::<Duration>("a duration, which is a number of seconds from 0 on", negative);
    for text in ["inf", "1e400", "18446744073709551616", "1e20"] {
        assert_eq!(decoded::<Duration>(text.as_bytes()), Err(DecodeErrorKind::OutOfRange("Duration")), "{text}");
    }
}

#[test]
fn a_duration_that_no_peer_could_read_is_not_sent() {
    for seconds in [u64::MAX, u64::MAX - 1023] {
        assert!(refused(&Duration::from_secs(seconds)).to_string().contains("2^64"), "{seconds}");
    }
    let longest = Duration::from_secs(u64::MAX - 2047);
    assert_eq!(decoded(&encoded(&longest)), Ok(longest));
}

#[test]
fn a_duration_keeps_its_nanoseconds_for_97_days_and_its_microseconds_for_272_years() {
    const DAY: u64 = 86_400;
    for nanosecond in (0..1_000_000_000).step_by(999_983) {
        let exact = Duration::new(97 * DAY - 1, nanosecond);
        assert_eq!(decoded(&encoded(&exact)), Ok(exact));
        let long = Duration::new(272 * 365 * DAY - 1, nanosecond);
        let read = decoded::<Duration>(&encoded(&long)).expect("a duration");
        assert!(read.abs_diff(long) < Duration::from_micros(1), "{long:?} came back as {read:?}");
    }
}
