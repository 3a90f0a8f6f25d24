//! PATCH (RFC 7644, section 3.5.2): operations on a resource as it is answered, and the reading of whole resources.
//!
//! Deliberately without meaning: what the changed resource says of a person or a unit is read from it afterwards.

use super::ScimFailure;
use super::attributes::{Attribute, Mutability, ResourceKind};
use super::filter::{Target, parse_target};
use super::matching::{field, value_matches};
use serde_json::{Map, Value};

/// Most operations in one request.
const OPERATIONS_MAX: usize = 1_000;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Replace,
    Remove,
}

/// What clients may say of a resource, every name as it is written in its schema; what is unknown or not theirs is left out.
#[must_use]
pub fn readable(kind: &ResourceKind, body: &Value) -> Value {
    let mut read = Map::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        if let Some(extension) = kind.extension(key) {
            let mut inner = Map::new();
            for (key, value) in value.as_object().into_iter().flatten() {
                if let Some((Some(_), attribute)) = kind.attribute(Some(extension.id), key) {
                    keep(&mut inner, attribute, value);
                }
            }
            read.insert(extension.id.to_owned(), Value::Object(inner));
        } else if let Some((None, attribute)) = kind.attribute(None, key) {
            keep(&mut read, attribute, value);
        }
    }
    Value::Object(read)
}

fn keep(fields: &mut Map<String, Value>, attribute: &Attribute, value: &Value) {
    if attribute.mutability != Mutability::ReadOnly && !value.is_null() {
        fields.insert(attribute.name.to_owned(), spelt(attribute, value));
    }
}

