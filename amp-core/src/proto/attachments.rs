use std::any::Any;
use std::collections::VecDeque;
use std::fmt;

use crate::panics::drop_caught;

/// An object that a transport carries beside the bytes, such as a descriptor: it is sent with the first byte of its box.
///
/// A panic of its drop costs nothing else.
pub struct Attachment(Option<Box<dyn Any + Send>>);

impl Attachment {
    /// Wraps a value that is to be attached to a box.
    pub fn new(value: impl Any + Send) -> Self {
        Self(Some(Box::new(value)))
    }

    /// The value, if it has this type.
    #[must_use]
    pub fn downcast_ref<T: Any>(&self) -> Option<&T> {
        self.0.as_ref()?.downcast_ref()
    }
}

/// Each by itself: two that panic while several are dropped would abort the process.
impl Drop for Attachment {
    fn drop(&mut self) {
        drop_caught(self.0.take());
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").finish_non_exhaustive()
    }
}

/// Which attachments a transport can send with one byte.
pub(crate) type Carries = fn(&[Attachment]) -> bool;

/// Tells whether the transport of a connection carries attachments, and distinguishes that transport from earlier ones.
#[derive(Clone, Copy, Default)]
pub(crate) struct Carrier {
    carries: Option<Carries>,
    /// How many transports there were before.
    number: u64,
}

impl Carrier {
    /// The transport is replaced by one that carries these.
    pub(super) fn replace(&mut self, carries: Option<Carries>) {
        *self = Self { carries, number: self.number + 1 };
    }

    /// Whether it carries the attachments. Call it under no lock: it runs user code.
    pub(crate) fn carries(self, attachments: &[Attachment]) -> bool {
        self.carries.is_some_and(|carries| carries(attachments))
    }

    pub(super) fn is(self, other: Self) -> bool {
        self.number == other.number
    }
}

/// The attachments of a buffer, each with the offset of the byte that it goes with. Offsets ascend strictly.
#[derive(Debug, Default)]
pub(crate) struct Attachments(VecDeque<(usize, Vec<Attachment>)>);

impl Attachments {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Attaches to the byte at the offset, which is behind those of all other attachments.
    pub(crate) fn attach(&mut self, offset: usize, attachments: Vec<Attachment>) {
        if !attachments.is_empty() {
            self.0.push_back((offset, attachments));
        }
    }

    /// Returns the first offset, and the attachments of the byte there.
    pub(crate) fn first(&self) -> Option<(usize, &[Attachment])> {
        self.0.front().map(|(offset, attachments)| (*offset, attachments.as_slice()))
    }

    /// Returns the offset behind the first.
    pub(crate) fn second(&self) -> Option<usize> {
        self.0.get(1).map(|(offset, _)| *offset)
    }

    /// Takes out the first: its byte was written.
    pub(crate) fn take_first(&mut self) -> Vec<Attachment> {
        self.0.pop_front().map_or_else(Vec::new, |(_, attachments)| attachments)
    }

    /// Adds the attachments of a buffer that is appended at `start`.
    pub(crate) fn append(&mut self, start: usize, others: Self) {
        self.0.extend(others.0.into_iter().map(|(offset, attachments)| (start + offset, attachments)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_keep_their_bytes_when_buffers_are_put_together() {
        let of = |values: &[(usize, u8)]| {
            let mut all = Attachments::default();
            values.iter().for_each(|(offset, value)| all.attach(*offset, vec![Attachment::new(*value)]));
            all
        };
        let mut all = of(&[(2, b'a')]);
        all.attach(3, Vec::new());
        all.append(10, of(&[(3, b'b'), (4, b'c')]));
        for (offset, value, second) in [(2, b'a', Some(13)), (13, b'b', Some(14)), (14, b'c', None)] {
            assert_eq!((all.first().map(|(offset, _)| offset), all.second()), (Some(offset), second));
            let taken = all.take_first();
            assert_eq!(taken.iter().map(|one| one.downcast_ref()).collect::<Vec<_>>(), [Some(&value)]);
            assert!(taken[0].downcast_ref::<u16>().is_none());
        }
        assert!(all.is_empty() && all.take_first().is_empty());
        assert_eq!(format!("{:?}", Attachment::new(1)), "Attachment { .. }");
    }
}
