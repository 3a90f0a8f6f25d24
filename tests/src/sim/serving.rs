//! The authority's side of the connections: one pair of production sessions for each agent that is connected.

use crate::sim::link::Way;
use crate::sim::mutation::Mutation;
use crate::sim::promise::Promise;
use crate::sim::staff::REMOVAL_MS_MAX;
use crate::sim::world::{Event, World};
use doorward_protocol::frame::{Lane, ToAgent, ToAuthority};
use doorward_protocol::id::AgentId;
use doorward_protocol::receipt::{About, Stage};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::removal::Removal;
use doorward_protocol::session::records::{self, Records};
use doorward_protocol::session::sync::{self, Session};
use doorward_protocol::session::{Alarm, AlarmKind};
use doorward_protocol::time::UnixMs;

/// One connection.
pub struct Served {
    pub generation: u64,
    pub session: Session,
    pub records: Records,
    /// Records that are being stored.
    pub storing: Option<(Vec<Record>, ChainHead)>,
    /// When the session's timer rings.
    pub rings_at: Option<UnixMs>,
}

impl World {
    /// A connection was made: removals whose commit is not there yet go out first.
    pub fn serve(&mut self, index: usize, generation: u64) {
        // What the connection before handed in is stored, or is not, before this one asks where the chains stand.
        self.stop_serving(index);
        let Some(core) = &self.authority.core else { return };
        let Some(agent) = self.agents.get_mut(index) else { return };
        let stored = self.authority.journal.store.of(&agent.id);
        let confirmed = stored.map(|stored| stored.confirmed).unwrap_or_default();
        let known = stored.map(|stored| stored.heads.clone()).unwrap_or_default();
        let key = self.authority.keys.agent(&agent.id).public();
        let served = Served {
            generation,
            session: Session::new(agent.id.clone(), key, confirmed),
            records: Records::new(agent.id.clone(), known),
            storing: None,
            rings_at: None,
        };
        let all = core.pending.values().flatten();
        let concerning = all.filter(|(_, concerned)| concerned.contains(&agent.id));
        let removals: Vec<_> = concerning.map(|(removal, _)| removal.clone()).collect();
        let life = agent.life;
        if let Some(agent) = self.agents.get_mut(index) {
            agent.served = Some(served);
        }
        for signed in removals {
            if let Ok(Removal { position, part, .. }) = signed.unverified() {
                self.counts.seen(Promise::RemovalFirst, "removals ahead of their commit for an agent that connected");
                self.after(REMOVAL_MS_MAX, Event::RemovalDue { index, generation, life, position, part });
            }
            if self.options.mutation != Some(Mutation::ForgetPending) {
                self.send_down(index, Way::RemovalDown, &ToAgent::Removal(signed));
            }
        }
    }

    /// The authority's side of a connection ends. What was handed to the access store may become durable all the same.
    pub fn stop_serving(&mut self, index: usize) {
        let is_stored = self.chances.disk.one_in(2) && self.options.mutation != Some(Mutation::AcknowledgeEarly);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let storing = agent.served.take().and_then(|served| served.storing);
        if let Some((records, head)) = storing.filter(|_| is_stored) {
            self.authority.journal.store.store(&agent.id, &records, head, false);
            self.counts.seen(Promise::NoRecordLost, "records stored although nobody was told");
        }
    }

    /// Hands something to the session of an agent.
    pub fn tell_session(&mut self, index: usize, input: sync::Input) {
        let now = self.now;
        let Some(asked) = self.authority.asked() else { return };
        let Some(served) = self.agents.get_mut(index).and_then(|agent| agent.served.as_mut()) else { return };
        served.session.handle(input, now, &asked);
        self.settle_session(index);
    }

    fn settle_session(&mut self, index: usize) {
        while let Some(served) = self.agents.get_mut(index).and_then(|agent| agent.served.as_mut()) {
            let Some(effect) = served.session.poll_effect() else {
                let due = served.session.poll_timeout();
                if due.is_some() && due != served.rings_at {
                    served.rings_at = due;
                    let generation = served.generation;
                    due.into_iter().for_each(|due| self.at(due, Event::SessionRings { index, generation }));
                }
                return;
            };
            match effect {
                sync::Effect::Send(lane, frame) => {
                    if let ToAgent::Update(update) = frame.as_ref() {
                        let have = served.session.have();
                        self.check_update(index, have, update);
                    }
                    self.send_down(index, way_of(lane), &frame);
                }
                sync::Effect::Receipt(receipt, signed) => {
                    if receipt.about == About::Commit && receipt.stage == Stage::Durable {
                        self.authority.journal.store.confirm(&receipt.agent, receipt.position);
                    }
                    let is_early = self.options.mutation == Some(Mutation::CountApplied);
                    self.closings.take(&receipt, &signed, is_early);
                }
                sync::Effect::Heard(_) | sync::Effect::Greeted(_) => {}
                sync::Effect::Alarm(alarm) => self.alarm(index, &alarm),
                sync::Effect::Close(why) => self.close(index, &why),
            }
        }
    }

