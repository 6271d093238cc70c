//! `#[derive(Value)]`: newtypes, enums as texts, and enums as boxes.
#![allow(clippy::unwrap_used)]

use amp::connection::pair;
use amp::constraint::{Place, Violations};
use amp::schema::{Report, Schema, from_json, to_json};
use amp::testing::ask_bytes;
use amp::value::{RawValue, ValueWriter};
use amp::{Arguments, CallError, Command, Connection, Reply, Value, responder};
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

/// Every form of value.
#[derive(Command, Debug)]
#[amp(response = Report_)]
struct Place_ {
    port: Port,
    ports: Vec<Port>,
    many: Vec<Vec<Port>>,
    #[constrain(in_set = [State::Pending, State::Done])]
    state: State,
    states: Option<Vec<State>>,
    shape: Shape,
    shapes: Vec<Shape>,
    colour: Colour,
    event: Event,
}

#[derive(Arguments, Debug)]
struct Report_ {
    state: State,
}

fn place(port: u16, state: State) -> Place_ {
    Place_ {
        port: Port(port),
        ports: vec![],
        many: vec![],
        state,
        states: None,
        shape: Shape::Point,
        shapes: vec![Shape::Circle { radius: 1.0, at: None }],
        colour: Colour::DarkRed,
        event: Event::Started,
    }
}

/// The same, and knows nothing about values.
#[derive(Command, Debug)]
#[amp(name = "Place_", response = Report_)]
struct Loose {
    port: u16,
    ports: Vec<u16>,
    many: Vec<Vec<u16>>,
    state: String,
    shape: Event_,
    shapes: Vec<Event_>,
    colour: String,
    event: Event,
}

#[derive(Arguments, Debug)]
struct Event_ {
    r#type: String,
}

struct Places;

#[responder]
impl Places {
    async fn place(&self, asked: Place_) -> Reply<Place_> {
        Ok(Report_ { state: asked.state })
    }
}

async fn connected() -> (Connection, Connection) {
    pair(Connection::builder(), Connection::builder().locator(Places.into_locator()))
}

