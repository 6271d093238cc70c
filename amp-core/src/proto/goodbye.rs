use crate::packet::features::put_goodbye;
use crate::reason::CloseReason;
use crate::wire::BoxLimits;

/// Writes why the connection has ended (`wire.md`, section 7), if the peer caused it or the reason is a fatal error.
pub(super) fn put(buffer: &mut Vec<u8>, reason: &CloseReason, limits: BoxLimits) {
    if let Some(code) = reason.goodbye() {
        // It is short enough for any limit.
        let _ = put_goodbye(buffer, code, &reason.to_string(), limits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PacketError;
    use crate::packet::features::take_goodbye;
    use crate::wire::{Excerpt, Pairs};

    #[test]
    fn the_peer_is_told_the_reason_when_it_is_the_cause() {
        let told = |reason: &CloseReason| {
            let mut bytes = Vec::new();
            put(&mut bytes, reason, BoxLimits::DEFAULT);
            (!bytes.is_empty()).then(|| take_goodbye(Pairs::new(&bytes)).1)
        };
        let source = PacketError { start: Excerpt::of(b"odd") };
        let expected = format!("the peer's box is not AMP: {source}");
        assert_eq!(told(&CloseReason::Packet(source)), Some(expected));
        assert_eq!(told(&CloseReason::Failure), None);
    }
}
