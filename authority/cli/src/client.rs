//! The client of the authority's HTTP API: one request, one answer, and clear words when there is none.
//!
//! Knows addresses, the token, errors and streams of lines; which requests there are is known to the commands.

use crate::failure::Failure;
use crate::files::{SMALL_FILE_BYTES_MAX, read, read_if_there, read_private_text};
use crate::options::{Options, Place};
use doorward_policy::command::check_text;
use doorward_server::http::shapes::{Fault, FileProblem};
use doorward_server::paths::Layout;
use doorward_server::serve::RunFile;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::{Display, Write};
use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Method, Request, Response, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

/// How long a connection may take: the authority is near.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long the first word of an answer may take: a change is stored in milliseconds, a large import in seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Largest answer that is held as a whole, and longest line of a stream, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Largest file of certificates in bytes.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;

/// The authority, as commands talk to it.
pub struct Client {
    agent: Agent,
    base: String,
    token: String,
    token_file: PathBuf,
    actor: String,
    start_hint: String,
}

impl core::fmt::Debug for Client {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Client({}, a token)", self.base)
    }
}

/// Names and values behind the `?` of an address; those without a value are left out.
pub type Query<'a> = &'a [(&'a str, Option<String>)];

impl Client {
    /// The authority that the options or the environment name.
    ///
    /// # Errors
    /// When nothing says where it is, or what says so cannot be read. Whether it runs shows with the first request.
    pub fn of(options: &Options) -> Result<Self, Failure> {
        let place = options.place()?;
        let token_file = match (options.token_file(), &place) {
            (Some(file), _) => file,
            (None, Place::Data(data)) => Layout::new(data).api_token(),
            (None, Place::Api(_)) => {
                return Err(Failure::usage("no token is given for the API").hint(
                    "name its file with --token-file FILE (or DOORWARD_TOKEN_FILE): one that `doorward account sign-in` \
                     wrote, one that an administrator gave you, or api-token of the data directory",
                ));
            }
        };
        let mut client = Self::without_token(options)?;
        let token = read_private_text(&token_file)?.trim().to_owned();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::new(format!("{} holds no API token", token_file.display())));
        }
        (client.token, client.token_file) = (token, token_file);
        Ok(client)
    }

    /// The same for those who have no token yet.
    ///
    /// # Errors
    /// As of [`Client::of`].
    pub fn without_token(options: &Options) -> Result<Self, Failure> {
        let place = options.place()?;
        let (base, certificate, start_hint) = match &place {
            Place::Data(data) => found_in(data)?,
            Place::Api(api) => {
                (api.trim_end_matches('/').to_owned(), None, "is it running, and is this its address?".into())
            }
        };
        if !["http://", "https://"].iter().any(|scheme| base.starts_with(scheme)) {
            return Err(Failure::usage(format!("{base:?} is not the address of an authority"))
                .hint("give it as http://HOST:PORT or https://HOST:PORT"));
        }
        if !base.starts_with("https://") && !is_of_this_machine(&base) {
            return Err(Failure::usage(format!("{base} would be sent the token in the clear"))
                .hint("ask an authority on another machine by https://HOST:PORT, or through a tunnel"));
        }
        let actor = options.actor();
        check_text(&actor).map_err(|error| Failure::usage(format!("--as {actor:?} {error}")))?;
        let agent = agent(&base, options.certificate_file().or(certificate).as_deref())?;
        Ok(Self { agent, base, token: String::new(), token_file: PathBuf::new(), actor, start_hint })
    }

    /// Asks for one JSON answer.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn ask<T: DeserializeOwned>(&self, path: &str, query: Query<'_>) -> Result<Answer<T>, Failure> {
        self.answer(self.send(&Method::GET, path, query, None)?)
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn change<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Answer<T>, Failure> {
        self.answer(self.send(&Method::POST, path, &[], Some(as_json(body)?))?)
    }

    /// Asks for something to be as it is described.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn replace<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<Answer<T>, Failure> {
        self.answer(self.send(&Method::PUT, path, &[], Some(as_json(body)?))?)
    }

    /// Sends a photo.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn upload<T: DeserializeOwned>(&self, path: &str, jpeg: Vec<u8>) -> Result<Answer<T>, Failure> {
        self.answer(self.send_as("image/jpeg", &Method::PUT, path, &[], Some(jpeg))?)
    }

    /// Asks for something to be removed.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn remove<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Failure> {
        self.answer(self.send(&Method::DELETE, path, &[], None)?)
    }

    /// Asks for a file.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn file(&self, path: &str) -> Result<Vec<u8>, Failure> {
        whole(self.send(&Method::GET, path, &[], None)?)
    }

    /// Asks for a stream of JSON lines.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn lines(&self, path: &str, query: Query<'_>) -> Result<Lines, Failure> {
        Ok(Lines::of(self.send(&Method::GET, path, query, None)?))
    }

    /// Asks for a change that tells how far it is, as a stream of JSON lines.
    ///
    /// # Errors
    /// When there is no answer, or it is an error.
    pub fn change_in_steps(&self, path: &str, query: Query<'_>, body: &impl Serialize) -> Result<Lines, Failure> {
        Ok(Lines::of(self.send(&Method::POST, path, query, Some(as_json(body)?))?))
    }

    fn send(
        &self,
        method: &Method,
        path: &str,
        query: Query<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Body>, Failure> {
        self.send_as("application/json", method, path, query, body)
    }

    fn send_as(
        &self,
        content_type: &str,
        method: &Method,
        path: &str,
        query: Query<'_>,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Body>, Failure> {
        let url = format!("{}{path}{}", self.base, query_text(query));
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-doorward-as", self.actor.as_bytes())
            .header("content-type", content_type);
        let no_request = |error| Failure::usage(format!("{url} cannot be asked for: {error}"));
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).map_err(no_request)?),
            None => self.agent.run(request.body(()).map_err(no_request)?),
        };
        let response = sent.map_err(|error| self.silence(&error, method != Method::GET))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response)) }
    }

    /// What it means that no answer came.
    fn silence(&self, error: &ureq::Error, changes: bool) -> Failure {
        let base = &self.base;
        if matches!(error, ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::Pem(_)) {
            return Failure::new(format!("cannot talk to {base} in private: {error}"))
                .hint("name the certificate that it shows, or the one of who issued it, with --ca FILE");
        }
        if changes && !is_unheard(error) {
            return Failure::new(format!("the authority at {base} did not answer the request: {error}"))
                .hint("whether the change was stored is not known: see `doorward journal`");
        }
        Failure::new(format!("no authority answers at {base}: {error}")).hint(&self.start_hint)
    }

    /// What the authority says is wrong.
    fn refusal(&self, response: Response<Body>) -> Failure {
        let status = response.status();
        let said: Value = whole(response).ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let failure = failure_of(&said)
            .unwrap_or_else(|| Failure::new(format!("{} answers {status}; is it an authority?", self.base)));
        if status.as_u16() == 401 && !self.token.is_empty() {
            let file = self.token_file.display();
            return Failure::new(format!("the authority at {} does not accept the token in {file}", self.base))
                .hint("the right one is the file api-token in the data directory of that authority");
        }
        failure
    }

    fn answer<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<Answer<T>, Failure> {
        let raw: Value = serde_json::from_slice(&whole(response)?).map_err(|error| not_understood(&error))?;
        Answer::of(raw)
    }
}