#[tokio::test]
async fn both_ends_check_the_constraints_of_a_newtype_and_refuse_unknown_codes() {
    let (near, _far) = connected().await;
    let answered = near.call(place(1, State::Done)).await.unwrap();
    assert_eq!(answered.state, State::Done);
    let refused = near.call(place(0, State::Done)).await.unwrap_err();
    assert!(matches!(refused, CallError::Invalid(_)), "{refused}");
    assert_eq!(refused.to_string().matches("port: not in 1..").count(), 1, "{refused}");
    let loose = |port, state: &str, shape: &str| Loose {
        port,
        ports: vec![],
        many: vec![],
        state: state.into(),
        shape: Event_ { r#type: shape.into() },
        shapes: vec![],
        colour: "any".into(),
        event: Event::Unknown("new".into()),
    };
    for (ask, what) in [
        (loose(0, "pending", "point"), "port: not in 1.."),
        (loose(1, "in_progress", "point"), "state: not in [State::Pending, State::Done]"),
        (loose(1, "gone", "point"), "state: not one of `pending`, `in_progress`, `DONE!`"),
        (loose(1, "pending", "cube"), "shape.type: not one of"),
    ] {
        let refused = near.call(ask).await.unwrap_err().to_string();
        assert!(refused.contains(what), "{what}: {refused}");
    }
    assert!(near.call(loose(1, "pending", "point")).await.is_ok());
}

const TEXT: &str = r#"command Place_
  argument colour: Enum(Colour)
  argument event: Tagged(Event)
  argument many: ListOf(ListOf(Integer(u16))), range: each each within "1"..
  argument port: Integer(u16), range: within "1"..
  argument ports: ListOf(Integer(u16)), range: each within "1"..
  argument shape: Tagged(Shape)
  argument shapes: TaggedList(Shape)
  argument state: Enum(State), in_set: one of "pending", "DONE!"
  argument states: ListOf(Enum(State)), optional
  response state: Enum(State)
enum Colour, or any other
  variant dark-red
enum Event, under the key Kind, or any other
  variant started
enum Shape, under the key type
  variant point
  variant circle
    field radius: Float, range: within "0.0"..
    field x: Integer(i32), optional
  variant group
    field allParts: TaggedList(Shape)
  variant node
    field port: Integer(u16), range: within "1"..
  variant beside
    field Upper: Integer(u8)
    field zoom: Integer(u8)
enum State
  variant pending
  variant in_progress
  variant DONE!
"#;

#[test]
fn a_schema_names_what_newtypes_hold_with_their_rules_and_the_variants_of_enums() {
    let schema = Schema::of([Place_::DECLARATION]);
    assert_eq!(schema.to_string(), TEXT);
    let json = to_json(&schema).unwrap();
    assert_eq!(from_json(&json).unwrap(), schema);
    assert!(json.contains(r#""doc": "Not yet.""#), "{json}");
    assert!(!to_json(&Schema::default()).unwrap().contains("enums"));
    assert!(from_json(r#"{"commands": {}, "boxes": {}}"#).is_ok(), "a schema of an earlier build");
}

/// The same enum with another declaration.
macro_rules! changed {
    ($name:ident: $($attribute:meta),*; $($variants:tt)*) => {
        mod $name {
            #[derive(amp::Value, Debug)]
            #[allow(dead_code, reason = "only declared")]
            $(#[$attribute])*
            pub(super) enum Kind { $($variants)* }

            #[derive(amp::Command, Debug)]
            pub(super) struct Ask {
                pub(super) kind: Kind,
            }
        }
    };
}

changed! { old: ; A, B }
changed! { more: ; A, B, C }
changed! { less: ; A }
changed! { open: ; A, B, #[amp(other)] Other(String) }
changed! { boxed: amp(tag = "type"); A, B }
changed! { keyed: amp(tag = "kind"); A, B }
changed! { fields: ; A, B { x: Option<u8> } }
changed! { required: ; A, B { x: u8 } }

#[derive(Command, Debug)]
#[amp(name = "Ask")]
struct Text {
    kind: String,
}

#[test]
fn a_report_says_what_a_change_of_an_enum_means_to_peers() {
    let between = |old, new| Report::between(&Schema::of([old]), &Schema::of([new])).to_string();
    use {boxed as b, fields as f, keyed as k, less as l, more as m, old as o, open as p, required as r};
    for (old, new, said) in [
        (o::Ask::DECLARATION, o::Ask::DECLARATION, "nothing has changed\n"),
        (
            o::Ask::DECLARATION,
            m::Ask::DECLARATION,
            "caution enum Kind in asks, variant c: it is new: old responders refuse it\n",
        ),
        (
            o::Ask::DECLARATION,
            l::Ask::DECLARATION,
            "caution enum Kind in asks, variant b: it is gone: new responders refuse what old callers may send\n",
        ),
        (
            o::Ask::DECLARATION,
            p::Ask::DECLARATION,
            "caution enum Kind in asks, variants of other codes: they are kept now: old responders refuse what new \
             callers may send\n",
        ),
        (
            p::Ask::DECLARATION,
            m::Ask::DECLARATION,
            "fine    enum Kind in asks, variant c: it is new: old responders take it as any other code\n\
             caution enum Kind in asks, variants of other codes: they are no longer kept: new responders refuse what \
             old callers may send\n",
        ),
        (o::Ask::DECLARATION, b::Ask::DECLARATION, "BREAKS  Ask, argument kind: Tagged(Kind) instead of Enum(Kind)\n"),
        (
            b::Ask::DECLARATION,
            k::Ask::DECLARATION,
            "BREAKS  Ask, argument kind: the key of the code is kind instead of type\n",
        ),
        (
            b::Ask::DECLARATION,
            f::Ask::DECLARATION,
            "fine    enum Kind in asks, variant b, field x: it is new and optional\n",
        ),
        (
            f::Ask::DECLARATION,
            r::Ask::DECLARATION,
            "BREAKS  enum Kind in asks, variant b, field x: it is required now, and old callers may leave it out\n",
        ),
        (
            Text::DECLARATION,
            o::Ask::DECLARATION,
            "caution Ask, argument kind: Enum(Kind) instead of Unicode: new responders may refuse what old callers \
             send\n",
        ),
        (
            o::Ask::DECLARATION,
            Text::DECLARATION,
            "caution Ask, argument kind: Unicode instead of Enum(Kind): old responders may refuse what new callers \
             send\n",
        ),
    ] {
        assert_eq!(between(old, new), said);
    }
}

#[derive(Command, Debug)]
struct Both {
    one: old::Kind,
    other: open::Kind,
    boxed: boxed::Kind,
    keyed: keyed::Kind,
    fields: fields::Kind,
    required: required::Kind,
}

#[test]
fn different_enums_of_one_name_are_told_apart() {
    let schema = Schema::of([Both::DECLARATION]);
    let names: Vec<_> = schema.enums.keys().map(String::as_str).collect();
    assert_eq!(names, ["Kind", "Kind_2", "Kind_3", "Kind_4", "Kind_5", "Kind_6"]);
}

#[test]
fn the_module_for_twisted_has_a_type_for_each_enum_and_the_rules_of_newtypes() {
    let python = Schema::of([Place_::DECLARATION]).to_twisted();
    for line in [
        "_variants_of_State = _Variants(None, False)\n",
        "_variants_of_Colour = _Variants(None, True)\n",
        "_variants_of_Shape = _Variants(_Name(b'type', \"type\"), False)\n",
        "(b'state', _Field(_Enum(_variants_of_State), (\"not in [State::Pending, State::Done]\", \
         _in_set([\"pending\", \"DONE!\"])))),\n",
        "(b'states', _Field(amp.ListOf(_Enum(_variants_of_State), optional=True))),\n",
        "(b'shape', _Field(_Tagged(_variants_of_Shape))),\n",
        "(b'shapes', _Field(_TaggedList(_variants_of_Shape))),\n",
        "(b'port', _Field(amp.Integer(), (\"out of range for u16\", _range(0, 2**16 - 1)), (\"not in 1..\", _range(1, None)))),\n",
        "(\"not in 1..\", _each(_each(_range(1, None)))))),\n",
        "    \"point\": [],\n",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
    assert!(!python.contains("amp.String("), "{python}");
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
