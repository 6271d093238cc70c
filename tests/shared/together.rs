//! A command with values of different kinds within one another, for the tests that show it as JSON and to Twisted.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use amp::schema::AmpType;
use amp::value::{Big, DecodeError, EncodeError, FromZero, Json, RawValue, ValueWriter, With, Zlib};
use amp::{Arguments, Command, Value};

#[derive(Value, Clone, Debug, PartialEq)]
enum Shape {
    Point,
    Circle {
        #[constrain(range = 0.0..)]
        radius: f64,
        seen_by: Option<IpAddr>,
    },
}

#[derive(Value, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    Pending,
    Done,
}

/// Compressed JSON by a name of its own.
#[derive(Value, Clone, Debug, PartialEq)]
struct Settings(Zlib<Json<BTreeMap<String, Vec<u32>>>>);

#[derive(Value, Clone, Debug, PartialEq)]
struct Port(#[constrain(range = 1..)] u16);

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

#[derive(Arguments, Clone, Debug, PartialEq)]
struct Attached {
    file: Big<Vec<u8>, 200_000, FromZero>,
    #[amp(split = 100_000)]
    log: String,
}

/// Answered with itself.
#[derive(Command, Clone, Debug, PartialEq)]
#[amp(response = Draw)]
pub(crate) struct Draw {
    shapes: Big<Vec<Shape>, 500_000>,
    settings: Settings,
    counts: HashMap<State, u64>,
    #[amp(with = Dotted, default = Ipv4Addr::LOCALHOST, alias = "old-host")]
    host: Ipv4Addr,
    ports: Zlib<Vec<Port>>,
    corners: [Shape; 2],
    #[amp(flatten)]
    attached: Attached,
}

pub(crate) fn draw() -> Draw {
    let circle = Shape::Circle { radius: 1.5, seen_by: Some(Ipv4Addr::LOCALHOST.into()) };
    Draw {
        shapes: vec![circle.clone(); 3_000].into(),
        settings: Settings(Zlib(Json(BTreeMap::from([("a".to_owned(), vec![1, 2])])))),
        counts: HashMap::from([(State::Pending, 1), (State::Done, u64::MAX)]),
        host: Ipv4Addr::new(10, 0, 0, 1),
        ports: Zlib(vec![Port(80), Port(443)]),
        corners: [Shape::Point, circle],
        attached: Attached { file: vec![0; 150_000].into(), log: "x".repeat(70_000) },
    }
}