/// Whether nobody can have read a request that ended in this error.
fn is_unheard(error: &ureq::Error) -> bool {
    use ureq::{Error, Timeout};
    let is_refused = matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused);
    let is_before = matches!(
        error,
        Error::HostNotFound
            | Error::ConnectionFailed
            | Error::BadUri(_)
            | Error::Http(_)
            | Error::Timeout(Timeout::Resolve | Timeout::Connect)
    );
    is_refused || is_before
}

/// An answer in two forms: as this program understands it, and all of it.
#[derive(Debug)]
pub struct Answer<T> {
    /// What commands use.
    pub value: T,
    /// What programs get with `--json`.
    pub raw: Value,
}

impl<T: DeserializeOwned> Answer<T> {
    /// Understands a value.
    ///
    /// # Errors
    /// When it is another one than was asked for.
    pub fn of(raw: Value) -> Result<Self, Failure> {
        let value = T::deserialize(&raw).map_err(|error| not_understood(&error))?;
        Ok(Self { value, raw })
    }
}

/// An answer that comes line by line.
pub struct Lines {
    from: BufReader<Box<dyn Read>>,
}

impl Lines {
    fn of(response: Response<Body>) -> Self {
        Self { from: BufReader::new(Box::new(response.into_body().into_reader())) }
    }

    /// The next line; `None` when the answer is complete.
    ///
    /// # Errors
    /// When the answer breaks off, is not understood, or says that it failed.
    pub fn next(&mut self) -> Result<Option<Value>, Failure> {
        loop {
            let mut line = Vec::new();
            let broken = |error: std::io::Error| Failure::new(format!("the authority's answer broke off: {error}"));
            self.from.by_ref().take(ANSWER_BYTES_MAX).read_until(b'\n', &mut line).map_err(broken)?;
            if line.is_empty() {
                return Ok(None);
            }
            if !line.ends_with(b"\n") {
                return Err(Failure::new("the authority's answer broke off in the middle of a line"));
            }
            // Empty lines keep a quiet stream alive.
            if line.trim_ascii().is_empty() {
                continue;
            }
            let value: Value = serde_json::from_slice(&line).map_err(|error| not_understood(&error))?;
            return failure_of(&value).map_or(Ok(Some(value)), Err);
        }
    }
}

/// Whether what is sent to an address stays on this machine.
fn is_of_this_machine(base: &str) -> bool {
    let address: Option<Uri> = base.parse().ok();
    let host = address.as_ref().and_then(Uri::host).unwrap_or_default();
    let number: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || number.is_some_and(|number| number.is_loopback())
}

