use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::value::{DateTime, Decimal, Value, ValueWriter};

const INTEGERS: [(&str, u32); 7] =
    [("i8", 8), ("u8", 8), ("i64", 64), ("u64", 64), ("i128", 128), ("u128", 128), ("BigInt", 0)];

fn scalars() -> impl Strategy<Value = TypeSchema> {
    prop_oneof![
        4 => prop::sample::select(INTEGERS.to_vec()).prop_map(|(name, _)| integer(name)),
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

fn box_name(number: usize) -> String {
    format!("Box{number}")
}

/// Types that name the first boxes only, so that none holds itself.
fn types(boxes: usize) -> BoxedStrategy<TypeSchema> {
    let leaf = if boxes == 0 {
        scalars().boxed()
    } else {
        let one = (0..boxes).prop_map(|number| TypeSchema::Box(box_name(number)));
        let all = (0..boxes).prop_map(|number| TypeSchema::AmpList(box_name(number)));
        prop_oneof![4 => scalars(), 1 => one, 1 => all].boxed()
    };
    leaf.prop_recursive(2, 4, 1, |inner| inner.prop_map(list)).boxed()
}

fn fields(boxes: usize) -> impl Strategy<Value = Vec<FieldSchema>> {
    btree_map("[a-zA-Zé][a-z_.0-9]{0,5}", (types(boxes), any::<bool>()), 0..5).prop_map(|fields| {
        let make = |(name, (value, optional)): (String, _)| FieldSchema { optional, ..field(&name, value) };
        fields.into_iter().map(make).collect()
    })
}

/// A schema of three boxes, and the fields of a fourth.
fn schemas() -> impl Strategy<Value = (Schema, Vec<FieldSchema>)> {
    (fields(0), fields(1), fields(2), fields(3)).prop_map(|(first, second, third, top)| {
        let mut schema = Schema::default();
        schema
            .boxes
            .extend([first, second, third].into_iter().enumerate().map(|(number, fields)| (box_name(number), fields)));
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
fn values(schema: &Schema, value: &TypeSchema) -> BoxedStrategy<Vec<u8>> {
    match value {
        TypeSchema::Integer(name) => integers(name),
        TypeSchema::Float => any::<u64>().prop_map(|bits| encoded(&f64::from_bits(bits))).boxed(),
        TypeSchema::Boolean => any::<bool>().prop_map(|flag| encoded(&flag)).boxed(),
        TypeSchema::Unicode => any::<String>().prop_map(String::into_bytes).boxed(),
        TypeSchema::Bytes | TypeSchema::Custom(_) => vec(any::<u8>(), 0..20).boxed(),
        TypeSchema::Decimal => decimals().boxed(),
        TypeSchema::DateTime => times().boxed(),
        TypeSchema::Path => "/\\PC{0,9}".prop_map(String::into_bytes).boxed(),
        TypeSchema::ListOf(item) => {
            let item = values(schema, item).prop_map(|item| {
                let length = u16::try_from(item.len()).expect("a short item");
                [&length.to_be_bytes(), &item[..]].concat()
            });
            vec(item, 0..4).prop_map(|items| items.concat()).boxed()
        }
        TypeSchema::Box(name) => boxes(schema, &schema.boxes[name]).prop_map(|nested| bytes(&nested)).boxed(),
        TypeSchema::AmpList(name) => {
            let nested = boxes(schema, &schema.boxes[name]).prop_map(|nested| bytes(&nested));
            vec(nested, 0..3).prop_map(|items| items.concat()).boxed()
        }
    }
}

fn bytes(nested: &AmpBox) -> Vec<u8> {
    let mut bytes = Vec::new();
    nested.encode(&mut bytes);
    bytes
}

/// Boxes with these fields.
fn boxes(schema: &Schema, fields: &[FieldSchema]) -> BoxedStrategy<AmpBox> {
    let pairs: Vec<_> = fields
        .iter()
        .map(|field| {
            let (name, optional) = (field.name.clone(), field.optional);
            (any::<bool>(), values(schema, &field.value))
                .prop_map(move |(there, value)| (there || !optional).then(|| (name.clone(), value)))
        })
        .collect();
    pairs
        .prop_map(|pairs| {
            pairs
                .into_iter()
                .flatten()
                .fold(AmpBox::new(), |made, (key, value)| made.with(key, value).expect("a short value"))
        })
        .boxed()
}

/// Any JSON.
fn anything() -> impl Strategy<Value = Json> {
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

/// JSON that may well have these fields.
fn likely(schema: &Schema, fields: &[FieldSchema]) -> BoxedStrategy<Json> {
    let pairs: Vec<_> = fields
        .iter()
        .map(|field| {
            let name = field.name.clone();
            likely_value(schema, &field.value).prop_map(move |json| (name.clone(), json))
        })
        .collect();
    (pairs, prop::option::weighted(0.1, ("[a-z]", anything())))
        .prop_map(|(pairs, more)| Json::Object(pairs.into_iter().chain(more).collect()))
        .boxed()
}

fn likely_value(schema: &Schema, value: &TypeSchema) -> BoxedStrategy<Json> {
    let right = match value {
        TypeSchema::ListOf(item) => vec(likely_value(schema, item), 0..3).prop_map(Json::from).boxed(),
        TypeSchema::Box(name) => likely(schema, &schema.boxes[name]),
        TypeSchema::AmpList(name) => vec(likely(schema, &schema.boxes[name]), 0..3).prop_map(Json::from).boxed(),
        scalar => {
            let one = [field("it", scalar.clone())];
            let plain = converter([]);
            boxes(schema, &one).prop_map(move |it| plain.to_json(&one, &it).expect("JSON")["it"].take()).boxed()
        }
    };
    prop_oneof![9 => right, 1 => anything()].boxed()
}

fn with<T: std::fmt::Debug + 'static>(
    make: fn(&Schema, &[FieldSchema]) -> BoxedStrategy<T>,
) -> impl Strategy<Value = (Schema, Vec<FieldSchema>, T)> {
    schemas().prop_flat_map(move |(schema, fields)| {
        let made = make(&schema, &fields);
        (Just(schema), Just(fields), made)
    })
}

/// Boxes whose keys are fields and whose values are any bytes.
fn wild(_: &Schema, fields: &[FieldSchema]) -> BoxedStrategy<AmpBox> {
    let likely = prop::sample::select(b"0123456789-+.eTrueFals\0\0\0\x01\x02a".to_vec());
    let value = vec(prop_oneof![6 => likely, 1 => any::<u8>()], 0..12);
    let pairs: Vec<_> = fields.iter().map(|field| (Just(field.name.clone()), value.clone())).collect();
    pairs
        .prop_map(|pairs| {
            pairs.into_iter().fold(AmpBox::new(), |made, (key, value)| made.with(key, value).expect("a box"))
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_box_comes_back_from_json_and_from_its_text((schema, fields, sent) in with(boxes), escaped: bool) {
        let form = if escaped { BytesForm::Escaped } else { BytesForm::Base64 };
        let converter = Converter::new(schema).bytes_as(form);
        let json = converter.to_json(&fields, &sent).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(converter.to_box(&fields, &json), Ok(sent.clone()));
        let text: Json = serde_json::from_str(&json.to_string()).expect("JSON");
        prop_assert_eq!(converter.to_box(&fields, &text), Ok(sent));
    }

    #[test]
    fn what_json_converts_to_is_canonical_and_nothing_panics((schema, fields, json) in with(likely)) {
        let converter = Converter::new(schema);
        if let Ok(sent) = converter.to_box(&fields, &json) {
            let back = converter.to_json(&fields, &sent).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(converter.to_box(&fields, &back), Ok(sent));
        }
    }

    #[test]
    fn no_bytes_of_a_peer_panic_and_what_they_mean_is_stable((schema, fields, received) in with(wild)) {
        let converter = Converter::new(schema);
        if let Ok(json) = converter.to_json(&fields, &received) {
            match converter.to_box(&fields, &json) {
                Ok(sent) => prop_assert_eq!(converter.to_json(&fields, &sent), Ok(json)),
                // Such a path arrives and is not sent.
                Err(error) => prop_assert_eq!(error.kind(), &JsonErrorKind::NotA("an absolute path")),
            }
        }
    }

    #[test]
    fn nothing_else_panics((schema, fields) in schemas(), json in anything()) {
        let _ = Converter::new(schema).to_box(&fields, &json);
    }
}
