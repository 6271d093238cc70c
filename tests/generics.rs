//! Boxes with type parameters, also such as hold each other.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use amp::value::{BoxReader, BoxWriter, Value};
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{Arguments, Command, ErrorCodes};

/// Holds nodes.
#[derive(Arguments, Debug, PartialEq)]
#[amp(bound = "T: Value")]
pub struct Tree<T> {
    /// The nodes.
    pub nodes: Vec<Node<T>>,
    /// What the tree is about.
    pub value: T,
}

/// Holds trees.
#[derive(Arguments, Debug, PartialEq)]
#[amp(bound = "T: Value")]
pub struct Node<T> {
    /// The trees.
    pub trees: Vec<Tree<T>>,
    /// What the node is about.
    pub value: Option<T>,
}

/// Plants one.
#[derive(Command, Debug)]
#[amp(bound = "T: Value, T: std::fmt::Debug", errors = Taken<T>)]
pub struct Plant<T>
where
    T: PartialEq + Sync,
{
    /// The tree.
    pub tree: Tree<T>,
}

/// There is one already.
#[derive(ErrorCodes, thiserror::Error, Debug)]
#[amp(bound = "T: Value + std::fmt::Debug")]
pub enum Taken<T> {
    /// This one.
    #[error("taken")]
    By {
        /// It.
        tree: Tree<T>,
    },
}

/// Conditions on fields are the compiler's: a derive sees what is left.
#[derive(Arguments, Debug, PartialEq)]
pub struct Conditional {
    /// Is there, under another name.
    #[cfg_attr(all(), amp(name = "b"))]
    pub a: u8,
    /// Is not there.
    #[cfg_attr(all(), cfg(any()))]
    pub absent: std::collections::HashMap<u8, u8>,
    /// Is not there either.
    #[cfg(any())]
    pub also: Nothing,
}

fn through_a_box<T: Arguments>(value: &T) -> Option<T> {
    let mut bytes = Vec::new();
    let mut out = BoxWriter::new(&mut bytes, 8);
    value.put_leading(&mut out).ok()?;
    value.put_trailing(&mut out).ok()?;
    out.finish(1000).ok()?;
    let raw = BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes[..].into()).next_box().ok()??;
    T::take(&mut BoxReader::new(&raw, 8)).ok()
}

#[test]
fn two_boxes_with_a_parameter_may_hold_lists_of_each_other() {
    let tree =
        || Tree { nodes: vec![Node { trees: vec![Tree { nodes: vec![], value: 1 }], value: None }], value: 2_u8 };
    assert_eq!(through_a_box(&tree()), Some(tree()));
    assert_eq!(through_a_box(&Plant { tree: tree() }).map(|plant| plant.tree), Some(tree()));
    assert_eq!(Taken::By { tree: tree() }.code(), "BY");
}

#[test]
fn a_setting_and_a_field_may_stand_behind_a_condition() {
    assert_eq!(Conditional::FIELDS.fields.iter().map(|field| field.name).collect::<Vec<_>>(), ["b"]);
    assert_eq!(through_a_box(&Conditional { a: 1 }), Some(Conditional { a: 1 }));
}
