//! Chromium, driven as a person would use it: pages, fields, buttons; and looked at by axe, which knows what keeps people out.
//!
//! Deliberately no client library: a dozen requests of the WebDriver protocol (W3C) are all that is needed.

use crate::ports::{free, loopback};
use crate::process::{Process, tied};
use crate::skipped;
use crate::wait::{SOON, until_true};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The key under which WebDriver answers an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// The version of axe that `tests/prepare.sh` brings.
const AXE: &str = "axe-core-4.14.1";
/// How long the driver may take: it starts a browser, or loads a page.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// What Chromium is told: one that may run as root, keeps to loopback, and does nothing by itself.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with a window of its own; closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    driver: SocketAddr,
    session: String,
    axe: String,
    _process: Process,
}

/// The first of some files that is there.
fn first(paths: &[&str]) -> Option<PathBuf> {
    paths.iter().map(PathBuf::from).find(|path| path.is_file())
}

/// Where `tests/prepare.sh` puts axe: among the tools beside the build.
fn axe_file() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().map(|folder| folder.join("tools").join(AXE).join("axe.min.js")).find(|path| path.is_file())
}

impl Browser {
    /// Starts a browser that keeps its things in a folder; `None`, and a word of it, on a machine without one.
    ///
    /// # Errors
    /// When there is one and it does not start.
    pub fn start(folder: &Path) -> Result<Option<Self>> {
        let chromium = first(&["/usr/bin/chromium", "/usr/bin/chromium-browser"]);
        let driver = first(&["/usr/bin/chromedriver", "/usr/lib/chromium-browser/chromedriver"]);
        let (Some(chromium), Some(driver), Some(axe)) = (chromium, driver, axe_file()) else {
            skipped::say("chromium, chromedriver or axe-core is not installed (see prepare_tests in tests/prepare.sh)");
            return Ok(None);
        };
        let address = loopback(free()?);
        let log = folder.join("chromedriver.log");
        let process = Process::start(tied(&driver).arg(format!("--port={}", address.port())), &log)?;
        until_true("chromedriver answers", SOON, || Ok(ask(address, "GET", "/status", "")?.0 == 200))?;
        let axe = std::fs::read_to_string(axe)?;
        let mut browser = Self { driver: address, session: String::new(), axe, _process: process };
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", folder.join("browser").display()));
        let options = json!({ "binary": chromium, "args": arguments });
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": options });
        let answer = browser.post("/session", &json!({ "capabilities": { "alwaysMatch": wanted } }))?;
        let session = answer.get("sessionId").and_then(Value::as_str).context("the browser began no session")?;
        browser.session = format!("/session/{session}");
        Ok(Some(browser))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, &body.to_string())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let path = format!("{}{path}", self.session);
        let (status, answer) = ask(self.driver, method, &path, body)?;
        let value = answer.get("value").cloned().unwrap_or_default();
        if status != 200 {
            bail!("{method} {path} {body}: {value}");
        }
        Ok(value)
    }

    /// Goes to a page, and waits until it has loaded.
    ///
    /// # Errors
    /// When there is none.
    pub fn go(&self, address: &str) -> Result<()> {
        self.post("/url", &json!({ "url": address })).map(drop)
    }

    /// Where it is now.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn place(&self) -> Result<String> {
        Ok(self.ask("GET", "/url", "")?.as_str().unwrap_or_default().to_owned())
    }

    fn element(&self, selector: &str) -> Result<String> {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }))?;
        found.get(ELEMENT).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {selector}"))
    }

    /// Whether something is on the page.
    ///
    /// # Errors
    /// When the browser is gone.
    pub fn has(&self, selector: &str) -> Result<bool> {
        let found = self.post("/elements", &json!({ "using": "css selector", "value": selector }))?;
        Ok(found.as_array().is_some_and(|found| !found.is_empty()))
    }

    /// Waits until something is on the page.
    ///
    /// # Errors
    /// When it does not come; the message says what is there instead.
    pub fn wait_for(&self, selector: &str) -> Result<()> {
        let waited = until_true(&format!("{selector} is on the page"), SOON, || self.has(selector));
        waited
            .with_context(|| format!("{}: {}", self.place().unwrap_or_default(), self.text("main").unwrap_or_default()))
    }

    /// Clicks on something.
    ///
    /// # Errors
    /// When it is not there, or something else is over it.
    pub fn click(&self, selector: &str) -> Result<()> {
        let element = self.element(selector)?;
        self.post(&format!("/element/{element}/click"), &json!({})).map(drop)
    }

    /// Types into a field, or presses keys there.
    ///
    /// # Errors
    /// When it is not there.
    pub fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let element = self.element(selector)?;
        self.post(&format!("/element/{element}/value"), &json!({ "text": text })).map(drop)
    }

    /// The text of something, as it is seen.
    ///
    /// # Errors
    /// When it is not there.
    pub fn text(&self, selector: &str) -> Result<String> {
        let element = self.element(selector)?;
        Ok(self.ask("GET", &format!("/element/{element}/text"), "")?.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script in the page; what it returns.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Asks Chromium itself, by its DevTools protocol.
    fn devtools(&self, command: &str, parameters: &Value) -> Result<()> {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).map(drop)
    }

    /// Makes the window so wide, in light or in dark.
    ///
    /// # Errors
    /// When the browser does not do it.
    pub fn look(&self, width: u32, scheme: &str) -> Result<()> {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &size)?;
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features)
    }

    /// Lets pages run scripts, or not, as in the settings of a browser.
    ///
    /// # Errors
    /// When the browser does not do it.
    pub fn let_scripts_run(&self, run: bool) -> Result<()> {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": !run }))
    }

    /// Keeps what is downloaded in a folder.
    ///
    /// # Errors
    /// When the browser does not do it.
    pub fn download_into(&self, folder: &Path) -> Result<()> {
        self.devtools("Browser.setDownloadBehavior", &json!({ "behavior": "allow", "downloadPath": folder }))
    }

    /// What axe finds on the page that keeps people out, a line each.
    ///
    /// # Errors
    /// When it cannot look.
    pub fn faults(&self) -> Result<Vec<String>> {
        self.run(&self.axe)?;
        let look = "const done = arguments[arguments.length - 1];\
                    axe.run(document).then((found) => done(found.violations.flatMap((fault) =>\
                    fault.nodes.map((node) => `${fault.id}: ${node.html}: ${node.failureSummary}`))),\
                    (error) => done([`axe failed: ${error}`]));";
        let found = self.post("/execute/async", &json!({ "script": look, "args": [] }))?;
        let found = found.as_array().context("axe answers a list")?;
        Ok(found.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

/// Asks the driver, which speaks the newer version of HTTP only and leaves its connections open: the status, and the JSON.
fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<(u16, Value)> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).context("no status in the answer")?;
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok((status, serde_json::from_slice(&bytes)?))
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver closes the browser; without a session there is none.
        if !self.session.is_empty() {
            let _closed = self.ask("DELETE", "", "");
        }
    }
}
