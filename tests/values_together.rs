//! Values of different kinds within one another, as they travel, as schemas and as JSON.
#![allow(clippy::unwrap_used)]

#[path = "shared/together.rs"]
mod together;

use amp::json::Converter;
use amp::locator::{Locator, fallback};
use amp::schema::{Schema, from_json, to_json};
use amp::{Connection, Reply, responder};
use serde_json::{Value as AnyJson, json};
use tokio::sync::mpsc::unbounded_channel;

use together::{Draw, draw};

struct Board;

#[responder]
impl Board {
    async fn draw(&self, command: Draw) -> Reply<Draw> {
        Ok(command)
    }
}

fn draw_json() -> AnyJson {
    let circle = json!({ "type": "circle", "radius": 1.5, "seen_by": "127.0.0.1" });
    json!({
        "shapes": vec![circle.clone(); 3_000],
        "settings": { "a": [1, 2] },
        "counts": { "pending": 1, "done": "18446744073709551615" },
        "host": "10.0.0.1",
        "ports": [80, 443],
        "corners": [{ "type": "point" }, circle],
        "file": "A".repeat(200_000),
        "log": "x".repeat(70_000),
    })
}

/// By the schema as another program reads it.
fn converter() -> Converter {
    let schema = Schema::of(Board.into_locator().commands());
    let read = from_json(&to_json(&schema).unwrap()).unwrap();
    assert_eq!((read.to_string(), read.fingerprint()), (schema.to_string(), schema.fingerprint()));
    let limits = amp::wire::BoxLimits::new().decoded_bytes(16 << 20);
    Converter::new(read).limits(limits)
}

#[tokio::test]
async fn what_a_typed_caller_sends_is_json_and_comes_back_from_it() {
    let (sender, mut received) = unbounded_channel();
    let keeps = fallback(move |_, arguments| {
        let sent = sender.send(arguments);
        async move {
            sent.map_err(amp::CallError::failed)?;
            Err(amp::CallError::failed("it is only looked at"))
        }
    });
    let (caller, _callee) = amp::connection::pair(Connection::builder(), Connection::builder().locator(keeps));
    caller.call(draw()).await.expect_err("it is only looked at");
    let sent = received.recv().await.unwrap();
    let converter = converter();
    let fields = &converter.schema().commands["Draw"].arguments;
    assert!(converter.to_json(fields, &sent).unwrap() == draw_json());
    assert!(converter.to_box(fields, &draw_json()).unwrap() == sent);
}

#[tokio::test]
async fn what_a_gateway_sends_reaches_a_typed_responder() {
    let (caller, _callee) =
        amp::connection::pair(Connection::builder(), Connection::builder().locator(Board.into_locator()));
    let converter = converter();
    let declared = &converter.schema().commands["Draw"];
    for (host, seen) in [("old-host", "10.0.0.1"), ("", "127.0.0.1")] {
        let (mut json, mut expected) = (draw_json(), draw_json());
        expected["host"] = seen.into();
        let fields = json.as_object_mut().unwrap();
        let given = fields.remove("host").unwrap();
        if !host.is_empty() {
            fields.insert(host.to_owned(), given);
        }
        let arguments = converter.to_box(&declared.arguments, &json).unwrap();
        let answer = caller.call_box("Draw", arguments).await.unwrap();
        assert!(converter.to_json(&declared.response, &answer) == Ok(expected));
    }
    assert!(caller.call(draw()).await.unwrap() == draw());
}

#[test]
fn rules_within_what_is_compressed_big_or_a_variant_hold_in_json() {
    let converter = converter();
    let fields = &converter.schema().commands["Draw"].arguments;
    for (path, value, error) in [
        ("/ports/1", json!(0), "ports: not in 1.."),
        ("/shapes/7/radius", json!(-1), "shapes[7].radius: not in 0.0.."),
        ("/corners/0/type", json!("square"), "corners[0].type: not one of `point`, `circle`"),
        ("/shapes/7/seen_by", json!("here"), "shapes[7].seen_by: not an IP address"),
    ] {
        let mut json = draw_json();
        *json.pointer_mut(path).unwrap() = value;
        assert_eq!(converter.to_box(fields, &json).unwrap_err().to_string(), error);
    }
}

#[test]
fn the_module_for_twisted_has_each_argument_type_that_it_uses() {
    let module = converter().schema().to_twisted();
    for part in ["import ipaddress\n", "import json\n", "import zlib\n", "class _Text(", "class _Zlib(", "class _Json("]
    {
        assert!(module.contains(part), "{part}");
    }
    for argument in [
        "(b'shapes', _Field(_Big(_TaggedList(_variants_of_Shape), 500000, 2)",
        "(b'settings', _Field(_Zlib(_Json(), 1048576)",
        "(b'seen_by', _Field(_Text(ipaddress.ip_address, optional=True)",
        "(b'file', _Field(_Big(amp.String(), 200000, 0, empty=True, optional=True)",
        "(b'log', _Field(_Big(amp.Unicode(), 100000, 2)",
    ] {
        assert!(module.contains(argument), "{argument}\n{module}");
    }
}
