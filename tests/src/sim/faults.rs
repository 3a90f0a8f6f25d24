//! What breaks, when, and how it is repaired; and the hour at which everything heals.

use crate::sim::checks::{deterministic, no_record_lost};
use crate::sim::disk::Image;
use crate::sim::mutation::Mutation;
use crate::sim::promise::Promise;
use crate::sim::world::{Event, Repair, World};
use doorward_protocol::facts::{CredentialState, Fact};
use doorward_protocol::id::Incarnation;
use doorward_protocol::record::ChainHead;
use doorward_protocol::time::UnixMs;

const YEAR_MS: i64 = 365 * 86_400_000;

impl World {
    /// Something breaks.
    pub fn fault(&mut self) {
        if self.is_healing {
            return;
        }
        // A larger world breaks more often.
        let larger = u64::try_from(self.agents.len().div_ceil(8)).unwrap_or(1).max(1);
        let each_ms = 1_200_000 / i64::try_from(larger).unwrap_or(1);
        let next_ms = self.chances.faults.between(1_000, each_ms.max(2_000));
        self.after(next_ms, Event::Fault);
        let index = self.chances.faults.index(self.agents.len());
        let kind = self.chances.faults.below(33);
        self.trace.note(&format!("fault {kind} {index}"));
        match kind {
            0..=4 => self.crash_for(index, 120_000),
            // There is one authority, however many agents there are.
            5 | 6 | 31 | 32 if !self.chances.faults.one_in(larger) => {}
            5 | 6 => self.crash_authority(),
            7 | 8 => self.cut(index),
            9..=11 => self.partition(index),
            12 | 13 => self.fill_disk(index),
            14..=16 => self.let_adversary_in(index),
            17..=19 => self.step_clock(index),
            20 => {
                self.crash_for(index, 600_000);
                self.step_clock(index);
            }
            21 | 22 => self.copy_disk(index),
            23..=25 => {
                // Of the agents from here on the first whose disk was copied once.
                let has_copy = |at: &usize| self.agents.get(*at).is_some_and(|agent| agent.disk.copy.is_some());
                let index = (index..self.agents.len()).chain(0..index).find(has_copy).unwrap_or(index);
                self.restore_disk(index);
            }
            26 | 27 => {
                self.copy_disk(index);
                let wait_ms = self.chances.faults.between(100, 60_000);
                self.after(wait_ms, Event::RestoreDisk { index });
            }
            28 | 29 => self.alter_disk(index),
            30 => self.lose_disk(index),
            31 => {
                self.counts.one("fault", "authority's journal copied");
                self.authority.copy = Some(Box::new((self.authority.journal.clone(), self.closings.clone())));
            }
            _ => self.restore_authority(),
        }
    }

    fn copy_disk(&mut self, index: usize) {
        if let Some(agent) = self.agents.get_mut(index) {
            agent.disk.copy = Some(Box::new(agent.disk.image.clone()));
            self.counts.one("fault", "disk copied");
        }
    }

    /// Stops an agent; it comes back by itself.
    pub fn crash_for(&mut self, index: usize, ms_max: i64) {
        self.crash_agent(index);
        let down_ms = self.chances.faults.between(100, ms_max);
        self.after(down_ms, Event::StartAgent { index });
    }

    /// Stops the authority at once; it comes back by itself.
    pub fn crash_authority(&mut self) {
        if self.authority.core.take().is_none() {
            return;
        }
        self.counts.one("world", "authority crashes");
        self.on_the_way.clear();
        for index in 0..self.agents.len() {
            self.cut(index);
            self.stop_serving(index);
        }
        let down_ms = self.chances.faults.between(100, 300_000);
        self.after(down_ms, Event::StartAuthority);
    }

    /// The authority starts on its journal.
    pub fn start_authority(&mut self) {
        if self.authority.core.is_some() {
            return;
        }
        match self.authority.start(&mut self.truth) {
            Ok(None) => self.counts.seen(Promise::Deterministic, "restarts on a journal that was folded again"),
            Ok(Some(hash)) => deterministic::on_other_commit(self, hash),
            Err(error) => self.broken(Promise::Deterministic, format!("the journal cannot be folded again: {error:#}")),
        }
        let waiting = self.authority.core.as_ref().map_or(0, |core| core.uncompiled.len());
        for number in (0_i64..).take(waiting) {
            self.after(1 + number, Event::Compile);
        }
    }

