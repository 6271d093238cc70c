//! What counts in a schema's fingerprint: all that travels, and no name that only Rust knows.

use std::net::Ipv6Addr;

use amp::schema::{Fingerprint, Report, Schema};
use amp::value::{DecodeError, EncodeError, RawValue, ValueWriter};
use amp::{Arguments, Command, Value};

fn of<C: Command>() -> Fingerprint {
    Schema::of([C::DECLARATION]).fingerprint()
}

/// The same command, in a module of its own.
macro_rules! ask {
    ($name:ident: $($items:item)*) => {
        mod $name {
            use super::*;

            $($items)*
        }
    };
}

ask! { plain:
    #[derive(Command, Debug)]
    pub(super) struct Ask { a: Leaf, b: Vec<Branch>, kind: Kind, node: Node }
    #[derive(Arguments, Debug)]
    struct Leaf { size: u8 }
    #[derive(Arguments, Debug)]
    struct Branch { size: u16, leaf: Leaf }
    #[derive(Value, Debug)]
    enum Kind { One, Two { leaf: Leaf } }
    #[derive(Arguments, Debug)]
    struct Node { kids: Vec<Node> }
}

// Other names, which come in another order, are in use for one box twice, and for one that holds itself by way of another.
ask! { renamed:
    #[derive(Command, Debug)]
    pub(super) struct Ask { a: Zebra, b: Vec<Ant>, kind: Other, node: Even }
    #[derive(Arguments, Debug)]
    struct Zebra { size: u8 }
    #[derive(Arguments, Debug)]
    struct Ant { size: u16, leaf: Bee }
    #[derive(Arguments, Debug)]
    struct Bee { size: u8 }
    #[derive(Value, Debug)]
    enum Other { One, Two { leaf: Zebra } }
    #[derive(Arguments, Debug)]
    struct Even { kids: Vec<Odd> }
    #[derive(Arguments, Debug)]
    struct Odd { kids: Vec<Even> }
}

ask! { swapped:
    #[derive(Command, Debug)]
    pub(super) struct Ask { a: Branch, b: Vec<Leaf>, kind: Kind, node: Node }
    #[derive(Arguments, Debug)]
    struct Leaf { size: u8 }
    #[derive(Arguments, Debug)]
    struct Branch { size: u16, leaf: Leaf }
    #[derive(Value, Debug)]
    enum Kind { One, Two { leaf: Leaf } }
    #[derive(Arguments, Debug)]
    struct Node { kids: Vec<Node> }
}

// A leaf that is another within the enum only, which is two boxes deep.
ask! { deeper:
    #[derive(Command, Debug)]
    pub(super) struct Ask { a: Leaf, b: Vec<Branch>, kind: Kind, node: Node }
    #[derive(Arguments, Debug)]
    struct Leaf { size: u8 }
    #[derive(Arguments, Debug)]
    struct Wide { size: u32 }
    #[derive(Arguments, Debug)]
    struct Branch { size: u16, leaf: Leaf }
    #[derive(Value, Debug)]
    enum Kind { One, Two { leaf: Wide } }
    #[derive(Arguments, Debug)]
    struct Node { kids: Vec<Node> }
}

#[test]
fn names_of_structs_and_enums_do_not_count_and_what_they_hold_does() {
    assert_eq!(of::<plain::Ask>(), of::<renamed::Ask>());
    assert_ne!(of::<plain::Ask>(), of::<swapped::Ask>());
    assert_ne!(of::<plain::Ask>(), of::<deeper::Ask>());
}

/// A type of the user's own, in a module of its own.
macro_rules! own {
    ($module:ident, $name:ident) => {
        mod $module {
            use super::*;

            #[derive(Command, Debug)]
            pub(super) struct Ask {
                own: $name,
            }

            #[derive(Debug)]
            struct $name;

            impl Value for $name {
                fn encode(&self, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                    Ok(())
                }

                fn decode(_: RawValue<'_>) -> Result<Self, DecodeError> {
                    Ok(Self)
                }
            }
        }
    };
}

own!(here, Own);
own!(there, Own);
own!(elsewhere, Another);

#[test]
fn a_type_of_the_users_own_counts_by_its_name_without_its_module() {
    assert_eq!(of::<here::Ask>(), of::<there::Ask>());
    assert_ne!(of::<here::Ask>(), of::<elsewhere::Ask>());
}

#[test]
fn a_report_says_nothing_of_what_counts_for_nothing() {
    fn between<Old: Command, New: Command>() -> String {
        Report::between(&Schema::of([Old::DECLARATION]), &Schema::of([New::DECLARATION])).to_string()
    }
    let nothing = "nothing has changed\n";
    assert_eq!(between::<plain::Ask, renamed::Ask>(), nothing);
    assert_eq!(between::<renamed::Ask, plain::Ask>(), nothing);
    assert_eq!(between::<here::Ask, there::Ask>(), nothing);
    let said = between::<here::Ask, elsewhere::Ask>();
    assert_eq!(said, "caution Ask, argument own: Another instead of Own, which only Rust knows\n");
}

ask! { one_address:
    #[derive(Command, Debug)]
    pub(super) struct Ask {
        #[amp(default = "fe80::1".parse().unwrap_or(Ipv6Addr::LOCALHOST))]
        address: Ipv6Addr,
    }
}

ask! { other_address:
    #[derive(Command, Debug)]
    pub(super) struct Ask {
        #[amp(default = "fe81::1".parse().unwrap_or(Ipv6Addr::LOCALHOST))]
        address: Ipv6Addr,
    }
}

ask! { one_set:
    #[derive(Command, Debug)]
    pub(super) struct Ask {
        #[constrain(in_set = ["std::fs"])]
        path: String,
    }
}

ask! { other_set:
    #[derive(Command, Debug)]
    pub(super) struct Ask {
        #[constrain(in_set = ["core::fs"])]
        path: String,
    }
}

#[test]
fn what_looks_like_a_path_in_a_default_or_a_constraint_counts() {
    assert_ne!(of::<one_address::Ask>(), of::<other_address::Ask>());
    assert_ne!(of::<one_set::Ask>(), of::<other_set::Ask>());
}
