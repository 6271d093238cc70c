//! `#[constrain(with = .., at = [..])]` on a struct: rules for several fields together.
#![allow(clippy::unwrap_used)]

use amp::connection::pair;
use amp::constraint::{Constraint, Place, Violations};
use amp::schema::{Rule, Schema};
use amp::{Arguments, Command, Connection, Reply, Value, responder};

/// From and to in order.
#[derive(Arguments, Debug, Clone, PartialEq)]
#[constrain(with = Span::is_ordered, at = [from, r#type])]
struct Span {
    from: u32,
    #[amp(name = "to")]
    r#type: u32,
    #[constrain(range = 1..)]
    step: u32,
}

impl Span {
    fn is_ordered(&self) -> bool {
        self.from <= self.r#type
    }
}

/// A rule with a name of its own.
struct Differ;

impl Constraint<Copy> for Differ {
    const CODE: &'static str = "differ";

    fn holds(&self, copy: &Copy) -> bool {
        copy.source != copy.target
    }

    fn rule(&self) -> Rule {
        Rule::Length(std::ops::Bound::Unbounded, std::ops::Bound::Unbounded)
    }
}

#[derive(Command, Debug, Clone)]
#[amp(response = Span)]
#[constrain(with = Differ, at = [source, target])]
#[constrain(at = [spans], with = has_few)]
struct Copy {
    source: String,
    target: String,
    spans: Vec<Span>,
}

fn has_few(copy: &Copy) -> bool {
    copy.spans.len() < 3
}

#[derive(Arguments, Debug)]
#[constrain(with = is_short, at = [items])]
struct Items<T> {
    items: Vec<T>,
}

fn is_short<T>(it: &Items<T>) -> bool {
    it.items.len() < 2
}

#[derive(Arguments, Debug)]
struct Flat {
    #[amp(flatten)]
    span: Span,
}

#[derive(Value, Debug)]
enum Event {
    Span(Span),
}

fn span(from: u32, to: u32) -> Span {
    Span { from, r#type: to, step: 1 }
}

fn violations(check: impl FnOnce(Place<'_>, &mut Violations)) -> String {
    let mut found = Violations::new();
    check(Place::WHOLE, &mut found);
    found.to_string()
}

#[test]
fn a_violation_names_the_fields_of_the_rule_wherever_the_struct_is() {
    let broken = || span(2, 1);
    assert_eq!(violations(|place, found| Arguments::check(&span(1, 1), place, found)), "");
    let said = "from, to: does not hold: Span::is_ordered";
    assert_eq!(violations(|place, found| Arguments::check(&broken(), place, found)), said);
    assert_eq!(violations(|place, found| Arguments::check(&Flat { span: broken() }, place, found)), said);
    assert_eq!(violations(|place, found| Event::Span(broken()).check(place.key("it"), found)), format!("it.{said}"));
    let both = Span { step: 0, ..broken() };
    assert_eq!(violations(|place, found| Arguments::check(&both, place, found)), format!("step: not in 1..; {said}"));
    let spans = vec![span(1, 1), broken(), span(1, 1)];
    let copy = Copy { source: "a".into(), target: "a".into(), spans };
    assert_eq!(
        violations(|place, found| copy.check(place, found)),
        "spans[1].from, to: does not hold: Span::is_ordered; source, target: does not hold: Differ; \
         spans: does not hold: has_few"
    );
    let items = Items { items: vec![1, 2] };
    assert_eq!(violations(|place, found| Arguments::check(&items, place, found)), "items: does not hold: is_short");
}

#[test]
fn a_rule_has_its_code_and_stands_in_a_schema_at_each_of_its_fields() {
    let mut found = Violations::new();
    Copy { source: String::new(), target: String::new(), spans: vec![] }.check(Place::WHOLE, &mut found);
    assert_eq!(found.iter().map(|violation| violation.rule).collect::<Vec<_>>(), ["differ"]);
    let schema = Schema::of([Copy::DECLARATION]);
    assert_eq!(
        schema.to_string(),
        "command Copy\n  \
         argument source: Unicode, differ: a rule of the program (does not hold: Differ (source, target))\n  \
         argument spans: AmpList(Span), with: a rule of the program (does not hold: has_few (spans))\n  \
         argument target: Unicode, differ: a rule of the program (does not hold: Differ (source, target))\n  \
         response from: Integer(u32), with: a rule of the program (does not hold: Span::is_ordered (from, to))\n  \
         response step: Integer(u32), range: within \"1\"..\n  \
         response to: Integer(u32), with: a rule of the program (does not hold: Span::is_ordered (from, to))\n\
         box Span\n  \
         field from: Integer(u32), with: a rule of the program (does not hold: Span::is_ordered (from, to))\n  \
         field step: Integer(u32), range: within \"1\"..\n  \
         field to: Integer(u32), with: a rule of the program (does not hold: Span::is_ordered (from, to))\n"
    );
    let python = schema.to_twisted();
    assert!(python.contains("# only Rust checks: does not hold: Differ (source, target)\n"), "{python}");
}

struct Copies;

#[responder]
impl Copies {
    async fn copy(&self, copy: Copy) -> Reply<Copy> {
        Ok(if copy.source == "broken" { span(2, 1) } else { span(1, 2) })
    }
}

/// The same command without rules.
#[derive(Command)]
#[amp(name = "Copy")]
struct Loose {
    source: String,
    target: String,
    spans: Vec<Span>,
}

#[tokio::test]
async fn rules_for_a_struct_are_checked_at_both_ends_and_in_answers() {
    let (near, _far) = pair(Connection::builder(), Connection::builder().locator(Copies.into_locator()));
    let copy = |source: &str, target: &str| Copy { source: source.into(), target: target.into(), spans: vec![] };
    assert_eq!(near.call(copy("a", "b")).await.unwrap(), span(1, 2));
    let refused = near.call(copy("a", "a")).await.unwrap_err().to_string();
    assert!(refused.contains("source, target: does not hold: Differ") && !refused.contains("INVALID"), "{refused}");
    let loose = Loose { source: "a".into(), target: "a".into(), spans: vec![] };
    let refused = near.call(loose).await.unwrap_err().to_string();
    assert!(refused.contains("source, target: does not hold: Differ") && refused.contains("INVALID"), "{refused}");
    assert!(near.call(copy("broken", "b")).await.is_err(), "the answer breaks the rule");
}
