//! The records lane of one agent: drives its records machine; nothing is acknowledged before it is stored.

use super::agent::Agent;
use super::control::Ended;
use super::frames::{FrameReader, FrameWriter};
use crate::access::NewAlarm;
use crate::clock;
use crate::hub::End;
use crate::reading;
use doorward_protocol::frame::{ChainReport, ToAuthority};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::session::records::{Effect, Input, Records};
use std::sync::Arc;

/// Runs the lane until the connection ends.
pub async fn run(agent: Arc<Agent>, writer: FrameWriter, reader: FrameReader) -> Ended {
    let known = match agent.authority.store.chains(agent.id().clone()).await {
        Ok(known) => known,
        Err(error) => return Ended::Here(End::Unavailable, error.to_string()),
    };
    let machine = Records::new(agent.id().clone(), known);
    let mut lane = Lane { agent, machine, writer };
    let Err(ended) = lane.run(reader).await;
    lane.agent.close(&ended);
    ended
}

struct Lane {
    agent: Arc<Agent>,
    machine: Records,
    writer: FrameWriter,
}

impl Lane {
    async fn run(&mut self, mut reader: FrameReader) -> Result<core::convert::Infallible, Ended> {
        loop {
            let frame: ToAuthority = reader.next().await?;
            self.agent.connection.note(|live| live.heard_at = clock::wall());
            self.machine.handle(Input::Frame(frame));
            self.perform().await?;
        }
    }

    async fn perform(&mut self) -> Result<(), Ended> {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Store { records, head } => {
                    self.store(records, head).await?;
                    self.machine.handle(Input::Stored);
                }
                Effect::Compare { incarnation, records } => {
                    let store = &self.agent.authority.store;
                    let same = store.same_records(self.agent.id().clone(), incarnation, records).await;
                    let same = same.map_err(|error| Ended::Here(End::Unavailable, error.to_string()))?;
                    self.machine.handle(Input::Compared(same));
                }
                Effect::Send(frame) => {
                    self.writer.push(&frame).map_err(|error| Ended::Here(End::Unavailable, error.to_string()))?;
                    self.writer.write_all().await?;
                }
                Effect::Report(report) => self.note(report),
                Effect::Alarm(alarm) => {
                    let alarm = NewAlarm::new(alarm.kind, Some(self.agent.id().clone()), alarm.text);
                    self.agent.authority.store.raise(alarm, clock::wall());
                }
                Effect::Close(why) => return Err(Ended::Here(End::Protocol, why)),
            }
        }
        Ok(())
    }

    /// The agent keeps what is not acknowledged, so a store that fails ends the connection and loses nothing.
    async fn store(&self, records: Vec<Record>, head: ChainHead) -> Result<(), Ended> {
        let authority = &self.agent.authority;
        let _turn = authority.store.turn(records.len()).await;
        authority.hub.let_removals_pass().await;
        let records = reading::read_records(&authority.present(), self.agent.id(), records);
        let stored = authority.store.store_records(self.agent.id().clone(), records, head, clock::wall()).await;
        stored.map_err(|error| Ended::Here(End::Unavailable, error.to_string()))?;
        self.agent.connection.note(|live| {
            live.unsent = 0;
            live.oldest_unsent_at = None;
        });
        Ok(())
    }

    fn note(&self, report: ChainReport) {
        self.agent.connection.note(|live| {
            live.unsent = report.head.seq.saturating_sub(report.acknowledged);
            live.oldest_unsent_at = report.oldest_unsent_at;
        });
    }
}
