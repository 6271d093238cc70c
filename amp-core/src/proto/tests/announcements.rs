//! What an end announces, greets and marks, for all that both ends may have said before.

use std::time::Instant;

use crate::memory::Account;
use crate::packet::{AskTag, Packet, ReplyPacket, SentBox, put_answer};
use crate::proto::{AddKeys, Attachments, ConnectionState, Lane, Limits, ReplyTo, Request, Untyped};
use crate::reason::CloseReason;
use crate::sample_commands::Item;
use crate::wire::{AmpBox, BoxDecoder, BoxLimits, RawBox};

/// What an end sends before the first box of the peer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Nothing,
    Ask,
    /// An ask with no room for the announcement.
    Full,
    Untyped,
}

/// What the peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peer {
    Nothing,
    Hidden,
    Plain,
    Announces { is_late: bool, goodbye: bool, notify: bool },
}

const FIRST: [First; 4] = [First::Nothing, First::Ask, First::Full, First::Untyped];

fn peers() -> Vec<Peer> {
    let mut peers = vec![Peer::Nothing, Peer::Hidden, Peer::Plain];
    for bits in 0..8 {
        let [is_late, goodbye, notify] = [1, 2, 4].map(|bit| bits & bit > 0);
        peers.push(Peer::Announces { is_late, goodbye, notify });
    }
    peers
}

fn state(boxes: BoxLimits, announces: bool) -> ConnectionState<u64> {
    let (max_calls, outbound_high_water, max_outbound) = (usize::MAX, usize::MAX, usize::MAX);
    let limits = Limits { boxes, max_calls, outbound_high_water, max_outbound, announces };
    ConnectionState::new(limits, &Account::unshared())
}

/// Adds a key where there is room for it.
struct AddKey;

impl AddKeys for AddKey {
    fn add_to_ask(&self, ask: &mut SentBox<'_>) {
        let _ = ask.add("_added", b"");
    }

