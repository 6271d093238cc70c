//! Rules that cannot be: each mistake on its own tokens.
use amp::{Arguments, Command, ErrorCodes, Exposed, Peer};

#[derive(Arguments)]
#[constrain(non_empty)]
struct Form {
    #[constrain]
    a: String,
    #[constrain()]
    b: String,
    #[constrain = "non_empty"]
    c: String,
    #[constrain(min_length = 5, len = 5, max = 5, "text", non_empty = true, non_empty = )]
    d: String,
    #[constrain(range, in_set =, with = , pattern = 5, length 5)]
    e: String,
    #[constrain(range = 0..=5 6, non_empty non_empty)]
    f: u8,
    #[constrain(each, each(), each = 5)]
    g: Vec<u8>,
    #[constrain(length(chars = 5), length(5), length(bytes))]
    h: String,
    #[constrain(each(nothing, each()))]
    i: Vec<Vec<u8>>,
}

#[derive(Arguments)]
struct Twice {
    #[constrain(range = 0..5, range = 3..)]
    a: u8,
    #[constrain(length = 5)]
    #[constrain(non_empty, length = 6, length(bytes = 5))]
    b: String,
    #[constrain(each(range = 0..5), each(range = 0..6))]
    c: Vec<u8>,
    #[constrain(length = 1, each(length = 1, length = 2))]
    d: Vec<String>,
}

#[derive(Arguments)]
struct Sets {
    #[constrain(in_set = [])]
    a: u8,
    #[constrain(not_in_set = &[])]
    b: u8,
    #[constrain(not_in_set = {1, 2})]
    g: u8,
    #[constrain(in_set = 5)]
    c: u8,
    #[constrain(in_set = "text")]
    d: String,
    #[constrain(not_in_set = 0..5)]
    e: u8,
    #[constrain(in_set = [0.0, f64::NAN])]
    f: f64,
}

#[derive(Arguments)]
struct Ranges {
    #[constrain(range = 100..=0)]
    a: u8,
    #[constrain(range = 5..5)]
    b: u8,
    #[constrain(range = -1..-5)]
    c: i64,
    #[constrain(range = 1.5..=0.5)]
    d: f64,
    #[constrain(range = (0..=-1))]
    e: i64,
    #[constrain(range = ..)]
    f: u8,
    #[constrain(range = 5)]
    g: u8,
    #[constrain(range = "a".."b")]
    h: String,
    #[constrain(range = f64::NAN..)]
    i: f64,
    #[constrain(range = [0, 5])]
    j: u8,
    #[constrain(range = 0xff..=0b1)]
    k: u8,
}

#[derive(Arguments)]
struct Lengths {
    #[constrain(length = 64..=1)]
    a: String,
    #[constrain(length = -1)]
    b: String,
    #[constrain(length = -5..=-1)]
    c: String,
    #[constrain(length(bytes = 3..3))]
    d: String,
    #[constrain(length = ..0)]
    e: String,
    #[constrain(length = 1.5)]
    f: String,
    #[constrain(length = "5")]
    g: String,
    #[constrain(length = ..)]
    h: String,
    #[constrain(length = [1, 2])]
    i: String,
    #[constrain(length = 0..)]
    j: String,
    #[constrain(length(bytes = 0..))]
    k: String,
    #[constrain(length = 65_536..)]
    l: String,
    #[constrain(length = 65_536)]
    m: Option<Vec<u8>>,
    #[constrain(each(length = ..=65_535), length = 0..65_536)]
    n: Vec<String>,
    #[constrain(each(length = 0..))]
    o: Many,
    #[constrain(length = ..0x1_0000)]
    p: bytes::Bytes,
}

type Many = Vec<Vec<u8>>;

#[derive(Arguments)]
struct Patterns {
    #[constrain(pattern = "(unclosed")]
    a: String,
    #[constrain(pattern = "a{2,1}")]
    b: String,
    #[constrain(pattern = r"\p{Nothing}")]
    c: String,
    #[constrain(pattern = "(?x) a # comment")]
    d: String,
    #[constrain(with = "text")]
    e: String,
}

#[derive(Command)]
struct OnExposed {
    #[exposed]
    #[constrain(non_empty)]
    peer: Exposed<Peer>,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
#[constrain(non_empty)]
enum Fault {
    #[error("fields")]
    #[constrain(non_empty)]
    Fields {
        #[constrain(non_empty)]
        text: String,
    },
    #[error("{0}")]
    Text(#[constrain(non_empty)] String),
}

#[constrain(non_empty)]
fn main() {}
