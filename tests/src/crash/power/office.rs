//! The offices at work while the power goes: cards suspended and resumed, rights granted, agents invited, folders imported.
//! Every order is written down as it was answered, because none that was may be lost.
//!
//! Deliberately over HTTP and without a pause, so that a cut nearly always finds an order under way.

use crate::binaries::binaries;
use crate::command::{Answer, run};
use crate::crash::load::{About, Order};
use crate::crash::stage::LOSABLE;
use crate::http;
use crate::json::{at, text};
use crate::random::Random;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

/// How long an order is followed to the doors, in ms; often the power is cut meanwhile.
const FOLLOW_MS: u64 = 400;

/// How long the office rests when nobody answers.
const AGAIN_AFTER: Duration = Duration::from_millis(5);

/// How many grants are in force at once.
const GRANTS_MAX: usize = 6;

/// A join token that was answered.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// For which agent.
    pub agent: String,
    /// The token.
    pub token: String,
    /// Whether a join with it was answered.
    pub has_joined: bool,
}

/// Where orders are given: the API and the header that opens it.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Where the API is.
    pub api: SocketAddr,
    /// The header.
    pub bearer: String,
}

/// See the module.
#[derive(Debug)]
pub struct Office {
    counter: Counter,
    random: Random,
    /// Agents that may be invited, and where they join.
    spare: VecDeque<String>,
    folder: PathBuf,
    /// Campus folders, of which one is imported after the other: contents by file name.
    folders: Vec<BTreeMap<String, String>>,
    imports: usize,
    held: BTreeSet<String>,
    grants: VecDeque<String>,
    /// Every order, in its order.
    pub orders: Vec<Order>,
    /// Every join token that was answered.
    pub invitations: Vec<Invitation>,
}

/// An office at work.
#[derive(Debug)]
pub struct AtWork {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Office>,
}

impl AtWork {
    /// Lets it finish what it is at, and go home.
    ///
    /// # Errors
    /// When its thread broke.
    pub fn end(self) -> Result<Office> {
        self.is_over.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow::anyhow!("the office's thread broke"))
    }
}

