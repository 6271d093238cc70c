//! Literals that the field's type does not hold.
use amp::Arguments;

#[derive(Arguments)]
struct OutsideTheType {
    #[constrain(range = 0..=256)]
    range: u8,
    #[constrain(in_set = [1, 128])]
    in_set: i8,
    #[constrain(each(range = ..70_000))]
    each: Vec<u16>,
}

fn main() {}
