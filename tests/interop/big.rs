//! Values over several keys, against the same written by hand in Python (`python/custom.py`), and against the generated module.

use std::sync::Arc;

use amp::locator::Locator;
use amp::value::{Big, FromZero};
use amp::wire::MAX_VALUE;
use amp::{AmpBox, Arguments, Command, Connection, Reply};

use crate::harness::{Served, Twisted, generated, on, soon};

const MAX: usize = 400_000;

#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Large)]
struct Large {
    dotted: Big<Vec<u8>, MAX, FromZero>,
    numbered: Big<Vec<u8>, MAX>,
}

fn large(length: usize) -> Large {
    let bytes: Vec<u8> = (0..251).cycle().take(length).collect();
    Large { dotted: bytes.clone().into(), numbered: bytes.into() }
}

/// None, one, the most of one key, one more, and the most of several.
const LENGTHS: [usize; 7] = [0, 1, MAX_VALUE, MAX_VALUE + 1, 2 * MAX_VALUE, 2 * MAX_VALUE + 1, MAX];

#[tokio::test]
async fn rule_57_big_values_reach_twisted_and_come_back() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    for length in LENGTHS {
        assert!(soon(connection.call(large(length))).await.unwrap() == large(length), "{length} bytes");
    }
}

#[tokio::test]
async fn rule_57_big_values_come_from_twisted_however_they_are_cut_and_go_back() {
    let Some(mut served) = Twisted::calling(Arc::new(on(async |command: Large| Ok(command)))).await else { return };
    for (command, lengths) in [("Large", &LENGTHS[..]), ("Shredded", &[0, 1, 777, 778, 9999, 200_000])] {
        for length in lengths {
            let arguments = format!("dict(dotted=b'x' * {length}, numbered=b'y' * {length})");
            let same = format!("call({command}, **{arguments}).addCallback(lambda it: it == {arguments} or it)");
            assert_eq!(served.twisted.say(&same).await, "True", "{command} with {length} bytes");
        }
    }
    let over = format!("call(Large, dotted=b'', numbered=b'x' * {})", MAX + 1);
    let words = "numbered: more than 400000 bytes, the maximum that this end declares";
    assert_eq!(served.twisted.say(&over).await, format!("InvalidArgument: {words}"));
}

#[derive(Arguments, Debug, Clone, PartialEq)]
struct Row {
    id: u16,
    name: Big<String, 100_000, FromZero>,
}

/// Everything that can be big, given back.
#[derive(Command, Debug, Clone, PartialEq)]
#[amp(response = Whole)]
struct Whole {
    bytes: Big<Vec<u8>, 100_000>,
    text: Option<Big<String, 100_000>>,
    #[constrain(length = ..=1000)]
    rows: Big<Vec<Row>, 300_000, FromZero>,
    numbers: Big<Vec<i32>, 100_000, FromZero>,
    row: Big<Row, 100_000, FromZero>,
    #[amp(name = "from")]
    from: Option<Big<Row, 100_000, FromZero>>,
}

fn row(id: u16, length: usize) -> Row {
    Row { id, name: "n".repeat(length).into() }
}

fn whole(length: usize) -> Whole {
    Whole {
        bytes: vec![7; length].into(),
        text: (length > 0).then(|| "\u{2603}".repeat(length / 3).into()),
        rows: (0..).take(length / 100).map(|id| row(id, 200)).collect::<Vec<_>>().into(),
        numbers: vec![-1; length / 10].into(),
        row: row(1, length / 2).into(),
        from: (length > 0).then(|| row(2, length - 100).into()),
    }
}

fn python(length: usize) -> String {
    let (snow, rows, numbers) = (length / 3, length / 100, length / 10);
    let text = if length > 0 { format!("'\u{2603}' * {snow}") } else { "None".to_owned() };
    let from = if length > 0 { format!("{{'id': 2, 'name': 'n' * {}}}", length - 100) } else { "None".to_owned() };
    format!(
        "dict(bytes=b'\\x07' * {length}, text={text}, rows=[{{'id': id, 'name': 'n' * 200}} for id in range({rows})], \
         numbers=[-1] * {numbers}, row={{'id': 1, 'name': 'n' * {}}}, From={from})",
        length / 2
    )
}

