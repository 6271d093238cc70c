use super::*;

/// A box with a value of so many bytes.
fn amp_box(value: u16) -> Vec<u8> {
    let length = value.to_be_bytes();
    [b"\0\x01k", &length[..], &vec![7; usize::from(value)], b"\0\0"].concat()
}

fn take(decoder: &mut BoxDecoder) -> RawBox {
    decoder.next_box().expect("no fault").expect("a whole box")
}

/// Appends in reads of `size` bytes at most, as a connection does.
fn read(decoder: &mut BoxDecoder, mut bytes: &[u8], size: usize) {
    while !bytes.is_empty() {
        decoder.reserve(size);
        let room = decoder.buffer.capacity() - decoder.buffer.len();
        assert!(room >= size / 2 || (room > 0 && decoder.has_room_for_box()));
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        decoder.buffer().extend_from_slice(now);
        bytes = later;
    }
}

#[test]
fn a_box_knows_how_large_the_buffer_is_that_it_is_a_slice_of() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    read(&mut decoder, &[amp_box(10), amp_box(3000), amp_box(5000)].concat(), 8192);
    let boxes: Vec<_> = (0..3).map(|_| take(&mut decoder)).collect();
    assert!(boxes.iter().all(|raw| raw.pinned() == 8192 + 8192 / 2 || raw.pinned() == 8192), "{boxes:?}");
    let first = boxes.first().expect("three").as_bytes().as_ptr();
    assert_eq!(
        boxes.last().expect("three").as_bytes().as_ptr().addr() - first.addr(),
        amp_box(10).len() + amp_box(3000).len()
    );
    drop(boxes);
    read(&mut decoder, &amp_box(10), 8192);
    assert_eq!(take(&mut decoder).pinned(), decoder.allocation, "the buffer is used again");
}

#[test]
fn a_box_that_ends_within_the_buffer_is_not_moved_and_one_that_does_not_is() {
    for (second, moves) in [(3000, false), (4181, false), (4182, true)] {
        let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
        let (bytes, begin) = ([amp_box(3997), amp_box(second)].concat(), 4004 + 2500);
        read(&mut decoder, &bytes[..begin], 8192);
        let allocation = decoder.allocation;
        let first = take(&mut decoder);
        assert!(decoder.next_box().expect("no fault").is_none());
        read(&mut decoder, &bytes[begin..], 8192);
        assert_eq!(
            (take(&mut decoder).as_bytes().as_ptr() == first.as_bytes()[4004..].as_ptr(), allocation),
            (!moves, 8192)
        );
    }
}

#[test]
fn an_empty_buffer_with_little_room_is_replaced() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    read(&mut decoder, &amp_box(8180), 8192);
    let kept = take(&mut decoder);
    assert!(decoder.next_box().expect("no fault").is_none());
    decoder.reserve(8192);
    assert!(decoder.buffer.capacity() >= 8192 && kept.pinned() == 8192);
}

#[test]
fn a_box_behind_a_large_one_does_not_keep_its_buffer() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    let large: Vec<u8> =
        (0..15_u8).flat_map(|at| [&[0, 1, b'a' + at, 0xff, 0xff][..], &[7; 65_535]].concat()).chain([0, 0]).collect();
    read(&mut decoder, &[&large[..], &amp_box(8200), &amp_box(8200)].concat(), 65_536);
    let whole = take(&mut decoder);
    assert_eq!(whole.as_bytes().len(), large.len());
    assert!((large.len()..=3 * large.len()).contains(&decoder.allocation), "{}", decoder.allocation);
    assert!(whole.pinned() <= 2 * large.len() + 1, "{}", whole.pinned());
    for _ in 0..2 {
        let small = take(&mut decoder);
        assert_eq!((small.pinned(), small.as_bytes().len()), (8207, 8207), "it is in memory of its own");
        assert_eq!(small.as_bytes(), &amp_box(8200));
    }
}

#[test]
fn small_boxes_in_an_ordinary_buffer_share_it() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    read(&mut decoder, &amp_box(40).repeat(1000), 65_536);
    let shared = (0..1000).map(|_| take(&mut decoder)).filter(|raw| raw.pinned() >= 40_000).count();
    assert_eq!(shared, 1000);
}

#[test]
fn a_buffer_is_given_back_when_it_is_large_and_holds_little_and_the_box_in_it_goes_on() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    let (begin, end) = (&amp_box(300)[..100], &amp_box(300)[100..]);
    read(&mut decoder, &[&amp_box(60_000), begin].concat(), 65_536);
    assert!(!decoder.give_back(65_536 * 2) && !decoder.give_back(16_384), "the large box was not taken");
    take(&mut decoder);
    assert!(decoder.next_box().expect("no fault").is_none());
    assert!(decoder.give_back(16_384) && decoder.allocation == 100 && !decoder.give_back(16_384));
    read(&mut decoder, end, 8192);
    assert_eq!(take(&mut decoder).as_bytes(), &amp_box(300));
}

/// A box of so many values of 65,535 bytes.
fn large_box(values: u8) -> Vec<u8> {
    let pair = |at| [&[0, 1, b'a' + at, 0xff, 0xff][..], &[7; 65_535]].concat();
    (0..values).flat_map(pair).chain([0, 0]).collect()
}

#[test]
fn the_begin_of_a_box_keeps_no_allocation_of_a_large_box_before_it_and_until_it_is_moved_all_of_it_counts() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    let (begin, end) = (&amp_box(40_000)[..17_000], &amp_box(40_000)[17_000..]);
    read(&mut decoder, &[&large_box(11), begin].concat(), 65_536);
    let large = take(&mut decoder);
    assert!(decoder.next_box().expect("no fault").is_none());
    assert!(decoder.allocation() >= large.as_bytes().len() + begin.len(), "{}", decoder.allocation());
    assert!(decoder.give_back(32_768) && decoder.allocation() == begin.len());
    drop(large);
    read(&mut decoder, end, 8192);
    assert_eq!(take(&mut decoder).as_bytes(), &amp_box(40_000));
}

#[test]
fn a_large_box_that_has_begun_is_not_moved_however_far_it_has_come() {
    let (mut decoder, whole) = (BoxDecoder::new(BoxLimits::DEFAULT), large_box(15));
    let mut moved = 0;
    for part in whole.chunks(1500) {
        read(&mut decoder, part, 65_536);
        moved += usize::from(decoder.give_back(32_768));
    }
    // At most while it is smaller than one read.
    assert!(moved <= 12, "{moved}");
    assert_eq!(take(&mut decoder).as_bytes(), &whole);
}

#[test]
fn a_detached_box_keeps_no_more_than_twice_its_length() {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    read(&mut decoder, &[amp_box(30), amp_box(5000), amp_box(3000)].concat(), 16_384);
    for (length, kept) in [(30, 37), (5000, 5007), (3000, 3007)] {
        let raw = take(&mut decoder).detached();
        assert_eq!((raw.as_bytes().len(), raw.pinned()), (length + 7, kept));
    }
    let alone = BoxDecoder::with_leftover(BoxLimits::DEFAULT, amp_box(30)[..].into()).next_box();
    let alone = alone.expect("no fault").expect("whole");
    let at = alone.as_bytes().as_ptr();
    assert_eq!(alone.detached().as_bytes().as_ptr(), at, "one that has its memory for itself is not copied");
}
