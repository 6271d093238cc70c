//! `text` and `json` where they do not fit.
use amp::{Arguments, Value};

struct Plain;

type Perhaps<T> = Option<T>;

#[derive(Arguments)]
struct Types {
    #[amp(text)]
    plain: Plain,
    #[amp(text)]
    several: Option<Vec<Plain>>,
    #[amp(json)]
    object: Plain,
    #[amp(json)]
    list: Option<Plain>,
}

#[derive(Arguments)]
struct Hidden {
    #[amp(json)]
    options: Perhaps<String>,
}

#[derive(Value)]
struct Held(#[amp(json)] Plain);

fn main() {}
