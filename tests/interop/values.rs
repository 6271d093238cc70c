//! Every type of value, in one command, both ways.

use std::sync::Arc;

use amp::{Arguments, Command, Connection};

use crate::harness::{Twisted, on, soon};

#[derive(Arguments, Debug, Clone, PartialEq)]
struct Kid {
    k: i64,
    note: Option<String>,
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct Row {
    name: String,
    kids: Vec<Kid>,
}

/// The same fields as arguments and as a response.
macro_rules! values {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        struct $name {
            i8: i8, i16: i16, i32: i32, i64: i64, i128: i128,
            u8: u8, u16: u16, u32: u32, u64: u64, u128: u128,
            float: f64,
            yes: bool,
            no: bool,
            text: String,
            bytes: Vec<u8>,
            nested: Vec<Vec<i32>>,
            words: Vec<String>,
            strings: Vec<Vec<u8>>,
            flags: Vec<bool>,
            rows: Vec<Row>,
            /// One nested box, which is an AmpList of one to Twisted.
            one: Kid,
            absent: Option<Vec<Kid>>,
        }

        impl $name {
            /// `SAMPLE` of `python/commands.py`.
            fn sample() -> Self {
                let kid = |k, note: Option<&str>| Kid { k, note: note.map(String::from) };
                Self {
                    i8: i8::MIN, i16: i16::MIN, i32: i32::MIN, i64: i64::MIN, i128: i128::MIN,
                    u8: u8::MAX, u16: u16::MAX, u32: u32::MAX, u64: u64::MAX, u128: u128::MAX,
                    float: 0.1,
                    yes: true,
                    no: false,
                    text: "\u{feff}a\0b\u{2603}\u{1f40d}".into(),
                    bytes: (0..=255).collect(),
                    nested: vec![vec![], vec![1], vec![-2, 3]],
                    words: vec![String::new(), "\u{2603}".into()],
                    strings: vec![vec![], b"a\0\xff".to_vec()],
                    flags: vec![true, false],
                    rows: vec![
                        Row { name: "x".into(), kids: vec![kid(1, Some("")), kid(2, None)] },
                        Row { name: String::new(), kids: vec![] },
                    ],
                    one: kid(7, Some("only")),
                    absent: None,
                }
            }
        }
    };
}

values! {
    #[derive(Command, Debug, PartialEq)]
    #[amp(response = Seen)]
    Everything
}

values! {
    #[derive(Arguments, Debug, PartialEq)]
    Values
}

#[derive(Arguments, Debug)]
struct Seen {
    seen: String,
}

#[derive(Command, Debug)]
#[amp(response = Values)]
struct Produce;

#[tokio::test]
async fn rules_41_to_46_52_54_55_twisted_sees_every_type_of_value_that_rust_sends() {
    let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let seen = soon(connection.call(Everything::sample())).await.unwrap().seen;
    let expected = twisted.say("shown(SAMPLE)").await;
    // That one is shown by one more `repr`, so Python compares.
    let same = twisted.say(&format!("shown(SAMPLE) == {}", python_text(&seen))).await;
    assert_eq!(same, "True", "seen {seen}, expected {expected}");
}

/// A string literal that Python reads as this text.
fn python_text(text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("bytes.fromhex('{hex}').decode()")
}

#[tokio::test]
async fn rules_41_to_46_52_54_55_rust_sees_every_type_of_value_that_twisted_answers_with() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    assert_eq!(soon(connection.call(Produce)).await.unwrap(), Values::sample());
}

#[tokio::test]
async fn rules_41_to_46_52_54_55_every_type_of_value_goes_to_rust_and_back_when_twisted_calls() {
    let everything = on(async |command: Everything| {
        let same = command == Everything::sample();
        Ok(Seen { seen: if same { "the same".into() } else { format!("{command:?}") } })
    });
    let produce = on(async |Produce| Ok(Values::sample()));
    let Some(mut served) = Twisted::calling(Arc::new((everything, produce))).await else { return };
    assert_eq!(served.twisted.say("call(Everything, **SAMPLE)").await, "{'seen': 'the same'}");
    assert_eq!(served.twisted.say("call(Produce).addCallback(lambda it: it == SAMPLE or it)").await, "True");
}

#[tokio::test]
async fn rule_53_rust_refuses_a_list_that_is_cut_short_where_twisted_drops_the_rest() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    let theirs = twisted.say(r"accepts(ListOf(Integer()), [b'\0', b'\0\x011\0', b'\0\x011\0\5ab', b'\0\x011'])").await;
    assert_eq!(theirs, "['[]', '[1]', '[1]', '[1]']");
    let ours = |bytes: &[u8]| <Vec<i64> as amp::value::Value>::decode(amp::value::RawValue::new(bytes)).ok();
    assert_eq!([b"\0".as_slice(), b"\0\x011\0", b"\0\x011\0\x05ab"].map(ours), [None, None, None]);
    assert_eq!(ours(b"\0\x011"), Some(vec![1]));
}