    fn tell_records(&mut self, index: usize, input: records::Input) {
        let Some(served) = self.agents.get_mut(index).and_then(|agent| agent.served.as_mut()) else { return };
        served.records.handle(input);
        self.settle_records(index);
    }

    fn settle_records(&mut self, index: usize) {
        while let Some(agent) = self.agents.get_mut(index) {
            let Some(served) = &mut agent.served else { return };
            let Some(effect) = served.records.poll_effect() else { return };
            match effect {
                records::Effect::Store { records, head } => {
                    let generation = served.generation;
                    served.storing = Some((records, head));
                    self.counts.seen(Promise::NoRecordLost, "batches stored");
                    let takes_ms = self.chances.disk.between(1, 40);
                    self.after(takes_ms, Event::Stored { index, generation });
                    if self.options.mutation == Some(Mutation::AcknowledgeEarly) {
                        self.tell_records(index, records::Input::Stored);
                    }
                }
                records::Effect::Compare { incarnation, records } => {
                    let same = match self.options.mutation {
                        Some(Mutation::CompareNothing) => records.len(),
                        Some(Mutation::FindNothingSame) => 0,
                        _ => self.authority.journal.store.same(&agent.id, incarnation, &records),
                    };
                    let case = match same {
                        0 => "batches of a restored disk, parted at once",
                        _ if same == records.len() => "batches of a restored disk, all home already",
                        _ => "batches of a restored disk, parted within",
                    };
                    self.counts.seen(Promise::NoRecordLost, case);
                    self.tell_records(index, records::Input::Compared(same));
                }
                records::Effect::Send(frame) => self.send_down(index, Way::RecordsDown, &frame),
                records::Effect::Report(_) => {}
                records::Effect::Alarm(alarm) => self.alarm(index, &alarm),
                records::Effect::Close(why) => self.close(index, &why),
            }
        }
    }

    /// The access store has made records durable.
    pub fn stored(&mut self, index: usize, generation: u64) {
        let Some(agent) = self.agents.get_mut(index) else { return };
        let Some(served) = agent.served.as_mut().filter(|served| served.generation == generation) else { return };
        let Some((records, head)) = served.storing.take() else { return };
        let doubles = self.options.mutation == Some(Mutation::DoubleRecord) && self.chances.mutation.one_in(3);
        self.authority.journal.store.store(&agent.id, &records, head, doubles);
        if self.options.mutation != Some(Mutation::AcknowledgeEarly) {
            self.tell_records(index, records::Input::Stored);
        }
    }

    /// A frame arrived from an agent.
    pub fn take_up(&mut self, index: usize, way: Way, frame: Result<ToAuthority, String>) {
        if let (Some(agent), Ok(ToAuthority::Records(batch))) = (self.agents.get(index), &frame) {
            let stored = self.authority.journal.store.of(&agent.id);
            let heads = stored.into_iter().flat_map(|stored| &stored.heads);
            let mut known = heads.filter(|head| head.incarnation == batch.after.incarnation);
            if known.any(|head| head.seq > batch.after.seq) {
                self.counts.seen(Promise::NoRecordLost, "batches sent again after their acknowledgement was lost");
            }
        }
        match (way, frame) {
            (Way::RecordsUp, Ok(frame)) => self.tell_records(index, records::Input::Frame(frame)),
            (_, Ok(frame)) => self.tell_session(index, sync::Input::Frame(frame)),
            (_, Err(why)) => self.close(index, &why),
        }
    }

    /// The authority ends a connection; the agent hears of it when the word arrives, or does not.
    fn close(&mut self, index: usize, why: &str) {
        self.trace.note(why);
        let Some(agent) = self.agents.get_mut(index) else { return };
        let Some(generation) = agent.served.as_ref().map(|served| served.generation) else { return };
        if agent.link.generation == generation {
            agent.link.carries = false;
        }
        self.stop_serving(index);
        let wait_ms = self.chances.network.between(1, 2_000);
        self.after(wait_ms, Event::AgentLost { index, generation });
    }

    fn alarm(&mut self, index: usize, alarm: &Alarm) {
        self.trace.note(&alarm.text);
        if self.options.mutation == Some(Mutation::MuteAlarms) {
            return;
        }
        self.counts.one("alarm", alarm.kind.as_str());
        self.alarms.entry(index).or_default().insert(alarm.kind);
        if alarm.kind == AlarmKind::WrongState {
            self.check_refused_delta(index, &alarm.text);
        }
    }

    /// The place of an agent.
    pub fn index_of(&self, id: &AgentId) -> Option<usize> {
        self.places.get(id).copied()
    }
}

const fn way_of(lane: Lane) -> Way {
    match lane {
        Lane::Control => Way::ControlDown,
        Lane::Removal => Way::RemovalDown,
        Lane::Records => Way::RecordsDown,
    }
}
