//! Rules 53 to 56 over a connection: lists, optional arguments and names as declared.

use amp::value::{BoxReader, Key};
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{Arguments, CallError, Command, Connection, Reply, Settings, responder};
use bytes::BytesMut;

use crate::raw_peer::{RawPeer, answer, ask, error, packed, soon};

/// Gives its arguments back.
#[derive(Command, Debug)]
#[amp(response = Everything)]
struct Mirror {
    #[amp(name = "foo-bar")]
    foo_bar: Option<i64>,
    from: Option<String>,
    r#async: Option<bool>,
    #[amp(name = "Upper")]
    upper: Option<Vec<i64>>,
    items: Option<Vec<Item>>,
}

#[derive(Arguments, Debug, PartialEq, Default)]
struct Everything {
    #[amp(name = "foo-bar")]
    foo_bar: Option<i64>,
    from: Option<String>,
    r#async: Option<bool>,
    #[amp(name = "Upper")]
    upper: Option<Vec<i64>>,
    items: Option<Vec<Item>>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Item {
    a: i64,
    b: Option<String>,
}

struct Glass;

#[responder]
impl Glass {
    async fn mirror(&self, command: Mirror) -> Reply<Mirror> {
        let Mirror { foo_bar, from, r#async, upper, items } = command;
        Ok(Everything { foo_bar, from, r#async, upper, items })
    }
}

fn glass() -> (Connection, RawPeer) {
    RawPeer::with(Glass.into_locator(), Settings::new())
}

#[tokio::test(start_paused = true)]
async fn rule_55_none_is_absent_both_ways_and_present_and_empty_is_not_absent() {
    let (connection, mut peer) = glass();
    peer.send(ask("1", "Mirror", &[])).await;
    peer.expect(answer("1", &[])).await;
    peer.send(ask("1", "Mirror", &[("from", "")])).await;
    peer.expect(answer("1", &[("from", "")])).await;
    peer.send(ask("1", "Mirror", &[("foo-bar", "")])).await;
    peer.expect(error("1", "INVALID_ARGUMENT", "foo-bar: not an integer")).await;

    let nothing = Mirror { foo_bar: None, from: None, r#async: None, upper: None, items: None };
    let call = tokio::spawn(connection.call(nothing));
    peer.expect(ask("1", "Mirror", &[])).await;
    peer.send(answer("1", &[])).await;
    assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer"), Everything::default());
}

#[tokio::test(start_paused = true)]
async fn rule_56_names_are_on_the_wire_as_they_are_declared() {
    let (_connection, mut peer) = glass();
    peer.send(ask("1", "Mirror", &[("from", "x"), ("foo-bar", "5"), ("async", "True"), ("Upper", "\0\x017")])).await;
    let pairs = [("Upper", "\0\x017"), ("_answer", "1"), ("async", "True"), ("foo-bar", "5"), ("from", "x")];
    peer.expect(packed(&pairs)).await;
    peer.send(ask("1", "Mirror", &[("foo_bar", "5"), ("upper", "\0\x017"), ("r#async", "True")])).await;
    peer.expect(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn rule_54_amp_lists_go_through_and_their_extra_keys_are_dropped() {
    let (_connection, mut peer) = glass();
    let two = "\0\x01a\0\x011\0\x01b\0\x01x\0\0\0\x01a\0\x012\0\0";
    for (items, expected) in [("", ""), (two, two), ("\0\x01a\0\x012\0\x01z\0\x019\0\0", "\0\x01a\0\x012\0\0")] {
        peer.send(ask("1", "Mirror", &[("items", items)])).await;
        peer.expect(answer("1", &[("items", expected)])).await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_53_a_list_that_is_cut_short_is_an_invalid_argument() {
    let (_connection, mut peer) = glass();
    let rows = [
        (("Upper", "\0\x011\0"), "Upper[1]: cut short"),
        (("Upper", "\0\x05ab"), "Upper[0]: cut short"),
        (("items", "\0\x01a\0\x011\0\0\0\x01a"), "items[1]: cut short"),
        (("items", "\0\0"), "items[0].a: missing"),
        (("items", "\0\x01a\0\x01x\0\0"), "items[0].a: not an integer"),
    ];
    for (argument, description) in rows {
        peer.send(ask("1", "Mirror", &[argument])).await;
        peer.expect(error("1", "INVALID_ARGUMENT", description)).await;
    }
}

#[derive(Command, Debug)]
#[amp(response = Narrow)]
struct Narrowed {
    one: Option<f32>,
    items: Vec<Narrow>,
}

#[derive(Arguments, Debug)]
struct Narrow {
    list: Vec<f32>,
}

struct Scale;

#[responder]
impl Scale {
    async fn narrowed(&self, command: Narrowed) -> Reply<Narrowed> {
        Ok(Narrow { list: command.one.into_iter().collect() })
    }
}

#[tokio::test(start_paused = true)]
async fn a_float_that_is_too_large_for_its_type_is_an_error_of_that_call_wherever_it_stands() {
    let (connection, mut peer) = RawPeer::with(Scale.into_locator(), Settings::new());
    let item = "\0\x04list\0\x06\0\x041e39\0\0";
    let rows = [
        ([("items", ""), ("one", "1e39")], "one: out of range for f32"),
        ([("items", item), ("one", "1.0")], "items[0].list[0]: out of range for f32"),
    ];
    for (arguments, description) in rows {
        peer.send(ask("1", "Narrowed", &arguments)).await;
        peer.expect(error("1", "INVALID_ARGUMENT", description)).await;
    }
    peer.send(ask("1", "Narrowed", &[("items", ""), ("one", "inf")])).await;
    peer.expect(answer("1", &[("list", "\0\x03inf")])).await;

    let call = tokio::spawn(connection.call(Narrowed { one: None, items: vec![] }));
    peer.expect(ask("1", "Narrowed", &[("items", "")])).await;
    peer.send(answer("1", &[("list", "\0\x041e39")])).await;
    match soon("answered", call).await.expect("no panic") {
        Err(CallError::Response(error)) => assert_eq!(error.to_string(), "list[0]: out of range for f32"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reader_finds_the_keys_of_a_box_in_any_order() {
    const LETTERS: [Key; 4] = [
        Key::from_wire(b"\0\x01a"),
        Key::from_wire(b"\0\x01b"),
        Key::from_wire(b"\0\x01c"),
        Key::from_wire(b"\0\x01z"),
    ];
    for pairs in [[("b", "1"), ("c", "2")], [("c", "2"), ("b", "1")]] {
        let bytes = BytesMut::from(&packed(&pairs)[..]);
        let raw = BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes).next_box().expect("a box").expect("a whole one");
        // Every order of three looks, repeated ones included.
        for order in 0..64 {
            let mut reader = BoxReader::new(&raw, 1);
            for at in [order / 16, order / 4 % 4, order % 4] {
                let found = reader.value(LETTERS[at]).map(|value| value.as_bytes().to_vec());
                assert_eq!(found, [None, Some(b"1".to_vec()), Some(b"2".to_vec()), None][at], "{order:06b}");
            }
        }
    }
}
