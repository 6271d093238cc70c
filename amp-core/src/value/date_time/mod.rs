mod calendar;
#[cfg(feature = "chrono")]
mod chrono;
mod convert;
#[cfg(feature = "jiff")]
mod jiff;
mod text;
#[cfg(feature = "time")]
mod time;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::{ConvertError, DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use text::Fields;

/// A date and a time of day with its offset from UTC, exactly as Twisted's `DateTime` argument carries it: years 1 to 9999,
/// microseconds, an offset in whole minutes.
///
/// It names an instant and says what clocks showed then at some place. Two are equal, in order and in their hashes, if they are the same
/// instant, as in Python and in the crates for time; the offsets are compared by [`offset_minutes`](Self::offset_minutes).
///
/// This type holds and converts times, and knows no time zones and no calendar arithmetic. Those of `jiff`, `chrono` and `time`, behind the
/// features of these names, and [`SystemTime`](std::time::SystemTime) convert both ways. Any other crate takes the
/// [microseconds](Self::unix_microseconds) since 1970 and the offset, and [`from_unix_microseconds`](Self::from_unix_microseconds) takes
/// them from it.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::value::DateTime;
/// use std::time::SystemTime;
///
/// let sent = DateTime::new((2012, 1, 23), (12, 34, 56, 54_321), -83 * 60)?;
/// assert_eq!(sent.to_string(), "2012-01-23T12:34:56.054321-01:23");
/// assert_eq!(sent, "2012-01-23T13:57:56.054321-00:00".parse()?);
/// assert_eq!(sent.with_offset(0)?.time(), (13, 57, 56, 54_321));
///
/// let now = DateTime::try_from(SystemTime::now())?;
/// assert!(now > sent);
/// # Ok::<(), amp::value::ConvertError>(())
/// ```
///
/// # On the wire
/// Twisted's `DateTime`: always 32 characters, with `-00:00` for UTC (`wire.md` rules 49 and 50). Python has no time without an offset for it.
#[derive(Clone, Copy)]
pub struct DateTime {
    // What clocks show: a date of the years 1 to 9999 and a time of a day.
    date: (u16, u8, u8),
    time: (u8, u8, u8, u32),
    /// From here to UTC, less than 100 hours: Python reads more than the 24 hours that it computes with, and so is more received.
    offset_minutes: i16,
}

const MICROSECONDS_OF_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What is received as an offset is less than this, in minutes: the form has two digits for the hours.
const MAX_RECEIVED: i16 = 100 * 60;

/// What has an offset of less than this is sent, in minutes.
const MAX_SENT: i16 = 24 * 60;

const A_DATE: &str = "a date of the years 1 to 9999";
const A_TIME: &str = "a time of a day";
const AN_OFFSET: &str = "an offset of less than 24 hours";
const A_FORM: &str = "a date and time of 32 characters, such as `2012-01-23T12:34:56.054321-01:23`";

impl DateTime {
    /// The beginning of 1970 in UTC.
    pub const UNIX_EPOCH: Self = Self { date: (1970, 1, 1), time: (0, 0, 0, 0), offset_minutes: 0 };

    /// What clocks show: year, month from 1 and day from 1; hour, minute, second and microsecond; and the seconds that they are
    /// ahead of UTC.
    ///
    /// The offset is rounded down to minutes, as Twisted does before it sends one (`wire.md` rule 50); the date and the time stay. Where
    /// the instant is to stay, use [`from_unix_microseconds`](Self::from_unix_microseconds). There are no leap seconds.
    ///
    /// # Errors
    /// [`ConvertError::NotA`] if there is no such date in the years 1 to 9999, no such time of a day, or if the offset is 24 hours or more.
    pub fn new(date: (u16, u8, u8), time: (u8, u8, u8, u32), offset_seconds: i32) -> Result<Self, ConvertError> {
        Self::of(date, time, minutes(offset_seconds)?)
    }

    fn of(date: (u16, u8, u8), time: (u8, u8, u8, u32), offset_minutes: i16) -> Result<Self, ConvertError> {
        let ((year, month, day), (hour, minute, second, microsecond)) = (date, time);
        if !(1..=9999).contains(&year) || day == 0 || day > calendar::days_in(year, month) {
            return Err(ConvertError::NotA(A_DATE));
        }
        if hour > 23 || minute > 59 || second > 59 || microsecond > 999_999 {
            return Err(ConvertError::NotA(A_TIME));
        }
        Ok(Self { date, time, offset_minutes })
    }

    /// The instant so many microseconds after the beginning of 1970 in UTC, as clocks show it that are so many seconds ahead of UTC.
    ///
    /// The offset is rounded down to minutes, and the instant stays.
    ///
    /// # Errors
    /// [`ConvertError::OutOfRange`] if the clocks show a year before 1 or after 9999, [`ConvertError::NotA`] if the offset is 24 hours or more.
    pub fn from_unix_microseconds(microseconds: i64, offset_seconds: i32) -> Result<Self, ConvertError> {
        let out_of_range = ConvertError::OutOfRange("DateTime");
        let offset_minutes = minutes(offset_seconds)?;
        let local = microseconds.checked_add(i64::from(offset_minutes) * 60_000_000).ok_or(out_of_range)?;
        let date = calendar::date(local.div_euclid(MICROSECONDS_OF_DAY)).ok_or(out_of_range)?;
        let of_day = local.rem_euclid(MICROSECONDS_OF_DAY);
        let part = |unit: i64, count: i64| of_day / unit % count;
        let small = |unit, count| u8::try_from(part(unit, count)).map_err(|_| out_of_range);
        let (hour, minute, second) = (small(3_600_000_000, 24)?, small(60_000_000, 60)?, small(1_000_000, 60)?);
        let microsecond = u32::try_from(part(1, 1_000_000)).map_err(|_| out_of_range)?;
        Self::of(date, (hour, minute, second, microsecond), offset_minutes)
    }

