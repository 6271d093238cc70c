//! Values over several keys between two ends of this library, and what schemas say of them.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::error::codes;
use amp::locator::Locator;
use amp::schema::{Effect, Report, Schema, from_json, to_json};
use amp::testing::{box_bytes, decode_ask};
use amp::value::{Big, EncodeErrorKind, FromZero, Zlib};
use amp::wire::BoxLimits;
use amp::{
    Arguments, CallError, CloseReason, Command, Connection, ErrorCodes, Peer, Reply, Settings, Value, responder,
};

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

/// Was renamed, and is taken in.
#[derive(Arguments, Debug, Clone, PartialEq)]
struct Renamed {
    #[amp(alias = "numbered", alias = "n")]
    two: Big<Vec<u8>, 200_000>,
    #[amp(alias = "dotted")]
    zero: Big<Vec<u8>, 200_000, FromZero>,
}

#[derive(Command, Debug)]
#[amp(name = "Rename", response = Lengths)]
struct After {
    #[amp(flatten)]
    renamed: Renamed,
    #[amp(name = "two.x")]
    other: u8,
}

#[derive(Arguments, Debug, PartialEq)]
struct Lengths {
    lengths: Vec<usize>,
}

#[derive(Command, Debug)]
#[amp(name = "Rename", response = Lengths)]
struct Before {
    numbered: Big<Vec<u8>, 200_000>,
    dotted: Big<Vec<u8>, 200_000, FromZero>,
    #[amp(name = "two.x")]
    other: u8,
}

struct Renaming;

#[responder]
impl Renaming {
    async fn rename(&self, After { renamed, other }: After) -> Reply<After> {
        Ok(Lengths { lengths: vec![renamed.two.len(), renamed.zero.len(), other.into()] })
    }
}

#[tokio::test]
async fn all_parts_are_read_under_an_alias_and_among_the_fields_of_another_struct() {
    let (connection, _far) = pair(Renaming.into_locator(), Settings::new());
    for length in [0, 1, 65_535, 65_536, 200_000] {
        let before = Before { numbered: vec![1; length].into(), dotted: vec![2; length].into(), other: 7 };
        assert_eq!(connection.call(before).await.unwrap().lengths, [length, length, 7]);
        let renamed = Renamed { two: vec![1; length].into(), zero: vec![2; length].into() };
        assert_eq!(connection.call(After { renamed, other: 7 }).await.unwrap().lengths, [length, length, 7]);
    }
}

