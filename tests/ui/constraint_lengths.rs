//! Lengths that no one value has, or that every one has: the type of the field says whether it is one value.
use amp::Arguments;
use amp::value::{Argument, BoxReader, BoxWriter, DecodeError, EncodeError, Key};
use amp::constraint::HasLength;

type Text = String;

#[derive(Arguments)]
struct Lengths {
    #[constrain(length = 65_536..)]
    never: Vec<u8>,
    #[constrain(length = 65_536)]
    exactly: Option<Text>,
    #[constrain(each(length = ..=65_535), length = 0..65_536)]
    always: Vec<Text>,
}

/// Spreads over several keys, and its name says nothing about that.
struct Vec2(Vec<u8>);
mod spread {
    pub type Vec = super::Vec2;
}

impl Argument for Vec2 {
    fn put(&self, _: Key, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        unimplemented!()
    }

    fn take(_: Key, _: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        unimplemented!()
    }
}

impl amp::constraint::Constrained for Vec2 {
    type Target = Vec<u8>;

    fn target(&self) -> Option<&Vec<u8>> {
        Some(&self.0)
    }
}

#[derive(Arguments)]
struct Fine {
    #[constrain(length = 65_536..)]
    several: spread::Vec,
}

fn main() {
    fn has_length<T: HasLength>() {}
    has_length::<Vec<u8>>();
}
