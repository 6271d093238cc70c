//! Sets that are none, functions that take something else, and a pattern that is too large.
use amp::Arguments;
use amp::constraint::Constraint;

const LIMIT: u16 = 9;
const NAME: &str = "a";

struct Even;

impl Constraint<i64> for Even {
    fn holds(&self, value: &i64) -> bool {
        value % 2 == 0
    }
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Arguments)]
struct Wrong {
    #[constrain(in_set = LIMIT)]
    number: u16,
    #[constrain(not_in_set = NAME)]
    name: String,
    #[constrain(with = is_host)]
    bytes: Vec<u8>,
    #[constrain(with = Even)]
    text: String,
    #[constrain(with = LIMIT)]
    limit: u16,
    #[constrain(with = is_default)]
    generic: String,
    #[constrain(each(with = is_host))]
    numbers: Vec<u32>,
}

#[derive(Arguments)]
struct Large {
    #[constrain(pattern = r"\w{1,1000}")]
    text: String,
}

fn main() {}
