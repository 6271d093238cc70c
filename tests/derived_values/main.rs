//! `#[derive(Value)]`: newtypes, enums as texts, and enums as boxes.
#![allow(clippy::unwrap_used)]

mod at_both_ends;

use amp::constraint::{Place, Violations};
use amp::testing::ask_bytes;
use amp::value::{RawValue, ValueWriter};
use amp::{Arguments, Command, Value};
use proptest::prelude::*;

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    bytes
}

fn decoded<T: Value>(bytes: &[u8]) -> Result<T, String> {
    T::decode(RawValue::new(bytes)).map_err(|error| error.to_string())
}

fn comes_back<T: Value + PartialEq + std::fmt::Debug>(value: &T, bytes: &[u8]) {
    assert_eq!(encoded(value).escape_ascii().to_string(), bytes.escape_ascii().to_string());
    assert_eq!(&decoded::<T>(bytes).unwrap(), value);
}

fn violations<T: Value>(value: &T) -> String {
    let mut found = Violations::new();
    value.check(Place::WHOLE.key("it"), &mut found);
    found.to_string()
}

#[derive(Value, Debug, PartialEq, Clone, Copy)]
struct Port(#[constrain(range = 1..)] u16);

#[derive(Value, Debug, PartialEq)]
struct Byte(u8);

#[derive(Value, Debug, PartialEq)]
struct Named<T> {
    #[constrain(length = ..=2)]
    held: Vec<T>,
}

#[derive(Arguments, Debug, PartialEq, Clone)]
struct Node {
    port: Port,
}

#[derive(Value, Debug, PartialEq)]
struct Wrapped(Node);

/// The state of a job.
#[derive(Value, Debug, PartialEq, Clone)]
enum State {
    /// Not yet.
    Pending,
    InProgress,
    #[amp(name = "DONE!")]
    Done,
}

#[derive(Value, Debug, PartialEq)]
#[amp(rename_all = "kebab-case")]
enum Colour {
    DarkRed,
    #[amp(other)]
    Other(Box<str>),
}

#[derive(Value, Debug, PartialEq, Clone)]
enum Shape {
    Point,
    Circle {
        #[constrain(range = 0.0..)]
        radius: f64,
        #[amp(name = "x")]
        at: Option<i32>,
    },
    #[amp(rename_all = "camelCase")]
    Group {
        all_parts: Vec<Shape>,
    },
    Node(Node),
    Beside(Beside),
}

/// Some before and some behind `type`.
#[derive(Arguments, Debug, PartialEq, Clone)]
struct Beside {
    #[amp(name = "Upper")]
    upper: u8,
    zoom: u8,
}

#[derive(Value, Debug, PartialEq)]
#[amp(tag = "Kind")]
enum Event {
    Started,
    #[amp(other)]
    Unknown(String),
}

#[test]
fn a_newtype_is_encoded_as_what_it_holds_in_lists_too() {
    comes_back(&Port(80), b"80");
    comes_back(&vec![Port(1), Port(22)], b"\0\x011\0\x0222");
    comes_back(&vec![Byte(b'a'), Byte(0)], b"a\0");
    comes_back(&Named { held: vec![1_u8, 2] }, b"\x01\x02");
    comes_back(&vec![Named { held: vec!["a".to_owned()] }], b"\0\x03\0\x01a");
    comes_back(&Wrapped(Node { port: Port(7) }), b"\0\x04port\0\x017\0\0");
    comes_back(
        &vec![Wrapped(Node { port: Port(7) }), Wrapped(Node { port: Port(8) })],
        b"\0\x04port\0\x017\0\0\0\x04port\0\x018\0\0",
    );
    comes_back(&vec![vec![Byte(1)], vec![]], b"\0\x01\x01\0\0");
}

#[test]
fn an_item_of_a_list_of_newtypes_that_cannot_be_sent_or_read_is_named() {
    let long = vec![Named { held: vec![0_u8] }, Named { held: vec![0; 70_000] }];
    let error = long.encode(&mut ValueWriter::new(&mut Vec::new())).unwrap_err();
    assert_eq!(error.path(), "[1]");
    assert_eq!(decoded::<Vec<Port>>(b"\0\x011\0\x01x").unwrap_err(), "[1]: not an integer");
    let boxes = b"\0\x04port\0\x017\0\0\0\x04port\0\x01x\0\0";
    assert_eq!(decoded::<Vec<Wrapped>>(boxes).unwrap_err(), "[1].port: not an integer");
}

#[test]
fn the_constraints_of_a_newtype_and_of_what_it_holds_are_checked_at_its_place() {
    assert_eq!(violations(&Port(0)), "it: not in 1..");
    assert_eq!(violations(&vec![Port(1), Port(0)]), "it[1]: not in 1..");
    assert_eq!(violations(&Named { held: vec![1, 2, 3] }), "it: length not in ..=2");
    assert_eq!(violations(&Wrapped(Node { port: Port(0) })), "it.port: not in 1..");
    assert_eq!(violations(&Shape::Circle { radius: -1.0, at: None }), "it.radius: not in 0.0..");
    assert_eq!(violations(&Shape::Node(Node { port: Port(0) })), "it.port: not in 1..");
    let group = Shape::Group { all_parts: vec![Shape::Point, Shape::Circle { radius: -1.0, at: None }] };
    assert_eq!(violations(&group), "it.allParts[1].radius: not in 0.0..");
    assert_eq!(violations(&Shape::Point), "");
}

#[test]
fn an_enum_without_data_is_the_code_of_its_variant() {
    comes_back(&State::Pending, b"pending");
    comes_back(&State::InProgress, b"in_progress");
    comes_back(&State::Done, b"DONE!");
    comes_back(&vec![State::Done, State::Pending], b"\0\x05DONE!\0\x07pending");
    comes_back(&Colour::DarkRed, b"dark-red");
    comes_back(&Colour::Other("green".into()), b"green");
    assert_eq!(decoded::<State>(b"Pending").unwrap_err(), "not one of `pending`, `in_progress`, `DONE!`");
    assert_eq!(decoded::<Colour>(b"\xff").unwrap_err(), "not UTF-8 text");
    // A code that is known is that variant, however it was made.
    assert_eq!(decoded::<Colour>(&encoded(&Colour::Other("dark-red".into()))).unwrap(), Colour::DarkRed);
}

#[test]
fn an_enum_with_data_is_a_box_whose_keys_are_in_order() {
    comes_back(&Shape::Point, b"\0\x04type\0\x05point\0\0");
    comes_back(
        &Shape::Circle { radius: 1.5, at: Some(3) },
        b"\0\x06radius\0\x031.5\0\x04type\0\x06circle\0\x01x\0\x013\0\0",
    );
    comes_back(&Shape::Node(Node { port: Port(1) }), b"\0\x04port\0\x011\0\x04type\0\x04node\0\0");
    comes_back(
        &Shape::Beside(Beside { upper: 1, zoom: 2 }),
        b"\0\x05Upper\0\x011\0\x04type\0\x06beside\0\x04zoom\0\x012\0\0",
    );
    comes_back(
        &Shape::Group { all_parts: vec![Shape::Point, Shape::Point] },
        b"\0\x08allParts\0\x1e\0\x04type\0\x05point\0\0\0\x04type\0\x05point\0\0\0\x04type\0\x05group\0\0",
    );
    comes_back(&vec![Shape::Point, Shape::Point], b"\0\x04type\0\x05point\0\0\0\x04type\0\x05point\0\0");
    comes_back(&Event::Started, b"\0\x04Kind\0\x07started\0\0");
    comes_back(&Event::Unknown("new".into()), b"\0\x04Kind\0\x03new\0\0");
}

#[test]
fn a_box_is_read_in_any_order_and_what_is_wrong_has_its_place() {
    let turned = b"\0\x01x\0\x013\0\x04type\0\x06circle\0\x06radius\0\x031.5\0\0";
    assert_eq!(decoded::<Shape>(turned).unwrap(), Shape::Circle { radius: 1.5, at: Some(3) });
    let known = "type: not one of `point`, `circle`, `group`, `node`, `beside`";
    assert_eq!(decoded::<Shape>(b"\0\x04type\0\x01x\0\0").unwrap_err(), known);
    assert_eq!(decoded::<Shape>(b"\0\x01x\0\x013\0\0").unwrap_err(), "type: missing");
    assert_eq!(decoded::<Shape>(b"\0\x04type\0\x06circle\0\0").unwrap_err(), "radius: missing");
    assert_eq!(decoded::<Shape>(b"").unwrap_err(), "cut short");
    let two = b"\0\x04type\0\x05point\0\0\0\x04type\0\x05point\0\0";
    assert_eq!(decoded::<Shape>(two).unwrap_err(), "not a single box");
    let second = b"\0\x04type\0\x05point\0\0\0\x04type\0\x01x\0\0";
    assert_eq!(decoded::<Vec<Shape>>(second).unwrap_err(), format!("[1].{known}"));
    assert_eq!(decoded::<Event>(b"\0\x04Kind\0\x01\xff\0\0").unwrap_err(), "Kind: not UTF-8 text");
    // Of a variant that is not known only the code is kept.
    assert_eq!(decoded::<Event>(b"\0\x04Kind\0\x03new\0\x01x\0\x011\0\0").unwrap(), Event::Unknown("new".into()));
}

#[derive(Value, Debug)]
enum Many {
    A,
    B,
    C,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
}

#[derive(Value, Debug)]
enum One {
    Only,
}

#[test]
fn the_error_for_an_unknown_code_names_a_few_that_are_known() {
    let eight = "not one of `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more";
    assert_eq!(decoded::<Many>(b"x").unwrap_err(), eight);
    assert_eq!(decoded::<One>(b"x").unwrap_err(), "not `only`");
    let all = [Many::A, Many::B, Many::C, Many::D, Many::E, Many::F, Many::G, Many::H, Many::I, Many::J];
    assert_eq!(all.map(|one| encoded(&one)).concat(), b"abcdefghij");
    assert_eq!(encoded(&One::Only), b"only");
}

#[test]
fn a_command_has_a_box_for_an_enum_among_its_pairs() {
    #[derive(Command)]
    struct Draw {
        shape: Shape,
    }
    let bytes = ask_bytes("1", &Draw { shape: Shape::Point });
    assert!(bytes.ends_with(b"\0\x05shape\0\x0f\0\x04type\0\x05point\0\0\0\0"), "{}", bytes.escape_ascii());
}

fn shapes() -> impl Strategy<Value = Shape> {
    let node = any::<u16>().prop_map(|port| Shape::Node(Node { port: Port(port) }));
    let circle = (-1e9..1e9_f64, any::<Option<i32>>()).prop_map(|(radius, at)| Shape::Circle { radius, at });
    let beside = any::<(u8, u8)>().prop_map(|(upper, zoom)| Shape::Beside(Beside { upper, zoom }));
    let leaf = prop_oneof![Just(Shape::Point), node, circle, beside];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(|all_parts| Shape::Group { all_parts })
    })
}

