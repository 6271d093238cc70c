//! `#[amp(flatten)]`: fields that several commands have in common.
#![allow(clippy::unwrap_used)]

use amp::connection::pair;
use amp::schema::Schema;
use amp::testing::{ask_bytes, box_bytes, decode_ask};
use amp::value::{RawValue, ValueWriter};
use amp::{Arguments, Command, Connection, Exposed, Peer, Reply, Value, responder};

/// What every command of this program says.
#[derive(Arguments, Debug, PartialEq, Clone)]
struct Origin {
    /// Who asks.
    #[constrain(non_empty)]
    user: String,
    #[amp(name = "Zone", alias = "zone")]
    zone: Option<String>,
    #[amp(default = 1)]
    retry: u8,
}

#[derive(Arguments, Debug, PartialEq, Clone)]
struct Page {
    first: u32,
    #[amp(flatten)]
    count: Count,
}

#[derive(Arguments, Debug, PartialEq, Clone)]
struct Count {
    count: u32,
}

#[derive(Arguments, Debug, PartialEq, Clone)]
struct Nothing {}

#[derive(Command, Debug)]
#[amp(response = Listed, new)]
struct List {
    what: String,
    #[amp(flatten)]
    origin: Origin,
    #[amp(name = "A")]
    a: u8,
    #[amp(flatten)]
    page: Page,
    #[amp(flatten)]
    nothing: Nothing,
    #[exposed]
    peer: Exposed<Peer>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Listed {
    #[amp(flatten)]
    page: Page,
}

/// The same fields, written out.
#[derive(Command, Debug)]
#[amp(name = "List")]
struct Written {
    #[amp(name = "A")]
    a: u8,
    #[amp(name = "Zone", alias = "zone")]
    zone: Option<String>,
    count: u32,
    first: u32,
    #[amp(default = 1)]
    retry: u8,
    /// Who asks.
    #[constrain(non_empty)]
    user: String,
    what: String,
}

#[derive(Value, Debug, PartialEq)]
enum Event {
    Listed(Listed),
}

fn list(user: &str) -> List {
    let origin = Origin { user: user.into(), zone: Some("z".into()), retry: 2 };
    let page = Page { first: 3, count: Count { count: 4 } };
    List::new("w".into(), origin, 5, page, Nothing {})
}

fn written() -> Written {
    Written { a: 5, zone: Some("z".into()), count: 4, first: 3, retry: 2, user: "u".into(), what: "w".into() }
}

#[test]
fn the_box_is_the_same_as_with_all_fields_written_out() {
    let bytes = ask_bytes("1", &list("u"));
    assert_eq!(bytes.escape_ascii().to_string(), ask_bytes("1", &written()).escape_ascii().to_string());
    let asked = decode_ask::<List>(&bytes).unwrap();
    assert_eq!(
        (&asked.what, &asked.origin, asked.a, &asked.page),
        (&"w".into(), &list("u").origin, 5, &list("u").page)
    );
}

#[test]
fn fields_in_place_of_another_are_read_in_any_order_with_their_settings() {
    let pairs = [("what", "w"), ("zone", "x"), ("user", "u"), ("count", "4"), ("first", "3"), ("A", "5")];
    let own = [("_command", "List"), ("_ask", "1")];
    let asked = decode_ask::<List>(&box_bytes(&[pairs.as_slice(), &own].concat())).unwrap();
    assert_eq!(asked.origin, Origin { user: "u".into(), zone: Some("x".into()), retry: 1 });
    let missing = decode_ask::<List>(&box_bytes(&[&pairs[..3], &own].concat())).unwrap_err();
    assert_eq!(missing.to_string(), "A: missing");
}

#[test]
fn a_nested_box_has_them_too() {
    let event = Event::Listed(Listed { page: list("u").page });
    let mut bytes = Vec::new();
    event.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    let expected = b"\0\x05count\0\x014\0\x05first\0\x013\0\x04type\0\x06listed\0\0";
    assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
    assert_eq!(Event::decode(RawValue::new(&bytes)).unwrap(), event);
}

#[test]
fn a_schema_does_not_show_where_fields_come_from() {
    let text =
        |schema: Schema| schema.to_string().lines().filter(|line| !line.contains("response")).collect::<String>();
    assert_eq!(text(Schema::of([List::DECLARATION])), text(Schema::of([Written::DECLARATION])));
    let names: Vec<_> = List::FIELDS.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["A", "Zone", "count", "first", "retry", "user", "what"]);
}

struct Lists;

#[responder]
impl Lists {
    async fn list(&self, asked: List) -> Reply<List> {
        assert!(!asked.peer.to_string().is_empty());
        Ok(Listed { page: asked.page })
    }
}

#[tokio::test]
async fn their_constraints_are_checked_at_both_ends() {
    let (near, _far) = pair(Connection::builder(), Connection::builder().locator(Lists.into_locator()));
    assert_eq!(near.call(list("u")).await.unwrap(), Listed { page: list("u").page });
    let refused = near.call(list("")).await.unwrap_err().to_string();
    assert!(refused.contains("user: empty"), "{refused}");
    #[derive(Command)]
    #[amp(name = "List")]
    struct Loose {
        #[amp(name = "A")]
        a: u8,
        count: u32,
        first: u32,
        user: String,
        what: String,
    }
    let loose = Loose { a: 1, count: 1, first: 1, user: String::new(), what: String::new() };
    let refused = near.call(loose).await.unwrap_err().to_string();
    assert!(refused.contains("INVALID_ARGUMENT") && refused.contains("user: empty"), "{refused}");
}
