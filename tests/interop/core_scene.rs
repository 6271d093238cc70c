//! The core scene, typed, in both roles and over every transport: `Sum` and `Divide` of Twisted's documentation.

use std::io::Write;

use amp::{CallError, Connection, Reply, responder};

use crate::commands::{Divide, DivideError, Evaluate, Nope, Note, Notes, Quotient, Shown, Sum, Total};
use crate::harness::{CHILD, Served, Twisted, soon};

/// The documentation's responders, as one trait.
#[responder]
trait Abacus {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
    async fn divide(&self, command: Divide) -> Reply<Divide>;
}

#[derive(Clone)]
struct Bead;

impl Abacus for Bead {
    async fn sum(&self, Sum { a, b }: Sum) -> Reply<Sum> {
        Ok(Total { total: a + b })
    }

    async fn divide(&self, Divide { numerator, denominator }: Divide) -> Reply<Divide> {
        if denominator == 0 {
            return Err(DivideError::ZeroDivision.into());
        }
        #[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
        Ok(Quotient { result: numerator as f64 / denominator as f64 })
    }
}

/// What every `Abacus` does, here or at a Twisted peer.
async fn counts_well(abacus: &impl Abacus) {
    assert_eq!(abacus.sum(Sum { a: 13, b: 81 }).await.unwrap(), Total { total: 94 });
    assert_eq!(abacus.divide(Divide { numerator: 1, denominator: 3 }).await.unwrap().result, 1.0 / 3.0);
    let error = abacus.divide(Divide { numerator: 1, denominator: 0 }).await.unwrap_err();
    assert!(matches!(error, CallError::Declared(DivideError::ZeroDivision)), "{error:?}");
    let after = abacus.sum(Sum { a: i64::MIN + 1, b: -1 }).await.unwrap();
    assert_eq!(after.total, i64::MIN, "a declared error leaves the connection as it was");
}

async fn rust_calls_twisted(connection: &Connection) {
    soon(counts_well(&AbacusClient::new(connection))).await;
    let unhandled = soon(connection.call(Evaluate { expression: "1 / 0".into() })).await.unwrap();
    assert_eq!(unhandled, Shown { shown: "ZeroDivisionError: division by zero".into() });
    connection.notify(Note { text: "no answer".into() }).await.unwrap();
    assert_eq!(soon(connection.call(Notes)).await.unwrap().texts, ["no answer"]);
}

/// The scene as Twisted plays it, and what it gets.
const SCENE: [(&str, &str); 4] = [
    ("call(Sum, a=13, b=81)", "{'total': 94}"),
    ("call(Divide, numerator=1, denominator=3)", "{'result': 0.3333333333333333}"),
    ("call(Divide, numerator=1, denominator=0)", "ZeroDivisionError: division by zero"),
    ("call(Sum, a=-1, b=0)", "{'total': -1}"),
];

async fn twisted_calls_rust(mut served: Served) {
    for (expression, expected) in SCENE {
        assert_eq!(served.twisted.say(expression).await, expected, "{expression}");
    }
    assert_eq!(served.server.connections(), 1);
}

/// The same type is the responder here and the client there, so this shows that the scene is right.
#[tokio::test]
async fn the_core_scene_holds_without_any_wire() {
    counts_well(&Bead).await;
}

#[tokio::test]
async fn rule_63_rust_calls_twisted_over_tcp() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    rust_calls_twisted(&connection).await;
}

#[tokio::test]
async fn rule_63_rust_calls_twisted_over_a_unix_socket() {
    let Some((connection, _twisted)) = Twisted::called_over_unix(Connection::builder()).await else { return };
    rust_calls_twisted(&connection).await;
}

#[tokio::test]
async fn rule_63_rust_calls_twisted_over_a_childs_pipes() {
    let Some((connection, _child)) = Twisted::called_over_pipes(Connection::builder()) else { return };
    rust_calls_twisted(&connection).await;
}

#[tokio::test]
async fn rule_63_twisted_calls_rust_over_tcp() {
    let Some(served) = Twisted::calling(std::sync::Arc::new(AbacusLocator::new(Bead))).await else { return };
    twisted_calls_rust(served).await;
}

#[tokio::test]
async fn rule_63_twisted_calls_rust_over_a_unix_socket() {
    let Some(served) = Twisted::calling_over_unix(std::sync::Arc::new(AbacusLocator::new(Bead))).await else { return };
    twisted_calls_rust(served).await;
}

/// The child is asked over the pipes to call back over the same pipes.
#[tokio::test]
async fn rule_63_twisted_calls_rust_over_a_childs_pipes() {
    let builder = Connection::builder().locator(AbacusLocator::new(Bead));
    let Some((connection, mut child)) = Twisted::called_over_pipes(builder) else { return };
    for (expression, expected) in SCENE {
        let shown = soon(connection.call(Evaluate { expression: expression.into() })).await.unwrap().shown;
        assert_eq!(shown, expected, "{expression}");
    }
    connection.close();
    soon(connection.closed()).await;
    assert!(soon(child.wait()).await.unwrap().success(), "the child ends by itself when its pipes are closed");
}

/// Not a test by itself: the test runner's own words are on the standard output, so a line says where AMP begins.
#[tokio::test]
#[ignore = "the child in `rule_63_a_rust_child_answers_its_twisted_parent_over_its_standard_streams`"]
async fn a_rust_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    std::io::stdout().write_all(b"\nAMP\n").and_then(|()| std::io::stdout().flush()).unwrap();
    let connection = Connection::builder().locator(AbacusLocator::new(Bead)).stdio().unwrap();
    assert_eq!(connection.call(Sum { a: 40, b: 2 }).await.unwrap().total, 42);
    connection.notify(Note { text: "from the child".into() }).await.unwrap();
    connection.closed().await;
    std::process::exit(0);
}

#[tokio::test]
async fn rule_63_a_rust_child_answers_its_twisted_parent_over_its_standard_streams() {
    let Some(mut twisted) = Twisted::parent_of("core_scene::a_rust_child").await else { return };
    for (expression, expected) in SCENE {
        assert_eq!(twisted.say(expression).await, expected, "{expression}");
    }
    while twisted.say("notes").await != "['from the child']" {}
    twisted.say("connections[-1].transport.loseConnection()").await;
    assert_eq!(twisted.say("lost()").await, "'ConnectionDone'", "it ends well");
}

#[tokio::test]
async fn one_connection_carries_calls_of_both_sides_at_once() {
    let builder = Connection::builder().locator(AbacusLocator::new(Bead));
    let Some((connection, mut twisted)) = Twisted::called_by(builder).await else { return };
    twisted.begin("settle([call(Sum, a=n, b=n) for n in range(100)])").await;
    for n in 0..100 {
        assert_eq!(soon(connection.call(Sum { a: n, b: 1 })).await.unwrap().total, n + 1);
    }
    let totals: Vec<_> = (0..100).map(|n| format!("{{'total': {}}}", n * 2)).collect();
    assert_eq!(twisted.result().await, format!("[{}]", totals.join(", ")));
    assert!(soon(connection.call(Nope)).await.unwrap_err().is_unhandled());
}
