//! Newtypes and enums with `#[derive(Value)]` as Twisted has them from the generated module.

use std::net::Ipv4Addr;
use std::sync::Arc;

use amp::locator::Locator;
use amp::schema::AmpType;
use amp::value::{Big, DecodeError, EncodeError, FromZero, RawValue, ValueWriter, With};
use amp::{AmpBox, Arguments, Command, Connection, Value};

use crate::harness::{Twisted, generated, on, soon};
use crate::numbers::python_bytes;

#[derive(Value, Debug, Clone, PartialEq)]
struct Port(#[constrain(range = 1..)] u16);

#[derive(Value, Debug, Clone, PartialEq)]
struct Octet(u8);

#[derive(Value, Debug, Clone, PartialEq)]
enum State {
    Pending,
    #[amp(name = "in \"progress\" ☃")]
    InProgress,
}

#[derive(Value, Debug, Clone, PartialEq)]
enum Colour {
    Red,
    #[amp(other)]
    Other(String),
}

/// Its key is called otherwise in Python, and a field has a name that Twisted would give to the key.
#[derive(Value, Debug, Clone, PartialEq)]
#[amp(tag = "class")]
enum Shape {
    Point,
    Circle {
        radius: f64,
        #[amp(name = "Class")]
        class: Option<u8>,
    },
    Group {
        shapes: Vec<Shape>,
    },
    At(At),
    #[amp(other)]
    Other(String),
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct At {
    x: i32,
    #[constrain(non_empty)]
    #[amp(name = "Names")]
    names: Vec<String>,
}

#[derive(Value, Debug, Clone, PartialEq)]
enum Closed {
    One { port: Port },
    Two,
}

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Derived)]
struct Derived {
    port: Port,
    ports: Vec<Port>,
    octets: Vec<Octet>,
    state: State,
    states: Option<Vec<State>>,
    absent: Option<State>,
    colour: Colour,
    #[constrain(each(in_set = [Colour::Red]))]
    colours: Vec<Colour>,
    shape: Shape,
    shapes: Vec<Shape>,
    groves: Vec<Vec<Shape>>,
    closed: Option<Closed>,
}

fn derived() -> Derived {
    let circle = Shape::Circle { radius: 1.5, class: Some(7) };
    let at = Shape::At(At { x: -1, names: vec!["a".into()] });
    Derived {
        port: Port(80),
        ports: vec![Port(1), Port(2)],
        octets: vec![Octet(0), Octet(255)],
        state: State::InProgress,
        states: Some(vec![State::Pending, State::InProgress]),
        absent: None,
        colour: Colour::Other("gre\u{2603}n".into()),
        colours: vec![Colour::Red],
        shape: Shape::Group { shapes: vec![Shape::Point, at] },
        shapes: vec![circle, Shape::Other("cube".into())],
        groves: vec![vec![Shape::Point], vec![]],
        closed: Some(Closed::One { port: Port(9) }),
    }
}

const SAMPLE: &str = "dict(port=80, ports=[1, 2], octets=bytes([0, 255]), state='in \"progress\" \u{2603}', \
    states=['pending', 'in \"progress\" \u{2603}'], absent=None, colour='gre\u{2603}n', colours=['red'], \
    shape={'Class': 'group', 'shapes': [{'Class': 'point'}, {'Class': 'at', 'x': -1, 'Names': ['a']}]}, \
    shapes=[{'Class': 'circle', 'radius': 1.5, 'Class_': 7}, {'Class': 'cube'}], \
    groves=[[{'Class': 'point'}], []], closed={'type': 'one', 'port': 9})";

fn responders() -> impl Locator + Clone {
    Arc::new(on(async |it: Derived| Ok(it)))
}

