//! Commands that Twisted has from `Schema::to_twisted`: the Rust declaration is the one source for both languages.

mod constraints;
mod derived;
mod names;
mod standard;
mod together;
mod wrappers;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use amp::locator::Locator;
use amp::value::{DateTime, Decimal};
use amp::{Arguments, Command, Connection, ErrorCodes, Reply};
use num_bigint::BigInt;

use crate::commands::{Sum, Total};
use crate::guarded::{Case, Give, Given, Guarded, Valued};
use crate::harness::{Served, Twisted, generated, on, soon};

#[derive(Arguments, Debug, Clone, PartialEq)]
struct Leaf {
    number: u16,
    note: Option<String>,
}

/// Holds itself.
#[derive(Arguments, Debug, Clone, PartialEq)]
struct Tree {
    #[constrain(range = 1..)]
    port: u16,
    kids: Vec<Tree>,
    more: Option<Vec<Tree>>,
}

/// Every type, given back.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Everything)]
struct Everything {
    i8: i8,
    u128: u128,
    big: BigInt,
    float: f64,
    flag: bool,
    text: String,
    bytes: Vec<u8>,
    four: [u8; 4],
    numbers: Vec<Vec<i16>>,
    texts: Vec<String>,
    blobs: Vec<Vec<u8>>,
    leaf: Leaf,
    leaves: Vec<Leaf>,
    groves: Vec<Vec<Leaf>>,
    tree: Vec<Tree>,
    absent: Option<u8>,
    absent_box: Option<Leaf>,
    absent_list: Option<Vec<Leaf>>,
    present: Option<Vec<u8>>,
    decimal: Decimal,
    decimals: Vec<Decimal>,
    time: DateTime,
    absent_time: Option<DateTime>,
    path: PathBuf,
    paths: Option<Vec<PathBuf>>,
}

const SAMPLE: &str = r"dict(
    i8=-128, u128=2**128 - 1, big=-(10**40), float=0.1, flag=True, text='a\0\u2603', bytes=bytes(range(256)),
    four=b'1234', numbers=[[], [-1, 2]], texts=['', '\u2603'], blobs=[b'', b'\xff'], leaf={'number': 1, 'note': 'n'},
    leaves=[{'number': 1, 'note': None}, {'number': 2, 'note': ''}], groves=[[], [{'number': 3, 'note': None}]],
    tree=[{'port': 1, 'kids': [{'port': 2, 'kids': [], 'more': []}], 'more': None}],
    absent=None, absent_box=None, absent_list=None, present=b'', decimal=decimal.Decimal('1.50'),
    decimals=[decimal.Decimal('-0'), decimal.Decimal('1E+2')], absent_time=None, path=FilePath('/etc'), paths=[FilePath('/')],
    time=datetime.datetime(2012, 1, 23, 12, 34, 56, 54321, datetime.timezone(datetime.timedelta(minutes=-83))))";

fn everything() -> Everything {
    let leaf = |number, note: Option<&str>| Leaf { number, note: note.map(str::to_owned) };
    let inner = Tree { port: 2, kids: vec![], more: Some(vec![]) };
    Everything {
        i8: -128,
        u128: u128::MAX,
        big: -BigInt::from(10).pow(40),
        float: 0.1,
        flag: true,
        text: "a\0\u{2603}".into(),
        bytes: (0..=255).collect(),
        four: *b"1234",
        numbers: vec![vec![], vec![-1, 2]],
        texts: vec![String::new(), "\u{2603}".into()],
        blobs: vec![vec![], vec![255]],
        leaf: leaf(1, Some("n")),
        leaves: vec![leaf(1, None), leaf(2, Some(""))],
        groves: vec![vec![], vec![leaf(3, None)]],
        tree: vec![Tree { port: 1, kids: vec![inner], more: None }],
        absent: None,
        absent_box: None,
        absent_list: None,
        present: Some(vec![]),
        decimal: Decimal::new(150, -2),
        decimals: vec!["-0".parse().unwrap(), Decimal::new(1, 2)],
        time: DateTime::new((2012, 1, 23), (12, 34, 56, 54_321), -83 * 60).unwrap(),
        absent_time: None,
        path: "/etc".into(),
        paths: Some(vec!["/".into()]),
    }
}

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum Fault {
    #[error("{0}")]
    Declared(String),
    #[error("{0}")]
    #[amp(fatal)]
    Fatal(String),
}