impl Office {
    /// An office that imports these folders in turn, and invites these agents, which join in `folder`.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn new(
        counter: Counter,
        folders: &[PathBuf],
        spare: VecDeque<String>,
        folder: &Path,
        random: Random,
    ) -> Result<Self> {
        let folders = folders.iter().map(|folder| contents(folder)).collect::<Result<_>>()?;
        Ok(Self {
            counter,
            random,
            spare,
            folder: folder.to_owned(),
            folders,
            imports: 0,
            held: BTreeSet::new(),
            grants: VecDeque::new(),
            orders: Vec::new(),
            invitations: Vec::new(),
        })
    }

    /// Sends it to work on a thread of its own.
    #[must_use]
    pub fn work(mut self) -> AtWork {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::SeqCst) {
                if self.order().is_err() {
                    sleep(AGAIN_AFTER);
                }
            }
            self
        });
        AtWork { is_over, thread }
    }

    fn order(&mut self) -> Result<()> {
        match self.random.below(24) {
            0..=11 => self.hold_or_let_go(),
            12..=19 => self.grant_or_end(),
            20..=22 => self.invite(),
            _ => self.import(),
        }
    }

    fn hold_or_let_go(&mut self) -> Result<()> {
        let card = self.random.choose(LOSABLE).copied().unwrap_or_default().to_owned();
        let is_held = self.held.contains(&card);
        let (verb, about) =
            if is_held { ("resume", About::Reopen(card.clone())) } else { ("suspend", About::Shut(card.clone())) };
        let answer = self.give(&format!("/v1/cards/{card}/{verb}"), &json!({ "reason": "lost or found" }), about);
        // Refused: an order that nobody answered, because the power was cut, was stored after all.
        if answer.is_ok() || self.orders.last().is_some_and(Order::is_refused) {
            if is_held {
                self.held.remove(&card)
            } else {
                self.held.insert(card)
            };
        }
        answer.and_then(|_| self.follow())
    }

    fn grant_or_end(&mut self) -> Result<()> {
        if self.grants.len() < GRANTS_MAX {
            let id = format!("g-{}", self.orders.len());
            let order = json!({ "id": id, "subject": { "person": "cem" }, "target": { "door": "south-side" } });
            self.give("/v1/grants", &order, About::Grant(id.clone()))?;
            self.grants.push_back(id);
        } else if let Some(id) = self.grants.pop_front() {
            self.give(&format!("/v1/grants/{id}/end"), &json!({}), About::End(id))?;
        }
        if self.random.below(4) == 0 { self.follow() } else { Ok(()) }
    }

    fn import(&mut self) -> Result<()> {
        let next = (self.imports + 1) % self.folders.len().max(1);
        let files = self.folders.get(next).cloned().unwrap_or_default();
        self.give("/v1/import?allow_removals=true", &json!({ "files": files }), About::Other)?;
        self.imports = next;
        Ok(())
    }

    fn invite(&mut self) -> Result<()> {
        let Some(agent) = self.spare.pop_front() else { return self.hold_or_let_go() };
        let order = json!({ "id": agent, "valid_minutes": 600 });
        let invited = self.give("/v1/agents", &order, About::Other)?;
        let token = text(&invited, "token").to_owned();
        let mut invitation = Invitation { agent, token, has_joined: false };
        if self.random.below(2) == 0 {
            let joined = join(&invitation.token, &self.folder.join(&invitation.agent));
            invitation.has_joined = joined.is_ok_and(|joined| joined.code == Some(0));
        }
        self.invitations.push(invitation);
        Ok(())
    }

    /// Gives an order and writes down what became of it.
    fn give(&mut self, path: &str, order: &Value, about: About) -> Result<Value> {
        let actor = format!("clerk-{}", self.orders.len());
        let began = Instant::now();
        let answer = self.counter.post(path, order, &actor);
        let seq = answer
            .as_ref()
            .ok()
            .and_then(|answer| at(answer, "seq").as_u64().or_else(|| at(answer, "result/seq").as_u64()));
        let said = answer.as_ref().map_or_else(|error| format!("{error:#}"), ToString::to_string);
        self.orders.push(Order { actor, about, began, ended: Instant::now(), seq, is_everywhere: false, said });
        let answer = answer?;
        if seq.is_none() {
            bail!("no entry in the answer {answer}");
        }
        Ok(answer)
    }

    /// Follows the newest order to the doors.
    fn follow(&mut self) -> Result<()> {
        let Some(order) = self.orders.last_mut() else { return Ok(()) };
        let seq = order.seq.context("nothing to follow")?;
        let path = format!("/v1/changes/{seq}/progress?wait_ms={FOLLOW_MS}");
        let reply = http::ask(self.counter.api, "GET", &path, std::slice::from_ref(&self.counter.bearer), "")?;
        // The last line is cut off when the power was.
        let mut lines = reply.body.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        order.is_everywhere = lines.any(|line| *at(&line, "summary/complete") == true);
        order.ended = Instant::now();
        Ok(())
    }
}

impl Counter {
    fn post(&self, path: &str, order: &Value, actor: &str) -> Result<Value> {
        let headers =
            [self.bearer.clone(), "content-type: application/json".to_owned(), format!("x-doorward-as: {actor}")];
        let reply = http::ask(self.api, "POST", path, &headers, &order.to_string())?;
        if !(200..300).contains(&reply.status) {
            bail!("{} {}", reply.status, reply.body);
        }
        let last = reply.body.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        Ok(serde_json::from_str(last)?)
    }
}

/// Runs `doorward-agent join`.
///
/// # Errors
/// When it cannot be run, or hangs.
pub fn join(token: &str, data: &Path) -> Result<Answer> {
    run(&binaries()?.agent, &["join", token, "--data", &data.display().to_string()], &[], None)
}

fn contents(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.insert(name, std::fs::read_to_string(&path)?);
    }
    Ok(files)
}
