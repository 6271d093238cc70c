use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use super::*;

const FORM: &str = "a date and time of 32 characters, such as `2012-01-23T12:34:56.054321-01:23`";

fn time(text: &str) -> DateTime {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The time of the protocol's table at an offset of so many seconds.
fn sample(offset_seconds: i32) -> DateTime {
    DateTime::new((2012, 1, 23), (12, 34, 56, 54_321), offset_seconds).expect("a time")
}

/// Date, time and offset.
type Fields = ((u16, u8, u8), (u8, u8, u8, u32), i16);

/// What is equal is the instant; here all of it counts.
fn fields(time: DateTime) -> Fields {
    (time.date(), time.time(), time.offset_minutes())
}

#[test]
fn rule_49_a_time_is_written_with_32_characters_microseconds_and_minus_for_utc() {
    writes([
        (sample(-83 * 60), "2012-01-23T12:34:56.054321-01:23"),
        (sample(0), "2012-01-23T12:34:56.054321-00:00"),
        (sample(60), "2012-01-23T12:34:56.054321+00:01"),
        (sample(23 * 3600 + 59 * 60), "2012-01-23T12:34:56.054321+23:59"),
        (sample(-23 * 3600 - 59 * 60), "2012-01-23T12:34:56.054321-23:59"),
        (DateTime::UNIX_EPOCH, "1970-01-01T00:00:00.000000-00:00"),
        (DateTime::new((1, 1, 1), (0, 0, 0, 0), 0).expect("a time"), "0001-01-01T00:00:00.000000-00:00"),
        (
            DateTime::new((9999, 12, 31), (23, 59, 59, 999_999), 3600).expect("a time"),
            "9999-12-31T23:59:59.999999+01:00",
        ),
    ]);
}

#[test]
fn rule_50_an_offset_is_rounded_down_to_minutes() {
    let rows =
        [(30, "-00:00"), (-30, "-00:01"), (90, "+00:01"), (-90, "-00:02"), (86_399, "+23:59"), (-86_340, "-23:59")];
    for (seconds, offset) in rows {
        assert_eq!(sample(seconds).to_string(), format!("2012-01-23T12:34:56.054321{offset}"), "{seconds} s");
    }
    let instant = sample(0).unix_microseconds();
    let moved = DateTime::from_unix_microseconds(instant, -30).expect("a time");
    assert_eq!((moved.unix_microseconds(), moved.offset_minutes()), (instant, -1), "the instant stays");
}

#[test]
fn rule_49_every_spelling_that_twisted_reads_is_a_time() {
    #[rustfmt::skip]
    let rows = [
        ("2012-01-23T12:34:56.054321-01:23", "2012-01-23T12:34:56.054321-01:23"),
        ("2012/01/23 12.34.56,054321+01x00", "2012-01-23T12:34:56.054321+01:00"),
        ("2012-01-23T12:34:56.054321+00:00", "2012-01-23T12:34:56.054321-00:00"),
        ("+012-01-23T12:34:56.054321-00:00", "0012-01-23T12:34:56.054321-00:00"),
        (" 012-01-23T12:34:56.054321-00:00", "0012-01-23T12:34:56.054321-00:00"),
        ("2_12-01-23T12:34:56.054321-00:00", "0212-01-23T12:34:56.054321-00:00"),
        ("2012-+1- 3T1 :\n4:5\t.54321 -01:23", "2012-01-03T01:04:05.054321-01:23"),
        ("2012-01-23T12:34:56.-00000--1:-9", "2012-01-23T12:34:56.000000+01:09"),
        ("2012-01-23T12:34:56.054321+00:99", "2012-01-23T12:34:56.054321+01:39"),
        ("2012-02-29T12:34:56.054321+00:00", "2012-02-29T12:34:56.054321-00:00"),
        ("2000-02-29T12:34:56.054321+00:00", "2000-02-29T12:34:56.054321-00:00"),
        ("0001-01-01T00:00:00.000000+23:59", "0001-01-01T00:00:00.000000+23:59"),
        ("9999-12-31T23:59:59.999999-23:59", "9999-12-31T23:59:59.999999-23:59"),
    ];
    for (spelling, text) in rows {
        let value = decoded::<DateTime>(spelling.as_bytes()).unwrap_or_else(|error| panic!("{spelling:?}: {error}"));
        assert_eq!(String::from_utf8_lossy(&encoded(&value)), text, "{spelling:?}");
        assert_eq!(fields(time(spelling)), fields(value));
    }
}

#[test]
fn rule_49_an_offset_of_a_day_or_more_is_read_as_twisted_reads_it_and_not_sent() {
    for (offset, minutes) in [("+25:00", 1500), ("+23:99", 1479), ("-24:00", -1440), ("-99:59", -5999)] {
        let text = format!("2012-01-23T12:34:56.054321{offset}");
        let value = decoded::<DateTime>(text.as_bytes()).expect("a time");
        assert_eq!((value.date(), value.offset_minutes()), ((2012, 1, 23), minutes));
        assert!(refused(&value).to_string().contains("DateTime::with_offset"));
        let sent = value.with_offset(0).expect("a time");
        assert_eq!((sent, decoded::<DateTime>(&encoded(&sent))), (value, Ok(value)), "the same instant");
    }
    let over = decoded::<DateTime>(b"2012-01-23T12:34:56.054321+99:60");
    assert_eq!(over, Err(DecodeErrorKind::OutOfRange("DateTime")));
}

#[test]
fn rule_50_what_twisted_does_not_read_is_no_time() {
    #[rustfmt::skip]
    let rows: &[&[u8]] = &[
        b"", b"2012-01-23T12:34:56.054321-01:2", b"2012-01-23T12:34:56.054321-01:230", b"2012-01-23T12:34:56.054321Z", b"2012-01-23T12:34:56",
        b"2012-01-23T12:34:56.054321Z00:00", b"2012-01-23T12:34:56.054321 00:00", b"2012-01-23T12:34:56.054321x01:00",
        b"    -01-23T12:34:56.054321-00:00", b"2_-_-01-23T12:34:56.054321-00:00", b"2012-1_-23T12:34:56.054321-00:00",
        b"2012-01-23T\x1c5:34:56.054321-00:00", b"2012-01-23T12:34:5\0.054321-00:00", b"2012-01-23T12:34:0x.054321-00:00",
        b"2012-01-23T--:34:56.054321-00:00", b"2012-01-23T12:34:56.054321-+-:00", b"2012-01-23T12:34:56.1e0000-00:00",
        b"2012\xff01-23T12:34:56.054321-00:00", "2012-01-23\u{e9}2:34:56.054321-01:23".as_bytes(),
    ];
    rejects::<DateTime>(FORM, rows);
    #[rustfmt::skip]
    let dates: &[&[u8]] = &[
        b"0000-01-23T12:34:56.054321-00:00", b"-001-01-23T12:34:56.054321-00:00", b"2012-00-23T12:34:56.054321-00:00",
        b"2012-13-23T12:34:56.054321-00:00", b"2012-02-30T12:34:56.054321-00:00", b"2011-02-29T12:34:56.054321-00:00",
        b"1900-02-29T12:34:56.054321-00:00", b"2012-04-31T12:34:56.054321-00:00", b"2012-01-00T12:34:56.054321-00:00",
        b"2012-01-32T12:34:56.054321-00:00", b"2012-01--1T12:34:56.054321-00:00",
    ];
    rejects::<DateTime>("a date of the years 1 to 9999", dates);
    #[rustfmt::skip]
    let times: &[&[u8]] = &[
        b"2012-01-23T24:34:56.054321-00:00", b"2012-01-23T12:60:56.054321-00:00", b"2012-01-23T12:34:60.054321-00:00",
        b"2012-01-23T-1:34:56.054321-00:00", b"2012-01-23T12:34:56.-00001-00:00",
    ];
    rejects::<DateTime>("a time of a day", times);
}

#[test]
fn a_time_is_made_of_fields_that_exist() {
    let new = |date, time, offset| DateTime::new(date, time, offset).map(fields);
    let midnight = (0, 0, 0, 0);
    assert_eq!(new((2012, 2, 29), (23, 59, 59, 999_999), 3600), Ok(((2012, 2, 29), (23, 59, 59, 999_999), 60)));
    for date in [(0, 1, 1), (10_000, 1, 1), (2012, 0, 1), (2012, 13, 1), (2012, 1, 0), (2012, 1, 32), (2011, 2, 29)] {
        assert_eq!(new(date, midnight, 0), Err(ConvertError::NotA("a date of the years 1 to 9999")), "{date:?}");
    }
    for time in [(24, 0, 0, 0), (0, 60, 0, 0), (0, 0, 60, 0), (0, 0, 0, 1_000_000)] {
        assert_eq!(new((2012, 1, 1), time, 0), Err(ConvertError::NotA("a time of a day")), "{time:?}");
    }
    for offset in [86_400, -86_341, -86_400, i32::MAX, i32::MIN] {
        let refused = Err(ConvertError::NotA("an offset of less than 24 hours"));
        assert_eq!(new((2012, 1, 1), midnight, offset), refused, "{offset}");
    }
}

#[test]
fn every_day_of_the_calendar_has_its_number() {
    let first = DateTime::new((1, 1, 1), (0, 0, 0, 0), 0).expect("a time").unix_microseconds() / 86_400_000_000;
    let mut days = first..;
    for year in 1..=9999 {
        for month in 1..=12 {
            for day in 1..=31 {
                let Ok(midnight) = DateTime::new((year, month, day), (0, 0, 0, 0), 0) else { continue };
                let number = days.next().expect("no end") * 86_400_000_000;
                assert_eq!(midnight.unix_microseconds(), number);
                let back = DateTime::from_unix_microseconds(number, 0).map(fields);
                assert_eq!(back, Ok(fields(midnight)));
            }
        }
    }
    assert_eq!((first, days.start), (-719_162, 2_932_897));
    assert_eq!(sample(-83 * 60).unix_microseconds(), 1_327_327_076_054_321, "as Python's `timestamp` has it");
}

#[test]
fn one_instant_is_equal_at_any_offset_and_instants_are_in_order() {
    let (here, utc) = (sample(-83 * 60), sample(-83 * 60).with_offset(0).expect("a time"));
    assert_eq!((here, fields(utc)), (utc, ((2012, 1, 23), (13, 57, 56, 54_321), 0)));
    assert_eq!(HashSet::from([here, utc]).len(), 1);
    assert_ne!(fields(here), fields(utc));
    assert!(sample(60) < sample(0) && sample(0) > sample(60), "the same clock ahead of UTC is earlier");
    assert_eq!(
        format!("{here:?} {here:>34}"),
        "DateTime(2012-01-23T12:34:56.054321-01:23)   2012-01-23T12:34:56.054321-01:23"
    );
}

#[test]
fn an_instant_beyond_the_years_is_refused() {
    let (first, last) = (time("0001-01-01T00:00:00.000000+00:00"), time("9999-12-31T23:59:59.999999+00:00"));
    for (time, offset) in [(first, -60), (last, 60)] {
        assert_eq!(time.with_offset(offset), Err(ConvertError::OutOfRange("DateTime")));
        assert!(time.with_offset(-offset).is_ok());
    }
    for (microseconds, offset) in [(i64::MAX, 0), (i64::MAX, 60), (i64::MIN, 0), (i64::MIN, -60)] {
        let refused = DateTime::from_unix_microseconds(microseconds, offset);
        assert_eq!(refused, Err(ConvertError::OutOfRange("DateTime")));
    }
}

#[test]
fn the_time_of_the_system_is_cut_to_microseconds_towards_the_past_and_comes_back() {
    let epoch = SystemTime::UNIX_EPOCH;
    let rows = [
        (epoch, 0),
        (epoch + Duration::from_nanos(1_999), 1),
        (epoch - Duration::from_nanos(1), -1),
        (epoch - Duration::from_nanos(1_001), -2),
        (epoch - Duration::from_secs(86_400), -86_400_000_000),
    ];
    for (system, microseconds) in rows {
        let time = DateTime::try_from(system).expect("a time");
        assert_eq!((time.unix_microseconds(), time.offset_minutes()), (microseconds, 0));
        let back = SystemTime::try_from(time).expect("a time of the system");
        assert_eq!(DateTime::try_from(back), Ok(time));
    }
    let late = epoch + Duration::from_secs(300_000_000_000);
    assert_eq!(DateTime::try_from(late), Err(ConvertError::OutOfRange("DateTime")));
    #[cfg(unix)]
    for bound in ["0001-01-01T00:00:00.000000+00:00", "9999-12-31T23:59:59.999999+00:00"] {
        assert_eq!(SystemTime::try_from(time(bound)).and_then(DateTime::try_from), Ok(time(bound)));
    }
}
