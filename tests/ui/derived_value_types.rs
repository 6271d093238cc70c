//! `#[derive(Value)]` of types that do not travel: the compiler points at the user's field.
use amp::{Arguments, Value};

struct Plain;

#[derive(Value)]
struct Newtype(Plain);

#[derive(Value)]
struct Optional(Option<u8>);

#[derive(Value)]
struct Misfit(#[constrain(non_empty)] u8);

#[derive(Value)]
enum Data {
    Number(u32),
    Fields { plain: Plain },
    Twice { twice: Option<Option<u8>> },
}

#[derive(Value)]
enum Open {
    #[amp(other)]
    Other(Plain),
}

#[derive(Arguments)]
struct HasType {
    r#type: u8,
}

#[derive(Value)]
enum Tag {
    Held(HasType),
}

fn main() {}
