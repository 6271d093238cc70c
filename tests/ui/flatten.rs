//! `flatten` where it does not fit.
use amp::{Arguments, Command, Exposed, Peer};

#[derive(Arguments)]
struct Page {
    first: u32,
    #[amp(alias = "limit")]
    count: u32,
}

#[derive(Arguments)]
struct Other {
    #[amp(name = "first")]
    other: u32,
}

#[derive(Arguments)]
struct Limit {
    limit: u32,
}

#[derive(Command)]
struct Own {
    count: u8,
    #[amp(flatten)]
    page: Page,
}

#[derive(Command)]
struct Two {
    #[amp(flatten)]
    page: Page,
    #[amp(flatten)]
    other: Other,
    #[amp(flatten)]
    limit: Limit,
}

#[derive(Command)]
struct NoFields {
    #[amp(flatten)]
    number: u8,
    #[amp(flatten)]
    optional: Option<Page>,
}

#[derive(Command)]
struct Seen {
    by: String,
    #[exposed]
    peer: Exposed<Peer>,
}

#[derive(Arguments)]
struct Before {
    #[amp(flatten)]
    seen: Seen,
}

fn main() {}
