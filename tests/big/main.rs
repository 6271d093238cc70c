//! Values over several keys between two ends of this library.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::error::codes;
use amp::locator::Locator;
use amp::schema::Schema;
use amp::value::{Big, EncodeErrorKind, FromZero, Zlib};
use amp::wire::BoxLimits;
use amp::{Arguments, CallError, CloseReason, Command, Connection, ErrorCodes, Peer, Reply, Settings, responder};

mod names;
mod schemas;

/// One row.
#[derive(Arguments, Debug, Clone, PartialEq)]
pub struct Row {
    /// A number.
    pub id: u64,
    /// A name, within what is big itself.
    pub name: Big<String, 100_000>,
}

/// Everything that can be big, given back.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Everything, errors = Fault)]
pub struct Everything {
    /// Sorts before the keys of AMP.
    #[amp(name = "Data")]
    pub data: Big<Vec<u8>, 300_000>,
    /// Text that may be absent.
    #[constrain(length = ..=150_000, non_empty)]
    pub note: Option<Big<String, 200_000>>,
    /// A list as a whole.
    #[constrain(length = ..=5000, each(with = is_named))]
    pub rows: Big<Vec<Row>, 400_000, FromZero>,
    /// One box.
    pub row: Big<Row, 200_000>,
}

fn is_named(row: &Row) -> bool {
    !row.name.is_empty()
}

/// Fails with what is big.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq, Clone)]
pub enum Fault {
    /// Has a field.
    #[error("refused")]
    Refused {
        /// Why.
        report: Big<String, 100_000>,
    },
}

fn everything(times: usize) -> Everything {
    let row = |id| Row { id, name: "x".repeat(times % 7 + 1).into() };
    Everything {
        data: (0..251).cycle().take(times * 10).collect::<Vec<u8>>().into(),
        note: (times > 0).then(|| "\u{2603}".repeat(times).into()),
        rows: (0..times as u64 / 10).map(row).collect::<Vec<_>>().into(),
        row: Row { id: 1, name: "n".repeat(times * 3).into() }.into(),
    }
}

struct Echo;

#[responder]
impl Echo {
    async fn echo(&self, mut command: Everything) -> Reply<Everything> {
        match command.row.id {
            1 => {}
            2 => command.data = vec![0; 300_001].into(),
            _ => return Err(Fault::Refused { report: "r".repeat(90_000).into() }.into()),
        }
        Ok(command)
    }
}

fn pair(locator: impl Locator, settings: Settings) -> (Connection, Connection) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let builder = Connection::builder().settings(settings);
    (builder.clone().start(near, Peer::other("far")), builder.locator(locator).start(far, Peer::other("near")))
}

#[tokio::test]
async fn whatever_is_big_goes_there_and_back() {
    let (connection, _far) = pair(Echo.into_locator(), Settings::new());
    for times in [0, 1, 10, 6000, 21_845, 21_846, 29_999] {
        let command = everything(times);
        assert!(connection.call(command.clone()).await.unwrap() == command, "{times}");
    }
    let mut command = everything(1);
    command.row.id = 3;
    let error = connection.call(command).await.unwrap_err();
    assert_eq!(error.declared(), Some(&Fault::Refused { report: "r".repeat(90_000).into() }));
}

#[tokio::test]
async fn what_is_over_its_maximum_is_not_sent() {
    let (connection, _far) = pair(Echo.into_locator(), Settings::new());
    let mut command = everything(1);
    command.data = vec![0; 300_001].into();
    let error = connection.call(command).await.unwrap_err();
    assert!(!error.was_sent());
    let CallError::Invalid(error) = error else { panic!("{error:?}") };
    assert_eq!(
        (error.path(), error.kind()),
        ("Data", &EncodeErrorKind::OverMaximum { length: 300_001, maximum: 300_000 })
    );
    // A response that is too long the caller is told of.
    let mut command = everything(1);
    command.row.id = 2;
    let CallError::Remote { code, description } = connection.call(command).await.unwrap_err() else {
        panic!("not remote")
    };
    assert_eq!(code, codes::TOO_LONG);
    assert_eq!(
        description,
        "Data: 300001 bytes where 300000 is the declared maximum; raise it at both ends, or use several calls or a stream"
    );
    let command = everything(2);
    assert!(connection.call(command.clone()).await.unwrap() == command);
}

#[derive(Command, Debug)]
#[amp(response = Compressed)]
struct Compress {
    length: usize,
}

#[derive(Arguments, Debug)]
struct Compressed {
    text: Zlib<String, 100>,
}

struct Compressor;

#[responder]
impl Compressor {
    async fn compress(&self, command: Compress) -> Reply<Compress> {
        Ok(Compressed { text: "x".repeat(command.length).into() })
    }
}

#[tokio::test]
async fn what_is_compressed_and_over_its_maximum_is_too_long_as_well() {
    let (connection, _far) = pair(Compressor.into_locator(), Settings::new());
    assert_eq!(connection.call(Compress { length: 100 }).await.unwrap().text.len(), 100);
    let CallError::Remote { code, description } = connection.call(Compress { length: 101 }).await.unwrap_err() else {
        panic!("not remote")
    };
    assert_eq!(code, codes::TOO_LONG);
    assert!(description.starts_with("text: 101 bytes where 100 is the declared maximum"), "{description}");
}

/// The same command of an end that allows more.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(name = "Everything")]
struct More {
    #[amp(name = "Data")]
    data: Big<Vec<u8>, 500_000>,
}

