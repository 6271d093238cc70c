//! Times from those of `jiff` and back.

use jiff::tz::Offset;
use jiff::{Timestamp, ZonedDateTime};

use super::{DateTime, microseconds};
use crate::value::ConvertError;

/// The instant in UTC. What is shorter than a microsecond is cut off, towards the past.
///
/// # Errors
/// [`ConvertError::OutOfRange`] before the year 1.
impl TryFrom<Timestamp> for DateTime {
    type Error = ConvertError;

    fn try_from(time: Timestamp) -> Result<Self, ConvertError> {
        Self::from_unix_microseconds(microseconds(time.as_nanosecond())?, 0)
    }
}

/// The instant; its offset is left behind.
///
/// # Errors
/// [`ConvertError::OutOfRange`] behind [`Timestamp::MAX`], 26 hours before the end of the year 9999.
impl TryFrom<DateTime> for Timestamp {
    type Error = ConvertError;

    fn try_from(time: DateTime) -> Result<Self, ConvertError> {
        // Not from microseconds, of which `jiff` refuses those of its last second.
        let nanoseconds = i128::from(time.unix_microseconds()) * 1_000;
        Self::from_nanosecond(nanoseconds).map_err(|_| ConvertError::OutOfRange("jiff::Timestamp"))
    }
}

/// The instant, at the offset that the time has from UTC in whole minutes, rounded down. What is shorter than a microsecond is cut off,
/// towards the past. The name of the time zone is left behind.
///
/// # Errors
/// [`ConvertError::OutOfRange`] before the year 1, [`ConvertError::NotA`] for an offset of 24 hours or more.
impl TryFrom<&ZonedDateTime> for DateTime {
    type Error = ConvertError;

    fn try_from(time: &ZonedDateTime) -> Result<Self, ConvertError> {
        Self::from_unix_microseconds(microseconds(time.timestamp().as_nanosecond())?, time.offset().seconds())
    }
}

/// As the conversion of a reference.
impl TryFrom<ZonedDateTime> for DateTime {
    type Error = ConvertError;

    fn try_from(time: ZonedDateTime) -> Result<Self, ConvertError> {
        Self::try_from(&time)
    }
}

/// The instant, in a time zone that is its offset.
///
/// # Errors
/// [`ConvertError::OutOfRange`] if `jiff` has no such [`Timestamp`] or no such offset: 26 hours or more, which only a time that
/// was received may have.
impl TryFrom<DateTime> for ZonedDateTime {
    type Error = ConvertError;

    fn try_from(time: DateTime) -> Result<Self, ConvertError> {
        let offset = Offset::from_seconds(i32::from(time.offset_minutes()) * 60);
        let offset = offset.map_err(|_| ConvertError::OutOfRange("jiff::tz::Offset"))?;
        Ok(Timestamp::try_from(time)?.to_zoned_datetime(offset.to_time_zone()))
    }
}