fn responder() -> impl Locator + Clone {
    Arc::new(on(async |command: Whole| -> Reply<Whole> { Ok(command) }))
}

async fn calling() -> Option<Served> {
    let module = generated(&responder())?;
    let mut served = Twisted::calling(responder()).await?;
    served.twisted.learn(module.path()).await;
    Some(served)
}

#[tokio::test]
async fn rule_57_the_generated_module_has_the_same_big_values() {
    let Some(module) = generated(&responder()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    let mut served = calling().await.unwrap();
    for length in [0, 300, MAX_VALUE, MAX_VALUE + 1, 99_900] {
        let command = whole(length);
        assert!(soon(connection.call(command.clone())).await.unwrap() == command, "{length} bytes");
        let arguments = python(length);
        let same = format!("call(learned.Whole, **{arguments}).addCallback(lambda it: it == {arguments} or it)");
        assert_eq!(served.twisted.say(&same).await, "True", "{length} bytes");
    }
}

#[tokio::test]
async fn rule_57_python_refuses_what_rust_refuses_and_loses_no_connection() {
    let Some(mut served) = calling().await else { return };
    let call = |change: &str| format!("call(learned.Whole, **{{**{}, {change}}})", python(0));
    let rows = [
        ("'bytes': b'x' * 100001", "bytes: 100001 bytes where 100000 is the declared maximum"),
        ("'numbers': [1] * 40000", "numbers: 120000 bytes where 100000 is the declared maximum"),
        ("'row': {'id': 1, 'name': 'n' * 100001}", "row.name: 100001 bytes where 100000 is the declared maximum"),
        ("'rows': [{'id': 1, 'name': ''}] * 1001", "rows: length not in ..=1000"),
    ];
    for (change, words) in rows {
        assert_eq!(served.twisted.say(&call(change)).await, format!("ConstraintError: {words}"));
    }
    // And what Rust sends to it.
    let Some(module) = generated(&responder()) else { return };
    let (connection, mut twisted) = Twisted::called_by(Connection::builder()).await.unwrap();
    twisted.learn(module.path()).await;
    let row = &b"\0\x02id\0\x011\0\0"[..];
    let rows = [
        (&[("bytes.2", &b"x"[..])][..], "bytes: missing"),
        (&[("bytes", b"x"), ("bytes.3", b"x")], "bytes: its part bytes.2 is missing, and later ones are there"),
        (
            &[("bytes", b"x"), ("row.0", row), ("text.2", b"x")],
            "text: its part text is missing, and later ones are there",
        ),
        (
            &[("bytes", b"x"), ("row.0", row), ("rows.1", b"x")],
            "rows: its part rows.0 is missing, and later ones are there",
        ),
        (&[("bytes", b"x")], "row: missing"),
        (
            &[("bytes", &[b'x'; 65_000]), ("bytes.2", &[b'x'; 65_000])],
            "bytes: 130000 bytes where 100000 is the declared maximum",
        ),
        // These are other keys.
        (
            &[
                ("bytes", b"x"),
                ("bytes.1", b"x"),
                ("bytes.02", b"x"),
                ("bytes.x", b"x"),
                ("rows.00", b"x"),
                ("row.0", row),
            ],
            "",
        ),
    ];
    for (pairs, words) in rows {
        let mut sent = AmpBox::new();
        pairs.iter().for_each(|(key, value)| drop(sent.insert(key.as_bytes().to_vec(), value.to_vec()).unwrap()));
        match soon(connection.call_box("Whole", sent)).await {
            Ok(answer) => assert_eq!(words, "", "{answer:?}"),
            Err(error) => assert!(error.to_string().ends_with(words) && !words.is_empty(), "{error}"),
        }
    }
    assert!(soon(connection.call(whole(0))).await.unwrap() == whole(0), "the connection lives on");
}