#[test]
fn a_schema_says_the_type_the_maximum_and_the_numbers() {
    let schema = Schema::of(Echo.into_locator().commands());
    let text = schema.to_string();
    for line in [
        "argument Data: Big(String, 300000 bytes, from 2)\n",
        "argument note: Big(Unicode, 200000 bytes, from 2), optional, ",
        "argument rows: Big(AmpList(Row), 400000 bytes, from 0), optional, ",
        "argument row: Big(Box(Row), 200000 bytes, from 2)\n",
        "field name: Big(Unicode, 100000 bytes, from 2)\n",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    let json = to_json(&schema).unwrap();
    assert_eq!(from_json(&json).unwrap(), schema);
    let compact: String = json.split_whitespace().collect();
    assert!(compact.contains(r#""type":{"big":{"value":"bytes","maximum":300000,"numbering":"from_two"}}"#), "{json}");
    let python = schema.to_twisted();
    assert!(python.contains("_Big(amp.String(), 300000, 2)"), "{python}");
    assert!(python.contains("_Big(_AmpList(_fields_of_Row), 400000, 0, empty=True, optional=True)"), "{python}");
}

/// A command with one field of this type.
macro_rules! field {
    ($name:ident: $type:ty) => {{
        #[derive(Command, Debug)]
        struct Ask {
            value: $type,
        }
        Schema::of([Ask::DECLARATION])
    }};
}

#[test]
fn a_report_says_which_values_are_refused_and_which_are_cut() {
    let plain = || field!(value: Vec<u8>);
    let of = |old: &Schema, new: &Schema| {
        let report = Report::between(old, new);
        let changes: Vec<_> = report.changes().iter().map(|change| (change.effect, change.what.clone())).collect();
        changes
    };
    let (small, large) = (field!(value: Big<Vec<u8>, 100_000>), field!(value: Big<Vec<u8>, 200_000>));
    let zero = field!(value: Big<Vec<u8>, 100_000, FromZero>);
    let text = field!(value: Big<String, 100_000>);
    let rows = [
        (
            &large,
            &small,
            Effect::Caution,
            "100000 bytes are the most instead of 200000: new responders may refuse what old callers send",
        ),
        (
            &small,
            &large,
            Effect::Caution,
            "200000 bytes are the most instead of 100000: old responders may refuse what new callers send",
        ),
        (
            &plain(),
            &small,
            Effect::Caution,
            "it may have several keys now: old responders cut what new callers send over 65535 bytes",
        ),
        (
            &small,
            &plain(),
            Effect::Caution,
            "it has one key now: new responders cut what old callers send over 65535 bytes",
        ),
        (&text, &small, Effect::Caution, "bytes instead of text: old responders want UTF-8"),
        (
            &small,
            &zero,
            Effect::Breaks,
            "Big(String, 100000 bytes, from 0) instead of Big(String, 100000 bytes, from 2)",
        ),
        (&plain(), &zero, Effect::Breaks, "Big(String, 100000 bytes, from 0) instead of String"),
    ];
    for (old, new, effect, what) in rows {
        assert!(of(old, new).contains(&(effect, what.to_owned())), "{:?}", of(old, new));
        assert_ne!(old.fingerprint(), new.fingerprint());
    }
    assert_eq!(of(&small, &small), []);
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

#[derive(Command, Debug)]
struct Migrating {
    #[amp(alias = "old")]
    rows: Big<Vec<u8>, 1000, FromZero>,
    #[amp(alias = "was")]
    two: Option<Big<Vec<u8>, 1000>>,
}

#[test]
fn a_first_part_that_is_lost_is_missed_under_another_name_too() {
    let read = |keys: &[&str]| {
        let mut pairs = vec![(b"_ask".as_slice(), b"1".as_slice()), (b"_command", b"Migrating")];
        pairs.extend(keys.iter().map(|key| (key.as_bytes(), b"x".as_slice())));
        decode_ask::<Migrating>(&box_bytes(&pairs)).map_err(|error| error.to_string())
    };
    for name in ["rows", "old"] {
        let part = |number: usize| format!("{name}.{number}");
        assert_eq!(&read(&[&part(0), &part(1)]).unwrap().rows[..], b"xx");
        assert!(
            read(&[&part(1)])
                .unwrap_err()
                .ends_with(&format!("{name}.0: missing, and later parts of the value are there"))
        );
    }
    assert!(read(&[]).unwrap().rows.is_empty());
    assert!(read(&["old.1", "rows.0"]).unwrap_err().ends_with("rows: given twice, as `rows` and as `old`"));
    assert!(read(&["was.2"]).unwrap_err().ends_with("was: missing, and later parts of the value are there"));
    assert_eq!(read(&["was", "was.2"]).unwrap().two.as_deref().map(Vec::as_slice), Some(&b"xx"[..]));
    assert!(read(&["was.1", "old.x", "old"]).unwrap().two.is_none());
}

#[derive(Command, Debug)]
struct Defaulted {
    #[amp(default = vec![7; 70_000].into())]
    data: Big<Vec<u8>, 100_000>,
}

#[test]
fn a_default_over_several_keys_is_declared_as_a_whole() {
    let schema = Schema::of([Defaulted::DECLARATION]);
    let default = schema.commands["Defaulted"].arguments[0].default.as_ref().unwrap();
    assert_eq!(default.0, vec![7; 70_000]);
    let again = from_json(&to_json(&schema).unwrap()).unwrap();
    assert_eq!(again, schema);
}

#[derive(Command, Debug)]
struct Unwritable {
    #[amp(default = vec![7; 70_000])]
    long: Vec<u8>,
    #[amp(default = vec![7; 70_000].into())]
    over: Big<Vec<u8>, 60_000>,
    #[amp(default)]
    short: Big<Vec<u8>, 60_000>,
}

/// A peer in another language would take an empty one for it.
#[test]
fn a_default_that_cannot_be_written_is_none_in_a_schema() {
    let schema = Schema::of([Unwritable::DECLARATION]);
    let [long, over, short] = &schema.commands["Unwritable"].arguments[..] else { panic!("three fields") };
    assert_eq!([&long.default, &over.default], [&None, &None]);
    assert!(long.optional && over.optional);
    assert_eq!(short.default.as_ref().unwrap().0, [0_u8; 0]);
    let read = decode_ask::<Unwritable>(&box_bytes(&[("_ask", "1"), ("_command", "Unwritable")])).unwrap();
    assert_eq!((read.long.len(), read.over.len(), read.short.len()), (70_000, 70_000, 0));
    assert_eq!(from_json(&to_json(&schema).unwrap()).unwrap(), schema);
}

#[derive(Value, Debug, PartialEq)]
struct Port(#[constrain(range = 1..)] u16);

#[derive(Value, Debug, PartialEq)]
struct Ports(#[constrain(length = ..=3)] Vec<Port>);

#[derive(Command, Debug)]
struct Constrained {
    list: Big<Ports, 1000, FromZero>,
    maybe: Option<Big<Port, 1000, FromZero>>,
    one: Big<Port, 1000, FromZero>,
}

/// What has rules of its own is no less a number.
#[test]
fn a_constrained_value_that_is_never_empty_is_not_optional() {
    let schema = Schema::of([Constrained::DECLARATION]);
    let optional = schema.commands["Constrained"].arguments.iter().map(|field| (&*field.name, field.optional));
    assert_eq!(optional.collect::<Vec<_>>(), [("list", true), ("maybe", true), ("one", false)]);
    let mut pairs = vec![("_ask", "1"), ("_command", "Constrained"), ("one.0", "7")];
    let read = decode_ask::<Constrained>(&box_bytes(&pairs)).unwrap();
    assert_eq!((read.list.0.len(), read.maybe.is_none(), read.one.0), (0, true, 7));
    pairs.pop();
    assert!(decode_ask::<Constrained>(&box_bytes(&pairs)).unwrap_err().to_string().ends_with("one: missing"));
}
