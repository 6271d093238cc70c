//! What the library's errors say: alone, and with their causes.

use std::any::{Any, TypeId};
use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amp::constraint::{Place, Violations};
use amp::error::{ExposeError, NoErrors, NotifyError, SendBoxError};
use amp::locator::{Context, Exposable};
use amp::multiplex::{ConnectError, StreamError};
use amp::value::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
use amp::wire::{Excerpt, InsertError, PacketError, WireError};
use amp::{CallError, CloseReason, State};

/// An error, and the fact that its text holds.
type Row = (Box<dyn Error + Send + Sync>, &'static str);

fn rows<E: Error + Send + Sync + 'static>(rows: impl IntoIterator<Item = (E, &'static str)>) -> Vec<Row> {
    rows.into_iter().map(|(error, fact)| (error.into(), fact)).collect()
}

/// An error of somebody else: its text, and what caused it.
#[derive(Debug)]
struct Foreign(&'static str, Option<Box<Foreign>>);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Foreign {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

fn foreign() -> Foreign {
    let cause = Foreign("no route", Some(Box::new(Foreign("cable cut", None))));
    Foreign("host unreachable", Some(Box::new(cause)))
}

fn io_reason() -> CloseReason {
    CloseReason::from(io::Error::other(foreign()))
}

fn wire_reason() -> CloseReason {
    WireError::TooManyPairs { limit: 7 }.into()
}

fn broken() -> Violations {
    let mut found = Violations::new();
    found.add(Place::WHOLE.key("job").key("name"), "length", "length not in 1..=64");
    found
}

fn unfit() -> EncodeError {
    EncodeErrorKind::Constraints(broken()).into()
}

fn odd() -> DecodeError {
    DecodeError::from(DecodeErrorKind::NotA("an integer")).at_key("port").at_index(3).at_key("nodes")
}

/// It provides nothing.
struct Nowhere;

impl Context for Nowhere {
    fn provide(&self, _: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        None
    }
}

/// Where the library declares its enums of errors, and a row for each variant.
fn enums() -> Vec<(&'static str, &'static str, Vec<Row>)> {
    let start = Excerpt::of(b"GET / HTTP/1.1");
    let timeout = Duration::from_secs(3);
    let (code, text) = ("CODE".to_owned(), "words".to_owned());
    vec![
        (
            "CallError",
            "amp-core/src/call_error.rs",
            rows([
                (CallError::Declared(Foreign("the shelf is full", None)), "the shelf is full"),
                (CallError::Remote { code: code.clone(), description: text.clone() }, "CODE: words"),
                (CallError::failed(foreign()), "the responder failed: host unreachable"),
                (CallError::failed("no such row"), "the responder failed: no such row"),
                (CallError::Invalid(unfit()), "the arguments cannot be sent: job.name: length not in 1..=64"),
                (CallError::Response(odd()), "does not fit the command: nodes[3].port: not an integer"),
                (
                    CallError::Connection { reason: io_reason(), sent: true },
                    "ended: the transport failed: host unreach",
                ),
                (CallError::Connection { reason: wire_reason(), sent: true }, "not AMP: a box of more than 7 pairs"),
                (CallError::Timeout { sent: true }, "time limit"),
            ]),
        ),
        (
            "NotifyError",
            "amp-core/src/call_error.rs",
            rows([
                (NotifyError::Invalid(unfit()), "the arguments cannot be sent: job.name: length not in 1..=64"),
                (NotifyError::Connection(io_reason()), "the connection ended: the transport failed: host unreachable"),
                (NotifyError::Timeout, "time limit"),
            ]),
        ),
        (
            "CloseReason",
            "amp-core/src/reason.rs",
            rows([
                (CloseReason::Closed, "by this end"),
                (CloseReason::Unwritten, "not all written"),
                (CloseReason::ClosedByPeer, "by the peer"),
                (CloseReason::ClosedMidBox { received: 12 }, "after 12 of its bytes"),
                (io_reason(), "the transport failed: host unreachable"),
                (wire_reason(), "the peer's bytes are not AMP: a box of more than 7 pairs"),
                (PacketError { start }.into(), "the peer's box is not AMP: a box without `_command`"),
                (CloseReason::UnknownAnswer, "a tag that is not out"),
                (CloseReason::Fatal { code: "BROKEN" }, "BROKEN"),
                (CloseReason::Failure, "a responder failed"),
                (CloseReason::NotReading { limit: 12 }, "over 12 bytes"),
                (CloseReason::BoxTimeout { timeout }, "for 3s"),
                (CloseReason::WriteTimeout { timeout }, "for 3s"),
                (CloseReason::HandshakeTimeout { timeout }, "within 3s"),
                (CloseReason::TooManyNotifications { limit: 12 }, "over 12 bytes"),
                (CloseReason::NotAnswering { limit: 12 }, "over 12 commands"),
                (CloseReason::OutOfMemory { held: 13, limit: 14 }, "of 14 bytes this connection held 13"),
                (CloseReason::MadeRoom, "the server was full"),
                (CloseReason::EndedByPeer { code, text: text.clone() }, "CODE: words"),
                (CloseReason::ClaimedTwice { command: "Connect" }, "Connect"),
                (
                    CloseReason::BoxLimitTooLow { command: "Upload", field: "data", maximum: 13, limit: 12 },
                    "`data` of the command Upload may have 13 bytes, and a box has at most 12",
                ),
                (CloseReason::Aborted, "by this end"),
                (CloseReason::DriverDropped, "task was dropped"),
            ]),
        ),
        (
            "SendBoxError",
            "amp-core/src/boxes.rs",
            rows([
                (SendBoxError::Empty, "empty"),
                (SendBoxError::TooLong { limit: 12 }, "12 bytes"),
                (InsertError::KeyTooLong(256).into(), "a pair does not fit into the box: a key of 256 bytes"),
                (SendBoxError::Closed(io_reason()), "the connection ended: the transport failed: host unreachable"),
            ]),
        ),
        (
            "InsertError",
            "amp-core/src/wire/amp_box.rs",
            rows([
                (InsertError::EmptyKey, "empty"),
                (InsertError::KeyTooLong(256), "256 bytes where 255"),
                (InsertError::ValueTooLong(65_536), "65536 bytes where 65535"),
            ]),
        ),
        (
            "WireError",
            "amp-core/src/wire/error.rs",
            rows([
                (WireError::KeyTooLong { length: 18_245, start }, "an HTTP request"),
                (WireError::BoxTooLong { limit: 12 }, "12 bytes"),
                (WireError::TooManyPairs { limit: 12 }, "12 pairs"),
            ]),
        ),
        (
            "DecodeErrorKind",
            "amp-core/src/value/error.rs",
            rows([
                (DecodeErrorKind::Missing, "missing"),
                (DecodeErrorKind::NotA("an integer"), "not an integer"),
                (DecodeErrorKind::OutOfRange("u8"), "u8"),
                (DecodeErrorKind::Length { expected: 4, actual: 5 }, "5 bytes where 4"),
                (DecodeErrorKind::OverMaximum { limit: 12 }, "more than 12 bytes"),
                (DecodeErrorKind::MissingPart, "missing, and later parts"),
                (DecodeErrorKind::Items { expected: 4, actual: 5 }, "5 items where 4"),
                (DecodeErrorKind::DuplicateKey, "a key that came before"),
                (DecodeErrorKind::Truncated, "cut short"),
                (DecodeErrorKind::TooDeep, "nested too deep"),
                (DecodeErrorKind::TooManyBytes { limit: 12 }, "12 bytes"),
                (DecodeErrorKind::TooManyItems { limit: 12 }, "12 items"),
                (DecodeErrorKind::NoRoom, "no room"),
                (DecodeErrorKind::Constraints(broken()), "job.name: length not in 1..=64"),
                (DecodeErrorKind::Custom("not even".into()), "not even"),
            ]),
        ),
        (
            "EncodeErrorKind",
            "amp-core/src/value/error.rs",
            rows([
                (EncodeErrorKind::TooLong { length: 65_536 }, "65536 bytes where 65535"),
                (EncodeErrorKind::OverMaximum { length: 13, maximum: 12 }, "13 bytes where 12"),
                (EncodeErrorKind::BoxTooLong { limit: 12 }, "12 bytes"),
                (EncodeErrorKind::Key, "1 to 255 bytes"),
                (EncodeErrorKind::TooDeep, "nested too deep"),
                (EncodeErrorKind::Constraints(broken()), "job.name: length not in 1..=64"),
                (EncodeErrorKind::Custom("not even".into()), "not even"),
            ]),
        ),
        (
            "ConnectError",
            "amp-multiplex/src/error.rs",
            rows([
                (ConnectError::NoSuchFactory("echo".into()), "echo"),
                (ConnectError::Refused("full".into()), "full"),
                (ConnectError::Refused(String::new()), "no reason"),
                (ConnectError::TooManyStreams { limit: 12 }, "12 streams"),
                (ConnectError::Invalid(unfit()), "the factory cannot be sent: job.name: length not in 1..=64"),
                (ConnectError::Unsupported(text.clone()), "words"),
                (ConnectError::Connection(io_reason()), "the connection ended: the transport failed: host unreachable"),
                (ConnectError::Timeout, "in time"),
            ]),
        ),
        (
            "StreamError",
            "amp-multiplex/src/error.rs",
            rows([
                (StreamError::PeerDisconnected, "closed"),
                (StreamError::Cut, "before it was whole"),
                (StreamError::Overrun, "too much"),
                (StreamError::Timeout, "in time"),
                (StreamError::Closed, "this end"),
                (StreamError::PeerFailed(text), "words"),
                (StreamError::Connection(io_reason()), "the connection ended: the transport failed: host unreachable"),
            ]),
        ),
    ]
}

/// Errors that are no enums, and those of streams as they come out of reading and writing.
fn others() -> Vec<Row> {
    let nothing = match State::<u8>::expose(&Nowhere) {
        Ok(_) => None,
        Err::<_, ExposeError>(error) => Some((error, "nothing provides the exposed `u8`")),
    };
    [
        rows([(odd(), "nodes[3].port: not an integer")]),
        rows([(unfit(), "job.name: length not in 1..=64")]),
        rows([(PacketError { start: Excerpt::of(b"odd") }, "it begins \"odd\"")]),
        rows(nothing),
        rows([
            (StreamError::Connection(io_reason()).into(), "the transport failed: host unreachable"),
            (io::Error::from(ConnectError::Connection(io_reason())), "the transport failed: host unreachable"),
        ]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect()
}

#[test]
fn an_error_says_its_fact_alone_and_its_chain_says_nothing_twice() {
    let all = enums().into_iter().flat_map(|(.., rows)| rows).chain(others());
    for (error, fact) in all {
        let told = chain(&*error);
        assert!(told[0].contains(fact) && !told[0].contains('\n'), "{told:?} without {fact:?}");
        for (at, earlier) in told.iter().enumerate() {
            for later in &told[at + 1..] {
                assert!(!earlier.contains(later.as_str()) && !later.contains(earlier.as_str()), "{told:?}");
            }
        }
        // What an error of somebody else was caused by is not lost.
        if told[0].contains("host unreachable") {
            assert_eq!(told[1..], ["no route", "cable cut"], "{told:?}");
        }
    }
}

#[test]
fn every_variant_has_a_row() {
    for (name, file, rows) in enums() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
        let source = root.join(file);
        let source = std::fs::read_to_string(source).expect("the library's source is there");
        let (_, body) = source.split_once(&format!("pub enum {name}")).expect("it is declared there");
        let (body, _) = body.split_once("\n}\n").expect("it ends");
        let is_variant = |line: &&str| line.starts_with(|letter: char| letter.is_ascii_uppercase());
        let variants: Vec<&str> =
            body.lines().filter_map(|line| line.strip_prefix("    ")).filter(is_variant).collect();
        assert!(!variants.is_empty(), "{name}");
        for variant in variants {
            let variant = variant.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            let is_it = |(error, _): &Row| {
                let shown = format!("{error:?}");
                shown.split(|letter: char| !letter.is_alphanumeric()).next() == Some(variant)
            };
            assert!(rows.iter().any(is_it), "{name}::{variant}");
        }
    }
}

/// A peer's text reaches these by the words of somebody else.
#[test]
fn the_words_of_others_are_one_line_and_bounded() {
    let forged = Foreign("x\n2026-01-01 ERROR\u{1b}[2J", None);
    let long = || "y".repeat(10_000);
    let errors: [CallError<NoErrors>; 4] = [
        CallError::failed(forged),
        CallError::failed(long()),
        CallError::Response(DecodeError::custom("x\nx").at_key(&long())),
        CallError::Connection { reason: io::Error::other("x\n".to_owned() + &long()).into(), sent: true },
    ];
    for error in errors {
        let told = error.to_string();
        assert!(told.len() < 1024 && !told.contains(char::is_control), "{told}");
    }
}
