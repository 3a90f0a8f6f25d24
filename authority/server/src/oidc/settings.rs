//! `oidc.toml`: which identity provider is believed, and what its groups may do here.
//!
//! Read once, at a start. Everything that is wrong is said with its line and column, and nothing is taken of a file that is.

use crate::keys::{self, KeyError};
use axum::http::Uri;
use doorward_policy::office::{Power, Remit, Role};
use doorward_protocol::id::IdError;
use doorward_protocol::problem::{Place, Problem, did_you_mean, shown};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io::Read;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use thiserror::Error;
use toml::Spanned;

/// Largest file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;
/// Longest secret of a client, in bytes.
const SECRET_BYTES_MAX: usize = 4 << 10;

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// A file cannot be read.
    #[error("{0}: {1}")]
    File(PathBuf, String),
    /// Other users could say who is an administrator.
    #[error("{0} can be changed by other users (mode {1:o}); run `chmod go-w` on it")]
    Writable(PathBuf, u32),
    /// The secret is not kept.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// What the file says is wrong.
    #[error("{}", lines(.0))]
    Wrong(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A secret that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}

/// What a group may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// As the provider names it.
    pub name: String,
    /// What its people may do here.
    pub power: Power,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The provider, as its tokens name it.
    pub issuer: String,
    /// What this authority is called there.
    pub client_id: String,
    /// What it shows there; none is a public client, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    /// The certificates, PEM, by which the provider is known; none over loopback without TLS.
    pub certificates: Vec<u8>,
    /// Where the provider may send a browser, beside loopback.
    pub redirect_uri: Option<String>,
    /// What is asked for, beginning with `openid`.
    pub scope: String,
    /// Which claim names the groups.
    pub groups_claim: String,
    /// Which claim names the person, for the own page of card holders.
    pub holder_claim: Option<String>,
    /// In the order of the file.
    pub groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    issuer: Spanned<String>,
    client_id: Spanned<String>,
    client_secret_file: Option<PathBuf>,
    ca: Option<Spanned<PathBuf>>,
    redirect_uri: Option<Spanned<String>>,
    #[serde(default)]
    scopes: Vec<Spanned<String>>,
    groups_claim: Option<Spanned<String>>,
    holder_claim: Option<Spanned<String>>,
    #[serde(default)]
    group: Vec<Spanned<GroupRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupRow {
    name: Spanned<String>,
    role: Spanned<String>,
    #[serde(default)]
    campus: bool,
    #[serde(default)]
    units: Vec<Spanned<String>>,
    #[serde(default)]
    buildings: Vec<Spanned<String>>,
}

impl Settings {
    /// Reads the settings, and the files that they name: those are looked for beside them.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let mode = std::fs::metadata(path).map_err(|error| SettingsError::File(path.to_owned(), error.to_string()))?;
        let mode = mode.permissions().mode() & 0o777;
        if mode & 0o022 != 0 {
            return Err(SettingsError::Writable(path.to_owned(), mode));
        }
        let text = String::from_utf8(bytes_of(path)?)
            .map_err(|_| SettingsError::File(path.to_owned(), "is not text in UTF-8".into()))?;
        let mut reading = Reading { file: path.display().to_string(), text: &text, problems: Vec::new() };
        let document: Document = match toml::from_str(&text) {
            Ok(document) => document,
            Err(error) => {
                reading.report(error.span().unwrap_or(0..0), error.message().replace('\n', "; "));
                return Err(SettingsError::Wrong(reading.problems));
            }
        };
        let beside = |name: &Path| path.parent().map_or_else(|| name.to_owned(), |folder| folder.join(name));
        let certificates = reading.certificates(&document, beside)?;
        let client_secret = document.client_secret_file.as_deref().map(|name| secret_of(&beside(name))).transpose()?;
        let settings = reading.settings(document, client_secret, certificates);
        settings.ok_or_else(|| {
            reading.problems.sort();
            SettingsError::Wrong(reading.problems)
        })
    }

    /// What somebody in these groups may do: as the first of them that the file names.
    #[must_use]
    pub fn power_of(&self, groups: &[String]) -> Option<&Power> {
        self.groups.iter().find(|group| groups.contains(&group.name)).map(|group| &group.power)
    }

    /// Whether nothing but this machine is asked.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_loopback(&self.issuer)
    }
}

/// Whether an address is on this machine, by `http`.
#[must_use]
pub fn is_loopback(address: &str) -> bool {
    let Some(uri) = uri_of(address).filter(|uri| uri.scheme_str() == Some("http")) else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|host: IpAddr| host.is_loopback())
}

/// Whether an address is asked in private.
#[must_use]
pub fn is_https(address: &str) -> bool {
    uri_of(address).is_some_and(|uri| uri.scheme_str() == Some("https"))
}

