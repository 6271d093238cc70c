//! What is declared is known as data: names, types, docs, constraints and errors.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use std::ops::Bound;

use amp::schema::{AmpType, FieldDeclaration, Rule, WireValue};
use amp::value::Value;
use amp::{Arguments, Command, ErrorCodes};

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

/// Generic, and holds itself.
#[derive(Arguments, Debug)]
pub struct Tree<T: Value> {
    /// One.
    pub one: T,
    /// Further ones.
    pub more: Option<Vec<Tree<T>>>,
}

/// A field for each form of rule.
#[derive(Arguments, Debug)]
#[allow(missing_docs)]
pub struct Rules {
    #[constrain(in_set = ["a", "b"])]
    pub in_texts: String,
    #[constrain(in_set = [b"a", b"bc"])]
    pub in_bytes: Vec<u8>,
    #[constrain(in_set = ports)]
    pub in_function: u16,
    #[constrain(not_in_set = [0, -1])]
    pub not_in_numbers: i8,
    #[constrain(range = -5..5)]
    pub range_half_open: i64,
    #[constrain(range = ..=0.5)]
    pub range_float: f64,
    #[constrain(length(bytes = ..=3))]
    pub length_in_bytes: String,
    #[constrain(length = 2)]
    pub length_exact: Vec<u8>,
    #[constrain(pattern = "[a-z]+|[0-9]+")]
    pub pattern: String,
    #[constrain(non_empty)]
    pub non_empty: String,
    #[constrain(with = is_even)]
    pub with_function: i64,
    #[constrain(length = 1.., each(non_empty, each(range = 1..=9)))]
    pub each: Vec<Vec<i32>>,
    #[constrain(length = 1..=3, pattern = "[^!]*")]
    pub option: Option<String>,
}

fn ports() -> Vec<u16> {
    vec![80, 443]
}

fn is_even(number: &i64) -> bool {
    number % 2 == 0
}

/// Lays nodes out.
///
///  - in order
#[derive(Command, Debug)]
#[amp(response = Node, errors = Fault, name = "lay-out")]
pub struct Layout {
    /// All.
    #[constrain(length = 1..)]
    pub nodes: Vec<Node>,
    /// Above all.
    pub root: Option<Node>,
    /** In another notation. */
    pub after: Option<Vec<Node>>,
    /// A number.
    pub number: u8,
    /// Upper sorts first.
    #[amp(name = "Upper")]
    pub upper: Vec<Vec<u8>>,
}

/// The errors.
#[derive(ErrorCodes, thiserror::Error, Debug)]
pub enum Fault {
    /// Too many.
    #[error("too many")]
    #[amp(fatal)]
    TooMany,
    /// Wrong.
    #[error("{0}")]
    #[amp(code = "VALUE_ERROR", invalid_argument)]
    Value(String),
    #[error("busy")]
    #[allow(missing_docs)]
    Busy {
        /// How long.
        seconds: Option<u8>,
    },
}

fn field(fields: &[FieldDeclaration], name: &str) -> FieldDeclaration {
    *fields.iter().find(|field| field.name == name).expect("a field of that name")
}

