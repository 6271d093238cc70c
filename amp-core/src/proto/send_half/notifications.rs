use super::SendHalf;
use crate::exposed::ContextRef;
use crate::packet::features::{mark, put_hello};
use crate::packet::{SentBox, Tag};
use crate::proto::outgoing::{AddKeys, Outgoing};
use crate::proto::waiter::Waiter;
use crate::value::EncodeError;

/// Notifications: which are marked, and so ask for credit.
impl<W: Waiter> SendHalf<W> {
    /// The notification that begins at `start` was appended: it uses up a tag and credit, and is marked when a mark is due.
    pub(super) fn notified(&mut self, ask: &dyn Outgoing, start: usize, context: Option<ContextRef<'_>>) {
        if self.admission.credit().wants_mark() && self.announcements.has_announced() {
            self.mark(ask, start, context);
        } else {
            self.tags.skip();
            let length = self.outbound.end() - start;
            self.admission.credit().sent(length, false);
        }
    }

    /// Marks the notification that begins at `start` and ends the outbound buffer: it is written again with a tag. If the box has
    /// no room for that, a greeting follows that takes its turn behind it and carries the mark.
    #[cold]
    fn mark(&mut self, ask: &dyn Outgoing, start: usize, context: Option<ContextRef<'_>>) {
        let boxes = self.boxes;
        let unmarked = self.outbound.buffer().split_off(start);
        let is_marked = self.put_marked(|buffer, tag, keys| {
            ask.put(buffer, tag, boxes, context)?;
            if let Some(keys) = keys {
                keys.add_to_ask(&mut SentBox::new(buffer, start, boxes));
            }
            Ok(())
        });
        if is_marked {
            return;
        }
        self.outbound.buffer().extend_from_slice(&unmarked);
        self.tags.skip();
        if !self.put_marked(|buffer, tag, _| put_hello(buffer, tag, boxes)) {
            self.admission.credit().sent(unmarked.len(), false);
        }
    }

    /// Appends a marked box, or nothing where it does not fit.
    fn put_marked(
        &mut self,
        put: impl FnOnce(&mut Vec<u8>, Option<Tag>, Option<&dyn AddKeys>) -> Result<(), EncodeError>,
    ) -> bool {
        let (tag, buffer) = (self.tags.next_tag(), self.outbound.buffer());
        let start = buffer.len();
        let fits = put(buffer, Some(Tag::of(tag)), self.keys.as_deref()).is_ok() && mark(buffer, start, self.boxes);
        if fits {
            self.tags.mark();
            self.admission.credit().sent(0, true);
        } else {
            buffer.truncate(start);
        }
        fits
    }
}
