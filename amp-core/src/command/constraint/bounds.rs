use std::ops::{Bound, RangeBounds};
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// A range that `range` accepts for values of `T`: every form of range whose bounds are of that type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no range of values of the type `{T}`",
    label = "no range of `{T}`",
    note = "`range` takes numbers, and its bounds have the type of the value; for text, byte strings and lists there is `length`, and for the items of a list `each(range = ..)`"
)]
pub trait Bounds<T> {
    /// Whether the value lies within. A value that cannot be compared with itself lies in no range.
    fn holds(&self, value: &T) -> bool;

    /// The bounds of the range.
    fn bounds(&self) -> (Bound<&T>, Bound<&T>);
}

/// An argument of `length`: one length or a range of lengths.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length and no range of lengths",
    label = "no lengths",
    note = "lengths are of the type `usize`"
)]
pub trait Lengths {
    /// Whether the length is one of them.
    fn hold(&self, length: usize) -> bool;

    /// The shortest and the longest.
    fn bounds(&self) -> (Bound<usize>, Bound<usize>);
}

impl Lengths for usize {
    fn hold(&self, length: usize) -> bool {
        *self == length
    }

    fn bounds(&self) -> (Bound<usize>, Bound<usize>) {
        (Bound::Included(*self), Bound::Included(*self))
    }
}

macro_rules! ranges {
    ($range:ty, $lengths:ty) => {
        impl<T: PartialOrd> Bounds<T> for $range {
            fn holds(&self, value: &T) -> bool {
                value.partial_cmp(value).is_some() && self.contains(value)
            }

            fn bounds(&self) -> (Bound<&T>, Bound<&T>) {
                (self.start_bound(), self.end_bound())
            }
        }

        impl Lengths for $lengths {
            fn hold(&self, length: usize) -> bool {
                self.contains(&length)
            }

            fn bounds(&self) -> (Bound<usize>, Bound<usize>) {
                (RangeBounds::<usize>::start_bound(self).cloned(), RangeBounds::<usize>::end_bound(self).cloned())
            }
        }
    };
}

// One by one, because the compiler shows the call that made an impl.
ranges!(Range<T>, Range<usize>);
ranges!(RangeInclusive<T>, RangeInclusive<usize>);
ranges!(RangeFrom<T>, RangeFrom<usize>);
ranges!(RangeTo<T>, RangeTo<usize>);
ranges!(RangeToInclusive<T>, RangeToInclusive<usize>);
ranges!(RangeFull, RangeFull);
ranges!((Bound<T>, Bound<T>), (Bound<usize>, Bound<usize>));
