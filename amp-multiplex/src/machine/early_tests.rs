use bytes::Bytes;

use super::{Known, Received, Registry};
use crate::commands::Id;

fn kept(registry: &mut Registry<(), u8>, id: Id, length: usize) -> Received<u8> {
    assert!(matches!(registry.find(id), Known::Early));
    registry.keep_early(id, Bytes::from(vec![0; length]), 0)
}

#[test]
fn too_many_early_bytes_end_their_own_stream_and_keep_what_came_before() {
    let mut registry = Registry::new(8, 10);
    let (long, short) = (Id::random(), Id::random());
    assert!(registry.connect() && registry.connect());
    assert_eq!(kept(&mut registry, long, 6), Received::Kept);
    assert_eq!(kept(&mut registry, short, 3), Received::Kept);
    assert_eq!(kept(&mut registry, long, 2), Received::Overrun(0));
    assert_eq!(kept(&mut registry, long, 1), Received::Overrun(0), "no hole in what is kept");
    assert_eq!(kept(&mut registry, short, 1), Received::Kept, "there is room");

    let (early, lost) = registry.connected(Some(long));
    let early = early.unwrap();
    assert!(early.overrun && lost.is_empty());
    assert_eq!(early.data, [(Bytes::from(vec![0; 6]), 0)]);
    let (early, lost) = registry.connected(Some(short));
    let early = early.unwrap();
    assert!(!early.overrun && lost.is_empty());
    assert_eq!(early.data.len(), 2);
    assert!(registry.is_empty());
}