/// Fails as it is told.
#[derive(Command, Debug)]
#[amp(errors = Fault)]
struct Break {
    fail: String,
    text: String,
}

#[derive(Command, Debug)]
#[amp(no_answer)]
struct Remark {
    #[constrain(length = ..=3)]
    text: String,
}

/// The same, and knows no constraint.
#[derive(Command, Debug)]
#[amp(name = "Remark", no_answer)]
struct LooseRemark {
    text: String,
}

type Remarks = Arc<Mutex<Vec<String>>>;

fn responders(remarks: &Remarks) -> impl Locator + Clone {
    let remarks = Arc::clone(remarks);
    let remark = on(move |Remark { text }| {
        remarks.lock().unwrap().push(text);
        async { Ok(()) }
    });
    let give = on(async |Give { rule }| {
        Ok(Case::all().find(|case| case.rule == rule).map_or_else(Given::default, |case| case.breaking()))
    });
    let break_ = on(async |Break { fail, text }| -> Reply<Break> {
        Err(if fail == "Fatal" { Fault::Fatal(text) } else { Fault::Declared(text) }.into())
    });
    let sum = on(async |Sum { a, b }| Ok(Total { total: a + b }));
    let guarded = (on(async |_: Guarded| Ok(())), on(async |_: Valued| Ok(())));
    Arc::new((on(async |it: Everything| Ok(it)), remark, give, break_, sum, guarded))
}

/// A Twisted client of Rust that has the module.
async fn calling(remarks: &Remarks) -> Option<Served> {
    let module = generated(&responders(remarks))?;
    let mut served = Twisted::calling(responders(remarks)).await?;
    served.twisted.learn(module.path()).await;
    Some(served)
}

/// A Rust client of a Twisted server that has the module.
async fn called() -> Option<(Connection, Twisted)> {
    let module = generated(&responders(&Remarks::default()))?;
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await?;
    twisted.learn(module.path()).await;
    Some((connection, twisted))
}

