//! Times from those of `chrono` and back.

use chrono::{FixedOffset, Offset, TimeZone, Utc};

use super::{A_TIME, DateTime};
use crate::value::ConvertError;

/// The instant, at the offset that the time has from UTC in whole minutes, rounded down. What is shorter than a microsecond is cut off,
/// towards the past. The name of a time zone is left behind.
///
/// # Errors
/// [`ConvertError::OutOfRange`] before the year 1 and after the year 9999, [`ConvertError::NotA`] within a leap second.
impl<Tz: TimeZone> TryFrom<&chrono::DateTime<Tz>> for DateTime {
    type Error = ConvertError;

    fn try_from(time: &chrono::DateTime<Tz>) -> Result<Self, ConvertError> {
        // A leap second is more than a second of nanoseconds there, and none of the wire's sixty.
        if time.timestamp_subsec_nanos() >= 1_000_000_000 {
            return Err(ConvertError::NotA(A_TIME));
        }
        Self::from_unix_microseconds(time.timestamp_micros(), time.offset().fix().local_minus_utc())
    }
}

/// As the conversion of a reference.
impl<Tz: TimeZone> TryFrom<chrono::DateTime<Tz>> for DateTime {
    type Error = ConvertError;

    fn try_from(time: chrono::DateTime<Tz>) -> Result<Self, ConvertError> {
        Self::try_from(&time)
    }
}

/// The instant; its offset is left behind.
impl From<DateTime> for chrono::DateTime<Utc> {
    fn from(time: DateTime) -> Self {
        // `chrono` has more years.
        Self::from_timestamp_micros(time.unix_microseconds()).unwrap_or_default()
    }
}

/// The instant at its offset.
///
/// # Errors
/// [`ConvertError::OutOfRange`] for an offset of 24 hours or more, which only a time that was received may have.
impl TryFrom<DateTime> for chrono::DateTime<FixedOffset> {
    type Error = ConvertError;

    fn try_from(time: DateTime) -> Result<Self, ConvertError> {
        let offset = FixedOffset::east_opt(i32::from(time.offset_minutes()) * 60);
        let offset = offset.ok_or(ConvertError::OutOfRange("chrono::FixedOffset"))?;
        Ok(chrono::DateTime::<Utc>::from(time).with_timezone(&offset))
    }
}
