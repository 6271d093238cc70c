//! Values of different kinds within one another, in a module that Rust wrote.

use super::*;
use crate::together::{Draw, draw};

const SAMPLE: &str = "dict(
    shapes=[{'type': 'circle', 'radius': 1.5, 'seen_by': ipaddress.ip_address('127.0.0.1')}] * 3000,
    settings={'a': [1, 2]}, counts={'pending': 1, 'done': 2**64 - 1}, host='10.0.0.1', ports=[80, 443],
    corners=[{'type': 'point'}, {'type': 'circle', 'radius': 1.5, 'seen_by': ipaddress.ip_address('127.0.0.1')}],
    file=bytes(150000), log='x' * 70000)";

fn echo() -> impl Locator {
    on(async |it: Draw| Ok(it))
}

#[tokio::test]
async fn values_within_one_another_go_both_ways() {
    both_ways(&echo, draw(), "Draw", SAMPLE).await;
}

#[tokio::test]
async fn rules_and_absences_of_values_within_one_another_hold_in_python() {
    let Some(module) = generated(&echo()) else { return };
    let mut served = Twisted::calling(Arc::new(echo())).await.unwrap();
    served.twisted.learn(module.path()).await;
    let sample = SAMPLE.replace('\n', " ");
    let circle =
        |radius: &str, seen_by: &str| format!("{{'type': 'circle', 'radius': {radius}, 'seen_by': {seen_by}}}");
    let point = "{'type': 'point'}";
    for (change, told) in [
        ("ports=[80, 0]".to_owned(), "ports[1]: not in 1.."),
        (format!("shapes=[{point}, {}]", circle("-1", "None")), "shapes[1].radius: not in 0.0.."),
        (format!("corners=[{point}]"), "corners: not 2 items"),
        (format!("corners=[{{'type': 'square'}}, {point}]"), "corners[0].type: not one of point, circle"),
        ("counts={'lost': 1}".into(), "counts: not one of pending, done"),
        ("log='x' * 100001".into(), "log: 100001 bytes"),
        ("file=bytes(200001)".into(), "file: 200001 bytes"),
    ] {
        let said = served.twisted.say(&format!("call(learned.Draw, **{{**{sample}, **dict({change})}})")).await;
        assert!(said.starts_with(&format!("ConstraintError: {told}")), "{change}: {said}");
    }
    let absent = format!("{{**{sample}, **dict(host=None, file=None, counts={{}}, shapes=[])}}");
    let expected = format!("{{**{sample}, **dict(host='127.0.0.1', file=b'', counts={{}}, shapes=[])}}");
    let same = format!("call(learned.Draw, **{absent}).addCallback(lambda it: it == {expected} or it)");
    assert_eq!(served.twisted.say(&same).await, "True");
}