    /// The microseconds from the beginning of 1970 in UTC to this instant; negative before.
    #[must_use]
    pub fn unix_microseconds(&self) -> i64 {
        let ((year, month, day), (hour, minute, second, microsecond)) = (self.date, self.time);
        let minutes = i64::from(hour) * 60 + i64::from(minute) - i64::from(self.offset_minutes);
        let seconds = minutes * 60 + i64::from(second);
        calendar::days(year, month, day) * MICROSECONDS_OF_DAY + seconds * 1_000_000 + i64::from(microsecond)
    }

    /// Year, month and day that the clocks show; month and day begin with 1.
    #[must_use]
    pub fn date(&self) -> (u16, u8, u8) {
        self.date
    }

    /// Hour, minute, second and microsecond that the clocks show.
    #[must_use]
    pub fn time(&self) -> (u8, u8, u8, u32) {
        self.time
    }

    /// The minutes that the clocks are ahead of UTC.
    ///
    /// It may be 24 hours or more, and up to 100, in a time that was received: Twisted reads such an offset, and neither Python nor a
    /// crate for time computes with it. It is not sent; [`with_offset`](Self::with_offset) makes a time of it that is.
    #[must_use]
    pub fn offset_minutes(&self) -> i16 {
        self.offset_minutes
    }

    /// The same instant as clocks show it that are so many seconds ahead of UTC; 0 is UTC. The offset is rounded down to minutes.
    ///
    /// # Errors
    /// [`ConvertError::OutOfRange`] if these clocks show a year before 1 or after 9999, [`ConvertError::NotA`] if the offset is 24 hours
    /// or more.
    pub fn with_offset(&self, offset_seconds: i32) -> Result<Self, ConvertError> {
        Self::from_unix_microseconds(self.unix_microseconds(), offset_seconds)
    }

    fn read(text: &[u8]) -> Result<Self, ConvertError> {
        let Fields { date: [year, month, day], time: [hour, minute, second, microsecond], minutes } =
            Fields::parse(text).ok_or(ConvertError::NotA(A_FORM))?;
        let small = |field: i32, name| u8::try_from(field).map_err(|_| ConvertError::NotA(name));
        let year = u16::try_from(year).map_err(|_| ConvertError::NotA(A_DATE))?;
        let date = (year, small(month, A_DATE)?, small(day, A_DATE)?);
        let microsecond = u32::try_from(microsecond).map_err(|_| ConvertError::NotA(A_TIME))?;
        let time = (small(hour, A_TIME)?, small(minute, A_TIME)?, small(second, A_TIME)?, microsecond);
        let offset = i16::try_from(minutes).ok().filter(|minutes| minutes.abs() < MAX_RECEIVED);
        Self::of(date, time, offset.ok_or(ConvertError::OutOfRange("DateTime"))?)
    }

    fn form(&self) -> [u8; 32] {
        text::form(self.date, self.time, self.offset_minutes)
    }
}

/// Rounds an offset down to minutes.
fn minutes(offset_seconds: i32) -> Result<i16, ConvertError> {
    let minutes = i16::try_from(offset_seconds.div_euclid(60)).ok();
    minutes.filter(|minutes| minutes.abs() < MAX_SENT).ok_or(ConvertError::NotA(AN_OFFSET))
}

/// Nanoseconds as microseconds, cut off towards the past.
#[cfg(any(feature = "jiff", feature = "time"))]
fn microseconds(nanoseconds: i128) -> Result<i64, ConvertError> {
    nanoseconds.div_euclid(1_000).try_into().map_err(|_| ConvertError::OutOfRange("DateTime"))
}

/// Reads the 32 characters that are sent, and whatever else Twisted reads.
///
/// # Errors
/// [`ConvertError::NotA`] for any other text, [`ConvertError::OutOfRange`] for an offset of 100 hours or more.
impl FromStr for DateTime {
    type Err = ConvertError;

    fn from_str(text: &str) -> Result<Self, ConvertError> {
        Self::read(text.as_bytes())
    }
}

/// The 32 characters that are sent.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It is ASCII.
        f.pad(std::str::from_utf8(&self.form()).unwrap_or_default())
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DateTime({self})")
    }
}

impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.unix_microseconds() == other.unix_microseconds()
    }
}

impl Eq for DateTime {}

impl Hash for DateTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.unix_microseconds().hash(state);
    }
}

impl PartialOrd for DateTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DateTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.unix_microseconds().cmp(&other.unix_microseconds())
    }
}

impl Value for DateTime {
    const TYPE: AmpType = AmpType::DateTime;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        // Twisted does not send it either.
        if self.offset_minutes.abs() >= MAX_SENT {
            return Err(EncodeError::custom(
                "an offset of 24 hours or more; give it another by `DateTime::with_offset`",
            ));
        }
        out.write(&self.form());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self::read(raw.as_bytes())?)
    }
}
