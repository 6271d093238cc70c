//! Whatever bytes come: no panic, no silence, whole boxes only.

use amp::connection::Strictness;
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{AmpBox, Settings};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::commands::House;
use crate::raw_peer::{RawPeer, ended, packed};

/// Boxes with the keys that matter and values that often fit, and now and then plain bytes.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let key = prop::sample::select(vec![
        "_ask",
        "_ask",
        "_command",
        "_command",
        "_command",
        "_answer",
        "_error",
        "_error_code",
        "a",
        "b",
        "how",
        "data",
        "size",
    ]);
    let value = prop::sample::select(vec![
        "",
        "1",
        "2",
        "01",
        "Sum",
        "Sum",
        "Fail",
        "Echo",
        "Big",
        "Nope",
        "snowman",
        "panic",
        "later panic",
        "broken",
        "\u{2603}",
    ]);
    let one = vec((key, value), 0..6).prop_map(|pairs| packed(&pairs));
    let sum = Just(packed(&[("_ask", "s"), ("_command", "Sum"), ("a", "1"), ("b", "2")]));
    prop_oneof![8 => one, 8 => sum, 1 => vec(any::<u8>(), 0..9)]
}

/// Sends the chunks, half-closes, and returns everything that came back.
fn exchange(chunks: Vec<Vec<u8>>, settings: Settings) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (connection, mut peer) = RawPeer::with(House::new().into_locator(), settings);
        for chunk in chunks {
            peer.send(chunk).await;
            tokio::task::yield_now().await;
        }
        peer.finish().await;
        let got = peer.rest().await;
        ended(&connection).await;
        got
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn whatever_a_peer_sends_it_gets_whole_answers_to_its_own_asks_and_the_end(
        parts in vec(any_bytes(), 0..20),
        sizes in vec(1_usize..200, 1..6),
        strict: bool,
        in_order: bool,
    ) {
        let bytes = parts.concat();
        let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
        decoder.buffer().extend_from_slice(&bytes);
        let mut asks = 0;
        while let Ok(Some(raw)) = decoder.next_box() {
            asks += usize::from(AmpBox::from(&raw).value("_ask").is_some());
        }
        let (mut rest, mut chunks) = (&bytes[..], Vec::new());
        for size in sizes.iter().cycle() {
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk.to_vec());
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let strictness = if strict { Strictness::Twisted } else { Strictness::Isolating };
        let got = exchange(chunks, Settings::new().strictness(strictness).in_order(in_order));

        let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
        decoder.buffer().extend_from_slice(&got);
        let mut replies = 0;
        while let Some(raw) = decoder.next_box().expect("boxes") {
            let reply = AmpBox::from(&raw);
            let tag = reply.value("_answer").or_else(|| reply.value("_error"));
            prop_assert!(tag.is_some(), "{reply:?}");
            prop_assert_eq!(reply.value("_command"), None);
            replies += 1;
        }
        prop_assert_eq!(decoder.pending_bytes(), 0, "half a box");
        prop_assert!(replies <= asks, "{} replies to {} asks", replies, asks);
    }
}
