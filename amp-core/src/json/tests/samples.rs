//! Random schemas, and values of their types.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::json::document;
use crate::json::parts;
use crate::json::shape::Letters;
use crate::schema::{EnumSchema, Numbering, VariantSchema};
use crate::value::{DateTime, Decimal, Octets, Value, ValueWriter};

const INTEGERS: [(&str, u32); 7] =
    [("i8", 8), ("u8", 8), ("i64", 64), ("u64", 64), ("i128", 128), ("u128", 128), ("BigInt", 0)];

fn scalars() -> impl Strategy<Value = TypeSchema> {
    prop_oneof![
        4 => prop::sample::select(INTEGERS.to_vec()).prop_map(|(name, _)| integer(name)),
        4 => prop::sample::select(vec![
            TypeSchema::Text("char".to_owned()),
            TypeSchema::Text("IpAddr".to_owned()),
            TypeSchema::Text("SocketAddr".to_owned()),
            TypeSchema::Text("ours::Version".to_owned()),
            TypeSchema::Duration,
            TypeSchema::Octets("Ipv4Addr".to_owned()),
            TypeSchema::Octets("IpAddr".to_owned()),
            TypeSchema::Json,
            TypeSchema::AsciiJson,
            TypeSchema::Enum("Code".to_owned()),
        ]),
        8 => prop::sample::select(vec![
            TypeSchema::Float,
            TypeSchema::Boolean,
            TypeSchema::Unicode,
            TypeSchema::Bytes,
            TypeSchema::Decimal,
            TypeSchema::DateTime,
            TypeSchema::Path,
            TypeSchema::Custom("ours".to_owned()),
        ]),
    ]
}

/// The types of keys of a map, of which some are keys of an object.
fn keys() -> impl Strategy<Value = TypeSchema> {
    prop::sample::select(vec![
        integer("i8"),
        integer("u64"),
        TypeSchema::Unicode,
        TypeSchema::Bytes,
        TypeSchema::Decimal,
        TypeSchema::Boolean,
        TypeSchema::Float,
        TypeSchema::Path,
        TypeSchema::Text("IpAddr".to_owned()),
        TypeSchema::Enum("Code".to_owned()),
        list(TypeSchema::Unicode),
    ])
}

fn box_name(number: usize) -> String {
    format!("Box{number}")
}

/// Types that name the first boxes only, so that none holds itself. The enum with fields stands before the first, and the map behind the
/// second.
fn types(boxes: usize) -> BoxedStrategy<TypeSchema> {
    let leaf = if boxes == 0 {
        scalars().boxed()
    } else {
        let one = (0..boxes).prop_map(|number| TypeSchema::Box(box_name(number)));
        let all = (0..boxes).prop_map(|number| TypeSchema::AmpList(box_name(number)));
        let shape = || "Shape".to_owned();
        let mut others = vec![TypeSchema::Tagged(shape()), TypeSchema::TaggedList(shape())];
        others.extend((boxes > 2).then(|| TypeSchema::Map("Entry".to_owned())));
        prop_oneof![4 => scalars(), 1 => one, 1 => all, 2 => prop::sample::select(others)].boxed()
    };
    let holding = |inner: BoxedStrategy<TypeSchema>| {
        (inner, 0..5_usize).prop_map(|(inner, which)| match which {
            0..2 => list(inner),
            2 => TypeSchema::Zlib(Box::new(inner), 1 << 20),
            length => TypeSchema::Array(Box::new(list(inner)), length - 3),
        })
    };
    leaf.prop_recursive(2, 4, 1, holding).boxed()
}

/// A field as it may be declared.
fn declared(name: &str, value: TypeSchema, optional: bool, more: u8) -> FieldSchema {
    let numbering = if more.is_multiple_of(2) { Numbering::FromTwo } else { Numbering::FromZero };
    let mut declared = FieldSchema { optional, ..field(name, value) };
    match more {
        0..2 => {
            declared.optional |= more == 1 && declared.value.may_be_empty();
            declared.value = TypeSchema::Big { value: Box::new(declared.value), maximum: 1 << 20, numbering };
        }
        2 if declared.value == integer("u8") => {
            declared.optional = true;
            declared.default = Some(WireValue(b"7".to_vec()));
        }
        3 => declared.aliases = vec![format!("{name}-old")],
        _ => {}
    }
    declared
}

fn fields(boxes: usize) -> impl Strategy<Value = Vec<FieldSchema>> {
    btree_map("[a-zA-Zé][a-z_0-9]{0,5}", (types(boxes), any::<bool>(), 0..8_u8), 0..5).prop_map(|fields| {
        let make = |(name, (value, optional, more)): (String, _)| declared(&name, value, optional, more);
        fields.into_iter().map(make).collect()
    })
}

fn variants(fields: [Vec<FieldSchema>; 2], other: bool) -> Vec<(String, EnumSchema)> {
    let variant = |(code, fields): (&str, _)| VariantSchema { code: code.to_owned(), doc: String::new(), fields };
    let codes = || ["one", "two"].into_iter();
    let plain = codes().map(|code| variant((code, Vec::new()))).collect();
    let tagged = codes().zip(fields).map(variant).collect();
    vec![
        ("Code".to_owned(), EnumSchema { tag: None, other, variants: plain }),
        ("Shape".to_owned(), EnumSchema { tag: Some("-tag".to_owned()), other, variants: tagged }),
    ]
}