    fn partition(&mut self, index: usize) {
        self.counts.one("fault", "line down for a while");
        let blocked_ms = self.chances.faults.between(60_000, 8 * 3_600_000);
        if let Some(agent) = self.agents.get_mut(index) {
            agent.link.is_blocked = true;
        }
        self.cut(index);
        self.after(blocked_ms, Event::Repair(Repair::Line(index)));
    }

    fn fill_disk(&mut self, index: usize) {
        self.counts.one("fault", "disk full");
        let full_ms = self.chances.faults.between(60_000, 3_600_000);
        if let Some(agent) = self.agents.get_mut(index) {
            agent.disk.is_full = true;
        }
        self.after(full_ms, Event::Repair(Repair::Disk(index)));
    }

    fn let_adversary_in(&mut self, index: usize) {
        self.counts.one("fault", "adversary on the line");
        let watched_ms = self.chances.faults.between(60_000, 3_600_000);
        let Some(agent) = self.agents.get_mut(index) else { return };
        agent.link.is_watched = true;
        let generation = agent.link.generation;
        self.inject(index, generation);
        self.after(watched_ms, Event::Repair(Repair::Adversary(index)));
    }

    fn step_clock(&mut self, index: usize) {
        let wrong_ms = self.chances.faults.between(60_000, 3 * 3_600_000);
        let (name, wall) = match self.chances.faults.below(5) {
            0 => ("clock at 1970", UnixMs(self.chances.faults.between(0, 3_600_000))),
            1 => ("clock a year ahead", self.now.plus_ms(YEAR_MS)),
            2 => ("clock off by up to two hours", self.now.plus_ms(self.chances.faults.between(-7_200_000, 7_200_000))),
            3 => ("clock off within the tolerance", self.now.plus_ms(self.chances.faults.between(-290_000, 290_000))),
            _ => ("clock a year behind", self.now.plus_ms(-YEAR_MS)),
        };
        self.counts.one("fault", name);
        self.set_clock(index, wall);
        self.after(wrong_ms, Event::Repair(Repair::Clock(index)));
    }

    fn set_clock(&mut self, index: usize, wall: UnixMs) {
        let notices_ms = self.chances.faults.between(1, 1_000);
        let now = self.now;
        let Some(agent) = self.agents.get_mut(index) else { return };
        let stepped_ms = wall.since_ms(agent.wall(now)).saturating_abs();
        agent.clock.step_to(now, wall);
        let life = agent.life;
        if stepped_ms > 5_000 && agent.core.is_some() {
            self.after(notices_ms, Event::ClockNoticed { index, life });
        }
    }

    /// The copy of a disk takes its place, whole and older. Half of the time its agent is restarted once more before it
    /// meets the authority.
    pub fn restore_disk(&mut self, index: usize) {
        let has_copy = self.agents.get(index).is_some_and(|agent| agent.disk.copy.is_some());
        if !has_copy || self.is_healing {
            return;
        }
        self.crash_for(index, 60_000);
        if let Some(agent) = self.agents.get_mut(index)
            && let Some(copy) = &agent.disk.copy
            && agent.core.is_none()
        {
            agent.disk.image = Image::clone(copy);
            agent.watch.restore(&agent.disk.image);
            self.counts.one("fault", "disk restored from an older copy");
        }
        no_record_lost::forgive_what_is_gone(self, index..index + 1);
        if self.chances.faults.one_in(2) {
            self.partition(index);
            let wait_ms = self.chances.faults.between(60_000, 3_600_000);
            self.after(wait_ms, Event::CrashAgent { index });
            self.counts.one("fault", "restart on a restored disk before the authority is met");
        }
    }

