//! Byte-exact transcripts: the same calls, by both callers to both servers, through a recorder.

use std::net::SocketAddr;
use std::sync::Arc;

use amp::locator::Locator;
use amp::{Arguments, CallError, Command, Connection, Reply, Server, Settings};

use crate::commands::{Divide, DivideError, Fail, FailError, Nope, Note, Perhaps, PerhapsGiven, Quotient, Sum, Total};
use crate::harness::{Recorder, Twisted, boxed, on, shown, soon};

/// One key before `_` and three behind it, in an order that is not theirs on the wire.
#[derive(Command, Debug)]
#[amp(name = "spelled-As-declared", response = Named)]
struct Names {
    from: u8,
    #[amp(name = "foo-bar")]
    foo_bar: u8,
    #[amp(name = "Upper")]
    upper: u8,
    r#async: u8,
}

#[derive(Arguments, Debug)]
struct Named {
    r#async: u8,
    #[amp(name = "Upper")]
    upper: u8,
    from: u8,
    #[amp(name = "foo-bar")]
    foo_bar: u8,
}

#[derive(Command, Debug)]
#[amp(response = Produced)]
struct Floats {
    values: Vec<f64>,
}

#[derive(Arguments, Debug)]
struct Produced {
    values: Vec<f64>,
}

