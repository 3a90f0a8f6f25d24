//! Agents that come home with a backlog of access records: the production machine and its lane, many in one program.
//!
//! Their disks are memory: what is measured is the authority, and on a campus each of them has a disk of its own.

use anyhow::{Context, Result, bail};
use doorward_agent::identity::Identity;
use doorward_agent::quic::endpoint::{CONNECT_PATIENCE, connect_as_agent};
use doorward_agent::quic::lanes::{open, read_frame, write_frame};
use doorward_protocol::agent::recorder::{Effect, Input, Recorder, Tap};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::Reason;
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{Lane, ToAgent};
use doorward_protocol::id::{DoorId, Hash, Incarnation, ReaderKey, hash};
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::time::UnixMs;
use std::sync::Arc;
use tests::random::Random;
use tokio::sync::watch;

use crate::records::RECIPE;

/// When the first of the records was made; each agent has one every few seconds from then on.
const BEGIN: UnixMs = UnixMs(1_788_220_800_000);

/// One agent before it is connected.
pub struct Homecomer {
    identity: Arc<Identity>,
    recorder: Recorder,
    records: Vec<Record>,
}

/// Agents with so many records each, made by taps at their doors; a new life of the chain for each run.
pub fn prepare(
    identities: &[(Arc<Identity>, Vec<String>)],
    key: &ReaderKey,
    backlog: usize,
    run: u64,
) -> Result<Vec<Homecomer>> {
    let taps = |(number, (identity, doors)): (u64, &(Arc<Identity>, Vec<String>))| {
        let mut random = Random::new(number << 32 | run);
        let doors: Vec<DoorId> = doors.iter().map(|door| DoorId::new(door.as_str())).collect::<Result<_, _>>()?;
        let Hash(life) = hash("doorward benchmark", &[&run.to_le_bytes()]);
        let life = Incarnation(*life.first_chunk().context("a hash is longer than a life")?);
        let begin = ChainHead::begin(&identity.agent, life);
        let mut homecomer =
            Homecomer { identity: Arc::clone(identity), recorder: Recorder::open(begin, begin, None), records: vec![] };
        for ticket in 0..u64::try_from(backlog)? {
            let door = random.choose(&doors).context("an agent has doors")?.clone();
            let card = RECIPE.card(random.below(RECIPE.people));
            let tap = Tap {
                ticket,
                at: BEGIN.plus_ms(i64::try_from(ticket)? * 5_000 + i64::try_from(number)?),
                door,
                credential: key.credential_key(&card),
                factors: Factors::NONE,
                reason: if random.below(10) == 0 { Reason::NoPermission } else { Reason::Granted },
                position: Position { epoch: 0, seq: 2 },
            };
            homecomer.recorder.handle(Input::Tap(tap), BEGIN);
            // Groups of taps, as they come in a busy minute.
            if ticket % 64 == 63 {
                homecomer.record()?;
            }
        }
        homecomer.record()?;
        Ok(homecomer)
    };
    (0..).zip(identities).map(taps).collect()
}

impl Homecomer {
    /// Makes everything durable that waits for it.
    fn record(&mut self) -> Result<()> {
        while let Some(effect) = self.recorder.poll_effect() {
            match effect {
                Effect::Append { records, .. } => {
                    self.records.extend(records);
                    self.recorder.handle(Input::Appended, BEGIN);
                }
                Effect::Answer { .. } => {}
                Effect::BeginAnew { .. }
                | Effect::Send(_)
                | Effect::Load { .. }
                | Effect::Free(_)
                | Effect::Alarm(_) => bail!("a recorder that is alone wants {effect:?}"),
            }
        }
        Ok(())
    }

    /// Connects, waits for the word, and sends everything home; done when the last record is acknowledged.
    pub async fn come_home(mut self, mut go: watch::Receiver<bool>) -> Result<()> {
        let address = self.identity.addresses.first().context("no address")?.clone();
        let reached = connect_as_agent(&address, &self.identity, CONNECT_PATIENCE.1).await?;
        let (mut send, mut receive) = open(&reached.connection, Lane::Records).await?;
        go.wait_for(|go| *go).await?;
        self.recorder.handle(Input::Connected, BEGIN);
        loop {
            while let Some(effect) = self.recorder.poll_effect() {
                match effect {
                    Effect::Send(frame) => write_frame(&mut send, &frame).await?,
                    Effect::Load { after, count } => {
                        let skip = usize::try_from(after)?;
                        let records = self.records.iter().skip(skip).take(count).cloned().collect();
                        self.recorder.handle(Input::Loaded(records), BEGIN);
                    }
                    Effect::Free(_) => {}
                    Effect::Append { .. } | Effect::BeginAnew { .. } | Effect::Answer { .. } | Effect::Alarm(_) => {
                        bail!("a recorder that comes home wants {effect:?}")
                    }
                }
            }
            if self.recorder.unsent() == 0 {
                reached.close("all records are home").await;
                return Ok(());
            }
            match read_frame(&mut receive).await? {
                ToAgent::Stored(head) => self.recorder.handle(Input::Stored(head), BEGIN),
                other @ (ToAgent::Statements(_)
                | ToAgent::Update(_)
                | ToAgent::Part(_)
                | ToAgent::Pulse(_)
                | ToAgent::Removal(_)) => bail!("the records lane brings {other:?}"),
            }
        }
    }
}
