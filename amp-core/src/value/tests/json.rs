use std::collections::{BTreeMap, HashMap};

use ::serde::{Deserialize, Serialize};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Job {
    name: String,
    tries: Option<u8>,
    steps: Vec<Step>,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
enum Step {
    Wait,
    Run(String),
    Both(u8, i64),
    Repeat { times: u8, step: Box<Step> },
}

fn job() -> Job {
    let repeat = Step::Repeat { times: 2, step: Box::new(Step::Both(1, -1)) };
    Job { name: "sn\u{2603}w".into(), tries: None, steps: vec![Step::Wait, Step::Run("\n".into()), repeat] }
}

const UTF_8: &str = "{\"name\":\"sn\u{2603}w\",\"tries\":null,\"steps\":[\"Wait\",{\"Run\":\"\\n\"},\
    {\"Repeat\":{\"times\":2,\"step\":{\"Both\":[1,-1]}}}]}";

#[test]
fn a_value_of_serde_is_its_json() {
    writes([(Json(job()), UTF_8)]);
    accepts([(UTF_8, Json(job()))]);
    assert_eq!(encoded(&AsciiJson(job())), UTF_8.replace('\u{2603}', "\\u2603").as_bytes());
    assert_eq!(decoded(&encoded(&AsciiJson(job()))), Ok(Json(job())));
    assert_eq!(decoded(UTF_8.as_bytes()), Ok(AsciiJson(job())), "either reads both");
    accepts([(" { \"b\" : 1.5 ,\"a\":[ ] }\n", Json(json!({"a": [], "b": 1.5})))]);
}

#[test]
fn ascii_json_escapes_as_python_does() {
    let texts = ["a\u{7f}\u{80}", "\u{10ffff}x\u{1f600}", "\u{0}\"\\/\u{8}", "", "\u{e9}"].map(str::to_owned);
    let written = encoded(&AsciiJson(texts.clone()));
    assert_eq!(
        String::from_utf8_lossy(&written),
        r#"["a\u007f\u0080","\udbff\udfffx\ud83d\ude00","\u0000\"\\/\b","","\u00e9"]"#
    );
    assert_eq!(decoded(&written), Ok(AsciiJson(texts)));
    assert_eq!(encoded(&AsciiJson(BTreeMap::from([("\u{e9}".to_owned(), 1)]))), br#"{"\u00e9":1}"#);
}

#[test]
fn what_is_no_json_is_refused_by_its_place_and_never_shown() {
    let said = |text: &str| <Json<Job>>::decode(RawValue::new(text.as_bytes())).expect_err("no job").to_string();
    let rows = [
        ("", "cut short"),
        ("{\"name\":\"secret", "cut short"),
        ("secret", "not JSON, line 1 column 1"),
        ("{\n\"name\": secret}", "not JSON, line 2 column 9"),
        ("{\"name\":\"secret\",\"steps\":[]} secret", "not JSON, line 1 column 30"),
        ("{\"name\":[\"secret\"]}", "JSON of another type, line 1 column 8"),
        ("{\"name\":\"\",\"steps\":[{\"secret\":1}]}", "JSON of another type, line 1 column 29"),
        ("{\"name\":\"secret\",\"tries\":256}", "JSON of another type, line 1 column 28"),
        ("{\"name\":\"secret\"}", "missing field `steps` at line 1 column 17"),
        ("{\"name\":NaN}", "not JSON, line 1 column 9"),
        ("{\"name\":\"\\ud800\"}", "not JSON, line 1 column 16"),
    ];
    for (text, error) in rows {
        assert_eq!(said(text), error, "{text}");
    }
    assert!(decoded::<Json<String>>(b"\"\xff\"").is_err(), "no UTF-8");
}

#[test]
fn json_nests_128_levels_deep() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(decoded::<Json<serde_json::Value>>(nested(127).as_bytes()).is_ok());
    assert!(decoded::<Json<serde_json::Value>>(nested(128).as_bytes()).is_err());
}

#[test]
fn what_serde_does_not_write_as_json_is_not_sent() {
    assert!(refused(&Json(BTreeMap::from([(vec![1_u8], 1_u8)]))).to_string().contains("serde"));
    writes([(Json(vec![f64::NAN, 1.0]), "[null,1.0]")]);
}

#[test]
fn a_wrapper_is_used_as_what_it_holds() {
    let mut wrapped = Json::from(job());
    wrapped.name.push('!');
    assert_eq!(wrapped.into_inner().name, "sn\u{2603}w!");
    assert_eq!(AsciiJson::<Vec<u8>>::default(), AsciiJson(vec![]));
    assert_eq!(format!("{:?}", Json(1)), "Json(1)");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Into::into),
            vec((any::<String>(), inner), 0..5)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_json_is_read_as_it_was_written(value in any_json()) {
        let (json, ascii) = (encoded(&Json(value.clone())), encoded(&AsciiJson(value.clone())));
        prop_assert!(ascii.is_ascii());
        prop_assert_eq!(decoded(&json), Ok(Json(value.clone())));
        prop_assert_eq!(decoded(&ascii), Ok(Json(value)));
    }

    #[test]
    fn no_bytes_make_json_panic_and_no_error_shows_them(text in "[\\[\\]{}:,\"0-9etnuls\\\\. -]{0,40}", bytes in vec(any::<u8>(), 0..40)) {
        let _ = decoded::<Json<serde_json::Value>>(&bytes);
        let _ = decoded::<Json<Step>>(text.as_bytes());
        if let Err(error) = <Json<HashMap<String, Job>>>::decode(RawValue::new(text.as_bytes())) {
            let said = error.to_string();
            prop_assert!(said.starts_with("not JSON, line ") || said.starts_with("JSON of another type, line ") || said == "cut short" || said.starts_with("missing field `"));
        }
    }
}

