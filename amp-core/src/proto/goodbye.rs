use std::error::Error;
use std::fmt::Write;

use crate::packet::features::put_goodbye;
use crate::reason::CloseReason;
use crate::wire::BoxLimits;

/// Writes why the connection has ended (`wire.md`, section 7), if the peer is the cause or a fatal error.
pub(super) fn put(buffer: &mut Vec<u8>, reason: &CloseReason, limits: BoxLimits) {
    if let Some(code) = reason.goodbye() {
        // It is short.
        let _ = put_goodbye(buffer, code, &words(reason), limits);
    }
}

/// The reason and its sources, in one line.
fn words(reason: &CloseReason) -> String {
    let mut words = reason.to_string();
    let mut source = reason.source();
    while let Some(error) = source {
        let _ = write!(words, ": {error}");
        source = error.source();
    }
    words
}
