use crate::wire::{BoxLimits, END, Pairs, put_pair};

/// Inserts a pair in the order of keys, if the box that begins at `start` and ends the buffer keeps to the limits with it.
pub(super) fn insert(buffer: &mut Vec<u8>, start: usize, (key, value): (&[u8], &[u8]), limits: BoxLimits) -> bool {
    let mut pairs = Pairs::new(&buffer[start..]);
    let (mut at, mut count) = (None, 1);
    loop {
        let position = pairs.position();
        let Some((next, _)) = pairs.next() else { break };
        count += 1;
        if next > key && at.is_none() {
            at = Some(position);
        }
    }
    // Behind the last pair, where the two bytes of the box's end begin.
    let at = start + at.unwrap_or_else(|| buffer.len() - start - END.len());
    let mut pair = Vec::with_capacity(4 + key.len() + value.len());
    put_pair(&mut pair, key, value);
    let fits = buffer.len() - start + pair.len() <= limits.bytes && count <= limits.pairs;
    if fits {
        buffer.splice(at..at, pair);
    }
    fits
}