#[test]
fn a_command_carries_its_declaration() {
    let declared = const { Layout::DECLARATION };
    assert_eq!((declared.name, declared.doc), ("lay-out", "Lays nodes out.\n\n - in order"));
    assert!(declared.answered);
    assert_eq!((declared.arguments.name, declared.response.name), ("Layout", "Node"));
    let fields: Vec<_> =
        declared.arguments.fields.iter().map(|field| (field.name, field.doc, field.optional)).collect();
    let expected = [
        ("Upper", "Upper sorts first.", false),
        ("after", "In another notation.", true),
        ("nodes", "All.", false),
        ("number", "A number.", false),
        ("root", "Above all.", true),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_declaration_knows_the_amp_types() {
    let fields = Layout::FIELDS.fields;
    let AmpType::ListOf(AmpType::Bytes) = field(fields, "Upper").value else { panic!("not a list of byte strings") };
    let AmpType::Integer("u8") = field(fields, "number").value else { panic!("not an integer") };
    let AmpType::Box(root) = field(fields, "root").value else { panic!("not a box") };
    let AmpType::AmpList(nodes) = field(fields, "nodes").value else { panic!("not an AmpList") };
    let AmpType::AmpList(_) = field(fields, "after").value else { panic!("not an AmpList") };
    assert_eq!((root().name, nodes().name), ("Node", "Node"));
    let AmpType::AmpList(more) = field(Tree::<i64>::FIELDS.fields, "more").value else { panic!("not an AmpList") };
    assert!(matches!(field(more().fields, "one").value, AmpType::Integer("i64")));
    let AmpType::AmpList(kids) = field(nodes().fields, "kids").value else { panic!("not an AmpList") };
    assert_eq!(kids().fields.len(), 2);
}

#[test]
fn a_declaration_knows_the_errors() {
    let [many, value, busy] = Fault::ERRORS else { panic!("not three errors") };
    assert_eq!(
        (many.code, many.name, many.doc, many.fatal, many.invalid_argument),
        ("TOO_MANY", "TooMany", "Too many.", true, false)
    );
    assert_eq!((value.code, value.name, value.fatal, value.invalid_argument), ("VALUE_ERROR", "Value", false, true));
    assert_eq!(
        (busy.doc, busy.fields[0].name, busy.fields[0].doc, busy.fields[0].optional),
        ("", "seconds", "How long.", true)
    );
}

fn rules(name: &str) -> Vec<(&'static str, &'static str, Rule)> {
    let declared = field(Rules::FIELDS.fields, name).constraints.iter();
    declared
        .map(|constraint| (constraint.words, constraint.rule))
        .map(|(words, rule)| {
            let (code, rule) = rule();
            (words, code, rule)
        })
        .collect()
}

#[test]
fn a_declaration_knows_the_constraints() {
    let texts = |items: &[&str]| items.iter().map(|item| WireValue::from(*item)).collect::<Vec<_>>();
    assert_eq!(rules("in_texts"), [(r#"not in ["a", "b"]"#, "in_set", Rule::InSet(texts(&["a", "b"])))]);
    assert_eq!(rules("in_bytes")[0].2, Rule::InSet(texts(&["a", "bc"])));
    assert_eq!(rules("in_function")[0].2, Rule::InSet(texts(&["80", "443"])));
    assert_eq!(rules("not_in_numbers"), [("in [0, -1]", "not_in_set", Rule::NotInSet(texts(&["0", "-1"])))]);
    assert_eq!(rules("range_half_open")[0].2, Rule::Range(Bound::Included(b"-5".into()), Bound::Excluded(b"5".into())));
    assert_eq!(rules("range_float")[0].2, Rule::Range(Bound::Unbounded, Bound::Included(b"0.5".into())));
    assert_eq!(rules("length_exact")[0].2, Rule::Length(Bound::Included(2), Bound::Included(2)));
    assert_eq!(rules("length_in_bytes")[0].2, Rule::LengthInBytes(Bound::Unbounded, Bound::Included(3)));
    assert_eq!(rules("pattern")[0].2, Rule::Pattern("[a-z]+|[0-9]+".to_owned()));
    assert_eq!(rules("with_function"), [("does not hold: is_even", "with", Rule::Opaque)]);
    assert_eq!(rules("option").len(), 2);
    let one_to_nine = Rule::Range(Bound::Included(b"1".into()), Bound::Included(b"9".into()));
    assert_eq!(rules("each")[2], ("not in 1..=9", "range", Rule::Each(Box::new(Rule::Each(Box::new(one_to_nine))))));
    assert!(rules("non_empty").len() == 1 && field(Layout::FIELDS.fields, "root").constraints.is_empty());
}