/// The responders of `python/peer.py` that the scene needs.
fn responders() -> impl Locator {
    let sum = on(async |Sum { a, b }| Ok(Total { total: a + b }));
    let divide = on(async |Divide { numerator, denominator }| {
        if denominator == 0 {
            return Err(DivideError::ZeroDivision.into());
        }
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        Ok(Quotient { result: numerator as f64 / denominator as f64 })
    });
    let fail = on(async |Fail { kind, text }: Fail| -> Reply<Fail> {
        Err(if kind == "NotReady" { FailError::NotReady(text) } else { FailError::Unimplemented(text) }.into())
    });
    let perhaps = on(async |Perhaps { count, data, name }| Ok(PerhapsGiven { count, data, name }));
    let names = on(async |Names { from, foo_bar, upper, r#async }| Ok(Named { from, foo_bar, upper, r#async }));
    let floats = on(async |Floats { values }| Ok(Produced { values }));
    let note = on(async |Note { .. }| Ok(()));
    (sum, divide, fail, perhaps, names, floats, note)
}

/// The scene as Twisted plays it; every line is one call that is answered before the next.
const SCENE: &[&str] = &[
    "call(Sum, a=13, b=81)",
    "call(Sum, a=-1, b=0)",
    "call(Divide, numerator=1, denominator=3)",
    "call(Divide, numerator=1, denominator=100_000)",
    "call(Divide, numerator=1, denominator=0)",
    "call(Note, text='wants no answer')",
    "call(Fail, kind='NotReady', text='')",
    "call(Fail, kind='Unimplemented', text='snowman \u{2603}')",
    "call(Nope)",
    "call(Perhaps)",
    "call(Perhaps, data=b'', count=5)",
    "call(Perhaps, name='\u{2603}', data=b'\\0')",
    "call(Names, **{'foo_bar': 1, 'From': 2, 'async': 3, 'Upper': 4})",
    "call(Floats, values=[0.0, -0.0, 5.0, 1e15, 1e16, 0.0001, 1e-05, 5e-324, 1.7976931348623157e+308])",
    "call(Floats, values=[float('inf'), float('-inf'), float('nan'), 0.1, 1e22, 1.5e-07])",
    "call(Floats, values=[])",
    "call(Sum, a=15, b=1)",
    "call(Sum, a=16, b=1)",
];

async fn twisted_plays(server: SocketAddr) -> Option<()> {
    let mut twisted = Twisted::connect(server).await?;
    for line in SCENE {
        twisted.say(line).await;
    }
    Some(())
}

/// The same scene as Rust plays it.
async fn rust_plays(server: SocketAddr, settings: Settings) {
    let peer = &Connection::builder().settings(settings).connect_tcp(server).await.unwrap();
    answered(peer, Sum { a: 13, b: 81 }).await;
    answered(peer, Sum { a: -1, b: 0 }).await;
    for (numerator, denominator) in [(1, 3), (1, 100_000), (1, 0)] {
        answered(peer, Divide { numerator, denominator }).await;
    }
    answered(peer, Note { text: "wants no answer".into() }).await;
    for (kind, text) in [("NotReady", ""), ("Unimplemented", "snowman \u{2603}")] {
        answered(peer, Fail { kind: kind.into(), text: text.into() }).await;
    }
    answered(peer, Nope).await;
    answered(peer, Perhaps { count: None, data: None, name: None }).await;
    answered(peer, Perhaps { count: Some(5), data: Some(vec![]), name: None }).await;
    answered(peer, Perhaps { count: None, data: Some(vec![0]), name: Some("\u{2603}".into()) }).await;
    answered(peer, Names { foo_bar: 1, from: 2, r#async: 3, upper: 4 }).await;
    let finite = [0.0, -0.0, 5.0, 1e15, 1e16, 0.0001, 1e-05, 5e-324, f64::MAX];
    for values in [&finite[..], &[f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.1, 1e22, 1.5e-07], &[]] {
        answered(peer, Floats { values: values.into() }).await;
    }
    answered(peer, Sum { a: 15, b: 1 }).await;
    answered(peer, Sum { a: 16, b: 1 }).await;
}

async fn answered<C: Command>(peer: &Connection, command: C) -> Option<C::Response> {
    match soon(peer.call(command)).await {
        Ok(response) => Some(response),
        Err(CallError::Declared(_) | CallError::Remote { .. }) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn rust_server(settings: Settings) -> Server {
    let responders = Arc::new(responders());
    Server::builder().settings(settings).bind_tcp("127.0.0.1:0", move |_| Arc::clone(&responders)).await.unwrap()
}

/// What is sent but for the announcement, which the first box has and no other.
fn without_announcement(boxes: String, announced: bool) -> String {
    let announcement = "\\x00\\x04_amp\\x00\\x101 goodbye notify";
    assert_eq!(boxes.matches("_amp").count(), usize::from(announced), "{boxes}");
    if !announced {
        return boxes;
    }
    assert!(boxes.starts_with(announcement), "{boxes}");
    boxes.replacen(announcement, "", 1)
}

#[tokio::test]
async fn rules_1_13_27_29_42_43_both_callers_and_both_servers_put_the_same_bytes_on_the_wire() {
    let Some((_twisted, twisted_server)) = Twisted::listen().await else { return };
    let mut transcripts = Vec::new();
    for announces in [false, true] {
        let settings = || Settings::new().announce(announces);
        let rust = rust_server(settings()).await;
        for (server, by_rust) in [(twisted_server, false), (rust.local_addr().unwrap(), true)] {
            let recorder = Recorder::before(server).await;
            twisted_plays(recorder.address).await.unwrap();
            let (asked, answered) = recorder.transcript();
            transcripts.push((asked, without_announcement(answered, announces && by_rust)));
            let recorder = Recorder::before(server).await;
            rust_plays(recorder.address, settings()).await;
            let (asked, answered) = recorder.transcript();
            let asked = without_announcement(asked, announces);
            transcripts.push((asked, without_announcement(answered, announces && by_rust)));
        }
    }
    let (asked, answered) = &transcripts[0];
    assert_eq!((asked.lines().count(), answered.lines().count()), (SCENE.len(), SCENE.len() - 1));
    for (number, (also_asked, also_answered)) in transcripts.iter().enumerate() {
        assert_eq!(asked, also_asked, "the asks of transcript {number}");
        assert_eq!(answered, also_answered, "the answers of transcript {number}");
    }
    // That they agree does not yet say on what.
    let sum: [(&str, &[u8]); 4] = [("_ask", b"1"), ("_command", b"Sum"), ("a", b"13"), ("b", b"81")];
    assert_eq!(asked.lines().next(), Some(&*shown(&boxed(&sum))));
    assert!(asked.lines().last().unwrap().contains("_ask\\x00\\x0212"), "0x12 asks: {asked}");
    for tag in ["1", "a", "f", "10"] {
        let length = tag.len();
        assert!(answered.contains(&format!("_answer\\x00\\x0{length}{tag}\\x00")), "{tag}: {answered}");
    }
    assert!(answered.contains("Unhandled Command: b\\'Nope\\'"), "{answered}");
}
