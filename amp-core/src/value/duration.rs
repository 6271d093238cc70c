use std::time::Duration;

use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// A `Float`: seconds, as Python's `timedelta.total_seconds()` and Twisted's clock count them.
///
/// A float holds every nanosecond of 97 days and every microsecond of 272 years. A longer duration is rounded to a float,
/// and a received one to the nearest nanosecond.
///
/// # Errors
/// A number that is negative or not a number is no duration. An infinite one, or one from 2^64 seconds on, is out of its range.
impl Value for Duration {
    const TYPE: AmpType = AmpType::Duration;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let seconds = self.as_secs_f64();
        // The last 1,024 of them round up to 2^64.
        Self::try_from_secs_f64(seconds).map_err(|_| {
            EncodeError::custom("a duration that rounds to 2^64 seconds, which no peer of this library reads")
        })?;
        seconds.encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let seconds = f64::decode(raw)?;
        if seconds < 0.0 || seconds.is_nan() {
            return Err(DecodeErrorKind::NotA("a duration, which is a number of seconds from 0 on").into());
        }
        Self::try_from_secs_f64(seconds).map_err(|_| DecodeErrorKind::OutOfRange("Duration").into())
    }
}