/// An address with a host, and without a user's name and a fragment.
fn uri_of(address: &str) -> Option<Uri> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority()?;
    (!authority.as_str().contains('@') && !authority.host().is_empty() && !address.contains('#')).then_some(uri)
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, SettingsError> {
    let failed = |why: String| SettingsError::File(path.to_owned(), why);
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(failed(format!("has more than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

fn secret_of(path: &Path) -> Result<Secret, SettingsError> {
    let text = keys::read_private(path)?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() || secret.len() > SECRET_BYTES_MAX || secret.chars().any(char::is_control) {
        let why = format!("does not hold the secret of a client: one line of at most {SECRET_BYTES_MAX} bytes");
        return Err(SettingsError::File(path.to_owned(), why));
    }
    Ok(Secret(secret.to_owned()))
}

/// A file that is being read, and what is wrong in it so far.
struct Reading<'t> {
    file: String,
    text: &'t str,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn report(&mut self, span: core::ops::Range<usize>, message: impl Into<String>) {
        let place = Place::in_text(self.text, 1, span.start);
        self.problems.push(Problem::new(&self.file, place, message));
    }

    /// Whom to believe that an address is the provider's, is named: nothing in the world outside is believed otherwise.
    fn certificates(
        &mut self,
        document: &Document,
        beside: impl Fn(&Path) -> PathBuf,
    ) -> Result<Vec<u8>, SettingsError> {
        if let Some(ca) = &document.ca {
            let pem = bytes_of(&beside(ca.get_ref()))?;
            if super::provider::certificates(&pem).is_empty() {
                self.report(ca.span(), format!("{} holds no certificate in PEM", ca.get_ref().display()));
            }
            return Ok(pem);
        }
        if !is_loopback(document.issuer.get_ref()) {
            let message = "the file lacks `ca`: the certificates (PEM) by which the provider is known, such as that of who issued its own";
            self.report(0..0, message);
        }
        Ok(Vec::new())
    }

    fn settings(
        &mut self,
        document: Document,
        client_secret: Option<Secret>,
        certificates: Vec<u8>,
    ) -> Option<Settings> {
        let Document { issuer, client_id, redirect_uri, scopes, groups_claim, holder_claim, group, .. } = document;
        let address = issuer.get_ref();
        if !(is_https(address) || is_loopback(address)) || address.contains('?') {
            self.report(
                issuer.span(),
                format!("issuer {} is not https://HOST/PATH; http is for loopback only", shown(address)),
            );
        }
        if let Some(redirect) = &redirect_uri
            && !is_https(redirect.get_ref())
            && !is_loopback(redirect.get_ref())
        {
            let message = format!("redirect_uri {} is not https://HOST/PATH", shown(redirect.get_ref()));
            self.report(redirect.span(), message);
        }
        let client_id = self.word("client_id", client_id);
        let groups_claim = groups_claim.map_or_else(|| "groups".to_owned(), |claim| self.word("groups_claim", claim));
        let holder_claim = holder_claim.map(|claim| self.word("holder_claim", claim));
        let scopes: Vec<_> = scopes.into_iter().map(|scope| self.word("a scope", scope)).collect();
        let others = scopes.iter().filter(|scope| *scope != "openid").map(String::as_str);
        let scope = core::iter::once("openid").chain(others).collect::<Vec<_>>().join(" ");
        if group.is_empty() && holder_claim.is_none() {
            self.report(0..0, "the file names no [[group]] and no holder_claim, so that nobody could sign in");
        }
        let groups = self.groups(group);
        let redirect_uri = redirect_uri.map(Spanned::into_inner);
        self.problems.is_empty().then(|| Settings {
            issuer: issuer.into_inner(),
            client_id,
            client_secret,
            certificates,
            redirect_uri,
            scope,
            groups_claim,
            holder_claim,
            groups,
        })
    }

    /// A name without spaces.
    fn word(&mut self, key: &str, value: Spanned<String>) -> String {
        let text = value.get_ref();
        if text.is_empty() || text.len() > 256 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.report(
                value.span(),
                format!("{key} {} is not a name without spaces, as the provider has it", shown(text)),
            );
        }
        value.into_inner()
    }

    fn groups(&mut self, rows: Vec<Spanned<GroupRow>>) -> Vec<Group> {
        let mut names = BTreeSet::new();
        let mut groups = Vec::new();
        for row in rows {
            let span = row.span();
            let GroupRow { name, role, campus, units, buildings } = row.into_inner();
            if name.get_ref().is_empty() || !names.insert(name.get_ref().clone()) {
                let message = format!("group {} is empty or stands there twice; name each once", shown(name.get_ref()));
                self.report(name.span(), message);
            }
            let known = Role::of_name(role.get_ref());
            if known.is_none() {
                let near = did_you_mean(role.get_ref(), Role::ALL.map(Role::name));
                let roles = Role::ALL.map(Role::name).join(", ");
                self.report(role.span(), format!("{} is no role{near}; roles are {roles}", shown(role.get_ref())));
            }
            let (units, buildings) = (self.ids("unit", units), self.ids("building", buildings));
            let remit = match (campus, !units.is_empty() || !buildings.is_empty()) {
                (true, false) => Remit::Campus,
                (false, true) => Remit::Part { units, buildings },
                // What was forgotten must not mean everything.
                (true, true) | (false, false) => {
                    let message = format!(
                        "group {} needs a remit: either `campus = true`, or `units` and `buildings`",
                        shown(name.get_ref())
                    );
                    self.report(span, message);
                    continue;
                }
            };
            groups.extend(known.map(|role| Group { name: name.into_inner(), power: Power { role, remit } }));
        }
        groups
    }

    fn ids<T: Ord + FromStr<Err = IdError>>(&mut self, what: &str, names: Vec<Spanned<String>>) -> BTreeSet<T> {
        let mut ids = BTreeSet::new();
        for name in names {
            match name.get_ref().parse() {
                Ok(id) => drop(ids.insert(id)),
                Err(error) => self.report(name.span(), format!("{what} {} {error}", shown(name.get_ref()))),
            }
        }
        ids
    }
}
