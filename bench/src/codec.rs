//! One ask for a sum through the public API, to bytes and back.

use std::hint::black_box;

use amp::Arguments;
use amp::value::{BoxReader, BoxWriter, Key};
use amp::wire::{BoxDecoder, BoxLimits};

use crate::Error;
use crate::contestants::by_hand::{put_sum, take_sum};
use crate::contestants::ours::Sum;

const ASK: Key = Key::from_wire(b"\0\x04_ask");
const COMMAND: Key = Key::from_wire(b"\0\x08_command");
/// The tag of the ask.
pub const TAG: [u8; 4] = *b"1a2b";
/// The ask.
pub const BYTES: &[u8] = b"\0\x04_ask\0\x041a2b\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0";

/// Appends the ask.
pub fn put_ours(out: &mut Vec<u8>, tag: [u8; 4], sum: &Sum) {
    let mut writer = BoxWriter::new(out, 32);
    sum.put_leading(&mut writer).expect("it fits");
    writer.put(ASK, &tag).expect("it fits");
    writer.put(COMMAND, b"Sum").expect("it fits");
    sum.put_trailing(&mut writer).expect("it fits");
    writer.finish(1 << 20).expect("it fits");
}

/// Decodes the ask behind its bytes.
pub fn take_ours(decoder: &mut BoxDecoder) -> Sum {
    decoder.buffer().extend_from_slice(black_box(BYTES));
    let raw = decoder.next_box().expect("boxes").expect("a whole one");
    let mut reader = BoxReader::new(&raw, 32);
    assert_eq!(reader.value(ASK).expect("a tag").as_bytes(), TAG);
    assert_eq!(reader.value(COMMAND).expect("a command").as_bytes(), b"Sum");
    Sum::take(&mut reader).expect("the arguments")
}

/// Encodes or decodes so many asks, for a profiler that counts instructions.
///
/// # Errors
/// If there is no such contestant or no such direction.
pub fn count(contestant: &str, direction: &str, asks: &str) -> Result<(), Error> {
    let asks: usize = asks.parse()?;
    let (mut out, mut decoder) = (Vec::with_capacity(1_024), BoxDecoder::new(BoxLimits::default()));
    for _ in 0..asks {
        out.clear();
        match (contestant, direction) {
            ("ours", "encode") => put_ours(&mut out, black_box(TAG), &black_box(Sum { a: 13, b: 81 })),
            ("by-hand", "encode") => put_sum(&mut out, black_box(0x1a2b), black_box(13), black_box(81)),
            ("ours", "decode") => _ = black_box(take_ours(&mut decoder)),
            ("by-hand", "decode") => _ = black_box(take_sum(black_box(BYTES))),
            _ => return Err("bench codec {ours,by-hand} {encode,decode} ASKS".into()),
        }
        black_box(out.as_slice());
    }
    Ok(())
}
