//! What schemas say of values over several keys.

use amp::locator::Locator;
use amp::schema::{Effect, Report, Schema, from_json, to_json};
use amp::testing::{box_bytes, decode_ask};
use amp::value::{Big, FromZero};
use amp::{Command, Value};

use crate::Echo;

#[test]
fn a_schema_says_the_type_the_maximum_and_the_numbers() {
    let schema = Schema::of(Echo.into_locator().commands());
    let text = schema.to_string();
    for line in [
        "argument Data: Big(String, 300000 bytes, from 2)\n",
        "argument note: Big(Unicode, 200000 bytes, from 2), optional, ",
        "argument rows: Big(AmpList(Row), 400000 bytes, from 0), optional, ",
        "argument row: Big(Box(Row), 200000 bytes, from 2)\n",
        "field name: Big(Unicode, 100000 bytes, from 2)\n",
    ] {
        assert!(text.contains(line), "{line} {text}");
    }
    let json = to_json(&schema).unwrap();
    assert_eq!(from_json(&json).unwrap(), schema);
    let compact: String = json.split_whitespace().collect();
    assert!(compact.contains(r#""type":{"big":{"value":"bytes","maximum":300000,"numbering":"from_two"}}"#), "{json}");
    let python = schema.to_twisted();
    assert!(python.contains("_Big(amp.String(), 300000, 2)"), "{python}");
    assert!(python.contains("_Big(_AmpList(_fields_of_Row), 400000, 0, empty=True, optional=True)"), "{python}");
}

/// A command with one field of this type.
macro_rules! field {
    ($name:ident: $type:ty) => {{
        #[derive(Command, Debug)]
        struct Ask {
            value: $type,
        }
        Schema::of([Ask::DECLARATION])
    }};
}

#[test]
fn a_report_says_which_values_are_refused_and_which_are_cut() {
    let plain = || field!(value: Vec<u8>);
    let of = |old: &Schema, new: &Schema| {
        let report = Report::between(old, new);
        let changes: Vec<_> = report.changes().iter().map(|change| (change.effect, change.what.clone())).collect();
        changes
    };
    let (small, large) = (field!(value: Big<Vec<u8>, 100_000>), field!(value: Big<Vec<u8>, 200_000>));
    let zero = field!(value: Big<Vec<u8>, 100_000, FromZero>);
    let text = field!(value: Big<String, 100_000>);
    let rows = [
        (
            &large,
            &small,
            Effect::Caution,
            "100000 bytes are the most instead of 200000: new responders may refuse what old callers send",
        ),
        (
            &small,
            &large,
            Effect::Caution,
            "200000 bytes are the most instead of 100000: old responders may refuse what new callers send",
        ),
        (
            &plain(),
            &small,
            Effect::Caution,
            "it may have several keys now: old responders cut what new callers send over 65535 bytes",
        ),
        (
            &small,
            &plain(),
            Effect::Caution,
            "it has one key now: new responders cut what old callers send over 65535 bytes",
        ),
        (&text, &small, Effect::Caution, "bytes instead of text: old responders want UTF-8"),
        (
            &small,
            &zero,
            Effect::Breaks,
            "Big(String, 100000 bytes, from 0) instead of Big(String, 100000 bytes, from 2)",
        ),
        (&plain(), &zero, Effect::Breaks, "Big(String, 100000 bytes, from 0) instead of String"),
    ];
    for (old, new, effect, what) in rows {
        assert!(of(old, new).contains(&(effect, what.to_owned())), "{:?}", of(old, new));
        assert_ne!(old.fingerprint(), new.fingerprint());
    }
    assert_eq!(of(&small, &small), []);
}

#[derive(Command, Debug)]
struct Defaulted {
    #[amp(default = vec![7; 70_000].into())]
    data: Big<Vec<u8>, 100_000>,
}

#[test]
fn a_default_over_several_keys_is_declared_as_a_whole() {
    let schema = Schema::of([Defaulted::DECLARATION]);
    let default = schema.commands["Defaulted"].arguments[0].default.as_ref().unwrap();
    assert_eq!(default.0, vec![7; 70_000]);
    let again = from_json(&to_json(&schema).unwrap()).unwrap();
    assert_eq!(again, schema);
}

#[derive(Command, Debug)]
struct Unwritable {
    #[amp(default = vec![7; 70_000])]
    long: Vec<u8>,
    #[amp(default = vec![7; 70_000].into())]
    over: Big<Vec<u8>, 60_000>,
    #[amp(default)]
    short: Big<Vec<u8>, 60_000>,
}

/// A peer in another language would take an empty one for it.
#[test]
fn a_default_that_cannot_be_written_is_none_in_a_schema() {
    let schema = Schema::of([Unwritable::DECLARATION]);
    let [long, over, short] = &schema.commands["Unwritable"].arguments[..] else { panic!("three fields") };
    assert_eq!([&long.default, &over.default], [&None, &None]);
    assert!(long.optional && over.optional);
    assert_eq!(short.default.as_ref().unwrap().0, [0_u8; 0]);
    let read = decode_ask::<Unwritable>(&box_bytes(&[("_ask", "1"), ("_command", "Unwritable")])).unwrap();
    assert_eq!((read.long.len(), read.over.len(), read.short.len()), (70_000, 70_000, 0));
    assert_eq!(from_json(&to_json(&schema).unwrap()).unwrap(), schema);
}

#[derive(Value, Debug, PartialEq)]
struct Port(#[constrain(range = 1..)] u16);

#[derive(Value, Debug, PartialEq)]
struct Ports(#[constrain(length = ..=3)] Vec<Port>);

#[derive(Command, Debug)]
struct Constrained {
    list: Big<Ports, 1000, FromZero>,
    maybe: Option<Big<Port, 1000, FromZero>>,
    one: Big<Port, 1000, FromZero>,
}

/// What has rules of its own is no less a number.
#[test]
fn a_constrained_value_that_is_never_empty_is_not_optional() {
    let schema = Schema::of([Constrained::DECLARATION]);
    let optional = schema.commands["Constrained"].arguments.iter().map(|field| (&*field.name, field.optional));
    assert_eq!(optional.collect::<Vec<_>>(), [("list", true), ("maybe", true), ("one", false)]);
    let mut pairs = vec![("_ask", "1"), ("_command", "Constrained"), ("one.0", "7")];
    let read = decode_ask::<Constrained>(&box_bytes(&pairs)).unwrap();
    assert_eq!((read.list.0.len(), read.maybe.is_none(), read.one.0), (0, true, 7));
    pairs.pop();
    assert!(decode_ask::<Constrained>(&box_bytes(&pairs)).unwrap_err().to_string().ends_with("one: missing"));
}
