use super::Schema;

/// The schema as JSON, with its keys in a stable order.
///
/// # Errors
/// A schema causes none; the error type is serde's.
pub fn to_json(schema: &Schema) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(schema)
}

/// Reads a schema that [`to_json`] wrote, for example of an earlier build.
///
/// # Errors
/// If the text is not such a schema.
pub fn from_json(text: &str) -> Result<Schema, serde_json::Error> {
    serde_json::from_str(text)
}
