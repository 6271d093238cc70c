//! Schemas: what a locator's commands declare, as text, as JSON and as a number.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use amp::locator::Locator;
use amp::schema::{Schema, from_json, to_json};
use amp::value::{
    AsciiJson, DateTime, Decimal, DecodeError, EncodeError, Json, Octets, RawValue, Text, Value, ValueWriter, Zlib,
};
use amp::{Arguments, Command, ErrorCodes, Reply, responder};

/// Holds itself, and has constraints.
#[derive(Arguments, Debug)]
struct Node {
    #[amp(name = "Port")]
    #[constrain(range = 1..=65535)]
    port: u16,
    #[constrain(length = ..=9)]
    kids: Vec<Node>,
}

#[derive(Arguments, Debug)]
struct Area {
    size: f64,
    #[constrain(in_set = ["m", "km"])]
    unit: Option<String>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("too many")]
    #[amp(fatal)]
    TooMany,
    #[error("{0}")]
    #[amp(code = "VALUE_ERROR", invalid_argument)]
    Value(String),
    #[error("busy")]
    Busy { seconds: Option<u8> },
}

/// Lays nodes out.
#[derive(Command, Debug)]
#[amp(response = Area, errors = Fault, name = "lay-out")]
struct Layout {
    /// All.
    #[constrain(length = 1.., each(with = is_leaf))]
    nodes: Vec<Node>,
    root: Option<Node>,
    #[constrain(each(range = 1..9))]
    sizes: Vec<i64>,
    #[constrain(non_empty, pattern = "[a-z]+")]
    name: String,
    key: Vec<u8>,
    exact: bool,
}

fn is_leaf(node: &Node) -> bool {
    node.kids.is_empty()
}

#[derive(Command, Debug)]
#[amp(no_answer)]
struct Note {
    text: String,
}

struct Layouts;

#[responder]
impl Layouts {
    async fn layout(&self, _: Layout) -> Reply<Layout> {
        Ok(Area { size: 1.0, unit: None })
    }
}

struct Notes;

#[responder]
impl Notes {
    async fn note(&self, _: Note) -> Reply<Note> {
        Ok(())
    }
}

const TEXT: &str = r#"command Note (no answer)
  argument text: Unicode
command lay-out
  argument exact: Boolean
  argument key: String
  argument name: Unicode, non_empty: length within 1.., pattern: matching [a-z]+
  argument nodes: AmpList(Node), length: length within 1.., with: each a rule of the program (does not hold: is_leaf)
  argument root: Box(Node), optional
  argument sizes: ListOf(Integer(i64)), range: each within "1".."9"
  response size: Float
  response unit: Unicode, optional, in_set: one of "m", "km"
  error TOO_MANY (fatal)
  error VALUE_ERROR (invalid argument)
  error BUSY
    field seconds: Integer(u8), optional
box Node
  field Port: Integer(u16), range: within "1"..="65535"
  field kids: AmpList(Node), length: length within ..=9
"#;

fn schema() -> Schema {
    Schema::of(Layouts.into_locator().or(Notes.into_locator()).commands())
}

#[test]
fn a_schema_as_text_names_all_that_travels_and_a_box_that_holds_itself_once() {
    assert_eq!(schema().to_string(), TEXT);
}

#[test]
fn the_fingerprint_of_a_schema_is_the_same_for_ever() {
    assert_eq!(schema().fingerprint().to_string(), "1319209ee3d26dff");
    assert_eq!(Schema::default().fingerprint().to_string(), "cbf29ce484222325");
}

#[test]
fn the_schema_of_several_locators_is_that_of_all_their_commands_whatever_their_order() {
    let other = Schema::of(
        vec![Notes.into_locator(), Notes.into_locator()].commands().into_iter().chain([Layout::DECLARATION]),
    );
    assert_eq!(other, schema());
    assert!(Schema::of(().commands()).commands.is_empty());
}

