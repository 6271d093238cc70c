//! `#[constrain(with = ..)]`: functions of the value's own type and of what it is lent as, and constraints.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use amp::Arguments;
use amp::constraint::{Constraint, Place, Violations};

/// A constraint without parameters.
#[derive(Debug)]
pub struct Even;

impl Constraint<i64> for Even {
    const CODE: &'static str = "even";

    fn holds(&self, value: &i64) -> bool {
        value % 2 == 0
    }
}

/// A constraint for every text.
#[derive(Debug)]
pub struct Short(usize);

impl<T: AsRef<str> + ?Sized> Constraint<T> for Short {
    fn holds(&self, value: &T) -> bool {
        value.as_ref().len() <= self.0
    }
}

const SHORT: Short = Short(9);

fn is_host(host: &str) -> bool {
    host.contains('.')
}

fn is_sorted<T: Ord>(items: &[T]) -> bool {
    items.is_sorted()
}

fn is_new(items: &Vec<u32>) -> bool {
    items.capacity() < 100
}

fn is_not_default<T: Default + PartialEq>(value: &T) -> bool {
    *value != T::default()
}

/// One field for each form.
#[derive(Arguments, Debug)]
pub struct Forms {
    /// Functions of what it is lent as, of its type, and of any type; constraints.
    #[constrain(with = is_host, with = |text: &String| text.is_ascii(), with = SHORT, with = Short(5))]
    #[constrain(with = is_not_default::<String>)]
    pub text: String,
    /// When it is there.
    #[constrain(with = is_host)]
    pub option: Option<String>,
    /// A list as a slice and as itself, and its items.
    #[constrain(with = is_sorted, with = is_new, each(with = is_not_default))]
    pub list: Vec<u32>,
    /// Texts within a list.
    #[constrain(each(with = is_host))]
    pub texts: Vec<String>,
    /// A unit struct.
    #[constrain(with = Even)]
    pub number: i64,
}

fn broken(text: &str, option: Option<&str>, list: &[u32], texts: &[&str], number: i64) -> String {
    let texts = texts.iter().map(|&text| text.into()).collect();
    let forms = Forms { text: text.into(), option: option.map(Into::into), list: list.into(), texts, number };
    let mut found = Violations::new();
    forms.check(Place::WHOLE, &mut found);
    found.to_string()
}

#[test]
fn a_function_may_take_what_the_value_is_lent_as() {
    assert_eq!(broken("a.b", Some("c.d"), &[1, 2], &["e.f"], 2), "");
    assert_eq!(broken("a.b", None, &[2, 1], &[], 0), "list: does not hold: is_sorted");
    assert_eq!(
        broken("a.b", Some("c"), &[], &["e.f", "g"], 0),
        "option: does not hold: is_host; texts[1]: does not hold: is_host"
    );
}

#[test]
fn a_constraint_and_a_function_of_the_values_own_type_fit_as_before() {
    assert_eq!(
        broken("a.b.c.d", None, &[0], &[], 1),
        "list[0]: does not hold: is_not_default; number: does not hold: Even; text: does not hold: Short(5)"
    );
    assert!(broken("ä.", None, &[], &[], 0).starts_with("text: does not hold"));
}
