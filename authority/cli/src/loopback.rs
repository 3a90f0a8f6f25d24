//! What a browser brings back: one request on a loopback port of this machine (RFC 8252, 7.3).
//!
//! Deliberately no web server: whatever else comes is turned away, and the port is closed with the answer.

use crate::failure::Failure;
use doorward_protocol::problem::shown;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long somebody may take at the provider.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long a browser may take to ask, once it is connected.
const ASK_WITHIN: Duration = Duration::from_secs(2);
/// Largest request in bytes: the code and the state are in its first line.
const REQUEST_BYTES_MAX: usize = 16 << 10;
/// How often it is looked whether somebody came.
const PERIOD: Duration = Duration::from_millis(50);
const PATH: &str = "/callback";

/// A port on which a browser is awaited.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// A browser that came back, and waits to be told what came of it.
#[derive(Debug)]
pub struct Visit {
    stream: TcpStream,
    fields: BTreeMap<String, String>,
}

impl Loopback {
    /// Listens on any port that is free.
    ///
    /// # Errors
    /// When none is.
    pub fn open() -> Result<Self, Failure> {
        let no_port = |error| Failure::new(format!("no port of this machine can be listened on: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(no_port)?;
        listener.set_nonblocking(true).map_err(no_port)?;
        let port = listener.local_addr().map_err(no_port)?.port();
        Ok(Self { listener, port })
    }

    /// Where the provider is to send the browser.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Waits for the browser of this sign-in.
    ///
    /// # Errors
    /// When none came in time.
    pub fn wait(&self, state: &str) -> Result<Visit, Failure> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Some(visit) = Visit::of(stream, state) {
                        return Ok(visit);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(PERIOD),
                // Whoever hung up before being let in is not the one who is awaited.
                Err(_) => sleep(PERIOD),
            }
        }
        Err(Failure::new("nobody came back from the identity provider within ten minutes; sign in again"))
    }
}

impl Visit {
    /// A visit that belongs to a sign-in; anything else is turned away.
    fn of(mut stream: TcpStream, state: &str) -> Option<Self> {
        stream.set_nonblocking(false).ok()?;
        stream.set_read_timeout(Some(ASK_WITHIN)).ok()?;
        stream.set_write_timeout(Some(ASK_WITHIN)).ok()?;
        let target = target(&mut stream)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let fields = fields(query);
        if path != PATH || fields.get("state").map(String::as_str) != Some(state) {
            answer(&mut stream, "404 Not Found", "Nothing is waiting for this here.");
            return None;
        }
        Some(Self { stream, fields })
    }

    /// The code.
    ///
    /// # Errors
    /// When the provider says that there is none.
    pub fn code(&self) -> Result<&str, Failure> {
        let said = |name: &str| self.fields.get(name).map(String::as_str);
        if let Some(code) = said("code") {
            return Ok(code);
        }
        let why = said("error_description").or_else(|| said("error")).unwrap_or("it gave no reason");
        Err(Failure::new(format!("the identity provider does not let you in: {}", shown(why))))
    }

    /// Who let the browser in, where that is said (RFC 9207).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.fields.get("iss").map(String::as_str)
    }

    /// Tells the person at the browser what came of it.
    pub fn tell(mut self, is_in: bool) {
        let text = if is_in {
            "You are signed in. This page can be closed."
        } else {
            "You are not signed in: the terminal says why. This page can be closed."
        };
        answer(&mut self.stream, "200 OK", text);
    }
}

/// What a request asks for.
fn target(stream: &mut TcpStream) -> Option<String> {
    let begun = Instant::now();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 2048]);
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(buffer.get(..read)?);
        if bytes.len() > REQUEST_BYTES_MAX || begun.elapsed() > ASK_WITHIN {
            return None;
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let mut words = text.lines().next()?.split(' ');
    let method = words.next()?;
    let target = words.next()?;
    (method == "GET").then(|| target.to_owned())
}

fn answer(stream: &mut TcpStream, status: &str, text: &str) {
    let length = text.len();
    // A browser that went away needs no answer.
    let _gone = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{text}"
    );
}

/// The names and values behind the question mark; what is spelled wrong is not there.
fn fields(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(name, value)| Some((decoded(name)?, decoded(value)?))).collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits =
                    std::str::from_utf8(&digits).ok().filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, target: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn only_the_browser_of_this_sign_in_is_listened_to() {
        let loopback = Loopback::open().unwrap();
        let port = loopback.port;
        let browser = std::thread::spawn(move || {
            // Whoever connects and says nothing is not waited for.
            let _silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            for stranger in ["/", "/callback?code=c", "/callback?code=c&state=other", "/favicon.ico"] {
                assert!(ask(port, stranger).contains("404"), "{stranger}");
            }
            ask(port, "/callback?state=mine&code=a%2Fb+c&iss=https%3A%2F%2Flogin.example.edu")
        });
        let visit = loopback.wait("mine").unwrap();
        assert_eq!((visit.code(), visit.issuer()), (Ok("a/b c"), Some("https://login.example.edu")));
        visit.tell(true);
        assert!(browser.join().unwrap().contains("You are signed in"));
    }

    #[test]
    fn a_refusal_of_the_provider_is_passed_on_without_what_would_steer_a_terminal() {
        let loopback = Loopback::open().unwrap();
        let port = loopback.port;
        let browser = std::thread::spawn(move || {
            ask(port, "/callback?state=s&error=access_denied&error_description=no%1B%5B31m")
        });
        let visit = loopback.wait("s").unwrap();
        let refusal = visit.code().unwrap_err().error;
        assert!(refusal.contains("does not let you in") && !refusal.contains('\u{1b}'), "{refusal}");
        visit.tell(false);
        assert!(browser.join().unwrap().contains("not signed in"));
    }

    #[test]
    fn what_is_spelled_wrong_is_not_there() {
        assert_eq!(fields("a=%zz&b=1&c=%+1&d").into_iter().collect::<Vec<_>>(), [("b".to_owned(), "1".to_owned())]);
    }
}
