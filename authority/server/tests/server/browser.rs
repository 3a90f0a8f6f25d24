//! A browser without scripts: it keeps cookies, fills forms in, and does what a page says.

use crate::running::Running;
use doorward_server::http::shapes::office::SetUpGiven;
use doorward_server::http::shapes::{CardView, JournalLine};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const PASSWORD: &str = "seven quiet herons";

/// An answer as a browser gets it.
pub struct Page {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| *known == name).map(|pair| pair.1)
    }

    /// The key that forms of this page bring.
    pub fn key(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"key\" value=\"").expect("a page with a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

/// A browser: it keeps cookies, and does what a page says without scripts.
pub struct Browser<'a> {
    running: &'a Running,
    pub cookies: Vec<(String, String)>,
    pub language: &'static str,
}

impl<'a> Browser<'a> {
    pub fn new(running: &'a Running) -> Self {
        Self { running, cookies: Vec::new(), language: "en" }
    }

    pub async fn request(&self, method: &str, path: &str, more: &str, body: &[u8]) -> TcpStream {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut stream = TcpStream::connect(&self.running.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nAccept-Language: {}\r\nCookie: {}\r\n{more}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
            self.language,
            cookies.join("; "),
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.write_all(body).await.unwrap();
        stream
    }

    pub async fn ask(&mut self, method: &str, path: &str, more: &str, body: &str) -> Page {
        self.ask_with(method, path, more, body.as_bytes()).await
    }

    async fn ask_with(&mut self, method: &str, path: &str, more: &str, body: &[u8]) -> Page {
        let mut stream = self.request(method, path, more, body).await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        for line in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Page { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.ask("GET", path, "", "").await
    }

    /// Sends a form of a page; the key comes from that page.
    pub async fn send(&mut self, page: &str, to: &str, fields: &str) -> Page {
        let key = self.get(page).await.key();
        self.ask("POST", to, "Sec-Fetch-Site: same-origin\r\n", &format!("key={key}&{fields}")).await
    }

    /// Sends a form with a file; the key comes from its page.
    pub async fn upload(&mut self, page: &str, to: &str, name: &str, file: &[u8]) -> Page {
        let key = self.get(page).await.key();
        let part = |about: &str| format!("--xyz\r\nContent-Disposition: form-data; {about}\r\n\r\n");
        let head = format!("{}{key}\r\n{}", part("name=\"key\""), part(&format!("name=\"{name}\"; filename=\"file\"")));
        let form = [head.as_bytes(), file, b"\r\n--xyz--\r\n"].concat();
        // The first of two headers is the one that counts.
        let more = "Sec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=xyz\r\n";
        self.ask_with("POST", to, more, &form).await
    }

    pub async fn sign_in(&mut self, operator: &str) -> Page {
        let fields = format!("operator={operator}&password={}&then=", PASSWORD.replace(' ', "+"));
        self.send("/sign-in", "/sign-in", &fields).await
    }
}

impl Running {
    /// An operator who chose a password on the console's own page.
    pub async fn operator(&self, id: &str, power: Value) -> Browser<'_> {
        let body = json!({ "name": "Somebody", "power": power }).to_string();
        assert_eq!(self.ask("PUT", &format!("/v1/operators/{id}"), Some(&self.token), &body).await.0, 200);
        let given: SetUpGiven = self.post(&format!("/v1/operators/{id}/invite"), json!({})).await;
        let mut browser = Browser::new(self);
        let password = PASSWORD.replace(' ', "+");
        let fields = format!("operator={id}&secret={}&password={password}&again={password}", given.secret);
        let page = browser.send("/setup", "/setup", &fields).await;
        assert_eq!((page.status, page.header("location")), (303, Some("/sign-in?ready=true")), "{}", page.body);
        let page = browser.sign_in(id).await;
        assert_eq!((page.status, page.header("location")), (303, Some("/")), "{}", page.body);
        browser
    }

    /// The state of a card.
    pub async fn state_of(&self, card: &str) -> String {
        self.get::<CardView>(&format!("/v1/cards/{card}")).await.state
    }

    /// The number of the newest entry of the journal.
    pub async fn head(&self) -> u64 {
        self.lines::<JournalLine>("GET", "/v1/journal?limit=1", "").await[0].seq
    }
}
