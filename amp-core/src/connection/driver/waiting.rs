//! What a driver does before it waits, and when it has waited for long.

use std::time::Instant;

use super::Running;
use crate::connection::any_transport::Transport;
use crate::connection::clock::now;
use crate::connection::ending::EndGuard;
use crate::connection::give_back::give_back;
use crate::connection::time_limits::{Handshake, Waits};
use crate::connection::writer::MAX_IDLE;

impl<T: Transport + 'static> Running<T> {
    /// Notes for which of its actions the peer keeps the driver waiting. Returns when to look whether it takes too long.
    #[inline]
    pub(super) fn note_waits(&mut self, handshake: Handshake, writing: bool) -> Option<Instant> {
        let Self { reader, writer, limits, guard: EndGuard(shared), .. } = self;
        let handshake = if handshake == Handshake::Runs && writing { Handshake::Begins } else { handshake };
        let mut waits = Waits {
            in_box: reader.is_in_box(),
            has_read: reader.has_read(),
            writing,
            has_written: writer.has_written(),
            handshake,
            large_read_buffer: false,
            large_write_buffers: false,
        };
        if self.buffers.reserved().max(self.outbound) > MAX_IDLE {
            waits.large_read_buffer = reader.is_buffer_large();
            // What a barrier holds cannot be released.
            let releases = !writing && handshake == Handshake::None;
            waits.large_write_buffers = releases && self.outbound + writer.buffered() > 2 * MAX_IDLE;
        }
        limits.note(waits, &shared.settings, now)
    }

    #[cold]
    pub(super) fn check_limits(&mut self) {
        let now = now();
        let (reading, writing) = self.limits.are_buffers_idle(now);
        if reading {
            self.reader.give_back_buffer();
        }
        if writing {
            self.writer.release();
            let released = self.shared().lock().sending().release_buffer(MAX_IDLE);
            drop(released);
        }
        if let Some(reason) = self.limits.check(&self.guard.0.settings, now) {
            self.end(reason);
        }
    }

    /// Nothing is to be done until the driver is woken: releases buffers that have grown large.
    pub(super) fn give_back(&mut self) {
        let before = self.writer.buffered() + self.reader.buffered();
        self.writer.give_back();
        self.reader.give_back();
        self.responders.give_back();
        give_back(&mut self.woken);
        let after = self.writer.buffered() + self.reader.buffered();
        if after != before {
            self.buffers.fit(after);
        }
    }
}
