//! Small hands for `serde_json::Value`: no panics, no ceremony.

use serde_json::Value;

/// Sets a field of an object; anything else is left as it is.
pub(crate) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Value::Object(fields) = object {
        fields.insert(field.to_owned(), value.into());
    }
}

/// A field of an object, or null.
pub(crate) fn field<'a>(object: &'a Value, name: &str) -> &'a Value {
    object.get(name).unwrap_or(&Value::Null)
}