/// Where the server of a data directory listens, the certificate that it shows, and how to start it.
fn found_in(data: &Path) -> Result<(String, Option<PathBuf>, String), Failure> {
    let (layout, shown) = (Layout::new(data), data.display());
    let start = format!("start it with `doorward serve --data {shown}`");
    if !data.is_dir() {
        let failure = Failure::new(format!("there is no data directory {shown}"));
        return Err(failure.hint(format!("make one with `doorward init --data {shown} --campus CAMPUS`")));
    }
    let Some(bytes) = read_if_there(&layout.run_file(), SMALL_FILE_BYTES_MAX)? else {
        return Err(Failure::new(format!("no authority answers at {shown}: none is running there")).hint(start));
    };
    let run: RunFile = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!("{} does not say where the server is: {error}", layout.run_file().display())).hint(&start)
    })?;
    Ok((run.api, run.certificate, start))
}

fn agent(base: &str, certificates: Option<&Path>) -> Result<Agent, Failure> {
    let mut roots = Vec::new();
    if let Some(path) = certificates {
        let pem = read(path, CERTIFICATES_BYTES_MAX)?;
        let found = parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            Ok(_) | Err(_) => None,
        });
        roots.extend(found);
        if roots.is_empty() {
            return Err(Failure::new(format!("{} holds no certificate in PEM", path.display())));
        }
    }
    if base.starts_with("https://") && roots.is_empty() {
        return Err(Failure::usage(format!("nothing says which certificate {base} must show"))
            .hint("name it, or the one of who issued it, with --ca FILE (or DOORWARD_CA)"));
    }
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build();
    // No proxy and no redirect: the token goes to the authority and to nobody else.
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_recv_response(Some(ANSWER_WITHIN))
        .build();
    Ok(config.new_agent())
}

fn whole(response: Response<Body>) -> Result<Vec<u8>, Failure> {
    let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX);
    body.read_to_vec().map_err(|error| Failure::new(format!("the authority's answer broke off: {error}")))
}

fn as_json(body: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(body).map_err(|error| Failure::new(format!("the request cannot be written: {error}")))
}

fn not_understood(error: &dyn Display) -> Failure {
    Failure::new(format!("the authority's answer is not understood: {error}")).hint(
        "`doorward` and the authority must be of the same version: compare `doorward --version` with `doorward status`",
    )
}

/// The failure that an answer tells of, if it does.
fn failure_of(said: &Value) -> Option<Failure> {
    let Fault { error, hint, problems } = Fault::deserialize(said).ok()?;
    let details = problems.iter().map(|problem| {
        let FileProblem { file, line, column, message } = problem;
        format!("{file}:{line}:{column}: {message}")
    });
    let failure = Failure::new(error).details(details);
    Some(match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// What follows the path in an address.
fn query_text(query: Query<'_>) -> String {
    let mut text = String::new();
    for (name, value) in query.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_spelled_as_addresses_want_it() {
        let query = [("at", Some("2026-11-22T08:00:00+09:00".to_owned())), ("x", None), ("card", Some("a b&c".into()))];
        assert_eq!(query_text(&query), "?at=2026-11-22T08%3A00%3A00%2B09%3A00&card=a%20b%26c");
        assert_eq!(query_text(&[]), "");
    }

    #[test]
    fn lines_are_read_one_by_one_until_the_authority_says_that_it_failed() {
        let text: &[u8] = b"{\"a\":1}\n\n{\"error\":\"no\",\"hint\":\"yes\"}\n{\"a\"";
        let mut lines = Lines { from: BufReader::new(Box::new(text)) };
        assert_eq!(lines.next().unwrap(), Some(serde_json::json!({ "a": 1 })));
        assert_eq!(lines.next().unwrap_err(), Failure::new("no").hint("yes"));
        assert!(lines.next().unwrap_err().error.contains("broke off"));
        assert_eq!(lines.next().unwrap(), None);
    }

    #[test]
    fn the_problems_that_the_authority_names_are_passed_on() {
        let said = serde_json::json!({ "error": "bad", "problems": [{ "file": "a", "line": 1, "column": 2, "message": "m" }] });
        assert_eq!(failure_of(&said).unwrap().details, ["a:1:2: m"]);
        assert_eq!(failure_of(&serde_json::json!({ "fine": true })), None);
    }

    #[test]
    fn the_token_leaves_this_machine_in_private_only() {
        for here in ["http://127.0.0.1:7480", "http://localhost:1", "http://[::1]:7480/"] {
            assert!(is_of_this_machine(here), "{here}");
        }
        for elsewhere in
            ["http://10.0.0.1:7480", "http://127.0.0.1@example.org", "http://localhost.example.org", "http://"]
        {
            assert!(!is_of_this_machine(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn https_needs_a_certificate_to_check_with() {
        assert_eq!(agent("https://authority.example:7480", None).unwrap_err().code(), 2);
        assert!(agent("http://127.0.0.1:7480", None).is_ok());
    }
}
