//! Commands with one field for each rule of `#[constrain(..)]`, and for each field a value that breaks its rule.
//!
//! Included by the tests in which a script, a raw socket and Twisted send these values. The commands' twins in Python
//! (`interop/python/commands.py`) know no constraints.

use amp::constraint::Constraint;
use amp::value::BoxReader;
use amp::wire::{BoxDecoder, BoxLimits};
use amp::{Arguments, Command, ErrorCodes};

/// A rule with a parameter.
pub(crate) struct DivisibleBy(i64);

impl Constraint<i64> for DivisibleBy {
    const CODE: &'static str = "divisible_by";

    fn holds(&self, value: &i64) -> bool {
        value % self.0 == 0
    }
}

const PORTS: [u16; 2] = [80, 443];

fn ports() -> Vec<u16> {
    PORTS.to_vec()
}

fn is_even(number: &i64) -> bool {
    number % 2 == 0
}

#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct Node {
    #[constrain(range = 1..)]
    pub(crate) port: u16,
}

/// The same, and knows no constraint.
#[derive(Arguments, Debug, PartialEq)]
pub(crate) struct LooseNode {
    pub(crate) port: u16,
}

/// A caller that declares the refusal gets it as a value.
#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
pub(crate) enum Refused {
    #[error("{0}")]
    #[amp(code = "VALUE_ERROR", invalid_argument)]
    Value(String),
}

