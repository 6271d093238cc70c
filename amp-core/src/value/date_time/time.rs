//! Times from those of `time` and back.

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

use super::{DateTime, microseconds};
use crate::value::ConvertError;

/// The instant, at the offset that the time has from UTC in whole minutes, rounded down. What is shorter than a microsecond is cut off,
/// towards the past.
///
/// # Errors
/// [`ConvertError::OutOfRange`] before the year 1 and after the year 9999, [`ConvertError::NotA`] for an offset of 24 hours or more.
impl TryFrom<OffsetDateTime> for DateTime {
    type Error = ConvertError;

    fn try_from(time: OffsetDateTime) -> Result<Self, ConvertError> {
        Self::from_unix_microseconds(microseconds(time.unix_timestamp_nanos())?, time.offset().whole_seconds())
    }
}

/// What the clocks show, and their offset.
///
/// # Errors
/// [`ConvertError::OutOfRange`] for an offset of 26 hours or more, which only a time that was received may have.
impl TryFrom<DateTime> for OffsetDateTime {
    type Error = ConvertError;

    fn try_from(time: DateTime) -> Result<Self, ConvertError> {
        let ((year, month, day), (hour, minute, second, microsecond)) = (time.date(), time.time());
        let out_of_range = |_| ConvertError::OutOfRange("time::OffsetDateTime");
        let month = Month::try_from(month).map_err(out_of_range)?;
        let date = Date::from_calendar_date(year.into(), month, day).map_err(out_of_range)?;
        let clock = Time::from_hms_micro(hour, minute, second, microsecond).map_err(out_of_range)?;
        // Not by way of UTC, where clocks may show a year that is out of the range of this crate.
        let offset = UtcOffset::from_whole_seconds(i32::from(time.offset_minutes()) * 60);
        Ok(Self::new_in_offset(date, clock, offset.map_err(out_of_range)?))
    }
}