/// Whether the keys of each box ascend.
fn is_in_order(raw: RawValue<'_>) -> bool {
    raw.boxes().all(|reader| {
        let keys: Vec<_> = reader.unwrap().pairs().map(|(key, _)| key.to_vec()).collect();
        keys.is_sorted_by(|one, next| one < next)
    })
}

proptest! {
    #[test]
    fn every_enum_comes_back_from_boxes_in_order(shapes in prop::collection::vec(shapes(), 0..4)) {
        let bytes = encoded(&shapes);
        prop_assert!(is_in_order(RawValue::new(&bytes)));
        prop_assert_eq!(decoded::<Vec<Shape>>(&bytes).unwrap(), shapes);
    }

    #[test]
    fn every_code_that_is_not_known_is_kept_or_refused(code in ".*") {
        let known = ["pending", "in_progress", "DONE!"].contains(&&*code);
        prop_assert_eq!(decoded::<State>(code.as_bytes()).is_ok(), known);
        prop_assert_eq!(encoded(&decoded::<Colour>(code.as_bytes()).unwrap()), code.as_bytes());
    }

    #[test]
    fn no_bytes_make_a_derived_value_panic(bytes in any::<Vec<u8>>()) {
        let _ = (decoded::<Shape>(&bytes), decoded::<Vec<Shape>>(&bytes), decoded::<Event>(&bytes));
        let _ = (decoded::<State>(&bytes), decoded::<Vec<Port>>(&bytes), decoded::<Named<String>>(&bytes));
    }
}
