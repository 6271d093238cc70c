//! One ask for a sum, to bytes and back: `cargo bench` in this folder.

use std::hint::black_box;

use amp::wire::{BoxDecoder, BoxLimits};
use amp_bench::codec::{BYTES, TAG, put_ours, take_ours};
use amp_bench::contestants::by_hand::{put_sum, take_sum};
use amp_bench::contestants::ours::Sum;
use criterion::{Criterion, criterion_group, criterion_main};
use prost::Message;
use serde::{Deserialize, Serialize};

/// What tarpc sends for an ask, without its trace.
#[derive(Serialize, Deserialize)]
struct Bincode {
    tag: u64,
    sum: (u32, i64, i64),
}

#[derive(PartialEq, Message)]
struct Prost {
    #[prost(uint64, tag = "1")]
    tag: u64,
    #[prost(string, tag = "2")]
    command: String,
    #[prost(int64, tag = "3")]
    a: i64,
    #[prost(int64, tag = "4")]
    b: i64,
}

/// The least that an encoder can do, for terms that are not negative: literal keys, digits in their places, one copy.
fn put_tuned(out: &mut Vec<u8>, tag: u64, a: u64, b: u64) {
    let mut row = Row { bytes: [0; 128], length: 0 };
    row.literal(b"\0\x04_ask\0");
    row.digits::<16>(tag);
    row.literal(b"\0\x08_command\0\x03Sum\0\x01a\0");
    row.digits::<10>(a);
    row.literal(b"\0\x01b\0");
    row.digits::<10>(b);
    row.literal(b"\0\0");
    out.extend_from_slice(&row.bytes[..row.length]);
}

struct Row {
    bytes: [u8; 128],
    length: usize,
}

impl Row {
    fn literal<const LENGTH: usize>(&mut self, bytes: &[u8; LENGTH]) {
        self.bytes[self.length..self.length + LENGTH].copy_from_slice(bytes);
        self.length += LENGTH;
    }

    /// The count of digits and the digits.
    fn digits<const BASE: u64>(&mut self, value: u64) {
        let count = value.checked_ilog(BASE).unwrap_or(0) as usize + 1;
        let place = &mut self.bytes[self.length..self.length + 1 + count];
        place[0] = count as u8;
        let mut rest = value;
        for digit in place[1..].iter_mut().rev() {
            *digit = b"0123456789abcdef"[(rest % BASE) as usize];
            rest /= BASE;
        }
        self.length += 1 + count;
    }
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode a Sum ask");
    let mut out = Vec::with_capacity(1_024);
    put_ours(&mut out, TAG, &Sum { a: 13, b: 81 });
    assert_eq!(out, BYTES);
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            out.clear();
            put_ours(&mut out, black_box(TAG), &black_box(Sum { a: 13, b: 81 }));
            black_box(out.as_slice());
        });
    });
    out.clear();
    put_sum(&mut out, 0x1a2b, 13, 81);
    assert_eq!(out, BYTES);
    group.bench_function("by hand", |bencher| {
        bencher.iter(|| {
            out.clear();
            put_sum(&mut out, black_box(0x1a2b), black_box(13), black_box(81));
            black_box(out.as_slice());
        });
    });
    out.clear();
    put_tuned(&mut out, 0x1a2b, 13, 81);
    assert_eq!(out, BYTES);
    group.bench_function("by hand, in one row", |bencher| {
        bencher.iter(|| {
            out.clear();
            put_tuned(&mut out, black_box(0x1a2b), black_box(13), black_box(81));
            black_box(out.as_slice());
        });
    });
    group.bench_function("bincode", |bencher| {
        bencher.iter(|| {
            out.clear();
            let ask = black_box(Bincode { tag: 0x1a2b, sum: (0, 13, 81) });
            bincode::serialize_into(&mut out, &ask).expect("it fits");
            black_box(out.as_slice());
        });
    });
    let ask = Prost { tag: 0x1a2b, command: "Sum".to_owned(), a: 13, b: 81 };
    group.bench_function("prost", |bencher| {
        bencher.iter(|| {
            out.clear();
            black_box(&ask).encode(&mut out).expect("it fits");
            black_box(out.as_slice());
        });
    });
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a Sum ask");
    let mut decoder = BoxDecoder::new(BoxLimits::default());
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            let Sum { a, b } = take_ours(&mut decoder);
            assert_eq!((a, b), (13, 81));
        });
    });
    group.bench_function("by hand", |bencher| {
        bencher.iter(|| assert_eq!(take_sum(black_box(BYTES)), Some((&TAG[..], 13, 81))));
    });
    let bytes = bincode::serialize(&Bincode { tag: 0x1a2b, sum: (0, 13, 81) }).expect("it fits");
    group.bench_function("bincode", |bencher| {
        bencher.iter(|| {
            let ask: Bincode = bincode::deserialize(black_box(&bytes)).expect("an ask");
            assert_eq!((ask.tag, ask.sum), (0x1a2b, (0, 13, 81)));
        });
    });
    let bytes = Prost { tag: 0x1a2b, command: "Sum".to_owned(), a: 13, b: 81 }.encode_to_vec();
    group.bench_function("prost", |bencher| {
        bencher.iter(|| {
            let ask = Prost::decode(black_box(&bytes[..])).expect("an ask");
            assert_eq!((ask.tag, ask.command.as_str(), ask.a, ask.b), (0x1a2b, "Sum", 13, 81));
        });
    });
}

criterion_group!(codec, encode, decode);
criterion_main!(codec);
