//! An authority as a real process, with a swarm of all its agents, and revocations that are timed from outside.

use crate::authority::Authority;
use crate::bench::campus::Recipe;
use crate::bench::measure::ms;
use crate::bench::swarm::control::Swarm;
use crate::bench::swarm::crowd::{Crowd, GUARDS};
use crate::bench::swarm::play::Order;
use crate::bench::swarm::tally::{Event, Step, now_us};
use crate::bench::system::cpu_exact;
use crate::http;
use crate::json::at;
use crate::wait::until;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How long ten thousand agents may take for anything.
pub const SLOWLY: Duration = Duration::from_secs(120);

/// How long nothing must happen before something is measured.
const QUIET: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug)]
pub struct SwarmWorld {
    /// Its agents; they end before their authority.
    pub swarm: Swarm,
    /// The authority.
    pub authority: Authority,
    /// The campus.
    pub crowd: Crowd,
    next_guard: u64,
    program: PathBuf,
    folder: TempDir,
}

/// One revocation, until the last agent decides by it.
#[derive(Debug, Clone, Copy)]
pub struct Revoked {
    /// The entry.
    pub seq: u64,
    /// When it was asked for, by the machine's clock in microseconds.
    pub asked_us: u64,
    /// When the agents had it.
    pub removed: Event,
    /// Processor time of the swarm before.
    pub agents_before: Duration,
    /// That of the server.
    pub server_before: Duration,
}

impl Revoked {
    /// From the request until the last agent decides by it, in milliseconds.
    #[must_use]
    pub fn last_ms(&self) -> f64 {
        ms(Duration::from_micros(self.removed.last_us.saturating_sub(self.asked_us)))
    }

    /// Processor time that both ends spent until then, in milliseconds.
    #[must_use]
    pub fn cpu_ms(&self) -> f64 {
        let agents = Duration::from_nanos(self.removed.own_cpu_ns).saturating_sub(self.agents_before);
        ms(agents + self.server_until_then())
    }

    /// Of it, the server's.
    #[must_use]
    pub fn server_ms(&self) -> f64 {
        ms(self.server_until_then())
    }

    fn server_until_then(&self) -> Duration {
        Duration::from_nanos(self.removed.server_cpu_ns).saturating_sub(self.server_before)
    }
}

impl SwarmWorld {
    /// An authority that runs, with the usual pulse, and a swarm that is not connected yet.
    ///
    /// # Errors
    /// When anything on the way fails.
    pub fn start(program: &Path, recipe: Recipe) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("doorward-").tempdir()?;
        let (data, members) = (folder.path().join("authority"), folder.path().join("members"));
        let crowd = Crowd(recipe);
        crowd.make(&data, &members)?;
        let mut authority = Authority::at(&data)?;
        authority.arguments = Vec::new();
        authority.start()?;
        let swarm = Swarm::start(program, &members, authority.quic)?;
        Ok(Self { swarm, authority, crowd, next_guard: 0, program: program.to_owned(), folder })
    }

    /// Lets all agents connect, some hundred at once, and waits until each knows that it has the newest commit.
    ///
    /// # Errors
    /// When they do not.
    pub fn connect(&mut self) -> Result<(Event, Event)> {
        let order = self.order()?;
        let wave = self.swarm.tell(order)?;
        let shaken = self.swarm.wait_for(Step::Shaken, wave, SLOWLY)?;
        Ok((shaken, self.swarm.wait_for(Step::Current, wave, SLOWLY)?))
    }

    /// All agents, connecting some hundred at once.
    ///
    /// # Errors
    /// When no authority runs.
    pub fn order(&mut self) -> Result<Order> {
        let agents = usize::try_from(self.crowd.0.agents)?;
        let server = self.authority.process()?.id();
        Ok(Order { wave: 0, present: (0, agents), in_order: true, shake_only: false, server })
    }

    /// A second swarm, of agents that shake hands and are turned away.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn strangers(&self) -> Result<Swarm> {
        let members = self.folder.path().join("strangers");
        self.crowd.make_strangers(&self.authority.data, &members)?;
        Swarm::start(&self.program, &members, self.authority.quic)
    }

    /// A folder beside the authority's.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until neither side does anything.
    ///
    /// # Errors
    /// When they do not come to rest.
    pub fn settle(&mut self) -> Result<()> {
        let mut before = self.cpu()?;
        let mut since = std::time::Instant::now();
        // Ten thousand agents keep their connections alive, which is no rest but a pulse of its own.
        let rest_ms = 4.0 + ms(QUIET) * 0.00002 * crate::bench::measure::count(self.crowd.0.agents);
        until("both sides are at rest", SLOWLY, || {
            if since.elapsed() < QUIET {
                return None;
            }
            let now = self.cpu().ok()?;
            let spent = ms((now.0 + now.1).saturating_sub(before.0 + before.1));
            (before, since) = (now, std::time::Instant::now());
            (spent < rest_ms).then_some(())
        })
    }

    /// Processor time of swarm and server so far.
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn cpu(&mut self) -> Result<(Duration, Duration)> {
        Ok((cpu_exact(self.swarm.id())?, cpu_exact(self.authority.process()?.id())?))
    }

    /// Suspends the card of the next guard, and waits until the last agent decides by it.
    ///
    /// # Errors
    /// When the authority refuses, or some agent does not hear of it.
    pub fn revoke(&mut self) -> Result<Revoked> {
        let (agents_before, server_before) = self.cpu()?;
        let asked_us = now_us();
        let seq = self.suspend_next()?;
        let removed = self.swarm.wait_for(Step::Removed, seq, SLOWLY)?;
        Ok(Revoked { seq, asked_us, removed, agents_before, server_before })
    }

    /// Suspends the card of the next guard; returns the number of the entry.
    ///
    /// # Errors
    /// When the authority refuses.
    pub fn suspend_next(&mut self) -> Result<u64> {
        ensure!(self.next_guard < GUARDS, "no guard is left whose card works");
        let path = format!("/v1/cards/{}/suspend", self.crowd.guard(self.next_guard));
        self.next_guard += 1;
        let headers = [self.authority.bearer()?, "content-type: application/json".to_owned()];
        let reply = http::ask(self.authority.api, "POST", &path, &headers, r#"{"reason":"lost"}"#)?;
        let answer: Value = serde_json::from_str(&reply.body).with_context(|| reply.body.clone())?;
        at(&answer, "seq").as_u64().with_context(|| format!("no entry in the answer {}", reply.body))
    }
}