#[tokio::test]
async fn what_a_peer_sends_over_the_maximum_costs_that_call() {
    let (connection, _far) = pair(Echo.into_locator(), Settings::new());
    for length in [300_001, 500_000] {
        let error = connection.call(More { data: vec![0; length].into() }).await.unwrap_err();
        let CallError::Remote { code, description } = error else { panic!("{error:?}") };
        assert_eq!(code, codes::INVALID_ARGUMENT);
        assert_eq!(description, "Data: more than 300000 bytes, the maximum that this end declares");
    }
    let command = everything(2);
    assert!(connection.call(command.clone()).await.unwrap() == command);
}

#[tokio::test]
async fn constraints_look_at_the_value_itself() {
    let (connection, _far) = pair(Echo.into_locator(), Settings::new());
    let mut command = everything(20);
    command.note = Some(String::new().into());
    command.rows[1].name = String::new().into();
    let error = connection.call(command).await.unwrap_err().to_string();
    assert_eq!(error, "the arguments cannot be sent: note: empty; rows[1]: does not hold: is_named");
}

#[tokio::test]
async fn a_maximum_that_no_box_has_room_for_is_told_when_the_connection_is_made() {
    let mut settings = Settings::new();
    // Seven parts with their keys, and the end of the box.
    let needed = 400_000 + 7 * (4 + "rows.0".len()) + 2;
    settings.boxes = BoxLimits::new().bytes(needed - 1);
    let (connection, far) = pair(Echo.into_locator(), settings.clone());
    let reason = far.closed().await;
    assert!(matches!(reason, CloseReason::BoxLimitTooLow { field: "rows", maximum: 400_000, limit: 400_071, .. }));
    assert_eq!(
        reason.to_string(),
        "`rows` of the command Everything may have 400000 bytes, and a box has at most 400071; raise `BoxLimits::bytes`, or lower the maximum"
    );
    assert!(connection.call(everything(1)).await.is_err());
    // A caller's own box is too long only when it is.
    let (connection, _far) = pair((), settings);
    assert!(connection.call(everything(1)).await.unwrap_err().is_unhandled());
    let CallError::Invalid(error) = connection.call(everything(29_999)).await.unwrap_err() else { panic!("it fits") };
    assert_eq!(error.kind(), &EncodeErrorKind::BoxTooLong { limit: 400_071 });
}

/// As [`Everything`], without the types.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Split, name = "Everything")]
struct Split {
    #[amp(name = "Data", split = 300_000)]
    data: Vec<u8>,
    #[amp(split = 2 * HALF)]
    #[constrain(length = ..=150_000, non_empty)]
    note: Option<String>,
    #[amp(split = 400_000, from_zero)]
    #[constrain(length = ..=5000, each(with = has_a_name))]
    rows: Vec<SplitRow>,
    #[amp(split = 200_000)]
    row: SplitRow,
}

const HALF: usize = 100_000;

/// Generic in what is split.
#[derive(Arguments, Debug, Clone, PartialEq)]
struct GenericRow<T> {
    id: u64,
    #[amp(split = 100_000)]
    name: T,
}

type SplitRow = GenericRow<String>;

fn has_a_name(row: &SplitRow) -> bool {
    !row.name.is_empty()
}

fn split(Everything { data, note, rows, row }: Everything) -> Split {
    let plain = |Row { id, name }: Row| SplitRow { id, name: name.into_inner() };
    Split {
        data: data.into_inner(),
        note: note.map(Big::into_inner),
        rows: rows.into_inner().into_iter().map(plain).collect(),
        row: plain(row.into_inner()),
    }
}

struct SplitEcho;

#[responder]
impl SplitEcho {
    async fn echo(&self, command: Split) -> Reply<Split> {
        Ok(command)
    }
}

#[tokio::test]
async fn a_split_field_is_on_the_wire_as_a_big_one() {
    // The rules have functions of other names, and the command no error.
    let types = |locator: &dyn Locator| -> Vec<String> {
        let text = Schema::of(locator.commands()).to_string().replace("GenericRow", "Row");
        let (fields, _) = text.split_once("\nbox").unwrap();
        let big = fields.lines().filter(|line| line.contains(": Big(") && !line.contains("report"));
        big.map(|line| line.split(", length").next().unwrap().to_owned()).collect()
    };
    assert_eq!(types(&SplitEcho.into_locator()), types(&Echo.into_locator()));
    let (big, _far) = pair(SplitEcho.into_locator(), Settings::new());
    let (plain, _other) = pair(Echo.into_locator(), Settings::new());
    for times in [0, 1, 6000, 21_846, 29_999] {
        let command = everything(times);
        assert!(big.call(command.clone()).await.unwrap() == command, "{times}");
        let command = split(command);
        assert!(plain.call(command.clone()).await.unwrap() == command, "{times}");
    }
    let mut command = split(everything(1));
    command.data = vec![0; 300_001];
    let CallError::Invalid(error) = plain.call(command).await.unwrap_err() else { panic!("it fits") };
    assert_eq!(
        (error.path(), error.kind()),
        ("Data", &EncodeErrorKind::OverMaximum { length: 300_001, maximum: 300_000 })
    );
    let mut command = split(everything(20));
    command.rows[1].name.clear();
    let error = plain.call(command).await.unwrap_err().to_string();
    assert_eq!(error, "the arguments cannot be sent: rows[1]: does not hold: has_a_name");
}