    fn add_to_reply(&self, _: &mut SentBox<'_>) {}
}

fn with_keys(keys: &[&'static str]) -> AmpBox {
    let mut pairs = AmpBox::new();
    for key in keys {
        pairs.insert(*key, "v").expect("a short value");
    }
    pairs
}

fn raw(pairs: &AmpBox) -> RawBox {
    let mut bytes = Vec::new();
    pairs.encode(&mut bytes);
    boxes(&bytes).remove(0)
}

fn boxes(bytes: &[u8]) -> Vec<RawBox> {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(bytes);
    std::iter::from_fn(|| decoder.next_box().expect("boxes")).collect()
}

fn has(raw: &RawBox, key: &str) -> bool {
    raw.pairs().any(|(found, _)| found == key.as_bytes())
}

fn is_command(raw: &RawBox, name: &str) -> bool {
    raw.pairs().any(|(key, value)| key == b"_command" && value == name.as_bytes())
}

fn ask(state: &mut ConnectionState<u64>, keys: &[&'static str]) -> u64 {
    let reply_to = ReplyTo::Waiter(&1);
    let request = Request { lane: Lane::Call, wants_answer: true, deadline: None, reply_to };
    let (tag, _) = state.append(&Untyped(b"Ask", with_keys(keys)), &request, None).expect("it fits");
    tag.expect("it wants an answer")
}

fn notify(state: &mut ConnectionState<u64>, keys: &[&'static str]) {
    let request = Request { lane: Lane::Notify, wants_answer: false, deadline: None, reply_to: ReplyTo::Waiter(&1) };
    let (tag, _) = state.append(&Untyped(b"Tell", with_keys(keys)), &request, None).expect("it fits");
    assert_eq!(tag, None);
}

fn take(state: &mut ConnectionState<u64>) -> Vec<RawBox> {
    let mut bytes = Vec::new();
    state.sending().take(&mut bytes, &mut Attachments::default(), &mut Vec::new());
    boxes(&bytes)
}

fn hear(state: &mut ConnectionState<u64>, peer: Peer) {
    let sending = state.sending();
    match peer {
        Peer::Nothing => {}
        Peer::Hidden => assert_eq!(sending.hear(None), None),
        Peer::Plain => assert_eq!(sending.hear(Some(raw(&with_keys(&["a"])).pairs())), None),
        Peer::Announces { is_late, goodbye, notify } => {
            let words = [("1", true), (" goodbye", goodbye), (" notify", notify)];
            let words: String = words.iter().filter(|(_, says)| *says).map(|(word, _)| *word).collect();
            let mut announcement = AmpBox::new();
            announcement.insert("_amp", words).expect("a short value");
            if is_late {
                sending.hear(Some(raw(&with_keys(&["a"])).pairs()));
                sending.hear_greeting(raw(&announcement).pairs());
            } else {
                sending.hear(Some(raw(&announcement).pairs()));
            }
        }
    }
}

#[test]
fn an_end_announces_once_and_uses_of_what_the_peer_announced_that_and_nothing_else() {
    for announces in [false, true] {
        for first in FIRST {
            peers().into_iter().for_each(|peer| check(announces, first, peer));
        }
    }
}

fn check(announces: bool, first: First, peer: Peer) {
    let scene = format!("{announces} {first:?} {peer:?}");
    let mut state = state(BoxLimits::new().pairs(4), announces);
    let mut asks = 0;
    match first {
        First::Nothing => {}
        First::Ask => asks = ask(&mut state, &[]),
        First::Full => asks = ask(&mut state, &["a", "b"]),
        First::Untyped => {
            assert!(state.append_untyped(|buffer| with_keys(&["a"]).encode(buffer), || unreachable!()).is_ok());
        }
    }
    let sent = take(&mut state);
    let mut is_announced = announces && first == First::Ask;
    assert_eq!(sent.iter().filter(|sent| has(sent, "_amp")).count(), usize::from(is_announced), "{scene}");

    hear(&mut state, peer);
    let (is_late, goodbye, notify_) = match peer {
        Peer::Announces { is_late, goodbye, notify } => (is_late, goodbye, notify),
        _ => (true, false, false),
    };
    let is_understood = announces && matches!(peer, Peer::Hidden | Peer::Announces { .. });
    assert_eq!(state.sending().is_understood(), is_understood, "{scene}");
    let greets = announces && !is_late && first != First::Ask;
    (0..2).for_each(|_| state.greet_if_due());
    let sent = take(&mut state);
    let greetings = sent.iter().filter(|sent| is_command(sent, "amp.Hello") && has(sent, "_amp")).count();
    assert_eq!((greetings, sent.len()), (usize::from(greets), usize::from(greets)), "{scene}");
    is_announced |= greets;

    let is_first = announces && !is_announced && first == First::Nothing;
    (0..64).for_each(|_| notify(&mut state, &["a"]));
    let sent = take(&mut state);
    assert_eq!((sent.len(), has(&sent[0], "_amp")), (64, is_first), "{scene}");
    is_announced |= is_first;
    let marked: Vec<_> = (1..=64).filter(|at| has(&sent[at - 1], "_notify")).collect();
    assert_eq!(marked, if is_announced && notify_ { vec![64] } else { vec![] }, "{scene}");
    assert_eq!(ask(&mut state, &[]), asks + 64 + u64::from(greets) + 1, "each ask uses up one tag: {scene}");

    state.end(CloseReason::UnknownAnswer, Instant::now());
    let last = boxes(&state.seal().bytes);
    let is_told = last.last().is_some_and(|last| is_command(last, "amp.Goodbye"));
    assert_eq!(is_told, announces && goodbye, "{scene}");
}

/// The end announces in an ask, and the peer answers marked notifications.
fn announced(pairs: usize) -> ConnectionState<u64> {
    let mut state = state(BoxLimits::new().pairs(pairs), true);
    notify(&mut state, &[]);
    hear(&mut state, Peer::Announces { is_late: false, goodbye: true, notify: true });
    state.greet_if_due();
    assert!(has(&take(&mut state)[0], "_amp"));
    state
}

#[test]
fn a_mark_without_room_goes_with_a_greeting_and_where_that_has_none_no_credit_is_used() {
    // The most pairs of a box: room for a mark in a notification, in a greeting only, and in neither.
    for (pairs, greets, is_marked) in [(5, false, true), (4, true, true), (3, true, true), (2, false, false)] {
        let mut state = announced(pairs);
        state.sending().add_keys(Box::new(AddKey));
        let key: &[&'static str] = if pairs == 2 { &[] } else { &["a"] };
        let sent = notify_while_admitted(&mut state, key, None);
        let marked: Vec<_> = sent.iter().filter(|sent| has(sent, "_notify")).collect();
        assert_eq!(marked.len(), if is_marked { 2 } else { 0 }, "{pairs}");
        assert!(marked.iter().all(|marked| is_command(marked, "amp.Hello") == greets), "{pairs}");
        let told: Vec<_> = sent.iter().filter(|sent| is_command(sent, "Tell")).collect();
        let has_room = told.iter().find(|told| !has(told, "_added") && told.pairs().count() < pairs);
        assert!(has_room.is_none(), "{pairs}: there was room for a key");
        // The one that announced counts.
        assert_eq!(told.len(), if is_marked { 127 } else { 1000 }, "{pairs}: there is a mark for 64 of them");
        assert_eq!(usize::try_from(ask(&mut state, &[])), Ok(sent.len() + 2), "each ask uses up one tag");
    }
}

/// What was sent, at most 1000 of them.
fn notify_while_admitted(state: &mut ConnectionState<u64>, keys: &[&'static str], ticket: Option<u64>) -> Vec<RawBox> {
    let mut sent = Vec::new();
    while sent.len() < 1000 && state.sending().admits(Lane::Notify, ticket) {
        notify(state, keys);
        sent.append(&mut take(state));
    }
    sent
}

#[test]
fn the_answer_to_a_mark_is_credit_for_more_once_and_what_is_forgiven_is_credit_without_one() {
    let mut state = announced(10);
    let sent = notify_while_admitted(&mut state, &[], None);
    let mut marked =
        sent.into_iter().filter(|sent| has(sent, "_notify")).map(|sent| Packet::parse(sent).expect("a packet"));
    let Some(Packet::Marked { tag, .. }) = marked.next() else { panic!("none is marked") };
    let (ticket, _) = state.sending().wait(Lane::Notify, None, &7);

    let (mut woken, mut for_sinks) = (Vec::new(), Vec::new());
    let replies = [reply(&tag), reply(&tag), reply(&AskTag::of(b"x"))];
    assert_eq!(state.deliver(replies.into_iter(), &mut woken, &mut for_sinks), 2, "one has a tag that is out");
    assert_eq!(woken, [7]);
    assert_eq!(state.deliver([reply(&tag)].into_iter(), &mut woken, &mut for_sinks), 1);
    assert_eq!(woken, [7], "what is no credit wakes none");
    assert_eq!(notify_while_admitted(&mut state, &[], Some(ticket)).len(), 64);
    assert_eq!(state.sending().forgive_credit(), Some(7));
    assert_eq!(notify_while_admitted(&mut state, &[], Some(ticket)).len(), 128);
    state.end(CloseReason::Aborted, Instant::now());
    assert_eq!(state.deliver([reply(&tag)].into_iter(), &mut woken, &mut for_sinks), 0, "what is over has none out");
}

fn reply(tag: &AskTag) -> (Option<u64>, ReplyPacket) {
    let (mut bytes, item) = (Vec::new(), Item { a: 1, b: None });
    put_answer(&mut bytes, tag, &item, BoxLimits::DEFAULT, None).expect("a short answer");
    match Packet::parse(boxes(&bytes).remove(0)).expect("a packet") {
        Packet::Reply { tag, reply } => (tag, reply),
        other => panic!("{other:?} is no reply"),
    }
}
