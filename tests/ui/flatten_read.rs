//! `flatten` that the macro itself refuses.
use amp::{Arguments, Command, ErrorCodes, Value};

#[derive(Arguments, Debug)]
struct Page {
    first: u32,
}

#[derive(Command)]
struct Settings {
    #[amp(flatten, name = "x", default, alias = "y", with = Z)]
    #[constrain(non_empty)]
    page: Page,
    #[amp(flatten = true)]
    other: Page,
}

#[derive(Arguments)]
struct Generic<T> {
    item: T,
    #[amp(flatten)]
    page: Page,
}

#[derive(Value)]
enum Event {
    Paged {
        #[amp(flatten)]
        page: Page,
    },
    Held(#[amp(flatten)] Page),
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("paged")]
    Paged {
        #[amp(flatten)]
        page: Page,
    },
}

fn main() {}
