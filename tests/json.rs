//! Boxes and JSON by a real schema: what is written for a command line reaches a typed responder, and its answer is read again.

use std::path::PathBuf;

use amp::json::{Converter, JsonErrorKind};
use amp::locator::{Locator, fallback};
use amp::schema::{Schema, from_json, to_json};
use amp::value::{DateTime, Decimal};
use amp::{Arguments, Command, Connection, ErrorCodes, Reply, responder};
use num_bigint::BigInt;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::unbounded_channel;

/// Everything that a schema has.
#[derive(Command, Clone, Debug)]
#[amp(response = Receipt, errors = OrderError)]
struct Order {
    #[constrain(length = 1..=3)]
    rows: Vec<Row>,
    first: Option<Row>,
    price: Decimal,
    ordered: DateTime,
    invoice: Option<PathBuf>,
    #[constrain(range = 0.0..1.0)]
    discount: f64,
    #[constrain(each(length = ..9, each(range = ..200)))]
    serials: Vec<Vec<u8>>,
    big: BigInt,
    seen: bool,
}

#[derive(Arguments, Clone, Debug)]
struct Row {
    #[constrain(pattern = "[a-z]+")]
    name: String,
    #[amp(name = "Count")]
    #[constrain(range = 1..=9)]
    count: u8,
    #[constrain(in_set = ["red", "blue"])]
    colour: Option<String>,
    rows: Vec<Row>,
}

#[derive(Arguments, Debug)]
struct Receipt {
    id: u64,
    sum: f64,
    picture: Vec<u8>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum OrderError {
    #[error("sold out until {until}")]
    SoldOut { until: DateTime, left: Option<u8> },
}

struct Shop;

#[responder]
impl Shop {
    async fn order(&self, command: Order) -> Reply<Order> {
        let rows = command.rows.iter().map(|row| u64::from(row.count)).sum::<u64>();
        Ok(Receipt { id: u64::MAX - rows, sum: f64::INFINITY, picture: b"\xff\0".to_vec() })
    }
}

/// As a program has it that knows no Rust type: read from the JSON of another.
fn converter() -> Converter {
    let schema = to_json(&Schema::of(Shop.into_locator().commands())).expect("JSON");
    Converter::new(from_json(&schema).expect("a schema"))
}

fn order() -> Order {
    let inner = Row { name: "in".to_owned(), count: 9, colour: Some("red".to_owned()), rows: vec![] };
    let row = Row { name: "out".to_owned(), count: 1, colour: None, rows: vec![inner] };
    Order {
        rows: vec![row.clone(), row.clone()],
        first: Some(row),
        price: "12.50".parse().expect("a decimal"),
        ordered: "2012-01-23T12:34:56.054321-01:23".parse().expect("a time"),
        invoice: None,
        discount: 0.1,
        serials: vec![b"ab".to_vec(), vec![]],
        big: BigInt::from(10).pow(40),
        seen: true,
    }
}

fn order_json() -> Json {
    let inner = json!({ "name": "in", "Count": 9, "colour": "red", "rows": [] });
    let row = json!({ "name": "out", "Count": 1, "rows": [inner] });
    json!({
        "rows": [row, row], "first": row, "price": "12.50", "ordered": "2012-01-23T12:34:56.054321-01:23", "discount": 0.1,
        "serials": ["YWI=", ""], "big": "10000000000000000000000000000000000000000", "seen": true
    })
}

fn error(path: &str, value: Json) -> String {
    let (converter, mut order) = (converter(), order_json());
    *order.pointer_mut(path).expect("a place") = value;
    converter.to_box(&converter.schema().commands["Order"].arguments, &order).expect_err("no box").to_string()
}

#[tokio::test]
async fn json_becomes_the_box_that_a_typed_caller_sends_and_the_box_becomes_that_json() {
    let (sender, mut received) = unbounded_channel();
    let keeps = fallback(move |_, arguments| {
        let sent = sender.send(arguments);
        async move {
            sent.map_err(amp::CallError::failed)?;
            Err(amp::CallError::failed("it is only looked at"))
        }
    });
    let (caller, _callee) = amp::connection::pair(Connection::builder(), Connection::builder().locator(keeps));
    caller.call(order()).await.expect_err("it is only looked at");
    let sent = received.recv().await.expect("a box");
    let converter = converter();
    let arguments = &converter.schema().commands["Order"].arguments;
    assert_eq!(converter.to_json(arguments, &sent), Ok(order_json()));
    assert_eq!(converter.to_box(arguments, &order_json()), Ok(sent));
}

#[tokio::test]
async fn a_gateway_calls_a_typed_responder_without_its_types() {
    let (caller, _callee) =
        amp::connection::pair(Connection::builder(), Connection::builder().locator(Shop.into_locator()));
    let converter = converter();
    let declared = &converter.schema().commands["Order"];
    let arguments = converter.to_box(&declared.arguments, &order_json()).expect("a box");
    let answer = caller.call_box("Order", arguments).await.expect("an answer");
    let receipt = converter.to_json(&declared.response, &answer).expect("JSON");
    assert_eq!(receipt, json!({ "id": "18446744073709551613", "sum": "Infinity", "picture": "/wA=" }));
    assert_eq!(converter.to_box(&declared.response, &receipt), Ok(answer));
    let sold_out = json!({ "until": "1970-01-01T00:00:00.000000-00:00", "left": null });
    let fields = &declared.errors[0].fields;
    let added = converter.to_box(fields, &sold_out).expect("a box");
    assert_eq!(converter.to_json(fields, &added), Ok(json!({ "until": "1970-01-01T00:00:00.000000-00:00" })));
}

#[test]
fn an_error_names_the_field_and_what_is_declared_of_it() {
    assert_eq!(error("/rows/1/rows/0/Count", json!(10)), "rows[1].rows[0].Count: not in 1..=9");
    assert_eq!(error("/rows/1/rows/0/Count", json!(256)), "rows[1].rows[0].Count: out of range for u8");
    assert_eq!(error("/rows", json!([])), "rows: length not in 1..=3");
    assert_eq!(error("/rows/0/name", json!("Out")), "rows[0].name: does not match [a-z]+");
    assert_eq!(error("/rows/0/rows/0/colour", json!("green")), r#"rows[0].rows[0].colour: not in ["red", "blue"]"#);
    assert_eq!(error("/first", json!({ "name": "a", "Count": 1 })), "first.rows: missing");
    assert_eq!(
        error("/first/rows/0", json!({ "nam": "a" })),
        "first.rows[0]: no such field: `nam`; there are `Count`, `colour`, `name`, `rows`"
    );
    assert_eq!(error("/discount", json!("nan")), "discount: not in 0.0..1.0");
    assert!(error("/price", json!(12.5)).starts_with("price: not a decimal in a string"));
    assert!(error("/serials/0", json!("YWI")).starts_with("serials[0]: not bytes: a string in Base64"));
    assert_eq!(error("/big", json!(1e40)), "big: not an integer");
}

#[test]
fn an_answer_that_breaks_what_is_declared_is_no_json() {
    let converter = converter();
    let arguments = &converter.schema().commands["Order"].arguments;
    let mut sent = converter.to_box(arguments, &order_json()).expect("a box");
    sent.insert("discount", "1.0").expect("a value");
    let error = converter.to_json(arguments, &sent).expect_err("no JSON");
    assert!(matches!(error.kind(), JsonErrorKind::Constraint { code, .. } if code == "range"));
    sent.remove("discount");
    assert_eq!(converter.to_json(arguments, &sent).expect_err("no JSON").to_string(), "discount: missing");
}
