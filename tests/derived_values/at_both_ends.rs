//! A command with every form of derived value: both ends check it, schemas and reports tell it, and the module for Twisted has it.

use amp::connection::pair;
use amp::schema::{Report, Schema, from_json, to_json};
use amp::{Arguments, CallError, Command, Connection, Reply, responder};

use super::{Colour, Event, Port, Shape, State, decoded, encoded};

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
fn the_first_variant_with_data_changes_the_form_of_all_and_a_tag_keeps_it() {
    let new = encoded(&fields::Kind::A);
    assert_eq!(decoded::<old::Kind>(&new).unwrap_err(), "not one of `a`, `b`");
    assert!(decoded::<fields::Kind>(&encoded(&old::Kind::A)).is_err());
    // The bytes of a box may be a text.
    let kept = decoded::<open::Kind>(&new).unwrap();
    assert!(matches!(kept, open::Kind::Other(code) if code.as_bytes() == new));
    assert_eq!(encoded(&boxed::Kind::A), new);
    assert!(matches!(decoded::<boxed::Kind>(&new), Ok(boxed::Kind::A)));
    let with_data = encoded(&fields::Kind::B { x: Some(1) });
    assert!(matches!(decoded::<boxed::Kind>(&with_data), Ok(boxed::Kind::B)));
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
