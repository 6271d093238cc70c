//! `with`, `default` and `alias` on fields.
#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;
use std::time::Duration;

use amp::connection::pair;
use amp::schema::AmpType;
use amp::testing::{answer_bytes, ask_bytes, box_bytes, decode_ask, decode_reply, error_bytes};
use amp::value::{DecodeError, EncodeError, RawValue, ValueWriter, With};
use amp::{Arguments, Command, Connection, ErrorCodes, Reply, Value, responder};

mod schemas;

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

/// Whole seconds; whatever else can be made from a number of them.
struct Seconds;

impl<T: From<Duration> + Copy + Into<Duration>> With<T> for Seconds {
    const TYPE: AmpType = <u64 as Value>::TYPE;

    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let duration: Duration = (*value).into();
        if duration.subsec_nanos() > 0 {
            return Err(EncodeError::custom("not a whole number of seconds"));
        }
        duration.as_secs().encode(out)
    }

    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError> {
        u64::decode(raw).map(|seconds| Duration::from_secs(seconds).into())
    }
}

/// Not known to schemas.
struct Opaque;

impl With<Ipv4Addr> for Opaque {
    fn encode(address: &Ipv4Addr, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(&address.octets());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Ipv4Addr, DecodeError> {
        let octets: [u8; 4] = raw.as_bytes().try_into().map_err(|_| DecodeError::custom("not four bytes"))?;
        Ok(octets.into())
    }
}

#[derive(Value, Debug, PartialEq, Clone)]
struct Address(#[amp(with = Dotted)] Ipv4Addr);

#[derive(Value, Debug, PartialEq, Clone)]
enum Target {
    Host {
        #[amp(with = Dotted)]
        address: Ipv4Addr,
        #[amp(default = 80, alias = "p")]
        port: u16,
    },
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum Fault {
    #[error("again in {after:?}")]
    Busy {
        #[amp(with = Seconds, alias = "retry")]
        after: Duration,
        #[amp(default)]
        times: u8,
    },
}

#[derive(Command, Debug, PartialEq, Clone)]
#[amp(response = Given, errors = Fault)]
struct Ask {
    #[amp(with = Dotted, alias = "addr")]
    #[constrain(with = is_private)]
    address: Ipv4Addr,
    #[amp(with = Dotted)]
    #[constrain(with = is_private)]
    absent: Option<Ipv4Addr>,
    #[amp(with = Dotted)]
    #[constrain(length = ..=2, each(with = is_private))]
    hops: Vec<Ipv4Addr>,
    #[amp(with = Dotted)]
    more: Option<Vec<Ipv4Addr>>,
    #[amp(with = Opaque)]
    raw: Ipv4Addr,
    #[amp(with = Seconds, default = Duration::from_secs(9))]
    wait: Duration,
    #[amp(default)]
    text: String,
    #[amp(default = 3, alias = "n", alias = "num")]
    #[constrain(range = 1..)]
    number: u8,
    #[amp(alias = "Note")]
    note: Option<String>,
    #[amp(default)]
    targets: Vec<Target>,
    addresses: Vec<Address>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Given {
    #[amp(default = 7)]
    number: u8,
}

fn is_private(address: &Ipv4Addr) -> bool {
    address.is_private()
}

const HERE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const THERE: Ipv4Addr = Ipv4Addr::new(8, 8, 8, 8);

fn ask() -> Ask {
    Ask {
        address: HERE,
        absent: None,
        hops: vec![HERE, HERE],
        more: Some(vec![]),
        raw: THERE,
        wait: Duration::from_secs(5),
        text: "t".into(),
        number: 4,
        note: Some("n".into()),
        targets: vec![Target::Host { address: THERE, port: 1 }],
        addresses: vec![Address(HERE), Address(THERE)],
    }
}

/// An ask with these pairs beside those that are needed.
fn with(pairs: &[(&str, &str)]) -> Result<Ask, String> {
    let needed = [("addresses", ""), ("hops", ""), ("raw", "1234")];
    let own = [("_ask", "1"), ("_command", "Ask")];
    let all: Vec<_> = own.iter().chain(&needed).chain(pairs).map(|(key, value)| (*key, value.as_bytes())).collect();
    decode_ask(&box_bytes(&all)).map_err(|error| error.to_string())
}

#[test]
fn what_another_type_writes_and_reads_comes_back() {
    let bytes = ask_bytes("1", &ask());
    let text = bytes.escape_ascii().to_string();
    for part in [
        r"\x00\x07address\x00\x0810.0.0.1",
        r"\x00\x04hops\x00\x14\x00\x0810.0.0.1\x00\x0810.0.0.1",
        r"\x00\x04more\x00\x00",
        r"\x00\x03raw\x00\x04\x08\x08\x08\x08",
        r"\x00\x04wait\x00\x015",
        r"\x00\taddresses\x00\x13\x00\x0810.0.0.1\x00\x078.8.8.8",
        r"\x00\x07address\x00\x078.8.8.8\x00\x04port\x00\x011\x00\x04type\x00\x04host",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(decode_ask::<Ask>(&bytes).unwrap(), ask());
}

#[test]
fn what_another_type_does_not_write_or_read_has_its_place() {
    let wrong = |pairs: &[(&str, &str)]| with(&[&[("address", "10.0.0.1")], pairs].concat()).unwrap_err();
    assert_eq!(wrong(&[("absent", "x")]), "absent: not an IPv4 address");
    assert_eq!(wrong(&[("more", "\0\x0810.0.0.1\0\x01x")]), "more[1]: not an IPv4 address");
    assert_eq!(wrong(&[("wait", "soon")]), "wait: not an integer");
    assert_eq!(with(&[]).unwrap_err(), "address: missing");
}

#[test]
fn an_absent_field_is_its_default_and_what_is_there_must_be_right() {
    let asked = with(&[("address", "10.0.0.1")]).unwrap();
    assert_eq!((asked.wait, &*asked.text, asked.number), (Duration::from_secs(9), "", 3));
    assert_eq!((asked.note, asked.targets), (None, vec![]));
    let broken = with(&[("address", "10.0.0.1"), ("number", "x")]).unwrap_err();
    assert_eq!(broken, "number: not an integer");
    // It is written all the same.
    let written = ask_bytes("1", &Ask { number: 3, text: String::new(), ..ask() });
    let text = written.escape_ascii().to_string();
    assert!(text.contains(r"\x00\x06number\x00\x013") && text.contains(r"\x00\x04text\x00\x00"), "{text}");
    let answer = box_bytes(&[(b"_answer".as_slice(), b"1".as_slice())]);
    assert_eq!(decode_reply::<Ask>(&answer).unwrap(), Given { number: 7 });
}

#[test]
fn a_field_is_read_under_its_other_names_and_written_under_its_own() {
    let read = |pairs: &[(&str, &str)]| with(pairs);
    let asked = read(&[("Note", "n"), ("addr", "10.0.0.1"), ("num", "5")]).unwrap();
    assert_eq!((asked.address, asked.number, asked.note.as_deref()), (HERE, 5, Some("n")));
    assert_eq!(read(&[("addr", "10.0.0.1"), ("n", "6")]).unwrap().number, 6);
    assert_eq!(read(&[("addr", "x")]).unwrap_err(), "addr: not an IPv4 address");
    let twice = read(&[("addr", "10.0.0.1"), ("address", "10.0.0.1")]).unwrap_err();
    assert_eq!(twice, "address: given twice, as `address` and as `addr`");
    let twice = read(&[("addr", "10.0.0.1"), ("n", "1"), ("num", "1")]).unwrap_err();
    assert_eq!(twice, "number: given twice, as `n` and as `num`");
    let target = b"\0\x07address\0\x078.8.8.8\0\x01p\0\x015\0\x04type\0\x04host\0\0";
    let target = Target::decode(RawValue::new(target)).unwrap();
    assert_eq!(target, Target::Host { address: THERE, port: 5 });
}

#[test]
fn the_fields_of_errors_have_them_too() {
    let busy = Fault::Busy { after: Duration::from_secs(3), times: 2 };
    let bytes = error_bytes::<Ask>("1", &busy);
    assert!(bytes.starts_with(b"\0\x06_error\0\x011"), "{}", bytes.escape_ascii());
    let of = |pairs: &[(&str, &str)]| {
        let own = [("_error", "1"), ("_error_code", "BUSY"), ("_error_description", "x")];
        let all: Vec<_> = own.iter().chain(pairs).map(|(key, value)| (*key, value.as_bytes())).collect();
        decode_reply::<Ask>(&box_bytes(&all)).unwrap_err()
    };
    let after = Duration::from_secs(3);
    assert_eq!(of(&[("after", "3"), ("times", "2")]).declared(), Some(&Fault::Busy { after, times: 2 }));
    assert_eq!(of(&[("retry", "3")]).declared(), Some(&Fault::Busy { after, times: 0 }));
    assert_eq!(of(&[("times", "2")]).declared(), None);
    assert!(of(&[("after", "3"), ("retry", "3")]).to_string().contains("given twice"));
}

#[derive(Command, Debug)]
#[amp(errors = Torn)]
struct Tear {
    #[amp(split = 100_000)]
    whole: String,
    #[amp(split = 100_000)]
    note: Option<String>,
    #[amp(split = 100_000, default = "d".to_owned())]
    text: String,
    #[amp(split = 100_000, from_zero)]
    rows: Vec<u8>,
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum Torn {
    #[error("torn")]
    Torn {
        #[amp(split = 100_000)]
        whole: String,
        #[amp(split = 100_000)]
        note: Option<String>,
        #[amp(split = 100_000, default)]
        text: String,
    },
}

#[test]
fn an_absent_field_that_is_split_is_missing_or_none_or_its_default() {
    let read = |own: &[(&str, &str)], pairs: &[(&str, &str)]| {
        let all: Vec<_> = own.iter().chain(pairs).map(|(key, value)| (key.as_bytes(), value.as_bytes())).collect();
        box_bytes(&all)
    };
    let ask = |pairs: &[(&str, &str)]| decode_ask::<Tear>(&read(&[("_ask", "1"), ("_command", "Tear")], pairs));
    let Tear { whole, note, text, rows } = ask(&[("whole", "w")]).unwrap();
    assert_eq!((&*whole, note, &*text, rows), ("w", None, "d", vec![]));
    let Tear { whole, note, text, rows } =
        ask(&[("whole", "w"), ("note", "n"), ("text", ""), ("rows.0", "r")]).unwrap();
    assert_eq!((&*whole, note.as_deref(), &*text, rows), ("w", Some("n"), "", vec![b'r']));
    assert_eq!(ask(&[]).unwrap_err().to_string(), "whole: missing");
    assert_eq!(
        ask(&[("whole", "w"), ("note.2", "n")]).unwrap_err().to_string(),
        "note: missing, and later parts of the value are there"
    );
    let own = [("_error", "1"), ("_error_code", "TORN"), ("_error_description", "x")];
    let error = |pairs: &[(&str, &str)]| decode_reply::<Tear>(&read(&own, pairs)).unwrap_err();
    let torn = Torn::Torn { whole: "w".to_owned(), note: None, text: String::new() };
    assert_eq!(error(&[("whole", "w")]).declared(), Some(&torn));
    assert_eq!(error(&[]).declared(), None, "a field that it needs was not sent");
    assert!(error(&[("whole.2", "w")]).to_string().contains("whole: "), "{}", error(&[("whole.2", "w")]));
}

struct Asked;

#[responder]
impl Asked {
    async fn ask(&self, asked: Ask) -> Reply<Ask> {
        Ok(Given { number: asked.number })
    }
}

#[tokio::test]
async fn constraints_look_at_what_another_type_writes_at_both_ends() {
    let (near, _far) = pair(Connection::builder(), Connection::builder().locator(Asked.into_locator()));
    assert_eq!(near.call(ask()).await.unwrap(), Given { number: 4 });
    for (asked, what) in [
        (Ask { address: THERE, ..ask() }, "address: does not hold: is_private"),
        (Ask { absent: Some(THERE), ..ask() }, "absent: does not hold: is_private"),
        (Ask { hops: vec![HERE, THERE], ..ask() }, "hops[1]: does not hold: is_private"),
        (Ask { hops: vec![HERE; 3], ..ask() }, "hops: length not in ..=2"),
        (Ask { wait: Duration::from_millis(1), ..ask() }, "wait: not a whole number of seconds"),
    ] {
        let refused = near.call(asked).await.unwrap_err().to_string();
        assert!(refused.contains(what), "{what}: {refused}");
    }
    let answered = answer_bytes::<Ask>("1", &Given { number: 1 });
    assert_eq!(decode_reply::<Ask>(&answered).unwrap(), Given { number: 1 });
}

#[derive(Command, Debug)]
struct Few {
    #[amp(alias = "old")]
    #[constrain(length = ..=1)]
    items: Vec<Strict>,
}

/// An item that is never decoded.
#[derive(Debug)]
struct Strict;

impl Value for Strict {
    fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
        Err(DecodeError::custom("decoded"))
    }
}

#[test]
fn the_length_of_a_list_is_judged_before_it_is_decoded_under_whichever_name() {
    for name in ["items", "old"] {
        let ask = |value: &str| {
            let pairs = [("_ask", "1"), ("_command", "Few"), (name, value)];
            decode_ask::<Few>(&box_bytes(&pairs)).unwrap_err().to_string()
        };
        assert_eq!(ask("\0\0\0\0"), format!("{name}: length not in ..=1"));
        assert_eq!(ask("\0\0"), format!("{name}[0]: decoded"));
    }
}
