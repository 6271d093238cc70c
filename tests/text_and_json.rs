//! `#[amp(text)]` and `#[amp(json)]` on fields: the same as the wrappers `Text` and `Json`, without them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use amp::connection::pair;
use amp::schema::{AmpType, Schema};
use amp::testing::{ask_bytes, decode_ask};
use amp::value::{Json, RawValue, Text, ValueWriter};
use amp::{Arguments, Command, Connection, ErrorCodes, Reply, Value, responder};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// With `Display` and `FromStr`, and no form of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Version(u8, u8);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for Version {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self(major.parse()?, minor.parse()?))
    }
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct Options {
    retries: u8,
    tags: Vec<String>,
}

#[derive(Command, Debug, PartialEq)]
#[amp(response = Done, errors = Fault)]
struct Deploy {
    #[amp(text)]
    version: Version,
    #[amp(text)]
    earlier: Vec<Version>,
    #[amp(text, name = "Next")]
    next: Option<Version>,
    #[amp(json)]
    options: Options,
    #[amp(json)]
    several: Vec<Options>,
    #[amp(json)]
    rest: Option<BTreeMap<String, u8>>,
    #[amp(json, default, alias = "old")]
    other: Options,
}

// The same with the wrappers.
#[derive(Command, Debug)]
#[amp(name = "Deploy", response = Done, errors = Fault)]
struct Wrapped {
    version: Text<Version>,
    earlier: Vec<Text<Version>>,
    #[amp(name = "Next")]
    next: Option<Text<Version>>,
    options: Json<Options>,
    several: Json<Vec<Options>>,
    rest: Option<Json<BTreeMap<String, u8>>>,
    #[amp(default, alias = "old")]
    other: Json<Options>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Done {
    #[amp(text)]
    version: Version,
    #[amp(json)]
    options: Option<Options>,
}

#[derive(ErrorCodes, Debug, thiserror::Error, PartialEq)]
enum Fault {
    #[error("{version} is too old")]
    TooOld {
        #[amp(text)]
        version: Version,
        #[amp(json)]
        options: Option<Options>,
    },
}

#[derive(Value, Debug, PartialEq)]
struct Held(#[amp(json)] Vec<Options>);

#[derive(Value, Debug, PartialEq)]
struct Named {
    #[amp(text)]
    version: Version,
}

fn options(retries: u8) -> Options {
    Options { retries, tags: vec!["é".to_owned()] }
}

fn deploy(next: Option<Version>) -> Deploy {
    Deploy {
        version: Version(1, 2),
        earlier: vec![Version(0, 9), Version(1, 0)],
        next,
        options: options(1),
        several: vec![options(2), options(3)],
        rest: next.map(|next| BTreeMap::from([("x".to_owned(), next.0)])),
        other: options(4),
    }
}

fn wrapped(next: Option<Version>) -> Wrapped {
    let Deploy { version, earlier, next, options, several, rest, other } = deploy(next);
    Wrapped {
        version: version.into(),
        earlier: earlier.into_iter().map(Text).collect(),
        next: next.map(Text),
        options: options.into(),
        several: several.into(),
        rest: rest.map(Json),
        other: other.into(),
    }
}

#[test]
fn a_field_is_written_and_read_as_its_wrapper_would_be() {
    for next in [None, Some(Version(2, 0))] {
        let bytes = ask_bytes("1", &deploy(next));
        assert_eq!(bytes.escape_ascii().to_string(), ask_bytes("1", &wrapped(next)).escape_ascii().to_string());
        assert_eq!(decode_ask::<Deploy>(&bytes).unwrap(), deploy(next));
    }
    let bytes = ask_bytes("1", &deploy(None));
    // Absent, and not `null`.
    assert!(!bytes.windows(4).any(|window| window == b"rest" || window == b"null" || window == b"Next"));
}

#[test]
fn a_schema_and_the_module_for_twisted_say_the_same_of_both() {
    let (own, other) = (Schema::of([Deploy::DECLARATION]), Schema::of([Wrapped::DECLARATION]));
    assert_eq!(own, other);
    assert_eq!(own.to_twisted(), other.to_twisted());
    assert_eq!(own.fingerprint(), other.fingerprint());
    assert!(own.to_string().contains("argument several: Json"), "{own}");
}

#[test]
fn a_newtype_holds_one() {
    for (held, text) in [(vec![], "[]"), (vec![options(1)], r#"[{"retries":1,"tags":["é"]}]"#)] {
        let (held, mut bytes) = (Held(held), Vec::new());
        held.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
        assert_eq!(bytes, text.as_bytes());
        assert_eq!(Held::decode(RawValue::new(&bytes)).unwrap(), held);
    }
    assert_eq!(Named::decode(RawValue::new(b"3.4")).unwrap(), Named { version: Version(3, 4) });
    assert_eq!(format!("{:?}", Held::TYPE), format!("{:?}", <Json<Vec<Options>>>::TYPE));
    assert!(matches!(Named::TYPE, AmpType::Text(name) if name() == std::any::type_name::<Version>()));
}

#[test]
fn what_does_not_parse_is_refused_at_its_field() {
    let replaced = |from: &str, to: &str| {
        let mut bytes = ask_bytes("1", &deploy(Some(Version(2, 0))));
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        decode_ask::<Deploy>(&bytes).unwrap_err().to_string()
    };
    assert!(replaced("1.2", "1.x").contains("version: not text_and_json::Version"), "{}", replaced("1.2", "1.x"));
    assert!(replaced("0.9", "0,9").contains("earlier[0]: not text_and_json::Version"), "{}", replaced("0.9", "0,9"));
    assert!(replaced("\"retries\":1", "\"retries\":x").contains("options: not JSON, line 1 column"));
    assert!(replaced("\"retries\":3", "\"retriez\":3").contains("several: missing field `retries`"));
}

struct Site;

#[responder]
impl Site {
    async fn deploy(&self, command: Deploy) -> Reply<Deploy> {
        let Deploy { version, options, .. } = command;
        if version.0 == 0 {
            return Err(Fault::TooOld { version, options: Some(options) }.into());
        }
        Ok(Done { version, options: command.rest.map(|_| options) })
    }
}

#[tokio::test]
async fn answers_and_errors_have_them_too() {
    let (near, _far) = pair(Connection::builder(), Connection::builder().locator(Site.into_locator()));
    let done = near.call(deploy(None)).await.unwrap();
    assert_eq!(done, Done { version: Version(1, 2), options: None });
    let done = near.call(wrapped(Some(Version(9, 9)))).await.unwrap();
    assert_eq!(done, Done { version: Version(1, 2), options: Some(options(1)) });
    let refused = near.call(Deploy { version: Version(0, 1), ..deploy(None) }).await.unwrap_err();
    let fault = Fault::TooOld { version: Version(0, 1), options: Some(options(1)) };
    assert!(matches!(&refused, amp::CallError::Declared(found) if *found == fault), "{refused}");
}

proptest! {
    #[test]
    fn every_field_comes_back(version in any::<(u8, u8)>(), retries in any::<u8>(), tags in any::<Vec<String>>(), is_there in any::<bool>()) {
        let options = Options { retries, tags };
        let version = Version(version.0, version.1);
        let command = Deploy {
            version,
            earlier: vec![version; usize::from(retries % 4)],
            next: is_there.then_some(version),
            several: vec![options.clone(); usize::from(retries % 3)],
            rest: is_there.then(BTreeMap::new),
            other: Options::default(),
            options,
        };
        prop_assert_eq!(decode_ask::<Deploy>(&ask_bytes("1", &command)).unwrap(), command);
    }
}
