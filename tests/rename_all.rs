//! `#[amp(rename_all = "..")]`: how the names that are not given are spelt.

use amp::testing::{declared_codes, decode_ask};
use amp::{Arguments, Command, ErrorCodes, Value};

/// Codes as Twisted's own schemas have them.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
#[amp(rename_all = "PascalCase")]
enum Fault {
    #[error("no")]
    NotFound,
    #[error("http")]
    HTTPError,
    #[error("other")]
    #[amp(code = "given")]
    Given,
    #[error("again in {retry_after}")]
    #[amp(rename_all = "camelCase")]
    Busy { retry_after: u8 },
}

#[derive(Command, Debug)]
#[amp(rename_all = "camelCase", response = Found, errors = Fault)]
struct FindNode {
    node_id: u8,
    #[amp(name = "given_name")]
    other_name: Option<u8>,
    r#type: u8,
    /// Sorts before the others, and before AMP's own keys in other cases.
    all_hops: u8,
}

#[derive(Arguments, Debug, PartialEq)]
#[amp(rename_all = "SCREAMING-KEBAB-CASE")]
struct Found {
    node_id: u8,
    hops: u8,
}

#[derive(Value, Debug)]
#[amp(rename_all = "UPPERCASE")]
enum Code {
    InSync,
}

fn keys<A: Arguments>() -> Vec<&'static str> {
    A::FIELDS.fields.iter().map(|field| field.name).collect()
}

#[test]
fn a_case_spells_the_names_that_are_not_given() {
    assert_eq!(keys::<FindNode>(), ["allHops", "given_name", "nodeId", "type"]);
    assert_eq!(keys::<Found>(), ["HOPS", "NODE-ID"]);
    assert_eq!(FindNode::NAME, "FindNode");
    assert_eq!(declared_codes::<FindNode>(), ["NotFound", "HTTPError", "given", "Busy"]);
    assert_eq!(Fault::HTTPError.code(), "HTTPError");
    assert_eq!(Fault::ERRORS[3].fields[0].name, "retryAfter");
    assert_eq!(Code::InSync.encoded(), b"INSYNC");
}

#[test]
fn fields_travel_under_the_spelt_names_in_their_order() {
    let asked = FindNode { node_id: 1, other_name: None, r#type: 2, all_hops: 3 };
    let bytes = amp::testing::ask_bytes("1", &asked);
    assert!(
        bytes.ends_with(b"\0\x07allHops\0\x013\0\x06nodeId\0\x011\0\x04type\0\x012\0\0"),
        "{}",
        bytes.escape_ascii()
    );
    assert_eq!(decode_ask::<FindNode>(&bytes).map(|asked| asked.node_id).ok(), Some(1));
    let answer = amp::testing::answer_bytes::<FindNode>("1", &Found { node_id: 1, hops: 2 });
    assert!(
        answer.ends_with(b"\0\x04HOPS\0\x012\0\x07NODE-ID\0\x011\0\x07_answer\0\x011\0\0"),
        "{}",
        answer.escape_ascii()
    );
}

/// The bytes of a value.
trait Encoded: Value {
    fn encoded(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.encode(&mut amp::value::ValueWriter::new(&mut bytes));
        bytes
    }
}

impl<T: Value> Encoded for T {}