/// The same declarations, or others under the same names.
macro_rules! variant {
    ($name:ident: $(#[$($attribute:tt)*])* $field:ident: $type:ty, $more:ty) => {
        mod $name {
            use super::*;

            /// Its docs may be others.
            #[derive(Command, Debug)]
            pub(super) struct Ask {
                $(#[$($attribute)*])*
                pub(super) $field: $type,
                pub(super) inner: Vec<Inner>,
            }

            #[derive(Arguments, Debug)]
            pub(super) struct Inner {
                /// Neither is this.
                pub(super) more: $more,
            }
        }
    };
}

const ONE: [u8; 1] = [1];

variant! { plain: a: u8, Vec<u16> }
variant! { documented: #[doc = "Something."] a: u8, Vec<u16> }
variant! { renamed: b: u8, Vec<u16> }
variant! { wider: a: u16, Vec<u16> }
variant! { optional: a: Option<u8>, Vec<u16> }
variant! { constrained: #[constrain(range = 1..)] a: u8, Vec<u16> }
variant! { constrained_otherwise: #[constrain(range = 2..)] a: u8, Vec<u16> }
variant! { within: a: u8, Vec<i16> }
variant! { even: #[constrain(with = is_even)] a: u8, Vec<u16> }
variant! { odd: #[constrain(with = is_odd)] a: u8, Vec<u16> }

fn is_even(number: &u8) -> bool {
    number.is_multiple_of(2)
}

fn is_odd(number: &u8) -> bool {
    !is_even(number)
}

#[test]
fn docs_do_not_count_in_a_fingerprint_and_every_change_on_the_wire_does() {
    let of = |declared| Schema::of([declared]).fingerprint();
    let plain = of(plain::Ask::DECLARATION);
    assert_eq!(plain, of(documented::Ask::DECLARATION));
    let others = [
        plain,
        of(renamed::Ask::DECLARATION),
        of(wider::Ask::DECLARATION),
        of(optional::Ask::DECLARATION),
        of(constrained::Ask::DECLARATION),
        of(constrained_otherwise::Ask::DECLARATION),
        of(within::Ask::DECLARATION),
        of(even::Ask::DECLARATION),
        of(odd::Ask::DECLARATION),
    ];
    for (index, one) in others.iter().enumerate() {
        assert!(!others[..index].contains(one), "number {index} counts for nothing");
    }
}

/// Boxes of the same names in one command.
#[derive(Command, Debug)]
struct Mixed {
    a: plain::Inner,
    b: documented::Inner,
    c: Vec<within::Inner>,
    d: Vec<sets::Inner>,
    e: Vec<other_sets::Inner>,
}

mod sets {
    const SET: &[u8] = &super::ONE;

    #[derive(amp::Arguments, Debug)]
    pub(super) struct Inner {
        #[constrain(in_set = SET)]
        pub(super) more: u8,
    }
}

mod other_sets {
    const SET: &[u8] = &[2];

    #[derive(amp::Arguments, Debug)]
    pub(super) struct Inner {
        #[constrain(in_set = SET)]
        pub(super) more: u8,
    }
}

#[test]
fn two_different_structs_of_one_name_are_told_apart_and_equal_ones_are_one() {
    let schema = Schema::of([Mixed::DECLARATION]);
    assert_eq!(
        schema.to_string(),
        "command Mixed\n  argument a: Box(Inner)\n  argument b: Box(Inner)\n  argument c: AmpList(Inner_2)\n  \
         argument d: AmpList(Inner_3)\n  argument e: AmpList(Inner_4)\n\
         box Inner\n  field more: ListOf(Integer(u16))\nbox Inner_2\n  field more: ListOf(Integer(i16))\n\
         box Inner_3\n  field more: Integer(u8), in_set: one of \"1\"\n\
         box Inner_4\n  field more: Integer(u8), in_set: one of \"2\"\n"
    );
}

/// Twisted's own types.
#[derive(Command, Debug)]
struct Ledger {
    price: Decimal,
    prices: Vec<Decimal>,
    since: Option<DateTime>,
    path: PathBuf,
}

/// Types of Rust's that AMP has no type for.
#[derive(Command, Debug)]
struct Rust {
    character: char,
    non_zero: NonZero<u8>,
    wait: Duration,
    array: [Vec<NonZero<i8>>; 2],
    items: Box<[Arc<Item>; 1]>,
    bytes: [u8; 4],
    ip: Option<IpAddr>,
    sockets: Vec<SocketAddr>,
    octets: Octets<Ipv4Addr>,
    url: url::Url,
    map: BTreeMap<String, Option<u8>>,
    maps: Vec<HashMap<Vec<String>, Box<Item>>>,
}

/// Wrappers.
#[derive(Command, Debug)]
struct Wrapped {
    json: Json<Vec<u8>>,
    ascii: Option<AsciiJson<Vec<u8>>>,
    packed: Zlib<Vec<NonZero<u8>>, 1000>,
    items: Vec<Zlib<Vec<Item>>>,
    text: Text<f32>,
}

#[derive(Arguments, Debug)]
struct Item {
    id: uuid::Uuid,
}

#[test]
fn types_of_rusts_library_are_declared_with_their_bounds_in_text_json_and_python() {
    let schema = Schema::of([Rust::DECLARATION]);
    assert_eq!(
        schema.to_string(),
        "command Rust\n  argument array: Array(ListOf(ListOf(Integer(NonZero<i8>))); 2)\n  argument bytes: Array(String; 4)\n  \
         argument character: Text(char)\n  argument ip: Text(IpAddr), optional\n  argument items: Array(AmpList(Item); 1)\n  \
         argument map: Map(Entry)\n  argument maps: ListOf(Map(Entry_2))\n  argument non_zero: Integer(NonZero<u8>)\n  argument octets: Octets(Ipv4Addr)\n  argument sockets: ListOf(Text(SocketAddr))\n  \
         argument url: Text(Url)\n  argument wait: Duration\nbox Entry\n  field key: Unicode\n  field value: Integer(u8), optional\n\
         box Entry_2\n  field key: ListOf(Unicode)\n  field value: Box(Item)\nbox Item\n  field id: Text(Uuid)\n"
    );
    assert_eq!(from_json(&to_json(&schema).unwrap()).unwrap(), schema);
    let python = schema.to_twisted();
    for line in [
        "\nimport ipaddress\nimport re\nimport uuid\nimport warnings\n",
        "\nclass _Text(amp.Unicode):\n",
        "(b'character', _Field(amp.Unicode(), (\"not one character\", _length(1, 1)))),\n",
        "(b'non_zero', _Field(amp.Integer(), (\"out of range for NonZero<u8>\", _range(0, 2**8 - 1)), (\"0\", _not_in_set([0])))),\n",
        "(b'bytes', _Field(amp.String(), (\"not 4 bytes\", _length(4, 4)))),\n",
        "(b'wait', _Field(amp.Float(), (\"out of range for Duration\", _range(0, 2.0**64, under=True)))),\n",
        "(b'array', _Field(amp.ListOf(amp.ListOf(amp.Integer())), (\"not 2 items\", _length(2, 2)), (\"out of range for \
         NonZero<i8>\", _each(_each(_range(-(2**7), 2**7 - 1)))), (\"0\", _each(_each(_not_in_set([0])))))),\n",
        "(b'items', _Field(_AmpList(_fields_of_Item), (\"not 1 items\", _length(1, 1)))),\n",
        "(b'ip', _Field(_Text(ipaddress.ip_address, optional=True))),\n",
        "(b'sockets', _Field(amp.ListOf(_Text(_socket_address)))),\n",
        "(b'octets', _Field(_Octets(ipaddress.IPv4Address))),\n",
        "(b'map', _Field(_Map(_fields_of_Entry))),\n",
        "(b'maps', _Field(amp.ListOf(_AmpList(_fields_of_Entry_2)))),\n",
        "(b'url', _Field(amp.Unicode())),  # the text of Url, which only Rust reads\n",
        "(b'id', _Field(_Text(uuid.UUID))),\n",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
    let plain = Schema::of([Ledger::DECLARATION]).to_twisted();
    assert!(
        !plain.contains("ipaddress") && !plain.contains("_Text") && !plain.contains("_Map"),
        "what no command needs is not there"
    );
}

#[test]
fn wrappers_are_declared_with_what_they_hold_and_their_limit_in_text_json_and_python() {
    let schema = Schema::of([Wrapped::DECLARATION]);
    assert_eq!(
        schema.to_string(),
        "command Wrapped\n  argument ascii: AsciiJson, optional\n  argument items: ListOf(Zlib(AmpList(Item); 1048576))\n  \
         argument json: Json\n  argument packed: Zlib(ListOf(Integer(NonZero<u8>)); 1000)\n  argument text: Text(f32)\n\
         box Item\n  field id: Text(Uuid)\n"
    );
    assert_eq!(from_json(&to_json(&schema).unwrap()).unwrap(), schema);
    let python = schema.to_twisted();
    for line in [
        "\nimport ipaddress\nimport json\nimport re\nimport uuid\nimport warnings\nimport zlib\n",
        "(b'json', _Field(_Json())),\n",
        "(b'ascii', _Field(_Json(True, optional=True))),\n",
        "(b'packed', _Field(_Zlib(amp.ListOf(amp.Integer()), 1000), (\"out of range for NonZero<u8>\", _each(_range(0, 2**8 - 1))), \
         (\"0\", _each(_not_in_set([0]))))),\n",
        "(b'items', _Field(amp.ListOf(_Zlib(_AmpList(_fields_of_Item), 1048576)))),\n",
        "(b'text', _Field(amp.Unicode())),  # the text of f32, which only Rust reads\n",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
}

/// What schemas do not know.
#[derive(Debug)]
struct Odd;

impl Value for Odd {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self)
    }
}

#[derive(Command, Debug)]
struct Strange {
    one: Odd,
    #[amp(name = "two")]
    lists: Vec<Vec<Odd>>,
}

#[test]
fn decimals_times_and_paths_are_types_of_their_own_in_text_json_and_python() {
    let schema = Schema::of([Ledger::DECLARATION]);
    assert_eq!(
        schema.to_string(),
        "command Ledger\n  argument path: Path\n  argument price: Decimal\n  argument prices: ListOf(Decimal)\n  \
         argument since: DateTime, optional\n"
    );
    let json = to_json(&schema).unwrap();
    assert_eq!(from_json(&json).unwrap(), schema);
    for word in [r#""type": "decimal""#, r#""list_of": "decimal""#, r#""type": "date_time""#, r#""type": "path""#] {
        assert!(json.contains(word), "{word} in {json}");
    }
    let python = schema.to_twisted();
    for line in [
        "(b'price', _Field(amp.Decimal())),",
        "(b'prices', _Field(amp.ListOf(amp.Decimal()))),",
        "(b'since', _Field(amp.DateTime(optional=True))),",
        "(b'path', _Field(amp.Path())),",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
}

#[test]
fn a_type_that_schemas_do_not_know_is_bytes_in_python_and_a_comment_says_so_of_lists_too() {
    let python = Schema::of([Strange::DECLARATION]).to_twisted();
    for line in [
        "(b'one', _Field(amp.String())),  # schema::Odd, which only Rust knows",
        "(b'two', _Field(amp.ListOf(amp.ListOf(amp.String())))),  # schema::Odd, which only Rust knows",
    ] {
        assert!(python.contains(line), "{line} in {python}");
    }
}

#[test]
fn a_schema_comes_back_from_json() {
    let json = to_json(&schema()).unwrap();
    assert_eq!(from_json(&json).unwrap(), schema());
    assert_eq!(to_json(&from_json(&json).unwrap()).unwrap(), json);
    assert!(json.contains(r#""doc": "Lays nodes out.""#), "{json}");
    let bytes = json.replacen(r#""m""#, r#""\u00ff""#, 1);
    assert!(from_json(&bytes).unwrap().to_string().contains(r#"one of "\xff", "km""#));
    assert!(from_json(&json.replacen(r#""m""#, r#""\u0100""#, 1)).is_err(), "no byte is that large");
}
