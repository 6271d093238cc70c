//! `#[constrain(..)]`: each rule lets pass what it should and names what it does not.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::Arguments;
use amp::constraint::{Constraint, Place, Violations};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// A rule with a parameter.
#[derive(Debug)]
pub struct DivisibleBy(i64);

impl Constraint<i64> for DivisibleBy {
    const CODE: &'static str = "divisible_by";

    fn holds(&self, value: &i64) -> bool {
        value % self.0 == 0
    }
}

fn is_even(number: &i64) -> bool {
    number % 2 == 0
}

const COLORS: &[&str] = &["red", "green"];
const LIMITS: RangeInclusive<u16> = 10..=20;
const SIZE: usize = 4;

fn ports() -> Vec<u16> {
    vec![80, 443]
}

/// One field for each rule.
#[derive(Arguments, Debug, Clone)]
pub struct Rules {
    /// An array.
    #[constrain(in_set = ["a", "b"])]
    pub in_texts: String,
    /// Byte strings of different lengths.
    #[constrain(in_set = [b"a", b"bc"])]
    pub in_bytes: Vec<u8>,
    /// Literals that learn their type from the field.
    #[constrain(in_set = [1, 0xff_ffff_ffff])]
    pub in_numbers: u64,
    /// A constant.
    #[constrain(in_set = COLORS)]
    pub in_constant: String,
    /// A function.
    #[constrain(in_set = ports)]
    pub in_function: u16,
    /// The opposite.
    #[constrain(not_in_set = [0, -1])]
    pub not_in_numbers: i8,
    /// Both ends.
    #[constrain(range = 1..=65535)]
    pub range_inclusive: u16,
    /// Without the end.
    #[constrain(range = -5..5)]
    pub range_half_open: i64,
    /// Without a start.
    #[constrain(range = ..=0.5)]
    pub range_float: f64,
    /// A constant.
    #[constrain(range = LIMITS)]
    pub range_constant: u16,
    /// Of an array's bounds.
    #[constrain(range = 3..)]
    pub range_from: u8,
    /// In characters.
    #[constrain(length = 1..=3)]
    pub length_text: String,
    /// In bytes.
    #[constrain(length(bytes = ..=3))]
    pub length_in_bytes: String,
    /// Exactly.
    #[constrain(length = 2)]
    pub length_exact: Vec<u8>,
    /// Exactly a constant.
    #[constrain(length = SIZE)]
    pub length_constant: Vec<u8>,
    /// In items.
    #[constrain(length = ..2)]
    pub length_list: Vec<u32>,
    /// As a whole.
    #[constrain(pattern = "[a-z]+|[0-9]+")]
    pub pattern: String,
    /// Something.
    #[constrain(non_empty)]
    pub non_empty: String,
    /// A function.
    #[constrain(with = is_even)]
    pub with_function: i64,
    /// A constraint with a parameter, and another.
    #[constrain(with = DivisibleBy(11), with = is_even)]
    #[constrain(range = ..1000)]
    pub with_constraint: i64,
    /// Items, and items of items.
    #[constrain(length = 1.., each(non_empty, each(range = 1..=9)))]
    pub each: Vec<Vec<i32>>,
    /// When it is there.
    #[constrain(length = 1..=3, pattern = "[^!]*")]
    pub option: Option<String>,
    /// When it is there, its items.
    #[constrain(each(range = 1..))]
    pub option_each: Option<Vec<i32>>,
}

impl Rules {
    fn valid() -> Self {
        Self {
            in_texts: "a".into(),
            in_bytes: b"bc".into(),
            in_numbers: 1,
            in_constant: "green".into(),
            in_function: 443,
            not_in_numbers: 1,
            range_inclusive: 65535,
            range_half_open: 4,
            range_float: 0.5,
            range_constant: 20,
            range_from: 3,
            length_text: "äöü".into(),
            length_in_bytes: "äb".into(),
            length_exact: b"xy".into(),
            length_constant: b"wxyz".into(),
            length_list: vec![1],
            pattern: "abc".into(),
            non_empty: "x".into(),
            with_function: 2,
            with_constraint: 22,
            each: vec![vec![1, 9]],
            option: None,
            option_each: Some(vec![]),
        }
    }
}

