use std::time::{Duration, SystemTime};

use super::DateTime;
use crate::value::ConvertError;

/// The time of the system in UTC. What is shorter than a microsecond is cut off, towards the past: the wire has no place for it.
///
/// # Errors
/// [`ConvertError::OutOfRange`] before the year 1 and after the year 9999.
impl TryFrom<SystemTime> for DateTime {
    type Error = ConvertError;

    fn try_from(time: SystemTime) -> Result<Self, ConvertError> {
        let microseconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()),
            Err(before) => i64::try_from(before.duration().as_nanos().div_ceil(1_000)).map(|before| -before),
        };
        Self::from_unix_microseconds(microseconds.map_err(|_| ConvertError::OutOfRange("DateTime"))?, 0)
    }
}

/// The instant; its offset is left behind.
///
/// # Errors
/// [`ConvertError::OutOfRange`] if the system has no such time; Windows has none before 1601.
impl TryFrom<DateTime> for SystemTime {
    type Error = ConvertError;

    fn try_from(time: DateTime) -> Result<Self, ConvertError> {
        let microseconds = time.unix_microseconds();
        let distance = Duration::from_micros(microseconds.unsigned_abs());
        let there = if microseconds < 0 {
            Self::UNIX_EPOCH.checked_sub(distance)
        } else {
            Self::UNIX_EPOCH.checked_add(distance)
        };
        there.ok_or(ConvertError::OutOfRange("SystemTime"))
    }
}
