//! An identity provider on loopback, written to OpenID Connect Core and RFC 7636: real HTTP, real keys, real signatures; and
//! all that a false one could do.
//!
//! Shared by the tests of the server and of the command line; knows nothing of either.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

/// What the authority is called at the provider, with characters that a form must spell out.
pub const CLIENT: &str = "doorward:campus";
const SECRET: &str = "s3cret with+signs&more";

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    P256,
    Ed25519,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

struct Key {
    id: String,
    pair: Pair,
}

impl Key {
    fn new(id: &str, kind: Kind) -> Self {
        let pair = match kind {
            Kind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
            Kind::P256 => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            Kind::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate().unwrap()),
        };
        Self { id: id.to_owned(), pair }
    }

    fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
        }
    }

    fn public(&self) -> &[u8] {
        match &self.pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::P256(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        }
    }

    fn jwk(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) = (text(n.big_endian_without_leading_zero()), text(e.big_endian_without_leading_zero()));
                json!({ "kty": "RSA", "use": "sig", "kid": self.id, "n": n, "e": e })
            }
            Pair::P256(_) => {
                let (x, y) = (text(&self.public()[1..33]), text(&self.public()[33..]));
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": self.id, "x": x, "y": y })
            }
            Pair::Ed25519(_) => json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.id, "x": text(self.public()) }),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// What is false about the next tokens and answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Twist {
    Nothing,
    /// A claim says something else.
    Claim(&'static str, Value),
    /// A claim is missing.
    Without(&'static str),
    /// The token is not signed.
    NotSigned,
    /// It is signed with what everybody knows: the public key, taken for a shared secret.
    PublicKeyAsSecret,
    /// A key signed it that is not published, under the name of one that is.
    StrangersKey,
    /// Under a name of its own.
    StrangersName,
    /// Another algorithm is named than that of the key.
    OtherAlgorithm,
    /// The token says something else than what was signed.
    Changed,
    /// Discovery answers without end.
    Endless,
    /// Discovery does not answer.
    Silent,
    /// Discovery names somebody else.
    OtherIssuer,
    /// Discovery sends elsewhere.
    Elsewhere,
}

struct Grant {
    nonce: String,
    redirect_uri: String,
    challenge: String,
}

struct State {
    issuer: String,
    keys: Vec<Key>,
    subject: String,
    claims: Map<String, Value>,
    codes: BTreeMap<String, Grant>,
    twist: Twist,
    asked_for_keys: usize,
}

/// See the module.
#[derive(Clone)]
pub struct Provider {
    state: Arc<Mutex<State>>,
}

/// Random text that an address can hold.
fn random() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    hex(&bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Provider {
    /// A provider that signs with a key of this kind, on a port of its own.
    pub fn start(kind: Kind) -> Self {
        Self::start_over(kind, None)
    }

    /// The same over TLS.
    pub fn start_tls(kind: Kind, config: Arc<ServerConfig>) -> Self {
        Self::start_over(kind, Some(config))
    }

    fn start_over(kind: Kind, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            issuer: format!("{}://{address}", if tls.is_some() { "https" } else { "http" }),
            keys: vec![Key::new("first", kind)],
            subject: "kim".to_owned(),
            claims: Map::new(),
            codes: BTreeMap::new(),
            twist: Twist::Nothing,
            asked_for_keys: 0,
        };
        let provider = Self { state: Arc::new(Mutex::new(state)) };
        let serving = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (serving, tls) = (serving.clone(), tls.clone());
                std::thread::spawn(move || match tls {
                    None => serving.answer(stream),
                    Some(config) => {
                        let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                        serving.answer(&mut stream);
                        stream.conn.send_close_notify();
                        let _gone = stream.flush();
                    }
                });
            }
        });
        provider
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn issuer(&self) -> String {
        self.state().issuer.clone()
    }

    /// Who signs in from now on.
    pub fn is(&self, subject: &str, claims: Value) {
        let mut state = self.state();
        subject.clone_into(&mut state.subject);
        state.claims = claims.as_object().unwrap().clone();
    }

    pub fn twist(&self, twist: Twist) {
        self.state().twist = twist;
    }

    /// Signs with another key from now on, and publishes no other.
    pub fn rotate(&self, id: &str, kind: Kind) {
        self.state().keys = vec![Key::new(id, kind)];
    }

    pub fn asked_for_keys(&self) -> usize {
        self.state().asked_for_keys
    }

    /// Writes what an authority has to know of it.
    pub fn configure(&self, file: &Path, more: &str) {
        let secret = file.with_file_name("oidc-secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let issuer = self.issuer();
        let text =
            format!("issuer = \"{issuer}\"\nclient_id = \"{CLIENT}\"\nclient_secret_file = \"oidc-secret\"\n{more}");
        std::fs::write(file, text).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn answer(&self, mut stream: impl Read + Write) {
        let Some((method, target, head, body)) = request(&mut stream) else { return };
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let (status, more, body) = match (method.as_str(), path) {
            ("GET", "/.well-known/openid-configuration") => match self.discovery(&mut stream) {
                Some(answer) => answer,
                None => return,
            },
            ("GET", "/jwks") => {
                self.state().asked_for_keys += 1;
                let keys: Vec<_> = self.state().keys.iter().map(Key::jwk).collect();
                // Of a kind that nobody knows, as providers have them, too.
                let keys = [keys, vec![json!({ "kty": "new", "kid": "x" })]].concat();
                (200, String::new(), json!({ "keys": keys }).to_string())
            }
            ("GET", "/authorize") => self.authorize(&fields(query)),
            ("POST", "/token") => match self.token(&head, &fields(&body)) {
                Ok(token) => (
                    200,
                    String::new(),
                    json!({ "id_token": token, "token_type": "Bearer", "access_token": "x" }).to_string(),
                ),
                Err(error) => (400, String::new(), json!({ "error": error }).to_string()),
            },
            _ => (404, String::new(), String::new()),
        };
        let length = body.len();
        let _gone = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
    }

    fn discovery(&self, stream: &mut impl Write) -> Option<(u16, String, String)> {
        let (issuer, twist) = (self.issuer(), self.state().twist.clone());
        if twist == Twist::Silent {
            std::thread::sleep(Duration::from_secs(60));
            return None;
        }
        if twist == Twist::Endless {
            let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"issuer\":\"");
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
            return None;
        }
        if twist == Twist::Elsewhere {
            return Some((302, format!("Location: {issuer}/jwks\r\n"), String::new()));
        }
        let named = if twist == Twist::OtherIssuer { "https://elsewhere.example" } else { &issuer };
        let places = json!({
            "issuer": named,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        Some((200, String::new(), places.to_string()))
    }

    /// Whoever comes is let in at once: who that is was said before.
    fn authorize(&self, asked: &BTreeMap<String, String>) -> (u16, String, String) {
        let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let scopes = of("scope");
        let is_sound = of("response_type") == "code"
            && of("client_id") == CLIENT
            && of("code_challenge_method") == "S256"
            && scopes.split(' ').any(|scope| scope == "openid");
        if !is_sound {
            return (400, String::new(), "invalid_request".to_owned());
        }
        let code = random();
        let grant = Grant { nonce: of("nonce"), redirect_uri: of("redirect_uri"), challenge: of("code_challenge") };
        let back = format!("{}?code={code}&state={}&iss={}", grant.redirect_uri, of("state"), encoded(&self.issuer()));
        self.state().codes.insert(code, grant);
        (302, format!("Location: {back}\r\n"), String::new())
    }

    fn token(&self, head: &str, asked: &BTreeMap<String, String>) -> Result<String, &'static str> {
        let of = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        let pair = STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)));
        if !head.to_ascii_lowercase().contains(&format!("authorization: basic {pair}").to_ascii_lowercase()) {
            return Err("invalid_client");
        }
        // A code is worth something once.
        let grant = self.state().codes.remove(of("code")).ok_or("invalid_grant")?;
        let verifier = digest::digest(&digest::SHA256, of("code_verifier").as_bytes());
        let is_same = grant.challenge == URL_SAFE_NO_PAD.encode(verifier) && grant.redirect_uri == of("redirect_uri");
        if of("grant_type") != "authorization_code" || !is_same {
            return Err("invalid_grant");
        }
        Ok(self.id_token(&grant.nonce))
    }

    fn id_token(&self, nonce: &str) -> String {
        let state = self.state();
        let key = &state.keys[0];
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let mut header = json!({ "alg": key.algorithm(), "kid": key.id, "typ": "JWT" });
        let mut claims = json!({
            "iss": state.issuer, "sub": state.subject, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
        });
        for (name, value) in &state.claims {
            claims[name] = value.clone();
        }
        let stranger = Key::new(&key.id, Kind::Rsa);
        match &state.twist {
            Twist::Claim(name, value) => claims[name] = value.clone(),
            Twist::Without(name) => drop(claims.as_object_mut().unwrap().remove(*name)),
            Twist::NotSigned => header["alg"] = json!("none"),
            Twist::PublicKeyAsSecret => header["alg"] = json!("HS256"),
            Twist::StrangersName => header["kid"] = json!("stranger"),
            Twist::OtherAlgorithm => header["alg"] = json!("ES256"),
            Twist::Nothing | Twist::StrangersKey | Twist::Changed => {}
            Twist::Endless | Twist::Silent | Twist::OtherIssuer | Twist::Elsewhere => {}
        }
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", text(&header), text(&claims));
        let signature = match &state.twist {
            Twist::NotSigned => Vec::new(),
            Twist::PublicKeyAsSecret => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            Twist::StrangersKey | Twist::StrangersName => stranger.sign(message.as_bytes()),
            Twist::Nothing | Twist::Claim(..) | Twist::Without(_) | Twist::OtherAlgorithm | Twist::Changed => {
                key.sign(message.as_bytes())
            }
            Twist::Endless | Twist::Silent | Twist::OtherIssuer | Twist::Elsewhere => key.sign(message.as_bytes()),
        };
        let message = if state.twist == Twist::Changed {
            claims["sub"] = json!("somebody-else");
            format!("{}.{}", text(&header), text(&claims))
        } else {
            message
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a browser does with an address: asks, and says where it is sent, or what it is shown.
pub fn browse(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let location = answer.lines().find_map(|line| line.strip_prefix("Location: "));
    location.map_or(answer.clone(), ToOwned::to_owned)
}

/// The names and values of an address or a form.
pub fn fields(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

/// As forms spell it.
pub fn encoded(text: &str) -> String {
    let spell = |byte: u8| {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(spell).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Method, target, head and body of a request.
fn request(stream: &mut impl Read) -> Option<(String, String, String, String)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                let mut words = head.split(' ');
                let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
                return Some((method, target, head.to_owned(), body.to_owned()));
            }
        }
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
}