/// A schema of three boxes, and the fields of a fourth.
pub(super) fn schemas() -> impl Strategy<Value = (Schema, Vec<FieldSchema>)> {
    let boxes = (fields(0), fields(1), fields(2), fields(3));
    let enums = ([fields(0), fields(0)], any::<bool>());
    let entry = (keys(), types(2), any::<bool>(), 0..8_u8);
    (boxes, enums, entry).prop_map(|((first, second, third, top), (shapes, other), (key, value, optional, more))| {
        let mut schema = Schema::default();
        let boxes = [first, second, third].into_iter().enumerate();
        schema.boxes.extend(boxes.map(|(number, fields)| (box_name(number), fields)));
        let entry = vec![field("key", key), declared("value", value, optional, more)];
        schema.boxes.insert("Entry".to_owned(), entry);
        schema.enums.extend(variants(shapes, other));
        (schema, top)
    })
}

fn encoded(value: &impl Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).expect("a value that has a form");
    bytes
}

fn integers(name: &str) -> BoxedStrategy<Vec<u8>> {
    let bits = INTEGERS.iter().find(|(known, _)| *known == name).map_or(0, |(_, bits)| *bits);
    match (bits, name.starts_with('i')) {
        (0, _) => "-?[1-9][0-9]{0,60}".prop_map(String::into_bytes).boxed(),
        (bits, true) => any::<i128>().prop_map(move |number| encoded(&(number >> (128 - bits)))).boxed(),
        (bits, false) => any::<u128>().prop_map(move |number| encoded(&(number >> (128 - bits)))).boxed(),
    }
}

fn decimals() -> impl Strategy<Value = Vec<u8>> {
    "-?([0-9]{1,25}(\\.[0-9]{0,9})?([eE][-+]?[0-9]{1,9})?|s?nan[0-9]{0,3}|inf)"
        .prop_map(|text| encoded(&text.parse::<Decimal>().expect("a decimal")))
}

fn times() -> impl Strategy<Value = Vec<u8>> {
    (any::<i32>(), 0..1_000_000_i64, -1439..1440).prop_map(|(seconds, microseconds, minutes)| {
        let instant = i64::from(seconds) * 1_000_000 + microseconds;
        encoded(&DateTime::from_unix_microseconds(instant, minutes * 60).expect("a time"))
    })
}

/// The bytes of values of a type, as they are sent.
pub(super) fn values(schema: &Schema, value: &TypeSchema) -> BoxedStrategy<Vec<u8>> {
    match value {
        TypeSchema::Integer(name) => integers(name),
        TypeSchema::Float => any::<u64>().prop_map(|bits| encoded(&f64::from_bits(bits))).boxed(),
        TypeSchema::Boolean => any::<bool>().prop_map(|flag| encoded(&flag)).boxed(),
        TypeSchema::Unicode => any::<String>().prop_map(String::into_bytes).boxed(),
        TypeSchema::Bytes | TypeSchema::Custom(_) => vec(any::<u8>(), 0..20).boxed(),
        TypeSchema::Decimal => decimals().boxed(),
        TypeSchema::DateTime => times().boxed(),
        TypeSchema::Path => "/\\PC{0,9}".prop_map(String::into_bytes).boxed(),
        TypeSchema::Text(name) => texts(name),
        TypeSchema::Duration => (0..1_u64 << 40, 0..1_000_000_000_u32)
            .prop_map(|(seconds, nanoseconds)| encoded(&Duration::new(seconds, nanoseconds)))
            .boxed(),
        TypeSchema::Octets(name) if name == "Ipv4Addr" => any::<Ipv4Addr>().prop_map(|it| encoded(&Octets(it))).boxed(),
        TypeSchema::Octets(_) => any::<IpAddr>().prop_map(|it| encoded(&Octets(it))).boxed(),
        TypeSchema::Json => anything().prop_map(|json| json.to_string().into_bytes()).boxed(),
        TypeSchema::AsciiJson => {
            anything().prop_map(|json| document::written(&json, Letters::Ascii).expect("a flat value")).boxed()
        }
        TypeSchema::ListOf(item) => items(schema, item, 0..4),
        TypeSchema::Array(list, length) => match &**list {
            TypeSchema::ListOf(item) => items(schema, item, *length..length + 1),
            other => unreachable!("an array of {other}"),
        },
        TypeSchema::Zlib(inner, _) => values(schema, inner).prop_map(compressed).boxed(),
        TypeSchema::Enum(name) => codes(schema, name).prop_map(String::into_bytes).boxed(),
        TypeSchema::Tagged(name) => variant(schema, name).prop_map(|nested| bytes(&nested)).boxed(),
        TypeSchema::TaggedList(name) => {
            let nested = variant(schema, name).prop_map(|nested| bytes(&nested));
            vec(nested, 0..3).prop_map(|items| items.concat()).boxed()
        }
        TypeSchema::Map(name) => vec(boxes(schema, &schema.boxes[name]), 0..4)
            .prop_map(|entries| {
                let entries = entries.into_iter().map(|entry| (entry.value("key").cloned(), bytes(&entry)));
                entries.collect::<BTreeMap<_, _>>().into_values().collect::<Vec<_>>().concat()
            })
            .boxed(),
        TypeSchema::Big { .. } => unreachable!("a value is in one part"),
        TypeSchema::Box(name) => boxes(schema, &schema.boxes[name]).prop_map(|nested| bytes(&nested)).boxed(),
        TypeSchema::AmpList(name) => {
            let nested = boxes(schema, &schema.boxes[name]).prop_map(|nested| bytes(&nested));
            vec(nested, 0..3).prop_map(|items| items.concat()).boxed()
        }
    }
}

