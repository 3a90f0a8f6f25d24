//! Drives the two machines of an agent: hands inputs in, does what they want done, and lets the checkers look.

use crate::sim::agent::Core;
use crate::sim::checks::{fail_closed, never_backward, no_record_lost, only_verified, provable, removal_first};
use crate::sim::disk::Job;
use crate::sim::link::Way;
use crate::sim::mutation::Mutation;
use crate::sim::promise::Promise;
use crate::sim::watch::words_of;
use crate::sim::world::{Event, World};
use doorward_protocol::agent::stored::Write;
use doorward_protocol::agent::{recorder, sync};
use doorward_protocol::cache::Cache;
use doorward_protocol::commit::Position;
use doorward_protocol::decide::View;
use doorward_protocol::facts::{CredentialState, Fact};
use doorward_protocol::frame::{ToAgent, ToAuthority};
use doorward_protocol::id::{CredentialKey, Incarnation};
use doorward_protocol::receipt::Stage;
use doorward_protocol::record::ChainHead;
use doorward_protocol::removal::{Item, Removal};
use doorward_protocol::state::State;
use doorward_protocol::time::UnixMs;
use std::borrow::Cow;
use std::sync::Arc;

/// How long a timer is let ring late: idle reports would else be most of a run.
const TIMER_LATE_MS: i64 = 180_000;

