//! What a limit counts is what is held.

use bytes::Bytes;

use crate::commands::{Data, Id};
use crate::error::StreamError;
use crate::machine::{Read, Receipt, Received, Registry, StreamMachine, WindowBounds};
use crate::meter::StreamMeter;

/// A receipt whose tag has so many bytes.
#[derive(Debug, PartialEq, Eq)]
struct Tagged(usize);

impl Receipt for Tagged {
    fn held(&self) -> usize {
        self.0
    }
}

const ALL: usize = usize::MAX;

fn stream(max_buffered: usize) -> StreamMachine<Tagged> {
    StreamMachine::new(true, WindowBounds { initial: 4096, max: 65536 }, max_buffered)
}

fn byte() -> Bytes {
    Bytes::from_static(b"x")
}

#[test]
fn a_receipt_that_waits_for_its_reader_counts_for_its_tag() {
    let mut stream = stream(200_000);
    for _ in 0..3 {
        assert_eq!(stream.receive(byte(), Tagged(65_000), ALL), Received::Buffered);
    }
    assert_eq!(stream.buffered(), 3 * (1 + 256 + 65_000));
    assert_eq!(stream.receive(byte(), Tagged(65_000), ALL), Received::Overrun(Tagged(65_000)));
    assert!(matches!(stream.state().error(), Some(StreamError::Overrun)));
    assert_eq!(stream.read(1), Read::Data(byte(), Some(Tagged(65_000))));
    assert_eq!(stream.buffered(), 2 * (1 + 256 + 65_000));
    assert_eq!(stream.abandon().0.len(), 2);
    assert_eq!(stream.buffered(), 0);
}

#[test]
fn a_receipt_of_early_bytes_counts_for_its_tag() {
    let mut registry = Registry::<u8, Tagged>::new(10, 200_000, StreamMeter::default());
    let (connect, id) = (registry.send_connect(0).expect("room"), Id::random());
    let kept = (0..100).filter(|_| registry.recv_early_data(&id, byte(), Tagged(65_000)).is_ok()).count();
    assert_eq!(kept, 3, "tags of 65,000 bytes under a cap of 200,000");
    let (early, _) = registry.end_connect(connect, Some(&id));
    assert!(early.overrun && early.data.len() == 3 && registry.is_empty());
}

#[test]
fn early_bytes_pin_nothing_beside_themselves() {
    let mut registry = Registry::<u8, Tagged>::new(10, 200_000, StreamMeter::default());
    let (connect, id) = (registry.send_connect(0).expect("room"), Id::random());
    let read = Bytes::from(vec![7; 100_000]);
    let slice = read.slice(..10);
    registry.recv_early_data(&id, Data::pinning(slice, 100_000), Tagged(0)).expect("kept");
    assert!(read.is_unique(), "the buffer that they were read into is held");
    assert_eq!(registry.end_connect(connect, Some(&id)).0.data[0].0, [7; 10][..]);
}

#[test]
fn a_slice_counts_for_all_that_it_pins_and_its_sender_is_judged_by_what_it_sent() {
    let mut stream = stream(2 * (1000 + 256));
    let slice = || Data::pinning(Bytes::from(vec![1; 1000]), 4000);
    for held in [4256, 8512] {
        assert_eq!(stream.receive(slice(), Tagged(0), ALL), Received::Buffered, "an honest sender knows of no buffer");
        assert_eq!(stream.buffered(), held);
    }
    assert!(matches!(stream.receive(byte(), Tagged(0), ALL), Received::Overrun(_)));
    stream.read(ALL);
    assert_eq!(stream.buffered(), 4256);
    stream.read(ALL);
    assert_eq!(stream.buffered(), 0);
}

#[test]
fn a_chunk_that_is_read_in_part_is_held_whole() {
    let mut stream = stream(10_000);
    stream.receive(Bytes::from(vec![1; 1000]), Tagged(500), ALL);
    for read in [400, 300, 299] {
        assert!(matches!(stream.read(read), Read::Data(data, None) if data.len() == read));
        assert_eq!(stream.buffered(), 1000 + 256 + 500);
    }
    assert!(matches!(stream.read(10), Read::Data(data, Some(Tagged(500))) if data.len() == 1));
    assert_eq!(stream.buffered(), 0);
}
