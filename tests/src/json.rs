//! Looking into JSON answers without a panic: what is missing is null.

use serde_json::Value;

static NULL: Value = Value::Null;

/// The value below a path of names and numbers such as `agents/0/id`; null when there is none.
#[must_use]
pub fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(&format!("/{path}")).unwrap_or(&NULL)
}

/// The items below a path; none when there is no list.
#[must_use]
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// The text below a path; empty when there is none.
#[must_use]
pub fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or_default()
}
