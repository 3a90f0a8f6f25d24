//! Lists of resources: which, from where on, how many, and with which of their attributes.

use super::attributes::{COMMON, ResourceKind};
use super::filter::{Filter, parse_filter};
use super::{CONTENT_TYPE, ScimFailure};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

/// Most at once, and as many as are answered unless the client says fewer.
pub const COUNT_MAX: usize = 1_000;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// What stands after the question mark.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

/// A query that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Which.
    pub filter: Option<Filter>,
    start: usize,
    count: usize,
    /// With which attributes.
    pub attributes: Projection,
}

/// The attributes that are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Projection {
    only: Option<Vec<String>>,
    without: Vec<String>,
}

impl Query {
    /// Understands it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read(&self) -> Result<Asked, ScimFailure> {
        let number = |text: &Option<String>, name: &str| match text.as_deref().map(str::parse::<i64>) {
            None => Ok(None),
            // Less than nothing counts as nothing.
            Some(Ok(number)) => Ok(Some(usize::try_from(number.max(0)).unwrap_or(usize::MAX))),
            Some(Err(_)) => Err(ScimFailure::value(format!("{name} is a whole number"))),
        };
        let filter = self.filter.as_deref().map(parse_filter).transpose();
        Ok(Asked {
            filter: filter.map_err(|error| ScimFailure::bad("invalidFilter", format!("filter {error}")))?,
            start: number(&self.start_index, "startIndex")?.unwrap_or(1).max(1),
            count: number(&self.count, "count")?.unwrap_or(COUNT_MAX).min(COUNT_MAX),
            attributes: self.projection(),
        })
    }

    /// The filter as it was written.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// The attributes that are asked for.
    #[must_use]
    pub fn projection(&self) -> Projection {
        let names =
            |text: &str| text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        Projection {
            only: self.attributes.as_deref().map(names),
            without: self.excluded_attributes.as_deref().map(names).unwrap_or_default(),
        }
    }
}

impl Projection {
    /// A resource with no more than what was asked for.
    #[must_use]
    pub fn of(&self, kind: &ResourceKind, mut resource: Value) -> Value {
        let Some(fields) = resource.as_object_mut() else { return resource };
        for extension in kind.extensions {
            if let Some(inner) = fields.get_mut(extension.id).and_then(Value::as_object_mut) {
                inner.retain(|name, _| self.keeps(kind, Some(extension.id), name));
            }
        }
        fields.retain(|name, value| match kind.extension(name) {
            Some(_) => value.as_object().is_some_and(|inner| !inner.is_empty()),
            None => self.keeps(kind, None, name),
        });
        resource
    }

    fn keeps(&self, kind: &ResourceKind, schema: Option<&str>, name: &str) -> bool {
        if schema.is_none() && COMMON.iter().any(|common| common.name == name && common.is_always_returned) {
            return true;
        }
        let names = |asked: &String| {
            if schema.is_some_and(|schema| asked.eq_ignore_ascii_case(schema)) {
                return true;
            }
            let (of, rest) = asked.rsplit_once(':').map_or((None, asked.as_str()), |(of, rest)| (Some(of), rest));
            let of = of.filter(|of| !of.eq_ignore_ascii_case(kind.core.id));
            let is_of = match (of, schema) {
                (None, None) => true,
                (Some(of), Some(schema)) => of.eq_ignore_ascii_case(schema),
                (None, Some(_)) | (Some(_), None) => false,
            };
            is_of && rest.split('.').next().is_some_and(|first| first.eq_ignore_ascii_case(name))
        };
        match &self.only {
            Some(only) => only.iter().any(names),
            None => !self.without.iter().any(names),
        }
    }
}

impl Asked {
    /// The page of what there is; only what stands on it is made.
    #[must_use]
    pub fn page<T>(&self, kind: &ResourceKind, all: &[T], make: impl Fn(&T) -> Value) -> Response {
        let page = all.iter().skip(self.start.saturating_sub(1)).take(self.count);
        let resources: Vec<Value> = page.map(|one| self.attributes.of(kind, make(one))).collect();
        let body = json!({
            "schemas": [LIST], "totalResults": all.len(), "startIndex": self.start, "itemsPerPage": resources.len(),
            "Resources": resources,
        });
        ([(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
    }
}

/// A whole list on one page.
pub fn whole(resources: &[Value]) -> Response {
    let count = resources.len();
    let body = json!({
        "schemas": [LIST], "totalResults": count, "startIndex": 1, "itemsPerPage": count, "Resources": resources,
    });
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], body.to_string()).into_response()
}
