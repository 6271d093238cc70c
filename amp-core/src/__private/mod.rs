//! Functions that the macros' expansions call. Not part of the public interface: it changes without notice.
//!
//! The user's types are named in qualified paths (`<Type as Field>::put(..)`), whichever function it is: so a type
//! that does not fit is reported once, on the user's own token, in the words of one `on_unimplemented`.

mod commands;
mod declarations;
mod fields;
mod flat;
mod names;
#[cfg(feature = "tokio")]
mod responding;
mod rules;
mod settings;
mod split;
mod values;

pub use crate::command::constraint;
pub use crate::command::{Argument, Constrained, Constraint, IncludedIn, NoErrors};
pub use crate::command::{Tagged, tagged_decode, tagged_decode_list, tagged_encode, tagged_encode_list};
pub use crate::command::{
    nested_count_list, nested_decode, nested_decode_list, nested_encode, nested_encode_list, optional_once,
};
pub use crate::exposed::{Context, Exposable, ExposeError, answers_early, joined};
#[cfg(feature = "tokio")]
pub use crate::locator::{Ask, Located, Locator};
pub use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError, RawValue, Value, ValueWriter};
pub use crate::value::{Count, Key};
pub use crate::violation::{Place, Violations};
pub use commands::{Commands, traits_stand_apart};
pub use declarations::*;
pub use fields::*;
pub use flat::*;
#[cfg(feature = "tokio")]
pub use responding::{
    Caller, ClientOf, Clients, Dispatcher, OneResponderBlock, OwnCommands, ReplyTo, given, in_a_task, never,
};
pub use rules::{BuiltIn, Entire, Fits, Items, Itself, Lent, List, Look, Takes, Whole, of_several};
pub use settings::*;
pub use split::SplitField;
pub use values::*;
