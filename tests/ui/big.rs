//! Values over several keys: names that clash with their parts, and options that the wire cannot tell apart.
use amp::value::{Big, FromZero};
use amp::{Arguments, Command, ErrorCodes, Value};

type Upload = Option<Big<Vec<u8>, 1_000_000>>;

#[derive(Arguments)]
struct Clashes {
    data: Upload,
    #[amp(name = "data.2")]
    second: u8,
    #[amp(name = "data.17")]
    late: Option<String>,
    rows: Big<Vec<u8>, 1_000_000, FromZero>,
    #[amp(name = "rows.0")]
    first: u8,
}

#[derive(Command)]
struct Apart {
    data: Big<Vec<u8>, 1_000_000>,
    #[amp(name = "data.1")]
    first: u8,
    #[amp(name = "data.02")]
    padded: u8,
    #[amp(name = "data.x")]
    named: u8,
    plain: Vec<u8>,
    #[amp(name = "plain.2")]
    second: u8,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("fields")]
    Fields {
        text: Big<String, 100_000>,
        #[amp(name = "text.2")]
        second: u8,
    },
}

#[derive(Arguments)]
struct Options {
    rows: Option<Big<Vec<u8>, 1_000_000, FromZero>>,
    told_apart: Option<Big<Clashes, 1_000_000, FromZero>>,
}

#[derive(Arguments)]
struct Aliases {
    #[amp(alias = "before")]
    data: Big<Vec<u8>, 1_000_000>,
    #[amp(alias = "before.2")]
    second: u8,
}

#[derive(Arguments)]
struct Taken {
    data: Big<Vec<u8>, 1_000_000>,
    #[amp(name = "more.0")]
    first: u8,
}

#[derive(Arguments)]
struct Takes {
    #[amp(flatten)]
    taken: Taken,
    #[amp(name = "data.10")]
    late: u8,
}

#[derive(Arguments)]
struct TakesToo {
    more: Big<Vec<u8>, 1_000_000, FromZero>,
    #[amp(flatten)]
    taken: Taken,
}

#[derive(Arguments)]
struct TakesApart {
    #[amp(name = "data.1")]
    first: u8,
    #[amp(name = "data.02", alias = "data.2x")]
    second: u8,
    #[amp(flatten)]
    taken: Taken,
}

type Blob = Big<Vec<u8>, 1_000_000>;

/// Behind another name.
#[derive(Arguments)]
struct Aliased {
    more: Blob,
    #[amp(flatten)]
    second: Second,
}

#[derive(Arguments)]
struct Second {
    #[amp(name = "more.2")]
    second: u8,
}

/// The key of the code is that of a field.
#[derive(Value)]
#[amp(tag = "data.2")]
enum Tagged {
    Held(Aliased),
    Large(Large),
    Inline {
        data: Blob,
    },
    Renamed {
        #[amp(name = "other", alias = "data", split = 1_000_000)]
        bytes: Vec<u8>,
    },
    /// One value of this name: no part of it.
    Apart {
        data: u8,
    },
}

#[derive(Arguments)]
struct Large {
    data: Blob,
}

#[derive(Value)]
enum Named {
    One {
        #[amp(alias = "type")]
        kind: String,
    },
    Other(Other),
}

#[derive(Arguments)]
struct Other {
    #[amp(alias = "type")]
    kind: String,
}

fn main() {}