fn texts(name: &str) -> BoxedStrategy<Vec<u8>> {
    match name {
        "char" => any::<char>().prop_map(|it| encoded(&it)).boxed(),
        "IpAddr" => any::<IpAddr>().prop_map(|it| encoded(&it)).boxed(),
        "SocketAddr" => any::<SocketAddr>().prop_map(|it| encoded(&it)).boxed(),
        _ => any::<String>().prop_map(String::into_bytes).boxed(),
    }
}

fn items(schema: &Schema, item: &TypeSchema, length: Range<usize>) -> BoxedStrategy<Vec<u8>> {
    let item = values(schema, item).prop_map(|item| {
        let length = u16::try_from(item.len()).expect("a short item");
        [&length.to_be_bytes(), &item[..]].concat()
    });
    vec(item, length).prop_map(|items| items.concat()).boxed()
}

fn compressed(plain: Vec<u8>) -> Vec<u8> {
    #[cfg(feature = "zlib")]
    let plain = encoded(&crate::value::Zlib::<_>(plain));
    plain
}

fn codes(schema: &Schema, name: &str) -> impl Strategy<Value = String> + use<> {
    let declared = &schema.enums[name];
    let mut codes: Vec<_> = declared.variants.iter().map(|variant| variant.code.clone()).collect();
    codes.extend(declared.other.then(|| "three".to_owned()));
    prop::sample::select(codes)
}

fn variant(schema: &Schema, name: &str) -> BoxedStrategy<AmpBox> {
    let codes = codes(schema, name);
    let (declared, schema) = (schema.enums[name].clone(), schema.clone());
    let with_fields = move |code: String| {
        let variant = declared.variants.iter().find(|variant| variant.code == code);
        let fields = variant.map(|variant| variant.fields.clone()).unwrap_or_default();
        let tag = declared.tag.clone().expect("a tag");
        boxes(&schema, &fields).prop_map(move |fields| fields.with(tag.clone(), code.clone()).expect("a box"))
    };
    codes.prop_flat_map(with_fields).boxed()
}

fn bytes(nested: &AmpBox) -> Vec<u8> {
    let mut bytes = Vec::new();
    nested.encode(&mut bytes);
    bytes
}

/// Boxes with these fields.
pub(super) fn boxes(schema: &Schema, fields: &[FieldSchema]) -> BoxedStrategy<AmpBox> {
    let pairs: Vec<_> = fields.iter().map(|field| pairs(schema, field)).collect();
    pairs
        .prop_map(|pairs| {
            let pairs = pairs.into_iter().flatten();
            pairs.fold(AmpBox::new(), |made, (key, value)| made.with(key, value).expect("a short value"))
        })
        .boxed()
}

/// The pairs of a field, as a sender writes them: one with a default always.
fn pairs(schema: &Schema, field: &FieldSchema) -> BoxedStrategy<Vec<(String, Vec<u8>)>> {
    let may_be_absent = field.optional && field.default.is_none() && !shape::is_empty_if_absent(field);
    let (name, is_there) = (field.name.clone(), any::<bool>());
    match &field.value {
        TypeSchema::Big { value, numbering, .. } => {
            let (numbering, value) = (*numbering, values(schema, value));
            let split = move |value: Vec<u8>| parts::split(&name, numbering, &value);
            (is_there, value.prop_map(split))
                .prop_map(move |(there, parts)| if there || !may_be_absent { parts } else { Vec::new() })
                .boxed()
        }
        value => (is_there, values(schema, value))
            .prop_map(move |(there, value)| {
                (there || !may_be_absent).then(|| (name.clone(), value)).into_iter().collect()
            })
            .boxed(),
    }
}

/// Any JSON.
pub(super) fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-300..300_i64).prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "-?[0-9]{1,20}|[a-zA-Z0-9+/]{4}|/[a-z]*|NaN|2012-01-2[0-9]T12:34:56Z".prop_map(Json::from),
        any::<String>().prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let object = btree_map("[a-c]", inner.clone(), 0..3);
        prop_oneof![
            vec(inner, 0..4).prop_map(Json::from),
            object.prop_map(|object| Json::Object(object.into_iter().collect())),
        ]
    })
}