impl World {
    /// Starts an agent on what its disk holds.
    pub fn start_agent(&mut self, index: usize) {
        let incarnation = Incarnation(self.chances.disk.bytes());
        let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.core.is_none()) else { return };
        agent.life += 1;
        let mutation = self.options.mutation;
        let opened = Core::open(&agent.id, &self.authority.keys, &mut agent.disk, incarnation, mutation);
        let life = agent.life;
        match opened {
            Ok(core) => agent.core = Some(core),
            Err(error) => {
                let text = format!("agent {index} does not start: {error}");
                return self.broken(Promise::Converges, text);
            }
        }
        never_backward::on_start(self, index);
        self.settle_sync(index);
        let wait_ms = self.chances.network.between(10, 5_000);
        self.after(wait_ms, Event::Connect { index, life });
    }

    /// Stops an agent at once.
    pub fn crash_agent(&mut self, index: usize) {
        let survives = self.chances.disk.one_in(3);
        let Some(agent) = self.agents.get_mut(index) else { return };
        if agent.core.take().is_none() {
            return;
        }
        if self.options.mutation == Some(Mutation::TornGroup) {
            agent.disk.tear();
        }
        agent.disk.crash(survives);
        agent.watch.durable_top = agent.watch.durable_top.max(agent.disk.image.position());
        agent.watch.crash(&agent.disk.image);
        let image = &agent.disk.image;
        for (position, part) in image.removals.keys() {
            if let Some(signed) = image.removals.get(&(*position, *part))
                && let Ok(removal) = signed.unverified()
                && !agent.disk.is_altered
            {
                agent.watch.remove(removal);
            }
        }
        self.counts.one("world", "agent crashes");
        self.on_the_way.retain(|(at, _), _| *at != index);
        self.cut(index);
    }

    /// Hands a frame from the authority, or from somebody else, to the sync machine.
    pub fn deliver(&mut self, index: usize, frame: ToAgent) {
        let now = self.now;
        let Some(agent) = self.agents.get_mut(index) else { return };
        let wall = agent.wall(now);
        let Some(core) = &mut agent.core else { return };
        let mut wall_shown = wall;
        let mut is_update = false;
        match &frame {
            ToAgent::Update(update) => {
                core.parts_left = update.parts;
                is_update = true;
            }
            ToAgent::Part(_) => core.parts_left = core.parts_left.saturating_sub(1),
            ToAgent::Pulse(signed) => {
                fail_closed::hear_pulse(&self.authority.keys, core, &mut agent.watch, signed, wall);
                if self.options.mutation == Some(Mutation::TrustAnyClock) {
                    wall_shown = signed.unverified().map_or(wall, |pulse| pulse.at);
                }
            }
            ToAgent::Removal(signed) => {
                let keys = &self.authority.keys;
                removal_first::hear_removal(keys, core, &mut agent.watch, signed, wall, &self.truth);
            }
            ToAgent::Statements(_) | ToAgent::Stored(_) => {}
        }
        core.sync.handle(sync::Input::Frame(frame), wall_shown);
        self.settle_sync(index);
        if is_update && !self.is_healing {
            self.tap_soon(index);
        }
    }

    /// Hands an input to the sync machine.
    pub fn tell_sync(&mut self, index: usize, input: sync::Input) {
        let now = self.now;
        let Some(agent) = self.agents.get_mut(index) else { return };
        let wall = agent.wall(now);
        let Some(core) = &mut agent.core else { return };
        core.sync.handle(input, wall);
        self.settle_sync(index);
    }

    /// An agent notices that its clock was stepped.
    pub fn clock_noticed(&mut self, index: usize, life: u64) {
        let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.life == life) else { return };
        if agent.core.is_some() {
            agent.watch.clock_trusted = false;
            self.counts.seen(Promise::FailClosed, "steps of a clock noticed");
            if self.options.mutation != Some(Mutation::StepUnseen) {
                self.tell_sync(index, sync::Input::ClockStepped);
            }
        }
    }

    fn settle_sync(&mut self, index: usize) {
        while let Some(core) = self.agents.get_mut(index).and_then(|agent| agent.core.as_mut()) {
            let Some(effect) = core.sync.poll_effect() else { break };
            match effect {
                sync::Effect::Send(frame) => {
                    if let ToAuthority::Receipt(signed) = frame.as_ref()
                        && let Ok(receipt) = signed.unverified()
                        && receipt.stage == Stage::Durable
                    {
                        provable::on_receipt(self, index, &receipt);
                    }
                    self.send_up(index, Way::ControlUp, &frame);
                }
                sync::Effect::Persist { ticket, writes } => self.persist(index, ticket, writes),
                sync::Effect::View(view) => self.show(index, view),
                // What it proves, the alarm beside it says.
                sync::Effect::Fork(_) => {}
                sync::Effect::Alarm(text) => self.trace.note(&text),
            }
        }
        never_backward::check(self, index);
        only_verified::check(self, index);
        removal_first::check(self, index);
        fail_closed::check(self, index);
    }

    fn show(&mut self, index: usize, view: View) {
        let view = self.mutated(index, view);
        let Some(core) = self.agents.get_mut(index).and_then(|agent| agent.core.as_mut()) else { return };
        core.position = core.sync.position();
        core.view = view;
    }

    /// What a planted fault makes of a view.
    fn mutated(&mut self, index: usize, mut view: View) -> View {
        let Some(agent) = self.agents.get(index) else { return view };
        let Some(core) = &agent.core else { return view };
        match self.options.mutation {
            Some(Mutation::LapsedLease) => view.fresh_at = self.now,
            Some(Mutation::IgnoreTimeFloor) => view.floor_at = UnixMs(i64::MIN),
            Some(Mutation::StaleView) => view.cache = core.view.cache.clone().or(view.cache),
            Some(Mutation::UnprovenRemoval) => {
                let door = view.cache.as_ref().and_then(|cache| Some(cache.doors().first()?.id().clone()));
                let items = door.into_iter().map(Item::LockDown).collect();
                let (campus, position) = (self.authority.keys.campus().clone(), Position { epoch: 9, seq: 9 });
                view.overlay = Arc::new(view.overlay.with(Removal { campus, position, part: 0, at: self.now, items }));
            }
            Some(Mutation::IgnoreOverlay) => view.overlay = Arc::default(),
            Some(Mutation::UnprovenDelta) => {
                let state = core.commit.and_then(|hash| self.truth.commit(&hash)?.state(&agent.id));
                let cache = state.and_then(with_every_card_active);
                view.cache = cache.map(Arc::new).or(view.cache);
            }
            _ => {}
        }
        view
    }

    fn persist(&mut self, index: usize, ticket: u64, writes: Vec<Write>) {
        let Some(agent) = self.agents.get_mut(index) else { return };
        let Some(core) = &mut agent.core else { return };
        let mut forged = false;
        for write in &writes {
            match write {
                Write::Head(stored) => {
                    core.commit = Some(stored.head.commit.hash());
                    core.parts_left = 0;
                    if let Ok(commit) = stored.head.commit.unverified() {
                        let wall = agent.clock.wall(self.now);
                        if agent.watch.hear(commit.at, wall, false) {
                            agent.watch.fresh_at = agent.watch.fresh_at.max(commit.at);
                        }
                    }
                }
                Write::Statement(version, statement) => {
                    core.statement = core.statement.max(*version);
                    let place = usize::try_from(version.saturating_sub(1)).unwrap_or(usize::MAX);
                    forged |= self.authority.keys.statements.get(place) != Some(statement);
                }
                Write::PutFact(_)
                | Write::RemoveFact(_)
                | Write::ReplaceFacts(_)
                | Write::PutRemoval(..)
                | Write::DropRemovals(_)
                | Write::Floor(_) => {}
            }
        }
        agent.disk.push(Job::Persist { ticket, writes });
        if forged {
            self.broken(Promise::OnlyVerified, format!("agent {index} keeps a statement that the root never signed"));
        }
        if self.options.mutation == Some(Mutation::ConfirmEarly) {
            self.tell_sync(index, sync::Input::Persisted(ticket));
        }
        self.flush(index);
    }

    /// Begins a group commit where none is under way.
    fn flush(&mut self, index: usize) {
        let slow = self.chances.disk.one_in(50);
        let takes_ms = self.chances.disk.between(1, if slow { 3_000 } else { 25 });
        let Some(agent) = self.agents.get_mut(index) else { return };
        let life = agent.life;
        if agent.disk.begin() {
            let is_torn = self.options.mutation == Some(Mutation::TornGroup) && agent.disk.is_persisting();
            self.after(takes_ms, Event::Synced { index, life });
            // What is torn by a crash at any time is rarely more than one write, which cannot be torn.
            if is_torn && self.chances.mutation.one_in(10) {
                self.after(0, Event::CrashAgent { index });
            }
        }
    }

    /// A group commit is durable, or the disk did not take it.
    pub fn synced(&mut self, index: usize, life: u64) {
        let mutation = self.options.mutation;
        let loses = mutation == Some(Mutation::DropRecord) && self.chances.mutation.one_in(4);
        // Whoever is told a lie must crash before the next group makes it true.
        if mutation == Some(Mutation::SyncLies) && self.chances.mutation.one_in(10) {
            self.after(0, Event::CrashAgent { index });
        }
        let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.life == life) else { return };
        if agent.core.is_none() {
            return;
        }
        if agent.disk.is_full {
            let refused = agent.disk.refuse();
            for _ in refused {
                self.counts.seen(Promise::NoRecordLost, "appends that a full disk refused");
                let is_fine = mutation == Some(Mutation::FullDiskIsFine);
                let input = if is_fine { recorder::Input::Appended } else { recorder::Input::AppendFailed };
                self.tell_recorder(index, input);
            }
            self.after(10_000, Event::Synced { index, life });
            return self.begin_again(index);
        }
        if mutation == Some(Mutation::SyncLies) {
            agent.disk.before = Some(Box::new(agent.disk.image.clone()));
        }
        let jobs = agent.disk.finish();
        if mutation == Some(Mutation::FreeAll) && jobs.iter().any(|job| matches!(job, Job::Free(_))) {
            agent.disk.image.records.clear();
        }
        for job in &jobs {
            agent.watch.is_durable(job, &agent.disk.image);
        }
        if loses {
            agent.disk.image.records.pop_last();
        }
        for job in jobs {
            match job {
                Job::Persist { ticket, .. } if mutation != Some(Mutation::ConfirmEarly) => {
                    self.tell_sync(index, sync::Input::Persisted(ticket));
                }
                Job::Append { .. } if mutation != Some(Mutation::RecordEarly) => {
                    self.tell_recorder(index, recorder::Input::Appended);
                }
                Job::Persist { .. } | Job::Append { .. } | Job::Free(_) => {}
            }
        }
        self.release_held(index);
        self.flush(index);
    }

    /// What a full disk did not take flies again, so that the retry finds it.
    fn begin_again(&mut self, index: usize) {
        if let Some(agent) = self.agents.get_mut(index) {
            agent.disk.begin();
        }
    }

    /// Hands an input to the recorder.
    pub fn tell_recorder(&mut self, index: usize, input: recorder::Input) {
        let now = self.now;
        let Some(agent) = self.agents.get_mut(index) else { return };
        let wall = agent.wall(now);
        let Some(core) = &mut agent.core else { return };
        core.recorder.handle(input, wall);
        self.settle_recorder(index);
    }

    fn settle_recorder(&mut self, index: usize) {
        while let Some(agent) = self.agents.get_mut(index) {
            let life = agent.life;
            let Some(core) = agent.core.as_mut() else { return };
            let Some(effect) = core.recorder.poll_effect() else { break };
            match effect {
                recorder::Effect::Append { records, head, begin } => {
                    if begin.is_some() {
                        self.counts.seen(Promise::NoRecordLost, "chains begun anew");
                    } else {
                        let tickets =
                            records.iter().filter_map(|record| Some((core.queued.pop_front()?, record.clone())));
                        core.appending = tickets.collect();
                        for record in &records {
                            *agent.watch.made.entry(words_of(record)).or_default() += 1;
                        }
                    }
                    agent.disk.push(Job::Append { records, head, begin });
                    if self.options.mutation == Some(Mutation::RecordEarly) {
                        self.tell_recorder(index, recorder::Input::Appended);
                    }
                    self.flush(index);
                }
                recorder::Effect::Answer { ticket, reason } => no_record_lost::on_answer(self, index, ticket, reason),
                recorder::Effect::Send(frame) => self.send_up(index, Way::RecordsUp, &frame),
                recorder::Effect::Load { after, count } => {
                    let takes_ms = self.chances.disk.between(1, 20);
                    self.after(takes_ms, Event::Loaded { index, life, after, count });
                }
                recorder::Effect::BeginAnew { after, incarnation } => {
                    let begin = ChainHead::begin(&agent.id, incarnation);
                    let takes_ms = self.chances.disk.between(1, 20);
                    self.after(takes_ms, Event::Anew { index, life, after, begin });
                }
                recorder::Effect::Free(head) => {
                    agent.disk.push(Job::Free(head));
                    self.flush(index);
                }
                recorder::Effect::Alarm(text) => self.trace.note(&text),
            }
        }
        self.set_timer(index);
    }

    fn set_timer(&mut self, index: usize) {
        let now = self.now;
        let late_ms = self.chances.disk.between(TIMER_LATE_MS / 2, TIMER_LATE_MS);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let (wall, life) = (agent.wall(now), agent.life);
        let Some(core) = &mut agent.core else { return };
        let Some(due) = core.recorder.poll_timeout() else { return };
        if core.rings_at.is_none_or(|rings_at| rings_at < now) {
            let rings_at = now.plus_ms(due.since_ms(wall).clamp(1, 60_000)).plus_ms(late_ms);
            core.rings_at = Some(rings_at);
            self.at(rings_at, Event::AgentRings { index, life });
        }
    }

    /// An agent's timer.
    pub fn agent_rings(&mut self, index: usize, life: u64) {
        let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.life == life) else { return };
        if let Some(core) = &mut agent.core {
            core.rings_at = None;
            self.tell_recorder(index, recorder::Input::Timeout);
        }
    }

    /// An agent's disk answers a question for records.
    pub fn loaded(&mut self, index: usize, life: u64, after: u64, count: usize) {
        let Some(agent) = self.agents.get(index).filter(|agent| agent.life == life) else { return };
        let records = agent.disk.image.records_after(after, count);
        self.tell_recorder(index, recorder::Input::Loaded(records));
    }

    /// An agent's disk answers with what a new chain begins with.
    pub fn begun_anew(&mut self, index: usize, life: u64, after: u64, begin: ChainHead) {
        let Some(agent) = self.agents.get(index).filter(|agent| agent.life == life) else { return };
        let records = agent.disk.image.records_after(after, usize::MAX);
        self.tell_recorder(index, recorder::Input::Anew { begin, records });
    }
}

/// The state with every card put in use, as nobody signed it.
fn with_every_card_active(state: &State) -> Option<Cache> {
    let facts = state.facts().map(Cow::into_owned).map(|fact| match fact {
        Fact::Credential(credential) => {
            let [first, ..] = credential.key.0;
            let mut key = credential.key;
            if first < 128 {
                key = CredentialKey([first; 16]);
            }
            Fact::Credential(doorward_protocol::facts::Credential { key, state: CredentialState::Active, ..credential })
        }
        other @ (Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Schedule(..) | Fact::Class(..)) => other,
    });
    Cache::new(&State::from_facts(facts).ok()?)
}
