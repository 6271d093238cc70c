//! Rules that do not fit their fields: the compiler points at the rule, in words.
use amp::Arguments;
use amp::constraint::Constraint;

struct Custom;

struct DivisibleBy(i64);

impl Constraint<i64> for DivisibleBy {
    fn holds(&self, value: &i64) -> bool {
        value % self.0 == 0
    }
}

fn is_even(number: &i64) -> bool {
    number % 2 == 0
}

fn no_set(number: i64) -> bool {
    number % 2 == 0
}

const NAMES: &[&str] = &["a"];
const LIMIT: i64 = 5;

#[derive(Arguments)]
struct Misfits {
    #[constrain(length = 1..=64)]
    length: i64,
    #[constrain(length(bytes = ..5))]
    length_in_bytes: Vec<u8>,
    #[constrain(length = ..LIMIT)]
    length_bound: String,
    #[constrain(non_empty)]
    non_empty: bool,
    #[constrain(range = 0..=100)]
    range: String,
    #[constrain(range = 0.5..1.5)]
    range_float: u8,
    #[constrain(range = -1..)]
    range_negative: u8,
    #[constrain(range = LIMIT..)]
    range_constant: u8,
    #[constrain(pattern = "a")]
    pattern: Vec<u8>,
    #[constrain(in_set = [1, 2])]
    in_set: String,
    #[constrain(in_set = NAMES)]
    in_constant: u8,
    #[constrain(not_in_set = no_set)]
    in_function: i64,
    #[constrain(in_set = LIMIT)]
    in_number: i64,
    #[constrain(with = is_even)]
    with_function: u8,
    #[constrain(with = DivisibleBy(3))]
    with_constraint: String,
    #[constrain(with = NAMES)]
    with_nothing: String,
    #[constrain(with = missing)]
    with_missing: String,
    #[constrain(each(range = 0..))]
    each: String,
    #[constrain(each(length = 1..))]
    each_item: Vec<u32>,
    #[constrain(each(each(length = 1..)))]
    each_each: Option<Vec<Vec<u32>>>,
    #[constrain(length = 1..)]
    optional: Option<u8>,
}

#[derive(Arguments)]
struct NoValue {
    #[constrain(non_empty, length = 1..)]
    custom: Custom,
}

fn main() {}
