//! The control lane of one agent: drives its session machine, and does what the machine wants done.
//!
//! Reading goes on while a snapshot is being written, so that a receipt never waits behind one.

use super::agent::Agent;
use super::frames::{FrameError, FrameReader, FrameWriter};
use crate::access::NewAlarm;
use crate::authority::Warning;
use crate::clock;
use crate::hub::{End, Outgoing};
use doorward_protocol::frame::{Heard, Hello, Lane, ToAgent, ToAuthority};
use doorward_protocol::receipt::{About, Receipt, Stage};
use doorward_protocol::session::sync::{Effect, Input, Session};
use doorward_protocol::session::{Alarm, AlarmKind};
use doorward_protocol::sign::Signed;
use doorward_protocol::time::UnixMs;
use std::sync::Arc;
use std::time::Duration;

/// How a connection ended.
pub enum Ended {
    /// From this side, with a code and a note for the log.
    Here(End, String),
    /// From the other side or underneath.
    There(String),
}

impl core::fmt::Display for Ended {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Here(_, note) | Self::There(note) => f.write_str(note),
        }
    }
}

impl From<FrameError> for Ended {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Codec(error) => Self::Here(End::Protocol, error.to_string()),
            FrameError::Read(_) | FrameError::Write(_) | FrameError::Ended => Self::There(error.to_string()),
        }
    }
}

/// Runs the lane until the connection ends.
pub async fn run(agent: Arc<Agent>, writer: FrameWriter, reader: FrameReader) -> Ended {
    let confirmed = match agent.authority.store.contact(agent.id()) {
        Ok(contact) => contact.confirmed,
        Err(error) => return Ended::Here(End::Unavailable, error.to_string()),
    };
    let session = Session::new(agent.id().clone(), agent.connection.key, confirmed);
    let mut control = Control { agent, session, writer };
    let Err(ended) = control.run(reader).await;
    control.agent.close(&ended);
    ended
}

struct Control {
    agent: Arc<Agent>,
    session: Session,
    writer: FrameWriter,
}

impl Control {
    async fn run(&mut self, mut reader: FrameReader) -> Result<core::convert::Infallible, Ended> {
        loop {
            self.perform()?;
            let due = self.session.poll_timeout();
            let is_waiting = self.writer.is_waiting();
            tokio::select! {
                biased;
                () = self.agent.connection.bell.notified() => self.open_mail(),
                frame = reader.next::<ToAuthority>() => self.take(frame?),
                written = self.writer.write_some(), if is_waiting => written?,
                () = sleep_until(due) => self.handle(Input::Timeout),
            }
        }
    }

    fn open_mail(&mut self) {
        let mail = self.agent.connection.take_mail();
        if let Some(affected) = mail.head_moved {
            self.handle(Input::HeadMoved { affected });
        }
        if let Some(pulse) = mail.pulse {
            self.handle(Input::Pulse(pulse));
        }
    }

    fn take(&mut self, frame: ToAuthority) {
        let now = clock::wall();
        // An agent may have moved since it connected.
        let address = self.agent.quic.remote_address();
        self.agent.connection.note(|live| {
            live.heard_at = now;
            live.address = address;
        });
        self.handle(Input::Frame(frame));
    }

    fn handle(&mut self, input: Input) {
        self.session.handle(input, clock::wall(), &*self.agent.authority);
    }

    fn perform(&mut self) -> Result<(), Ended> {
        while let Some(effect) = self.session.poll_effect() {
            match effect {
                Effect::Send(lane, frame) => self.send(lane, *frame)?,
                Effect::Receipt(receipt, signed) => self.keep_receipt(&receipt, &signed),
                Effect::Heard(heard) => self.note_heard(heard),
                Effect::Greeted(hello) => self.note_greeting(hello),
                Effect::Alarm(alarm) => self.raise(alarm),
                Effect::Close(why) => return Err(Ended::Here(End::Protocol, why)),
            }
        }
        Ok(())
    }

    fn send(&mut self, lane: Lane, frame: ToAgent) -> Result<(), Ended> {
        match (lane, &frame) {
            (Lane::Removal, ToAgent::Removal(removal)) => {
                let removal =
                    Outgoing::new(removal).map_err(|error| Ended::Here(End::Unavailable, error.to_string()))?;
                self.agent.connection.remove(&removal);
                return Ok(());
            }
            (_, ToAgent::Update(update)) => {
                // A commit is a fresh word of its own time.
                let at = update.head.commit.unverified().map(|commit| commit.at);
                at.into_iter().for_each(|at| self.note_fresh(at));
            }
            (_, ToAgent::Pulse(pulse)) => {
                pulse.unverified().into_iter().for_each(|pulse| self.note_fresh(pulse.at));
            }
            _ => {}
        }
        self.writer.push(&frame).map_err(|error| Ended::Here(End::Unavailable, error.to_string()))
    }

    fn note_fresh(&self, at: UnixMs) {
        self.agent.connection.note(|live| live.fresh_at = live.fresh_at.max(Some(at)));
    }

    fn keep_receipt(&self, receipt: &Receipt, signed: &Signed<Receipt>) {
        let authority = &self.agent.authority;
        authority.closings.take_receipt(receipt, signed, clock::wall());
        if receipt.about == About::Removal && receipt.stage == Stage::Durable {
            self.agent.connection.removed(receipt.position);
        }
        if receipt.about == About::Commit && receipt.stage == Stage::Durable {
            authority.store.confirm(self.agent.id().clone(), receipt.position);
            self.agent.connection.note(|live| live.position = live.position.max(Some(receipt.position)));
        }
    }

    fn note_heard(&self, heard: Heard) {
        let off_ms = heard.wall.since_ms(clock::wall());
        self.agent.connection.note(|live| live.clock_off_ms = Some(off_ms));
    }

    fn note_greeting(&self, hello: Hello) {
        let off_ms = hello.wall.since_ms(clock::wall());
        self.agent.connection.note(|live| {
            live.software = Some(hello.software);
            live.position = hello.state.map(|state| state.position);
            live.clock_off_ms = Some(off_ms);
        });
    }

    fn raise(&self, alarm: Alarm) {
        let Alarm { kind, text } = alarm;
        let authority = &self.agent.authority;
        authority.store.raise(NewAlarm::new(kind, Some(self.agent.id().clone()), text.clone()), clock::wall());
        if kind == AlarmKind::AuthorityRolledBack {
            let text = format!("{text}: the journal was restored from an older copy; begin a new epoch");
            authority.warn(Warning::RolledBack, kind, &text);
        }
    }
}

async fn sleep_until(due: Option<UnixMs>) {
    match due {
        None => std::future::pending().await,
        Some(due) => {
            let ms = due.since_ms(clock::wall()).max(0);
            tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
        }
    }
}