/// A value with the names below it as they are written.
fn spelt(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::Array(values) => Value::Array(values.iter().map(|value| spelt(attribute, value)).collect()),
        Value::Object(fields) => {
            let named = fields.iter().filter_map(|(key, value)| {
                let below = attribute.below().iter().find(|below| below.name.eq_ignore_ascii_case(key))?;
                Some((below.name.to_owned(), value.clone()))
            });
            Value::Object(named.filter(|(_, value)| !value.is_null()).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Makes the operations of a request in a resource, all of them or none.
///
/// # Errors
/// As the standard names them.
pub fn apply(kind: &ResourceKind, resource: &Value, body: &Value) -> Result<Value, ScimFailure> {
    let syntax = |detail: &str| ScimFailure::bad("invalidSyntax", detail);
    let schemas = field(body, "schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.iter().any(|schema| schema == PATCH)) {
        return Err(syntax(&format!("schemas does not name {PATCH}")));
    }
    let operations =
        field(body, "Operations").and_then(Value::as_array).ok_or_else(|| syntax("there are no Operations"))?;
    if operations.len() > OPERATIONS_MAX {
        return Err(ScimFailure::bad("tooMany", format!("there are more than {OPERATIONS_MAX} operations")));
    }
    let mut changed = resource.clone();
    for operation in operations {
        let name = field(operation, "op").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let op = match name.as_str() {
            "add" => Operation::Add,
            "replace" => Operation::Replace,
            "remove" => Operation::Remove,
            _ => return Err(syntax("op is add, replace or remove")),
        };
        let value = field(operation, "value");
        match field(operation, "path") {
            Some(Value::String(path)) => change(kind, &mut changed, op, path, value)?,
            Some(_) => return Err(ScimFailure::bad("invalidPath", "path is no text")),
            None if op == Operation::Remove => {
                return Err(ScimFailure::bad("noTarget", "what to remove is not said: path"));
            }
            None => {
                let fields = value.and_then(Value::as_object);
                let fields = fields.ok_or_else(|| ScimFailure::value("without a path, value is an object"))?;
                for (key, value) in fields {
                    change(kind, &mut changed, op, key, Some(value))?;
                }
            }
        }
    }
    Ok(changed)
}

fn change(
    kind: &ResourceKind,
    resource: &mut Value,
    op: Operation,
    path: &str,
    value: Option<&Value>,
) -> Result<(), ScimFailure> {
    if let Some(extension) = kind.extension(path) {
        return change_extension(kind, resource, op, extension.id, value);
    }
    let target = parse_target(path).map_err(|error| ScimFailure::bad("invalidPath", format!("path {error}")))?;
    // Which schemas a resource has follows from what it says.
    if target.path.name.eq_ignore_ascii_case("schemas") {
        return Ok(());
    }
    let Some((extension, attribute)) = kind.attribute(target.path.schema.as_deref(), &target.path.name) else {
        if kind.ignores(&target.path.name) {
            return Ok(());
        }
        let name = doorward_protocol::problem::shown(path);
        return Err(ScimFailure::bad("invalidPath", format!("{name} is no attribute of a {}", kind.name)));
    };
    if attribute.mutability == Mutability::ReadOnly {
        return Err(ScimFailure::bad("mutability", format!("{} is not changed by clients", attribute.name)));
    }
    let holder = match extension {
        Some(extension) => {
            let fields = resource.as_object_mut();
            fields.map(|fields| fields.entry(extension.id).or_insert_with(|| Value::Object(Map::new())))
        }
        None => Some(resource),
    };
    let Some(fields) = holder.and_then(Value::as_object_mut) else { return Ok(()) };
    if attribute.is_multiple {
        return change_many(fields, attribute, op, &target, value);
    }
    if target.filter.is_some() || target.path.below.is_some() {
        return Err(ScimFailure::bad("invalidPath", format!("{} has one value, and nothing below it", attribute.name)));
    }
    match (op, value) {
        (Operation::Remove, _) | (Operation::Replace, Some(Value::Null)) => {
            fields.remove(attribute.name);
        }
        (Operation::Add | Operation::Replace, Some(value)) => {
            fields.insert(attribute.name.to_owned(), spelt(attribute, value));
        }
        (Operation::Add | Operation::Replace, None) => return Err(ScimFailure::value("there is no value")),
    }
    Ok(())
}

fn change_extension(
    kind: &ResourceKind,
    resource: &mut Value,
    op: Operation,
    id: &'static str,
    value: Option<&Value>,
) -> Result<(), ScimFailure> {
    match (op, value.and_then(Value::as_object)) {
        (Operation::Remove, _) => {
            if let Some(fields) = resource.as_object_mut() {
                fields.remove(id);
            }
            Ok(())
        }
        (Operation::Add | Operation::Replace, Some(fields)) => {
            let mut fields = fields.iter();
            fields.try_for_each(|(key, value)| change(kind, resource, op, &format!("{id}:{key}"), Some(value)))
        }
        (Operation::Add | Operation::Replace, None) => {
            Err(ScimFailure::value("the value of an extension is an object"))
        }
    }
}

fn change_many(
    fields: &mut Map<String, Value>,
    attribute: &Attribute,
    op: Operation,
    target: &Target,
    value: Option<&Value>,
) -> Result<(), ScimFailure> {
    let mut values = match fields.remove(attribute.name) {
        Some(Value::Array(values)) => values,
        Some(_) | None => Vec::new(),
    };
    let given = || match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(given)) => given.iter().map(|value| spelt(attribute, value)).collect(),
        Some(one) => vec![spelt(attribute, one)],
    };
    let is_meant = |value: &Value| target.filter.as_ref().is_none_or(|filter| value_matches(attribute, value, filter));
    match (op, target.path.below.as_deref()) {
        (_, Some(below)) => change_below(&mut values, attribute, op, below, value, is_meant)?,
        (Operation::Remove, None) => {
            let given = given();
            let is_given = |value: &Value| given.is_empty() || given.iter().any(|given| is_same(value, given));
            values.retain(|value| !(is_meant(value) && is_given(value)));
        }
        (Operation::Replace, None) if target.filter.is_none() => values = given(),
        (Operation::Add, None) if target.filter.is_none() => {
            for new in given() {
                if !values.iter().any(|value| is_same(value, &new)) {
                    values.push(new);
                }
            }
        }
        (Operation::Add | Operation::Replace, None) => {
            let new = given().into_iter().next().ok_or_else(|| ScimFailure::value("there is no value"))?;
            let mut meant = values.iter_mut().filter(|value| is_meant(value)).peekable();
            meant.peek().ok_or_else(|| ScimFailure::bad("noTarget", "no value is meant by the path"))?;
            meant.for_each(|value| value.clone_from(&new));
        }
    }
    if !values.is_empty() {
        fields.insert(attribute.name.to_owned(), Value::Array(values));
    } else if op != Operation::Add {
        // That nothing is left was said, and is not the same as saying nothing.
        fields.insert(attribute.name.to_owned(), Value::Array(Vec::new()));
    }
    Ok(())
}

fn change_below(
    values: &mut [Value],
    attribute: &Attribute,
    op: Operation,
    name: &str,
    new: Option<&Value>,
    is_meant: impl Fn(&Value) -> bool,
) -> Result<(), ScimFailure> {
    let below = attribute.below().iter().find(|below| below.name.eq_ignore_ascii_case(name));
    let below = below.filter(|below| below.mutability == Mutability::ReadWrite);
    let below = below.ok_or_else(|| {
        ScimFailure::bad("invalidPath", format!("nothing of that name below {} is changed", attribute.name))
    })?;
    let mut meant = values.iter_mut().filter(|value| is_meant(value)).filter_map(Value::as_object_mut).peekable();
    if meant.peek().is_none() && op != Operation::Remove {
        return Err(ScimFailure::bad("noTarget", "no value is meant by the path"));
    }
    for fields in meant {
        match (op, new) {
            (Operation::Remove, _) | (_, None | Some(Value::Null)) => {
                fields.remove(below.name);
            }
            (Operation::Add | Operation::Replace, Some(new)) => {
                fields.insert(below.name.to_owned(), new.clone());
            }
        }
    }
    Ok(())
}

/// References are the same when they name the same; anything else when all of it is.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a.get("value"), b.get("value")) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::super::attributes::{ENTERPRISE, GROUPS, PERSON, USERS};
    use super::*;
    use serde_json::json;

    fn patched(kind: &ResourceKind, resource: &Value, operations: Value) -> Result<Value, String> {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        apply(kind, resource, &body).map_err(|failure| failure.scim_type.unwrap_or_default().to_owned())
    }

    #[test]
    fn values_are_added_replaced_and_removed_by_path_or_without_one() {
        let user = json!({ "userName": "ann", PERSON.id: { "affiliations": [{ "unit": "eng" }] } });
        let operations = json!([
            { "op": "Add", "path": "USERTYPE", "value": "staff" },
            { "op": "replace", "value": { "active": false, (ENTERPRISE.id): { "department": "art" }, "emails": [] } },
            { "op": "add", "path": format!("{}:affiliations", PERSON.id), "value": { "UNIT": "art", "other": 1 } },
            { "op": "add", "path": format!("{}:affiliations", PERSON.id), "value": [{ "unit": "eng" }] },
            { "op": "replace", "path": format!("{}:affiliations[unit eq \"art\"].until", PERSON.id), "value": "2030-01-01" },
        ]);
        let expected = json!({
            "userName": "ann", "userType": "staff", "active": false, ENTERPRISE.id: { "department": "art" },
            PERSON.id: { "affiliations": [{ "unit": "eng" }, { "unit": "art", "until": "2030-01-01" }] },
        });
        let before = patched(&USERS, &user, operations).unwrap();
        assert_eq!(before, expected);
        let operations = json!([
            { "op": "remove", "path": format!("{}:affiliations[unit eq \"eng\"]", PERSON.id) },
            { "op": "remove", "path": ENTERPRISE.id },
            { "op": "remove", "path": "active" },
        ]);
        let expected = json!({
            "userName": "ann", "userType": "staff",
            PERSON.id: { "affiliations": [{ "unit": "art", "until": "2030-01-01" }] },
        });
        assert_eq!(patched(&USERS, &before, operations), Ok(expected));
    }

    #[test]
    fn members_come_and_go_in_each_of_the_ways_that_clients_have() {
        let group = json!({ "members": [{ "value": "a" }, { "value": "b" }, { "value": "c" }] });
        let members = |operations: Value| {
            let changed = patched(&GROUPS, &group, operations).unwrap();
            let members = changed["members"].as_array().unwrap().iter();
            members.map(|member| member["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            members(json!([{ "op": "add", "path": "members", "value": [{ "value": "d" }, { "value": "a" }] }])),
            ["a", "b", "c", "d"]
        );
        assert_eq!(members(json!([{ "op": "remove", "path": "members[value eq \"b\"]" }])), ["a", "c"]);
        assert_eq!(members(json!([{ "op": "Remove", "path": "members", "value": [{ "value": "a" }] }])), ["b", "c"]);
        assert_eq!(members(json!([{ "op": "replace", "path": "members", "value": [{ "value": "x" }] }])), ["x"]);
        assert!(members(json!([{ "op": "remove", "path": "members" }])).is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_by_the_name_that_the_standard_has_for_it() {
        let user = json!({ "userName": "ann" });
        for (operation, expected) in [
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "add", "path": "groups", "value": [] }), "mutability"),
            (json!({ "op": "add", "path": "shoeSize", "value": 1 }), "invalidPath"),
            (json!({ "op": "add", "path": "userName[", "value": 1 }), "invalidPath"),
            (json!({ "op": "add", "path": "userName.x", "value": 1 }), "invalidPath"),
            (json!({ "op": "add", "path": 1, "value": 1 }), "invalidPath"),
            (json!({ "op": "remove" }), "noTarget"),
            (json!({ "op": "add", "path": "userName" }), "invalidValue"),
            (json!({ "op": "add", "value": 1 }), "invalidValue"),
            (json!({ "op": "move", "path": "userName" }), "invalidSyntax"),
            (
                json!({ "op": "replace", "path": format!("{}:affiliations[unit eq \"x\"]", PERSON.id), "value": {} }),
                "noTarget",
            ),
        ] {
            assert_eq!(patched(&USERS, &user, json!([operation])), Err(expected.to_owned()), "{operation}");
        }
        let body = json!({ "schemas": [], "Operations": [] });
        assert!(apply(&USERS, &user, &body).is_err());
        let many = vec![json!({ "op": "remove", "path": "active" }); OPERATIONS_MAX + 1];
        assert_eq!(patched(&USERS, &user, Value::Array(many)), Err("tooMany".to_owned()));
    }
}
