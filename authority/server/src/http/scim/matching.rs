//! Whether a resource fulfils a filter.
//!
//! Deliberately on the resource as it is answered, so that a filter sees what a client sees and nothing else.

use super::attributes::{Attribute, ResourceKind};
use super::filter::{Filter, Operator, Path};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// Whether a resource fulfils a filter.
#[must_use]
pub fn matches(kind: &ResourceKind, resource: &Value, filter: &Filter) -> bool {
    holds(filter, &Scope::Resource(kind, resource))
}

/// Whether one value of an attribute fulfils a filter.
#[must_use]
pub fn value_matches(attribute: &Attribute, value: &Value, filter: &Filter) -> bool {
    holds(filter, &Scope::Element(attribute, value))
}

/// What the names of a filter are looked up in.
enum Scope<'a> {
    /// A resource.
    Resource(&'a ResourceKind, &'a Value),
    /// One of the values of an attribute.
    Element(&'a Attribute, &'a Value),
}

/// The values of a path, and whether the case of their letters counts.
type Found<'a> = (Vec<&'a Value>, bool);

impl<'a> Scope<'a> {
    /// An attribute, and each of its values.
    fn elements(&self, path: &Path) -> Option<(&'a Attribute, Vec<&'a Value>)> {
        let (holder, attribute) = match self {
            Self::Resource(kind, resource) => {
                let (extension, attribute) = kind.attribute(path.schema.as_deref(), &path.name)?;
                let holder = match extension {
                    Some(extension) => field(resource, extension.id),
                    None => Some(*resource),
                };
                (holder, attribute)
            }
            Self::Element(attribute, value) => {
                let mut below = attribute.below().iter();
                (Some(*value), below.find(|below| below.name.eq_ignore_ascii_case(&path.name))?)
            }
        };
        let values = holder.and_then(|holder| field(holder, attribute.name)).into_iter().flat_map(each);
        Some((attribute, values.collect()))
    }

    /// Of complex values those below them; of which nothing is said, it is `value`.
    fn find(&self, path: &Path) -> Found<'a> {
        let Some((attribute, values)) = self.elements(path) else { return (Vec::new(), false) };
        let has_value = || attribute.below().iter().any(|below| below.name == "value");
        let name = path.below.as_deref().or_else(|| has_value().then_some("value"));
        let Some(name) = name else { return (values, attribute.is_exact) };
        let known = attribute.below().iter().find(|below| below.name.eq_ignore_ascii_case(name));
        let Some(known) = known else { return (Vec::new(), false) };
        (values.into_iter().filter_map(|value| field(value, known.name)).collect(), known.is_exact)
    }
}

fn holds(filter: &Filter, scope: &Scope<'_>) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|one| holds(one, scope)),
        Filter::Or(all) => all.iter().any(|one| holds(one, scope)),
        Filter::Not(inner) => !holds(inner, scope),
        Filter::Present(path) => scope.find(path).0.into_iter().any(is_something),
        Filter::Compare(path, operator, expected) => {
            let (values, is_exact) = scope.find(path);
            let any = |operator| values.iter().any(|value| compares(value, operator, expected, is_exact));
            let is_nothing = || !values.iter().any(|value| is_something(value));
            match operator {
                Operator::NotEqual if expected.is_null() => !is_nothing(),
                Operator::NotEqual => !any(Operator::Equal),
                Operator::Equal if expected.is_null() => is_nothing(),
                Operator::Equal
                | Operator::Contains
                | Operator::StartsWith
                | Operator::EndsWith
                | Operator::Greater
                | Operator::GreaterOrEqual
                | Operator::Less
                | Operator::LessOrEqual => any(*operator),
            }
        }
        Filter::Any(path, inner) => {
            let elements = scope.elements(path);
            elements.is_some_and(|(attribute, values)| {
                values.into_iter().any(|value| holds(inner, &Scope::Element(attribute, value)))
            })
        }
    }
}

fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// A field by its name, whatever the case of its letters.
#[must_use]
pub fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let fields: &Map<String, Value> = value.as_object()?;
    fields.get(name).or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(value: &Value, operator: Operator, expected: &Value, is_exact: bool) -> bool {
    match (value, expected) {
        (Value::String(value), Value::String(expected)) if is_exact => text_compares(value, operator, expected),
        (Value::String(value), Value::String(expected)) => {
            text_compares(&value.to_lowercase(), operator, &expected.to_lowercase())
        }
        (Value::Bool(value), Value::Bool(expected)) => operator == Operator::Equal && value == expected,
        (Value::Number(value), Value::Number(expected)) => {
            let order = value.as_f64().zip(expected.as_f64()).and_then(|(a, b)| a.partial_cmp(&b));
            order.is_some_and(|order| in_order(order, operator))
        }
        _ => false,
    }
}

fn text_compares(value: &str, operator: Operator, expected: &str) -> bool {
    match operator {
        Operator::Contains => value.contains(expected),
        Operator::StartsWith => value.starts_with(expected),
        Operator::EndsWith => value.ends_with(expected),
        Operator::Equal
        | Operator::NotEqual
        | Operator::Greater
        | Operator::GreaterOrEqual
        | Operator::Less
        | Operator::LessOrEqual => in_order(value.cmp(expected), operator),
    }
}

fn in_order(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => order.is_gt(),
        Operator::GreaterOrEqual => order.is_ge(),
        Operator::Less => order.is_lt(),
        Operator::LessOrEqual => order.is_le(),
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::attributes::USERS;
    use super::super::filter::parse_filter;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_filter_sees_what_is_answered() {
        let user = json!({
            "id": "Ann", "userName": "Ann@Campus.example", "active": true, "groups": [{ "value": "eng", "display": "Engineering" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "eng" },
            "urn:doorward:params:scim:schemas:extension:2.0:Person": { "endsOn": "2027-02-28" },
        });
        let says = |text: &str| matches(&USERS, &user, &parse_filter(text).unwrap());
        let yes = [
            r#"userName eq "ann@campus.EXAMPLE""#,
            r#"USERNAME sw "ann" and userName ew ".example""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName co "@""#,
            "active eq true",
            r#"not (id eq "ann")"#,
            r#"groups eq "eng""#,
            r#"groups.display co "engin""#,
            r#"groups[value eq "eng" and display pr]"#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "eng""#,
            r#"urn:doorward:params:scim:schemas:extension:2.0:Person:endsOn lt "2027-03-01""#,
            "externalId eq null",
            r#"externalId ne "x""#,
        ];
        for text in yes {
            assert!(says(text), "{text}");
        }
        let no = [
            r#"id eq "ann""#,
            "active eq false",
            "externalId pr",
            r#"groups[value eq "eng" and display eq "x"]"#,
            r#"password pr"#,
            r#"groups.nothing eq "eng""#,
            r#"userName eq 1"#,
            r#"urn:doorward:params:scim:schemas:extension:2.0:Person:endsOn gt "2027-03-01""#,
        ];
        for text in no {
            assert!(!says(text), "{text}");
        }
    }
}
