//! Times from those of other crates and back.
#![cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]

use proptest::prelude::*;

use super::*;

fn time(text: &str) -> DateTime {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Date, time and offset: what is equal is the instant; here all of it counts.
fn fields(time: DateTime) -> (DateTime, i16) {
    (time, time.offset_minutes())
}

const FIRST: &str = "0001-01-01T00:00:00.000000+00:00";
const LAST: &str = "9999-12-31T23:59:59.999999+00:00";
/// Instants whose UTC is not of the years 1 to 9999.
const BEYOND: [&str; 2] = ["0001-01-01T00:00:00.000000+23:59", "9999-12-31T23:59:59.999999-23:59"];
/// What only a time that was received may have.
const DAY_OFFSET: &str = "2012-01-23T12:34:56.054321+24:00";
const LONG_OFFSET: &str = "2012-01-23T12:34:56.054321-99:59";

/// Nanoseconds, and the microseconds that they are cut to.
const CUT: [(i64, i64); 5] = [(0, 0), (1_999, 1), (-1, -1), (-1_000, -1), (-1_001, -2)];

/// Seconds of an offset, and the minutes that they are rounded to.
const OFFSETS: [(i32, i16); 6] = [(0, 0), (3600, 60), (30, 0), (-30, -1), (86_399, 1439), (-86_340, -1439)];

/// Every time that is sent.
fn times() -> impl Strategy<Value = DateTime> {
    let microseconds = -62_135_596_800_000_000..253_402_300_800_000_000_i64;
    (microseconds, -86_340..86_400).prop_filter_map("beyond the years", |(microseconds, offset)| {
        DateTime::from_unix_microseconds(microseconds, offset).ok()
    })
}

#[cfg(feature = "chrono")]
mod of_chrono {
    use ::chrono::{DateTime as Chrono, FixedOffset, NaiveDate, TimeDelta, TimeZone, Utc};

    use super::*;

    #[test]
    fn chrono_is_cut_to_microseconds_towards_the_past_and_to_minutes_of_offset() {
        for (nanoseconds, microseconds) in CUT {
            let there = DateTime::try_from(Chrono::from_timestamp_nanos(nanoseconds));
            assert_eq!(there.map(|time| time.unix_microseconds()), Ok(microseconds), "{nanoseconds} ns");
        }
        for (seconds, minutes) in OFFSETS {
            let here = FixedOffset::east_opt(seconds).expect("an offset").timestamp_opt(7, 0).unwrap();
            let there = DateTime::try_from(&here).expect("a time");
            assert_eq!((there.unix_microseconds(), there.offset_minutes()), (7_000_000, minutes), "{seconds} s");
        }
    }

    #[test]
    fn chrono_has_every_time_but_those_with_an_offset_of_a_day() {
        for text in [FIRST, LAST].into_iter().chain(BEYOND) {
            let there = Chrono::<FixedOffset>::try_from(time(text)).expect("a time");
            assert_eq!(DateTime::try_from(there).map(fields), Ok(fields(time(text))), "{text}");
            assert_eq!(Chrono::<Utc>::from(time(text)), there);
        }
        for text in [DAY_OFFSET, LONG_OFFSET] {
            let refused = Chrono::<FixedOffset>::try_from(time(text));
            assert_eq!(refused, Err(ConvertError::OutOfRange("chrono::FixedOffset")));
            assert_eq!(DateTime::try_from(Chrono::<Utc>::from(time(text))), Ok(time(text)), "the same instant");
        }
    }

    #[test]
    fn a_leap_second_and_other_years_of_chrono_are_refused() {
        let day = NaiveDate::from_ymd_opt(2016, 12, 31).expect("a day");
        for nanoseconds in [1_000_000_000, 1_999_999_999] {
            let leap = day.and_hms_nano_opt(23, 59, 59, nanoseconds).expect("a leap second").and_utc();
            assert_eq!(DateTime::try_from(leap), Err(ConvertError::NotA("a time of a day")));
        }
        assert!(DateTime::try_from(day.and_hms_nano_opt(23, 59, 59, 999_999_999).expect("a time").and_utc()).is_ok());
        for (edge, step) in [(FIRST, -1), (LAST, 1)] {
            let over = Chrono::<Utc>::from(time(edge)) + TimeDelta::microseconds(step);
            assert_eq!(DateTime::try_from(over), Err(ConvertError::OutOfRange("DateTime")));
        }
        for over in [Chrono::<Utc>::MIN_UTC, Chrono::<Utc>::MAX_UTC] {
            assert_eq!(DateTime::try_from(over), Err(ConvertError::OutOfRange("DateTime")));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_time_is_one_of_chrono_and_comes_back(time in times()) {
            let there = Chrono::<FixedOffset>::try_from(time).expect("a time");
            prop_assert_eq!(there.timestamp_micros(), time.unix_microseconds());
            let ((year, month, day), (hour, minute, second, microsecond)) = (time.date(), time.time());
            let day = NaiveDate::from_ymd_opt(year.into(), month.into(), day.into()).expect("a day");
            let shown = day.and_hms_micro_opt(hour.into(), minute.into(), second.into(), microsecond);
            prop_assert_eq!(Some(there.naive_local()), shown);
            prop_assert_eq!(DateTime::try_from(there).map(fields), Ok(fields(time)));
            prop_assert_eq!(DateTime::try_from(Chrono::<Utc>::from(time)).map(fields), Ok((time, 0)));
        }

        #[test]
        fn no_time_of_chrono_panics(seconds: i64, nanoseconds in 0..2_000_000_000_u32, offset in -86_399..86_400) {
            if let Some(utc) = Chrono::<Utc>::from_timestamp(seconds, nanoseconds) {
                let there = utc.with_timezone(&FixedOffset::east_opt(offset).expect("an offset"));
                let _ = DateTime::try_from(there);
            }
        }
    }
}

#[cfg(feature = "jiff")]
mod of_jiff {
    use ::jiff::tz::Offset;
    use ::jiff::{Timestamp, ZonedDateTime};

    use super::*;

    #[test]
    fn jiff_is_cut_to_microseconds_towards_the_past_and_to_minutes_of_offset() {
        for (nanoseconds, microseconds) in CUT {
            let there = Timestamp::from_nanosecond(nanoseconds.into()).expect("a time");
            assert_eq!(DateTime::try_from(there).map(|time| time.unix_microseconds()), Ok(microseconds));
            let there = there.to_zoned_datetime(Offset::from_seconds(-30).expect("an offset").to_time_zone());
            assert_eq!(DateTime::try_from(there).map(|time| time.unix_microseconds()), Ok(microseconds));
        }
        for (seconds, minutes) in OFFSETS {
            let zone = Offset::from_seconds(seconds).expect("an offset").to_time_zone();
            let there = DateTime::try_from(Timestamp::UNIX_EPOCH.to_zoned_datetime(zone)).expect("a time");
            assert_eq!((there.unix_microseconds(), there.offset_minutes()), (0, minutes), "{seconds} s");
        }
    }

    #[test]
    fn what_jiff_does_not_have_is_refused() {
        let last = DateTime::try_from(Timestamp::MAX).expect("a time");
        assert_eq!(Timestamp::try_from(last).map(Timestamp::as_microsecond), Ok(Timestamp::MAX.as_microsecond()));
        assert!(Timestamp::try_from(time(FIRST)).is_ok() && ZonedDateTime::try_from(time(BEYOND[0])).is_ok());
        for text in [LAST, BEYOND[1]] {
            assert_eq!(Timestamp::try_from(time(text)), Err(ConvertError::OutOfRange("jiff::Timestamp")));
            assert_eq!(ZonedDateTime::try_from(time(text)), Err(ConvertError::OutOfRange("jiff::Timestamp")));
        }
        assert_eq!(ZonedDateTime::try_from(time(LONG_OFFSET)), Err(ConvertError::OutOfRange("jiff::tz::Offset")));
        let day = ZonedDateTime::try_from(time(DAY_OFFSET)).expect("an offset of 24 hours");
        assert_eq!(DateTime::try_from(day), Err(ConvertError::NotA("an offset of less than 24 hours")));
        assert_eq!(DateTime::try_from(Timestamp::MIN), Err(ConvertError::OutOfRange("DateTime")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_time_that_jiff_has_comes_back(time in times()) {
            let there = ZonedDateTime::try_from(time);
            prop_assert_eq!(there.is_ok(), time.unix_microseconds() <= Timestamp::MAX.as_microsecond());
            let Ok(there) = there else { return Ok(()) };
            prop_assert_eq!(there.timestamp().as_microsecond(), time.unix_microseconds());
            let shown = (there.year(), there.month(), there.hour(), there.minute());
            let as_shown = |value: u8| i8::try_from(value).expect("a small number");
            let ((year, month, _), (hour, minute, ..)) = (time.date(), time.time());
            prop_assert_eq!(shown.0, i16::try_from(year).expect("a year"));
            prop_assert_eq!([shown.1, shown.2, shown.3], [month, hour, minute].map(as_shown));
            prop_assert_eq!(DateTime::try_from(&there).map(fields), Ok(fields(time)));
            let utc = Timestamp::try_from(time).expect("a time");
            let back = DateTime::try_from(utc);
            prop_assert!(back.is_err() || back.map(fields) == Ok((time, 0)));
        }

        #[test]
        fn no_time_of_jiff_panics(nanoseconds in Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond(), offset in -93_599..=93_599) {
            let zone = Offset::from_seconds(offset).expect("an offset").to_time_zone();
            let there = Timestamp::from_nanosecond(nanoseconds).expect("a time").to_zoned_datetime(zone);
            let _ = DateTime::try_from(there);
        }
    }
}

#[cfg(feature = "time")]
mod of_time {
    use ::time::{Duration, OffsetDateTime, UtcOffset};

    use super::*;

    #[test]
    fn time_is_cut_to_microseconds_towards_the_past_and_to_minutes_of_offset() {
        for (nanoseconds, microseconds) in CUT {
            let there = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds.into()).expect("a time");
            assert_eq!(DateTime::try_from(there).map(|time| time.unix_microseconds()), Ok(microseconds));
        }
        for (seconds, minutes) in OFFSETS {
            let offset = UtcOffset::from_whole_seconds(seconds).expect("an offset");
            let there = DateTime::try_from(OffsetDateTime::UNIX_EPOCH.to_offset(offset)).expect("a time");
            assert_eq!((there.unix_microseconds(), there.offset_minutes()), (0, minutes), "{seconds} s");
        }
    }

    #[test]
    fn time_has_every_time_but_those_with_an_offset_of_26_hours() {
        for text in [FIRST, LAST].into_iter().chain(BEYOND) {
            let there = OffsetDateTime::try_from(time(text)).expect("a time");
            assert_eq!(DateTime::try_from(there).map(fields), Ok(fields(time(text))), "{text}");
        }
        let refused = OffsetDateTime::try_from(time(LONG_OFFSET));
        assert_eq!(refused, Err(ConvertError::OutOfRange("time::OffsetDateTime")));
        let day = OffsetDateTime::try_from(time(DAY_OFFSET)).expect("an offset of 24 hours");
        assert_eq!(DateTime::try_from(day), Err(ConvertError::NotA("an offset of less than 24 hours")));
        let before = OffsetDateTime::try_from(time(FIRST)).expect("a time") - Duration::nanoseconds(1);
        assert_eq!(DateTime::try_from(before), Err(ConvertError::OutOfRange("DateTime")));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_time_is_one_of_time_and_comes_back(time in times()) {
            let there = OffsetDateTime::try_from(time).expect("a time");
            prop_assert_eq!(there.unix_timestamp_nanos(), i128::from(time.unix_microseconds()) * 1_000);
            prop_assert_eq!(DateTime::try_from(there).map(fields), Ok(fields(time)));
        }

        #[test]
        fn no_time_of_time_panics(nanoseconds in -377_705_116_800_000_000_000..253_402_300_800_000_000_000_i128, offset in -93_599..=93_599) {
            let offset = UtcOffset::from_whole_seconds(offset).expect("an offset");
            let there = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).expect("a time").replace_offset(offset);
            let _ = DateTime::try_from(there);
        }
    }
}