macro_rules! guarded {
    ($(#[$amp:meta])? $derive:ident $name:ident) => {
        #[derive($derive, Debug, Default, PartialEq)]
        $(#[$amp])?
        pub(crate) struct $name {
            #[constrain(in_set = ["a", "b"])]
            pub(crate) in_set_of_an_array: Option<String>,
            #[constrain(in_set = PORTS)]
            pub(crate) in_set_of_a_constant: Option<u16>,
            #[constrain(in_set = ports)]
            pub(crate) in_set_of_a_function: Option<u16>,
            #[constrain(not_in_set = [0, -1])]
            pub(crate) not_in_set: Option<i64>,
            #[constrain(range = 1..=9)]
            pub(crate) range: Option<i32>,
            #[constrain(range = ..0.5)]
            pub(crate) range_of_floats: Option<f64>,
            #[constrain(range = 0.0..)]
            pub(crate) range_without_nan: Option<f64>,
            #[constrain(length = 2)]
            pub(crate) length_of_bytes: Option<Vec<u8>>,
            #[constrain(length = 1..=3)]
            pub(crate) length_of_text: Option<String>,
            #[constrain(length = ..2)]
            pub(crate) length_of_a_list: Option<Vec<u32>>,
            #[constrain(length(bytes = ..=3))]
            pub(crate) length_in_bytes: Option<String>,
            #[constrain(pattern = "[a-z]+|[0-9]+")]
            pub(crate) pattern: Option<String>,
            #[constrain(non_empty)]
            pub(crate) non_empty: Option<String>,
            #[constrain(with = is_even)]
            pub(crate) with_a_function: Option<i64>,
            #[constrain(with = DivisibleBy(11))]
            pub(crate) with_a_parameter: Option<i64>,
            #[constrain(each(range = 1..=9))]
            pub(crate) each: Option<Vec<i32>>,
            pub(crate) nested_box: Option<Node>,
            #[constrain(length = ..=20)]
            pub(crate) amp_list: Option<Vec<Node>>,
        }
    };
}

guarded!(Command Guarded);
guarded!(#[amp(errors = Refused)] Command Valued);
guarded!(Arguments Given);

macro_rules! loose {
    ($(#[$amp:meta])? $derive:ident $name:ident) => {
        #[derive($derive, Debug, Default, PartialEq)]
        $(#[$amp])?
        #[allow(dead_code, reason = "not every includer needs all of them")]
        pub(crate) struct $name {
            pub(crate) in_set_of_an_array: Option<String>,
            pub(crate) in_set_of_a_constant: Option<u16>,
            pub(crate) in_set_of_a_function: Option<u16>,
            pub(crate) not_in_set: Option<i64>,
            pub(crate) range: Option<i32>,
            pub(crate) range_of_floats: Option<f64>,
            pub(crate) range_without_nan: Option<f64>,
            pub(crate) length_of_bytes: Option<Vec<u8>>,
            pub(crate) length_of_text: Option<String>,
            pub(crate) length_of_a_list: Option<Vec<u32>>,
            pub(crate) length_in_bytes: Option<String>,
            pub(crate) pattern: Option<String>,
            pub(crate) non_empty: Option<String>,
            pub(crate) with_a_function: Option<i64>,
            pub(crate) with_a_parameter: Option<i64>,
            pub(crate) each: Option<Vec<i32>>,
            pub(crate) nested_box: Option<LooseNode>,
            pub(crate) amp_list: Option<Vec<LooseNode>>,
        }
    };
}

loose!(#[amp(name = "Valued", errors = Refused)] Command LooseValued);

/// Is answered with the value that breaks this rule.
#[derive(Command, Debug)]
#[amp(response = Given)]
pub(crate) struct Give {
    pub(crate) rule: String,
}

/// A value that breaks one rule.
#[allow(dead_code, reason = "not every includer needs all of it")]
pub(crate) struct Case {
    /// The field, which is named after its rule.
    pub(crate) rule: &'static str,
    pub(crate) wire: &'static [u8],
    /// Where and what, in words.
    pub(crate) told: &'static str,
    /// The code for programs.
    pub(crate) code: &'static str,
}

#[rustfmt::skip]
const CASES: [(&str, &[u8], &str, &str); 18] = [
    ("in_set_of_an_array", b"c", r#"in_set_of_an_array: not in ["a", "b"]"#, "in_set"),
    ("in_set_of_a_constant", b"22", "in_set_of_a_constant: not in PORTS", "in_set"),
    ("in_set_of_a_function", b"22", "in_set_of_a_function: not in ports", "in_set"),
    ("not_in_set", b"-1", "not_in_set: in [0, -1]", "not_in_set"),
    ("range", b"10", "range: not in 1..=9", "range"),
    ("range_of_floats", b"0.5", "range_of_floats: not in ..0.5", "range"),
    ("range_without_nan", b"nan", "range_without_nan: not in 0.0..", "range"),
    ("length_of_bytes", b"xyz", "length_of_bytes: length not 2", "length"),
    ("length_of_text", "äöüß".as_bytes(), "length_of_text: length not in 1..=3", "length"),
    ("length_of_a_list", b"\0\x011\0\x012", "length_of_a_list: length not in ..2", "length"),
    ("length_in_bytes", "äö".as_bytes(), "length_in_bytes: length in bytes not in ..=3", "length"),
    ("pattern", b"a1", "pattern: does not match [a-z]+|[0-9]+", "pattern"),
    ("non_empty", b"", "non_empty: empty", "non_empty"),
    ("with_a_function", b"3", "with_a_function: does not hold: is_even", "with"),
    ("with_a_parameter", b"12", "with_a_parameter: does not hold: DivisibleBy(11)", "divisible_by"),
    ("each", b"\0\x011\0\x010", "each[1]: not in 1..=9", "range"),
    ("nested_box", b"\0\x04port\0\x010\0\0", "nested_box.port: not in 1..", "range"),
    ("amp_list", b"\0\x04port\0\x011\0\0\0\x04port\0\x010\0\0", "amp_list[1].port: not in 1..", "range"),
];

impl Case {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        CASES.iter().map(|&(rule, wire, told, code)| Self { rule, wire, told, code })
    }

    /// The case of this rule.
    pub(crate) fn of(rule: &str) -> Self {
        Self::all().find(|case| case.rule == rule).expect("a case for the rule")
    }

    /// Fields that break the rule and no other.
    pub(crate) fn breaking<A: Arguments>(&self) -> A {
        let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
        let pairs = amp::AmpBox::new().with(self.rule, self.wire).expect("a key and a value");
        let mut bytes = Vec::new();
        pairs.encode(&mut bytes);
        decoder.buffer().extend_from_slice(&bytes);
        let raw = decoder.next_box().expect("a box").expect("a whole box");
        A::take(&mut BoxReader::new(&raw, BoxLimits::DEFAULT.nesting)).expect("fields that decode")
    }
}

/// A test for each rule, of the one function that shows it.
macro_rules! each_rule {
    ($(#[$test:meta])* $show:ident) => {
        each_rule! { ($(#[$test])*) $show:
            in_set_of_an_array in_set_of_a_constant in_set_of_a_function not_in_set range range_of_floats
            range_without_nan length_of_bytes length_of_text length_of_a_list length_in_bytes pattern non_empty
            with_a_function with_a_parameter each nested_box amp_list
        }
    };
    ($tests:tt $show:ident: $($rule:ident)*) => {
        $(each_rule! { @test $tests $show $rule })*
    };
    (@test ($(#[$test:meta])*) $show:ident $rule:ident) => {
        $(#[$test])*
        async fn $rule() {
            $show(&Case::of(stringify!($rule))).await;
        }
    };
}
pub(crate) use each_rule;
