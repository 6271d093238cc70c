//! `#[derive(Value)]` where it does not fit.
use amp::Value;

#[derive(Value)]
struct Nothing;

#[derive(Value)]
struct Pair(u8, u8);

#[derive(Value)]
struct Several {
    one: u8,
    two: u8,
}

#[derive(Value)]
union Union {
    one: u8,
}

#[derive(Value)]
enum Never {}

#[derive(Value)]
struct Lent<'a>(&'a str);

#[derive(Value)]
#[constrain(range = 1..)]
#[amp(tag = "type", rename_all = "snake_case", name = "x", with = Other)]
struct Settings(
    #[amp(name = "x")]
    #[exposed]
    u8,
);

#[derive(Value)]
struct Rule(#[constrain(range = 9..1, rang = 1..)] u8);

#[derive(Value)]
enum Twice {
    Done,
    #[amp(name = "done")]
    Also,
    #[amp(name = "")]
    Empty,
}

#[derive(Value)]
#[amp(rename_all = "CamelCase")]
enum Case {
    #[amp(rename_all = "snake_case")]
    One,
}

#[derive(Value)]
#[amp(rename_all = "Train-Case", tag = "_type")]
enum OtherCase {
    One,
}

#[derive(Value)]
#[amp(tag = "kind")]
enum Tag {
    Named { kind: u8, r#type: u8 },
    Tuple(u8, u8),
    #[amp(cod = "x")]
    #[constrain(non_empty)]
    Misspelt {
        #[amp(name = "_x")]
        x: u8,
    },
}

#[derive(Value)]
enum Open {
    #[amp(other)]
    Unit,
    #[amp(other, name = "x", rename_all = "camelCase")]
    Again(String),
    #[amp(other)]
    Named { code: String },
}

fn main() {}
