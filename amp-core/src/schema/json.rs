use super::Schema;

/// The schema as JSON, with its keys in a stable order.
///
/// # Errors
/// None that a schema can cause; the type is serde's.
pub fn to_json(schema: &Schema) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(schema)
}

/// The schema that [`to_json`] wrote, of an earlier build, say.
///
/// # Errors
/// When the text is not such a schema.
pub fn from_json(text: &str) -> Result<Schema, serde_json::Error> {
    serde_json::from_str(text)
}