    /// The disk cannot even be opened: it is set aside, and the agent begins with what it got when it joined.
    fn lose_disk(&mut self, index: usize) {
        self.crash_for(index, 60_000);
        let begin = self.chances.faults.bytes();
        let joined_with = self.authority.keys.statements.get(..1).unwrap_or_default();
        if let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.core.is_none()) {
            agent.disk.image = Image::new(joined_with, ChainHead::begin(&agent.id, Incarnation(begin)));
            agent.disk.damage = Some("the store could not be opened".into());
            agent.watch.restore(&agent.disk.image);
            self.counts.one("fault", "disk lost");
        }
        no_record_lost::forgive_what_is_gone(self, index..index + 1);
    }

    /// Somebody with a screwdriver changes what is on a disk. A removal that is taken away whole leaves no mark, so
    /// it is only altered here; so is the floor left alone.
    fn alter_disk(&mut self, index: usize) {
        self.crash_for(index, 60_000);
        let chance = &mut self.chances.faults;
        let Some(agent) = self.agents.get_mut(index).filter(|agent| agent.core.is_none()) else { return };
        let image = &mut agent.disk.image;
        let name = match chance.below(5) {
            0 | 1 => {
                let fact = if chance.one_in(2) { image.facts.pop_last() } else { image.facts.pop_first() };
                fact.map(|_| "disk altered: a fact taken away")
            }
            2 => {
                for fact in image.facts.values_mut() {
                    if let Fact::Credential(credential) = fact {
                        credential.state = CredentialState::Active;
                        credential.leaving = None;
                    }
                }
                Some("disk altered: every card active")
            }
            3 => {
                let spoiled = image.removals.values_mut().filter_map(|removal| removal.bytes.last_mut());
                let count = spoiled.map(|byte| *byte ^= 1).count();
                (count > 0).then_some("disk altered: removals spoiled")
            }
            _ => {
                let record = image.records.pop_first();
                if !image.chain_holds() {
                    image.records.clear();
                }
                record.map(|_| "disk altered: a record taken away")
            }
        };
        agent.disk.is_altered = true;
        agent.watch.removals.clear();
        name.into_iter().for_each(|name| self.counts.one("fault", name));
        no_record_lost::forgive_what_is_gone(self, index..index + 1);
    }

    fn restore_authority(&mut self) {
        let Some(copy) = self.authority.copy.take() else { return };
        self.crash_authority();
        if self.authority.core.is_none() {
            (self.authority.journal, self.closings) = *copy;
            self.authority.is_rolled_back = true;
            self.counts.one("fault", "authority restored from an older copy");
            no_record_lost::forgive_what_is_gone(self, 0..self.agents.len());
            let notices_ms = self.chances.faults.between(300_000, 3_600_000);
            self.after(notices_ms, Event::Repair(Repair::Epoch));
        }
    }

    /// Something is repaired.
    pub fn repair(&mut self, repair: &Repair) {
        match *repair {
            Repair::Line(index) => {
                self.agents.iter_mut().skip(index).take(1).for_each(|agent| agent.link.is_blocked = false)
            }
            Repair::Disk(index) => {
                self.agents.iter_mut().skip(index).take(1).for_each(|agent| agent.disk.is_full = false)
            }
            Repair::Adversary(index) => {
                let Some(agent) = self.agents.get_mut(index) else { return };
                agent.link.is_watched = false;
                if agent.link.is_tampered {
                    self.cut(index);
                }
            }
            Repair::Clock(index) => self.set_clock(index, self.now),
            Repair::Epoch => self.begin_epoch(),
        }
    }

    /// The operator has read the alarm: a statement raises the epoch, and the authority starts anew.
    fn begin_epoch(&mut self) {
        if !self.authority.is_rolled_back || self.options.mutation == Some(Mutation::NoEpoch) {
            return;
        }
        self.authority.is_rolled_back = false;
        self.crash_authority();
        self.authority.keys.next_statement(&mut self.chances.faults, true, self.now);
    }

    /// Everything heals.
    pub fn heal(&mut self) {
        self.is_healing = true;
        self.begin_epoch();
        for index in 0..self.agents.len() {
            self.repair(&Repair::Line(index));
            self.repair(&Repair::Disk(index));
            self.repair(&Repair::Adversary(index));
            self.repair(&Repair::Clock(index));
            self.after(1, Event::StartAgent { index });
        }
        self.after(1, Event::StartAuthority);
    }
}