fn found(arguments: &impl Arguments) -> Violations {
    let mut found = Violations::new();
    arguments.check(Place::WHOLE, &mut found);
    found
}

/// The violations as text; each rule is proved by changing one field of the valid value.
fn broken(change: impl FnOnce(&mut Rules)) -> String {
    let mut rules = Rules::valid();
    change(&mut rules);
    found(&rules).to_string()
}

#[test]
fn nothing_is_found_where_everything_holds() {
    assert!(found(&Rules::valid()).is_empty());
}

#[test]
fn in_set_allows_what_is_in_the_set() {
    assert_eq!(broken(|it| it.in_texts = "c".into()), r#"in_texts: not in ["a", "b"]"#);
    assert_eq!(broken(|it| it.in_bytes = b"b".into()), r#"in_bytes: not in [b"a", b"bc"]"#);
    assert_eq!(broken(|it| it.in_numbers = 2), "in_numbers: not in [1, 0xff_ffff_ffff]");
    assert_eq!(broken(|it| it.in_constant = "blue".into()), "in_constant: not in COLORS");
    assert_eq!(broken(|it| it.in_function = 22), "in_function: not in ports");
    assert_eq!(broken(|it| it.in_numbers = 0xff_ffff_ffff), "");
}

#[test]
fn not_in_set_allows_everything_else() {
    assert_eq!(broken(|it| it.not_in_numbers = -1), "not_in_numbers: in [0, -1]");
}

#[test]
fn range_allows_what_lies_within() {
    assert_eq!(broken(|it| it.range_inclusive = 0), "range_inclusive: not in 1..=65535");
    assert_eq!(broken(|it| it.range_half_open = -6), "range_half_open: not in -5..5");
    assert_eq!(broken(|it| it.range_half_open = 5), "range_half_open: not in -5..5");
    assert_eq!(broken(|it| it.range_float = 0.75), "range_float: not in ..=0.5");
    assert_eq!(broken(|it| it.range_constant = 21), "range_constant: not in LIMITS");
    assert_eq!(broken(|it| it.range_from = 2), "range_from: not in 3..");
}

#[test]
fn nan_lies_in_no_range() {
    assert_eq!(broken(|it| it.range_float = f64::NAN), "range_float: not in ..=0.5");
    assert_eq!(broken(|it| it.range_float = f64::NEG_INFINITY), "");
}

#[test]
fn length_counts_characters_bytes_or_items() {
    assert_eq!(broken(|it| it.length_text = String::new()), "length_text: length not in 1..=3");
    assert_eq!(broken(|it| it.length_text = "äöüß".into()), "length_text: length not in 1..=3");
    assert_eq!(broken(|it| it.length_in_bytes = "äö".into()), "length_in_bytes: length in bytes not in ..=3");
    assert_eq!(broken(|it| it.length_exact = b"x".into()), "length_exact: length not 2");
    assert_eq!(broken(|it| it.length_constant = b"x".into()), "length_constant: length not in SIZE");
    assert_eq!(broken(|it| it.length_list = vec![1, 2]), "length_list: length not in ..2");
}

#[test]
fn pattern_matches_the_whole_text() {
    for wrong in ["", "ab1", "1a", " a", "a\n"] {
        assert_eq!(broken(|it| it.pattern = wrong.into()), "pattern: does not match [a-z]+|[0-9]+");
    }
    assert_eq!(broken(|it| it.pattern = "12".into()), "");
}

#[test]
fn non_empty_wants_something() {
    assert_eq!(broken(|it| it.non_empty = String::new()), "non_empty: empty");
}

#[test]
fn with_asks_a_function_or_a_constraint() {
    assert_eq!(broken(|it| it.with_function = 3), "with_function: does not hold: is_even");
    assert_eq!(broken(|it| it.with_constraint = 12), "with_constraint: does not hold: DivisibleBy(11)");
    assert_eq!(
        broken(|it| it.with_constraint = 1001),
        "with_constraint: does not hold: is_even; with_constraint: not in ..1000"
    );
}

#[test]
fn each_looks_at_the_items_of_a_list() {
    assert_eq!(broken(|it| it.each = vec![]), "each: length not in 1..");
    assert_eq!(broken(|it| it.each = vec![vec![1], vec![]]), "each[1]: empty");
    assert_eq!(broken(|it| it.each = vec![vec![1, 2], vec![3, 10]]), "each[1][1]: not in 1..=9");
}

#[test]
fn an_option_is_checked_when_it_is_there() {
    assert_eq!(
        broken(|it| it.option = Some("four!".into())),
        "option: length not in 1..=3; option: does not match [^!]*"
    );
    assert_eq!(broken(|it| it.option_each = Some(vec![1, 0])), "option_each[1]: not in 1..");
    assert_eq!(broken(|it| it.option_each = None), "");
}

#[test]
fn a_violation_has_a_code_for_programs() {
    let mut rules = Rules::valid();
    rules.with_constraint = 1;
    rules.length_in_bytes = "long".into();
    let found = found(&rules);
    let codes: Vec<_> = found.iter().map(|violation| (violation.path.as_str(), violation.rule)).collect();
    let expected = [("length_in_bytes", "length"), ("with_constraint", "divisible_by"), ("with_constraint", "with")];
    assert_eq!(codes, expected);
}

/// Rules for what holds a value, for arrays and for maps.
#[derive(Arguments, Debug, Clone)]
pub struct Held {
    /// Characters.
    #[constrain(length = 1..=3)]
    pub shared: Arc<str>,
    /// Bytes.
    #[constrain(length(bytes = ..=3), pattern = "[a-z\u{e9}]*")]
    pub constant: Cow<'static, str>,
    /// A list.
    #[constrain(non_empty, each(range = 1..))]
    pub items: Box<[i64]>,
    /// An array.
    #[constrain(each(non_empty))]
    pub array: [String; 2],
    /// A map.
    #[constrain(length = ..=1)]
    pub map: BTreeMap<String, Vec<Inner>>,
    /// A type with an order.
    #[constrain(range = Duration::ZERO..=Duration::from_secs(60))]
    pub wait: Duration,
    /// A set of them.
    #[constrain(not_in_set = [IpAddr::V4(Ipv4Addr::LOCALHOST)])]
    pub host: IpAddr,
}

/// A box within.
#[derive(Arguments, Debug, Clone)]
pub struct Inner {
    /// A number.
    #[constrain(range = 1..)]
    pub number: i64,
}

#[test]
fn what_holds_a_value_arrays_and_maps_are_looked_at_as_values_and_lists_are() {
    let held = Held {
        shared: "\u{e9}\u{e9}\u{e9}".into(),
        constant: "abc".into(),
        items: Box::new([1]),
        array: ["a".into(), "b".into()],
        map: BTreeMap::new(),
        wait: Duration::from_secs(60),
        host: Ipv4Addr::UNSPECIFIED.into(),
    };
    assert!(found(&held).is_empty(), "{}", found(&held));
    let places = |change: &dyn Fn(&mut Held)| {
        let mut held = held.clone();
        change(&mut held);
        found(&held).iter().map(|violation| format!("{} {}", violation.path, violation.rule)).collect::<Vec<_>>()
    };
    assert_eq!(places(&|held| held.shared = "".into()), ["shared length"]);
    assert_eq!(places(&|held| held.constant = "\u{e9}\u{e9}".into()), ["constant length"]);
    assert_eq!(places(&|held| held.constant = "A".into()), ["constant pattern"]);
    assert_eq!(places(&|held| held.items = Box::new([])), ["items non_empty"]);
    assert_eq!(places(&|held| held.items = Box::new([1, 0])), ["items[1] range"]);
    assert_eq!(places(&|held| held.array[1].clear()), ["array[1] non_empty"]);
    assert_eq!(places(&|held| held.wait += Duration::from_nanos(1)), ["wait range"]);
    assert_eq!(places(&|held| held.host = Ipv4Addr::LOCALHOST.into()), ["host not_in_set"]);
    let two = || ["a", "b"].map(|key| (key.to_owned(), vec![Inner { number: 1 }, Inner { number: 0 }])).into();
    let all = ["map length", "map[0].value[1].number range", "map[1].value[1].number range"];
    assert_eq!(places(&|held| held.map = two()), all);
}