/// A command that is answered with itself, as Rust calls Twisted and as Twisted calls Rust.
async fn both_ways<C, L>(echo: &impl Fn() -> L, value: C, name: &str, sample: &str)
where
    C: Command<Response = C> + Clone + PartialEq + std::fmt::Debug,
    L: Locator + Send + Sync + 'static,
{
    let Some(module) = generated(&echo()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    assert_eq!(soon(connection.call(value.clone())).await.unwrap(), value);
    let mut served = Twisted::calling(Arc::new(echo())).await.unwrap();
    served.twisted.learn(module.path()).await;
    let sample = sample.replace('\n', " ");
    let same = format!("call(learned.{name}, **{sample}).addCallback(lambda it: it == {sample} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}

#[tokio::test]
async fn every_type_goes_both_ways() {
    let Some((connection, _twisted)) = called().await else { return };
    assert_eq!(soon(connection.call(everything())).await.unwrap(), everything());
    let Some(mut served) = calling(&Remarks::default()).await else { return };
    let sample = SAMPLE.replace('\n', " ");
    let same = format!("call(learned.Everything, **{sample}).addCallback(lambda it: it == {sample} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}

/// Prices and times within bounds.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Priced)]
struct Price {
    #[constrain(in_set = prices)]
    price: Decimal,
    #[constrain(each(not_in_set = prices))]
    others: Vec<Decimal>,
    #[constrain(range = DateTime::UNIX_EPOCH..)]
    since: DateTime,
    #[constrain(not_in_set = forbidden)]
    path: PathBuf,
}

#[derive(Arguments, Debug)]
struct Priced {}

fn prices() -> [Decimal; 3] {
    [Decimal::new(10, -1), Decimal::new(2, 0), Decimal::NAN]
}

fn forbidden() -> [PathBuf; 1] {
    ["/etc".into()]
}

#[tokio::test]
async fn rules_about_decimals_times_and_paths_hold_in_python_as_in_rust() {
    let priced = || on(async |_: Price| Ok(Priced {}));
    let Some(module) = generated(&priced()) else { return };
    let mut served = Twisted::calling(Arc::new(priced())).await.unwrap();
    served.twisted.learn(module.path()).await;
    let call = |price: &str, other: &str, year: u16, path: &str| {
        let since = format!("datetime.datetime({year}, 1, 1, tzinfo=datetime.timezone.utc)");
        let decimal = |text: &str| format!("decimal.Decimal('{text}')");
        let (price, others) = (decimal(price), decimal(other));
        format!("call(learned.Price, price={price}, others=[{others}], since={since}, path=FilePath('{path}'))")
    };
    let rows = [
        ("1.0", "1", 1970, "/", "{}"),
        ("2", "2.0", 2026, "/x", "{}"),
        ("NaN", "sNaN", 9999, "/etc/passwd", "{}"),
        ("1", "1", 1970, "/", "price"),
        ("sNaN", "1", 1970, "/", "price"),
        ("1.0", "NaN", 1970, "/", "others[0]"),
        ("1.0", "1", 1969, "/", "since"),
        ("1.0", "1", 1970, "/x/../etc", "path"),
    ];
    for (price, other, year, path, told) in rows {
        let said = served.twisted.say(&call(price, other, year, path)).await;
        let expected = if told == "{}" { told.to_owned() } else { format!("ConstraintError: {told}: ") };
        assert!(said.starts_with(&expected), "{price} {other} {year} {path}: {said}");
    }
}

#[tokio::test]
async fn errors_go_both_ways_and_the_fatal_one_ends_the_connection() {
    let Some((connection, _twisted)) = called().await else { return };
    let call = |fail: &str| connection.call(Break { fail: fail.into(), text: "\u{2603}".into() });
    assert_eq!(soon(call("Declared")).await.unwrap_err().declared(), Some(&Fault::Declared("\u{2603}".into())));
    assert_eq!(soon(call("Fatal")).await.unwrap_err().declared(), Some(&Fault::Fatal("\u{2603}".into())));
    soon(connection.closed()).await;
    let Some(mut served) = calling(&Remarks::default()).await else { return };
    for fail in ["Declared", "Declared", "Fatal"] {
        let said = served.twisted.say(&format!("call(learned.Break, fail='{fail}', text='\u{2603}')")).await;
        assert_eq!(said, format!("{fail}: \u{2603}"));
    }
    assert_eq!(served.twisted.say("lost()").await, "'ConnectionDone'");
}

#[tokio::test]
async fn what_wants_no_answer_goes_both_ways_and_a_violation_costs_nothing_else() {
    let Some((connection, mut twisted)) = called().await else { return };
    soon(connection.notify(Remark { text: "one".into() })).await.unwrap();
    assert!(soon(connection.notify(Remark { text: "four".into() })).await.is_err());
    soon(connection.notify(LooseRemark { text: "four".into() })).await.unwrap();
    soon(connection.call(Guarded::default())).await.unwrap();
    assert_eq!(twisted.say("[it for it in noted if 'text' in it]").await, "[{'text': 'one'}]");
    let remarks = Remarks::default();
    let Some(mut served) = calling(&remarks).await else { return };
    assert_eq!(served.twisted.say("call(learned.Remark, text='one')").await, "None");
    assert!(served.twisted.say("call(learned.Remark, text='four')").await.starts_with("ConstraintError: text: length"));
    assert_eq!(served.twisted.say("call(learned.Sum, a=1, b=2)").await, "{'total': 3}");
    assert_eq!(*remarks.lock().unwrap(), ["one"]);
}

#[tokio::test]
async fn a_module_without_commands_is_a_module() {
    generated(&());
}
