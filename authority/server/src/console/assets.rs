//! What pages bring along: one style sheet, one script, the sign of the house and an empty sheet, under names that follow from their content.
//!
//! A browser keeps them for good: whatever changes has another name.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use doorward_protocol::id::hash;
use std::sync::LazyLock;

/// One style sheet from one file for each office.
const STYLE: &str = concat!(
    include_str!("assets/console.css"),
    include_str!("assets/access.css"),
    include_str!("assets/card-office.css"),
    include_str!("assets/map.css"),
    include_str!("assets/own.css"),
    include_str!("assets/records.css"),
);
/// One script, likewise.
const SCRIPT: &str = concat!(include_str!("assets/console.js"), include_str!("assets/photos.js"));
const SIGN: &str = include_str!("assets/sign.svg");
const PLAN: &str = include_str!("assets/plan.svg");

/// How many digits of the hash stand in a name.
const DIGITS: usize = 16;

/// A file of the console.
pub struct Asset {
    /// Where it is.
    pub path: String,
    kind: &'static str,
    text: &'static str,
}

/// All of them, by what they are.
pub struct Assets {
    /// The style sheet.
    pub style: Asset,
    /// The script.
    pub script: Asset,
    /// The sign.
    pub sign: Asset,
    /// The sheet on which buildings stand where nobody brought a plan.
    pub plan: Asset,
}

/// The files of the console.
pub static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    style: named("console.css", "text/css; charset=utf-8", STYLE),
    script: named("console.js", "text/javascript; charset=utf-8", SCRIPT),
    sign: named("sign.svg", "image/svg+xml", SIGN),
    plan: named("plan.svg", "image/svg+xml", PLAN),
});

fn named(name: &str, kind: &'static str, text: &'static str) -> Asset {
    let digits: String =
        hash("doorward 1 console asset", &[text.as_bytes()]).to_string().chars().take(DIGITS).collect();
    Asset { path: format!("/assets/{digits}-{name}"), kind, text }
}

/// Serves one of them.
pub async fn asset(Path(name): Path<String>) -> Response {
    let Assets { style, script, sign, plan } = &*ASSETS;
    let asked =
        [style, script, sign, plan].into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(&name));
    let Some(asset) = asked else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (headers, asset.text).into_response()
}
