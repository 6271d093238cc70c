//! Constraints of boxes in boxes: all that is broken is told, with its place, within bounds.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use amp::constraint::{Place, Violations};
use amp::value::Value;
use amp::{Arguments, Command};

fn found(arguments: &impl Arguments) -> Violations {
    let mut found = Violations::new();
    arguments.check(Place::WHOLE, &mut found);
    found
}

/// Generic in what is constrained.
#[derive(Arguments, Debug)]
pub struct Bounded<T>
where
    T: Value + PartialOrd + From<u8>,
{
    /// One.
    #[constrain(range = T::from(1)..)]
    pub one: T,
    /// Many.
    #[constrain(length = 1.., each(range = ..T::from(9)))]
    pub many: Vec<T>,
    /// Further ones.
    pub more: Option<Vec<Bounded<T>>>,
}

#[test]
fn what_is_constrained_may_be_generic() {
    let inner = Bounded { one: 0.5, many: vec![], more: None };
    let bounded = Bounded { one: 1.0, many: vec![9.0], more: Some(vec![inner]) };
    assert_eq!(
        found(&bounded).to_string(),
        "many[0]: not in ..T::from(9); more[0].many: length not in 1..; more[0].one: not in T::from(1).."
    );
}

/// A box in a list.
#[derive(Arguments, Debug)]
pub struct Node {
    /// Has a name of its own on the wire.
    #[amp(name = "Port")]
    #[constrain(range = 1..)]
    pub port: u16,
    /// Further ones.
    pub kids: Vec<Node>,
}

/// Boxes in every place.
#[derive(Command, Debug)]
pub struct Layout {
    /// All.
    #[constrain(length = 1..)]
    pub nodes: Vec<Node>,
    /// Above all.
    pub root: Option<Node>,
    /// After all.
    pub after: Option<Vec<Node>>,
}

fn node(port: u16) -> Node {
    Node { port, kids: vec![] }
}

fn layout(nodes: Vec<Node>) -> Layout {
    Layout { nodes, root: None, after: None }
}

#[test]
fn constraints_of_nested_boxes_hold_too_and_all_violations_are_told_in_the_order_of_the_names() {
    let mut command = layout(vec![node(1), Node { port: 0, kids: vec![node(1), node(0)] }]);
    assert!(found(&layout(vec![node(1)])).is_empty());
    command.root = Some(node(0));
    command.after = Some(vec![node(0)]);
    assert_eq!(
        found(&command).to_string(),
        "after[0].Port: not in 1..; nodes[1].Port: not in 1..; nodes[1].kids[1].Port: not in 1..; root.Port: not in 1.."
    );
    let mut nested = Violations::new();
    Value::check(&node(0), Place::WHOLE.key("outer"), &mut nested);
    assert_eq!(nested.to_string(), "outer.Port: not in 1..");
}

#[test]
fn no_more_than_sixteen_violations_are_told() {
    let found = found(&layout((0..40).map(|_| node(0)).collect()));
    assert_eq!((found.iter().count(), found.len()), (16, 40));
    assert!(found.to_string().ends_with("nodes[15].Port: not in 1..; and 24 more"));
}