#[tokio::test]
async fn newtypes_and_enums_go_both_ways() {
    let Some(module) = generated(&responders()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    assert_eq!(soon(connection.call(derived())).await.unwrap(), derived());
    assert_eq!(twisted.say(&format!("noted[-1] == {SAMPLE} or noted[-1]")).await, "True");
    let mut served = Twisted::calling(responders()).await.unwrap();
    served.twisted.learn(module.path()).await;
    let same = format!("call(learned.Derived, **{SAMPLE}).addCallback(lambda it: it == {SAMPLE} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}

/// The same command, which says anything.
#[derive(Command, Debug)]
#[amp(name = "Derived")]
struct Anything {
    port: u16,
    ports: Vec<u16>,
    octets: Vec<u8>,
    state: String,
    colour: String,
    colours: Vec<String>,
    shape: Vec<u8>,
    shapes: Vec<u8>,
    groves: Vec<Vec<u8>>,
    closed: Vec<u8>,
}

#[tokio::test]
async fn what_is_not_declared_is_refused_in_python_as_in_rust() {
    let Some(module) = generated(&responders()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    let point = b"\0\x05class\0\x05point\0\0";
    let fine = || Anything {
        port: 1,
        ports: vec![],
        octets: vec![],
        state: "pending".into(),
        colour: String::new(),
        colours: vec![],
        shape: point.to_vec(),
        shapes: vec![],
        groves: vec![],
        closed: b"\0\x04type\0\x03two\0\0".to_vec(),
    };
    assert!(soon(connection.call(fine())).await.is_ok());
    let rows = [
        ("port: not in 1..", Anything { port: 0, ..fine() }),
        ("ports[1]: not in 1..", Anything { ports: vec![1, 0], ..fine() }),
        ("state: not one of pending, in \"progress\" \u{2603}", Anything { state: "Pending".into(), ..fine() }),
        ("colours[0]: not in [Colour::Red]", Anything { colours: vec!["blue".into()], ..fine() }),
        ("shape.class: missing", Anything { shape: b"\0\0".to_vec(), ..fine() }),
        ("shapes[0].class: missing", Anything { shapes: b"\0\0".to_vec(), ..fine() }),
        ("shape.radius: missing", Anything { shape: b"\0\x05class\0\x06circle\0\0".to_vec(), ..fine() }),
        ("closed.type: not one of one, two", Anything { closed: b"\0\x04type\0\x05three\0\0".to_vec(), ..fine() }),
        (
            "closed.port: not in 1..",
            Anything { closed: b"\0\x04port\0\x010\0\x04type\0\x03one\0\0".to_vec(), ..fine() },
        ),
    ];
    for (told, ask) in rows {
        let refused = soon(connection.call(ask)).await.unwrap_err();
        assert!(
            refused.to_string().contains(told) && refused.to_string().contains("INVALID_ARGUMENT"),
            "{told}: {refused}"
        );
    }
    let mut served = Twisted::calling(responders()).await.unwrap();
    served.twisted.learn(module.path()).await;
    for (change, told) in [
        ("state='gone'", "ConstraintError: state: not one of "),
        ("port=0", "ConstraintError: port: not in 1.."),
        ("closed={'type': 'three'}", "ConstraintError: closed.type: not one of one, two"),
        ("closed={}", "ConstraintError: closed.type: missing"),
        ("shapes=[{'Class': 'point'}, {}]", "ConstraintError: shapes[1].class: missing"),
        ("shape={'Class': 'at', 'x': 1, 'Names': []}", "ConstraintError: shape.Names: empty"),
    ] {
        let said = served.twisted.say(&format!("call(learned.Derived, **{{**{SAMPLE}, **dict({change})}})")).await;
        assert!(said.starts_with(told), "{change}: {said}");
    }
}

/// An address as text.
struct Dotted;

impl With<Ipv4Addr> for Dotted {
    const TYPE: AmpType = AmpType::Unicode;

    fn encode(address: &Ipv4Addr, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        address.to_string().encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Ipv4Addr, DecodeError> {
        String::decode(raw)?.parse().map_err(|_| DecodeError::custom("not an IPv4 address"))
    }
}

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Migrated)]
struct Migrated {
    #[amp(with = Dotted)]
    address: Ipv4Addr,
    #[amp(default = 3)]
    #[constrain(range = 1..)]
    number: u8,
    #[amp(alias = "old-name")]
    new_name: String,
    #[amp(alias = "old_flag", default)]
    flag: bool,
}

/// The same command as it was.
#[derive(Command, Debug)]
#[amp(name = "Migrated", response = Migrated)]
struct Before {
    address: String,
    #[amp(name = "old-name")]
    old_name: String,
    old_flag: Option<bool>,
    flag: Option<bool>,
}

fn migrated(number: u8, flag: bool) -> Migrated {
    Migrated { address: Ipv4Addr::LOCALHOST, number, new_name: "n".into(), flag }
}

#[tokio::test]
async fn defaults_and_other_names_mean_the_same_to_both_ends() {
    let locator = || Arc::new(on(async |it: Migrated| Ok(it)));
    let Some(module) = generated(&locator()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    assert_eq!(soon(connection.call(migrated(5, true))).await.unwrap(), migrated(5, true));
    let before = |old_flag, flag| Before { address: "127.0.0.1".into(), old_name: "n".into(), old_flag, flag };
    assert_eq!(soon(connection.call(before(None, None))).await.unwrap(), migrated(3, false));
    assert_eq!(soon(connection.call(before(Some(true), None))).await.unwrap(), migrated(3, true));
    let said = "noted[-1] == dict(address='127.0.0.1', number=3, new_name='n', flag=True) or noted[-1]";
    assert_eq!(twisted.say(said).await, "True");
    let refused = soon(connection.call(before(Some(true), Some(true)))).await.unwrap_err().to_string();
    assert!(refused.contains("flag: given twice, as flag and as old_flag"), "{refused}");
    let mut served = Twisted::calling(locator()).await.unwrap();
    served.twisted.learn(module.path()).await;
    let call = "call(learned.Migrated, address='127.0.0.1', new_name='n')";
    let expected = "dict(address='127.0.0.1', number=3, new_name='n', flag=False)";
    let same = format!("{call}.addCallback(lambda it: it == {expected} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct Grid {
    x: u8,
}

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Defaulted)]
struct Defaulted {
    #[amp(default = 3)]
    number: u8,
    #[amp(default = Grid { x: 7 }.into())]
    grid: Big<Grid, 1000, FromZero>,
}

/// The same command of a receiver that needs everything.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(name = "Defaulted", response = Strict)]
struct Strict {
    number: u8,
    grid: Big<Grid, 1000, FromZero>,
}

/// Of a sender that knows nothing of it.
#[derive(Command, Debug)]
#[amp(name = "Defaulted", response = Defaulted)]
struct Nothing;

#[tokio::test]
async fn python_writes_a_default_and_reads_it_as_rust_does() {
    let Some(module) = generated(&on(async |it: Defaulted| Ok(it))) else { return };
    let expected = Defaulted { number: 3, grid: Grid { x: 7 }.into() };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    assert_eq!(soon(connection.call(Nothing)).await.unwrap(), expected);
    let noted = "noted[-1] == dict(number=3, grid=dict(x=7)) or noted[-1]";
    assert_eq!(twisted.say(noted).await, "True");
    let mut served = Twisted::calling(Arc::new(on(async |it: Strict| Ok(it)))).await.unwrap();
    served.twisted.learn(module.path()).await;
    for (arguments, number, x) in [("", 3, 7), (", number=4", 4, 7), (", number=None, grid=dict(x=1)", 3, 1)] {
        let expected = format!("dict(number={number}, grid=dict(x={x}))");
        let same = format!("call(learned.Defaulted{arguments}).addCallback(lambda it: it == {expected} or it)");
        assert_eq!(served.twisted.say(&same).await, "True", "{arguments}");
    }
}

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Rows)]
struct Rows {
    #[amp(alias = "old")]
    rows: Big<Vec<u8>, 1000, FromZero>,
}

#[tokio::test]
async fn python_misses_a_first_part_that_is_lost_as_rust_does() {
    let Some(module) = generated(&on(async |it: Rows| Ok(it))) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    for (keys, told) in [
        (&["rows.0", "rows.1"][..], None),
        (&["old.0", "old.1"], None),
        (&[], None),
        (&["old"], None),
        (&["old.1"], Some("rows: its part rows.0 is missing")),
        (&["rows.1"], Some("rows: its part rows.0 is missing")),
        (&["rows.0", "old.1"], Some("rows: given twice, as rows and as old")),
    ] {
        let pairs = keys.iter().map(|key| ((*key).to_owned(), "x".to_owned()));
        let asked = pairs.fold(AmpBox::new(), |asked, (key, value)| asked.with(key, value).unwrap());
        let said = soon(connection.call_box("Rows", asked)).await.map_err(|error| error.to_string());
        match told {
            None => assert!(said.is_ok(), "{keys:?}: {said:?}"),
            Some(told) => assert!(said.as_ref().is_err_and(|said| said.contains(told)), "{keys:?}: {said:?}"),
        }
    }
}

#[tokio::test]
async fn a_twisted_without_the_module_has_enums_as_texts_and_as_boxes() {
    let Some((_connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let shapes = vec![Shape::Point, Shape::Circle { radius: 1.5, class: None }];
    let bytes = python_bytes(&encoded(&shapes));
    let list = "AmpList([(b'class', Unicode()), (b'radius', Float(optional=True))])";
    let objects = "[{'Class': 'point', 'radius': None}, {'Class': 'circle', 'radius': 1.5}]";
    assert_eq!(twisted.say(&format!("{list}.toStringProto({objects}, None) == {bytes}")).await, "True");
    assert_eq!(twisted.say(&format!("{list}.fromStringProto({bytes}, None) == {objects}")).await, "True");
    let states = encoded(&vec![State::Pending, State::InProgress]);
    let said =
        format!("ListOf(Unicode()).fromString({}) == ['pending', 'in \"progress\" \u{2603}']", python_bytes(&states));
    assert_eq!(twisted.say(&said).await, "True");
}

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    bytes
}
