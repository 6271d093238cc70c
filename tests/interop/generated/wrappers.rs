//! The wrappers of `amp::value`, in a module that Rust wrote.

use std::collections::BTreeMap;

use amp::value::{AsciiJson, Json, Text, Zlib};
use serde_json::json;

use super::*;

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Wrapped)]
struct Wrapped {
    text: Text<u128>,
    json: Json<BTreeMap<String, Vec<Option<i64>>>>,
    jsons: Vec<Json<bool>>,
    ascii: AsciiJson<serde_json::Value>,
    absent_json: Option<AsciiJson<u8>>,
    packed: Zlib<Vec<Leaf>>,
    packed_json: Zlib<Json<serde_json::Value>>,
    packed_numbers: Zlib<Vec<u8>>,
    packed_list: Zlib<Vec<NonZeroByte>, 100>,
    packed_map: Zlib<BTreeMap<String, i64>>,
    list_of_packed: Vec<Zlib<[String; 2]>>,
    small: Zlib<String, 100>,
    absent_packed: Option<Zlib<String, 100>>,
}

type NonZeroByte = std::num::NonZero<u8>;

const SAMPLE: &str = r"dict(
    text='340282366920938463463374607431768211455', json={'a': [1, None], '\u2603': []}, jsons=[True, False],
    ascii={'text': '\u2603\U0001f600', 'null': None, 'float': 0.5}, absent_json=None,
    packed=[{'number': number, 'note': 'a rather long note'} for number in range(2500)], packed_json=['\u2603' * 50000], packed_numbers=b'\xff' * 2**17,
    packed_list=[1, 255], packed_map={'a': 1}, list_of_packed=[['a', ''], ['b', 'c']], small='s' * 100, absent_packed=None)";

fn wrapped() -> Wrapped {
    Wrapped {
        text: Text(u128::MAX),
        json: Json([("a".into(), vec![Some(1), None]), ("\u{2603}".into(), vec![])].into()),
        jsons: vec![Json(true), Json(false)],
        ascii: AsciiJson(json!({"text": "\u{2603}\u{1f600}", "null": null, "float": 0.5})),
        absent_json: None,
        packed: Zlib((0..2500).map(|number| Leaf { number, note: Some("a rather long note".into()) }).collect()),
        packed_json: Zlib(Json(json!(["\u{2603}".repeat(50_000)]))),
        packed_numbers: Zlib(vec![0xff; 1 << 17]),
        packed_list: Zlib(vec![NonZeroByte::MIN, NonZeroByte::MAX]),
        packed_map: Zlib([("a".into(), 1)].into()),
        list_of_packed: vec![Zlib(["a".into(), String::new()]), Zlib(["b".into(), "c".into()])],
        small: Zlib("s".repeat(100)),
        absent_packed: None,
    }
}

/// The same with a higher limit.
#[derive(Command, Debug)]
#[amp(name = "Small")]
struct LooseSmall {
    small: Zlib<String, 1000>,
}

#[derive(Command, Debug)]
struct Small {
    small: Zlib<String, 100>,
}

#[tokio::test]
async fn texts_json_and_what_is_compressed_go_both_ways() {
    let echo = || on(async |it: Wrapped| Ok(it));
    both_ways(&echo, wrapped(), "Wrapped", SAMPLE).await;
}

#[tokio::test]
async fn python_refuses_what_rust_would_not_decompress_or_read() {
    let echo = || (on(async |it: Wrapped| Ok(it)), on(async |_: Small| Ok(())));
    let Some(module) = generated(&echo()) else { return };
    let mut served = Twisted::calling(Arc::new(echo())).await.unwrap();
    served.twisted.learn(module.path()).await;
    let rows = [
        ("small", "'s' * 101", "ConstraintError: small: more than 100 bytes to compress"),
        ("packed_list", "[0]", "ConstraintError: packed_list[0]: 0"),
        ("packed_list", "[256]", "ConstraintError: packed_list[0]: out of range for NonZero<u8>"),
        ("list_of_packed", "[['a']]", "ConstraintError: list_of_packed[0]: not 2 items"),
        ("packed_map", "{'a': 2**63}", "ConstraintError: packed_map[0].value: out of range for i64"),
        ("ascii", "float('nan')", "ValueError: Out of range float values are not JSON compliant"),
        ("json", "b''", "TypeError: "),
    ];
    let sample = SAMPLE.replace('\n', " ");
    let short = "dict(packed=[], packed_json=None, packed_numbers=b'')";
    for (field, value, told) in rows {
        let said = served
            .twisted
            .say(&format!("call(learned.Wrapped, **{{**{sample}, **{short}, '{field}': {value}}})"))
            .await;
        assert!(said.starts_with(told), "{field} {value}: {said}");
    }
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    let error = soon(connection.call(LooseSmall { small: Zlib("s".repeat(101)) })).await.unwrap_err();
    assert!(error.to_string().contains("small: decompresses to more than 100 bytes"), "{error}");
    soon(connection.call(LooseSmall { small: Zlib("s".repeat(100)) })).await.unwrap();
}

#[tokio::test]
async fn python_writes_ascii_json_as_rust_does() {
    let Some(module) = generated(&on(async |it: Wrapped| Ok(it))) else { return };
    let (mut twisted, _) = Twisted::listen().await.unwrap();
    twisted.learn(module.path()).await;
    let said =
        twisted.say("[it.toString('\u{2603}\u{1f600}\\x7f') for it in (learned._Json(True), learned._Json())]").await;
    assert_eq!(said, r#"[b'"\\u2603\\ud83d\\ude00\\u007f"', b'"\xe2\x98\x83\xf0\x9f\x98\x80\x7f"']"#);
}

#[tokio::test]
async fn python_reads_no_constant_that_json_has_not() {
    let Some(module) = generated(&on(async |it: Wrapped| Ok(it))) else { return };
    let (mut twisted, _) = Twisted::listen().await.unwrap();
    twisted.learn(module.path()).await;
    for constant in ["NaN", "[Infinity]", "{\"a\": -Infinity}"] {
        assert!(serde_json::from_str::<serde_json::Value>(constant).is_err(), "{constant}");
        let said = twisted.say(&format!("learned._Json().fromString(b'{constant}')")).await;
        assert!(said.starts_with("ValueError: ") && said.ends_with(" is no JSON"), "{constant}: {said}");
    }
    assert_eq!(twisted.say("learned._Json().fromString(b'[1e5, null, \"NaN\"]')").await, "[100000.0, None, 'NaN']");
}
