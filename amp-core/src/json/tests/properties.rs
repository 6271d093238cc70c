use proptest::collection::vec;
use proptest::prelude::*;

use super::samples::{anything, boxes, schemas};
use super::*;

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
        TypeSchema::Big { value, .. } => likely_value(schema, value),
        other => {
            let one = [field("it", other.clone())];
            let converter = Converter::new(schema.clone());
            boxes(schema, &one).prop_map(move |it| converter.to_json(&one, &it).expect("JSON")["it"].take()).boxed()
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
    let key = |field: &FieldSchema| match &field.value {
        TypeSchema::Big { numbering, .. } => numbering.key(&field.name, 0),
        _ => field.aliases.first().unwrap_or(&field.name).clone(),
    };
    let pairs: Vec<_> = fields.iter().map(|field| (Just(key(field)), value.clone())).collect();
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
