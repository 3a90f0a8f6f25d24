//! Forms with files (`multipart/form-data`, RFC 7578): whether one is of a page of ours, and what is in it.
//!
//! Deliberately in memory and bounded: what is larger than a photo, a plan or a table of cards goes through the API.

use super::visit::KEY;
use crate::http::failure::Failure;
use crate::http::photos;
use crate::keys;
use axum::RequestExt;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use std::collections::BTreeMap;

/// Largest form with files, in bytes: the largest photo, and some more for the fields beside it.
pub const UPLOAD_BYTES_MAX: usize = photos::UPLOAD_BYTES_MAX + (64 << 10);
/// Most parts of a form.
const PARTS_MAX: usize = 16;

/// What a form with files brought.
#[derive(Debug, Default)]
pub struct Uploaded {
    /// The fields that are text.
    pub fields: BTreeMap<String, String>,
    /// The files that are not empty, by the names of their fields: what each was called, and its content.
    pub files: BTreeMap<String, (String, Bytes)>,
}

/// What separates the parts of a form with files; `None` for any other form.
pub fn boundary_of(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let boundary = kind.strip_prefix("multipart/form-data;")?.trim().strip_prefix("boundary=")?;
    Some(boundary.trim_matches('"').to_owned())
}

/// Whether the first part of a form is the key of its visitor: pages of ours put it first.
pub fn brings(form: &[u8], boundary: &str, key: &str) -> bool {
    let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{KEY}\"\r\n\r\n");
    let given = form.strip_prefix(head.as_bytes()).and_then(|rest| rest.get(..key.len()));
    given.is_some_and(|given| keys::equal_in_constant_time(given, key.as_bytes()))
}

impl<S: Send + Sync> FromRequest<S> for Uploaded {
    type Rejection = Failure;

    async fn from_request(mut request: Request, _state: &S) -> Result<Self, Failure> {
        // Who may send how much was asked before anything was read (`visit::receive`).
        DefaultBodyLimit::max(UPLOAD_BYTES_MAX).apply(&mut request);
        let parts = request.extract::<Multipart, _>().await;
        let mut parts = parts.map_err(|error| Failure::new(error.status(), error.body_text()))?;
        let mut uploaded = Self::default();
        for _ in 0..PARTS_MAX {
            let part = parts.next_field().await.map_err(|error| Failure::new(error.status(), error.body_text()))?;
            let Some(part) = part else { return Ok(uploaded) };
            let (name, file) = (part.name().unwrap_or_default().to_owned(), part.file_name().map(str::to_owned));
            let bytes = part.bytes().await.map_err(|error| Failure::new(error.status(), error.body_text()))?;
            match file {
                // A browser sends a field for a file that nobody chose, without a name and empty.
                Some(_) if bytes.is_empty() => {}
                Some(file) => drop(uploaded.files.insert(name, (file, bytes))),
                None => {
                    let text = String::from_utf8(bytes.into());
                    let text = text.map_err(|_| Failure::bad(format!("the field {name} is not UTF-8")))?;
                    uploaded.fields.insert(name, text);
                }
            }
        }
        Err(Failure::bad(format!("the form has more than {PARTS_MAX} parts")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_files_brings_its_key_first_and_whole() {
        let form = |name: &str, key: &str| {
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{key}\r\n--xyz--\r\n").into_bytes()
        };
        assert!(brings(&form("key", "0123abcd"), "xyz", "0123abcd"));
        for (form, boundary) in [
            (form("key", "0123abce"), "xyz"),
            (form("other", "0123abcd"), "xyz"),
            (form("key", "0123"), "xyz"),
            (form("key", "0123abcd"), "abc"),
        ] {
            assert!(!brings(&form, boundary, "0123abcd"), "{}", String::from_utf8_lossy(&form));
        }
    }

    #[test]
    fn only_a_form_with_files_has_a_boundary() {
        let of = |kind: &'static str| {
            boundary_of(&HeaderMap::from_iter([(header::CONTENT_TYPE, header::HeaderValue::from_static(kind))]))
        };
        assert_eq!(
            of("multipart/form-data; boundary=----WebKitFormBoundaryAbc"),
            Some("----WebKitFormBoundaryAbc".into())
        );
        assert_eq!(of("multipart/form-data; boundary=\"abc\""), Some("abc".into()));
        assert_eq!(of("application/x-www-form-urlencoded"), None);
    }
}