/// What decoding charges, beside the text of the value.
#[cfg(feature = "tokio")]
mod charges {
    use super::*;
    use crate::value::tests::budget::needed;

    #[test]
    fn texts_and_collections_are_charged_before_they_are_kept() {
        let numbers = |count: usize| format!("[{}]", std::vec!["0"; count].join(","));
        // A vector of numbers doubles; each number is charged for itself, too.
        for count in [1, 10, 1000] {
            let charged = needed::<Json<Vec<u64>>>(numbers(count).as_bytes());
            assert!((2 * 8 * count..5 * 8 * count + 16 * count + 200).contains(&charged), "{count}: {charged}");
            let charged = needed::<Json<serde_json::Value>>(numbers(count).as_bytes());
            let each = size_of::<serde_json::Value>();
            assert!(charged >= 2 * each * count, "{count}: {charged}");
        }
        assert_eq!(needed::<Json<u64>>(b"5"), 8);
        let text = needed::<Json<String>>(b"\"secret\"");
        assert!((6..100).contains(&text), "{text}");
        // 92 times as much as the text: every object is a tree with a node.
        let objects = format!("[{}]", std::vec![r#"{"":0}"#; 1000].join(","));
        let node = 11 * (size_of::<String>() + size_of::<serde_json::Value>());
        assert!(needed::<Json<serde_json::Value>>(objects.as_bytes()) > 1000 * node);
        assert!(needed::<Json<Vec<HashMap<String, u8>>>>(objects.as_bytes()) > 1000 * 4 * size_of::<(String, u8)>());
    }

    #[test]
    fn a_name_is_charged_where_flatten_keeps_it_and_not_where_it_is_compared() {
        #[derive(Serialize, Deserialize)]
        struct Known {
            a_long_name_of_a_field_that_is_known: u8,
        }
        #[derive(Serialize, Deserialize)]
        struct Flattened {
            #[serde(flatten)]
            rest: BTreeMap<String, u8>,
        }
        assert!(needed::<Json<Known>>(br#"{"a_long_name_of_a_field_that_is_known":1}"#) < 10);
        let rest = |count: usize| {
            let entries: Vec<_> = (0..count).map(|number| format!("\"{number:0>300}\":1")).collect();
            needed::<Json<Flattened>>(format!("{{{}}}", entries.join(",")).as_bytes())
        };
        let added = rest(20) - rest(10);
        assert!(added > 10 * 300, "{added}");
    }

    #[test]
    fn the_fields_of_a_struct_are_charged_once_and_what_stands_behind_a_pointer_is() {
        let fields = needed::<Json<(u64, [u8; 4], Option<u8>)>>(b"[1,[1,2,3,4],null]");
        assert!(fields <= 3 * size_of::<(u64, [u8; 4], Option<u8>)>(), "{fields}");
        let mut step = String::from("\"Wait\"");
        for _ in 0..50 {
            step = format!("{{\"Repeat\":{{\"times\":1,\"step\":{step}}}}}");
        }
        let charged = needed::<Json<Step>>(step.as_bytes());
        assert!((50 * size_of::<Step>()..200 * size_of::<Step>()).contains(&charged), "{charged}");
    }
}
