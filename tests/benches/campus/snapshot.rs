//! Snapshot and delta: bytes on the wire, and memory at the agent as the operating system counts it.
//!
//! The agent whose memory is looked at is this program once more, which takes the frames of a snapshot from its standard
//! input; so nothing of the authority or of the benchmark is in that memory.

use crate::edge::Edge;
use crate::office::Office;
use anyhow::{Context, Result, ensure};
use doorward_policy::command::Command as Order;
use doorward_policy::model::CardId;
use doorward_policy::removal::removal_items;
use doorward_protocol::codec;
use doorward_protocol::commit::Position;
use doorward_protocol::facts::FactKey;
use doorward_protocol::frame::{ToAgent, body_length, to_wire};
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::session::sync::Source;
use doorward_protocol::sign::Signed;
use doorward_protocol::trust::Statement;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use tests::bench::campus::Recipe;
use tests::bench::measure::{count, length, ms, time};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::usage;

const RUNS: usize = 5;

/// The argument with which this program is an agent that holds a snapshot.
pub const HOLD: &str = "--hold-snapshot";

/// What the agent is told before the frames.
type Introduction = (AgentId, Hash, Vec<Signed<Statement>>);

/// The benchmark.
///
/// # Errors
/// When an agent refuses what it is sent.
pub fn bench() -> Result<Report> {
    let recipe = Recipe { seed: 4, people: 100_000, doors: 64, agents: 1, cards_percent: 103 };
    let few = Recipe { people: 100, ..recipe };
    let (large, small) = (Held::new(recipe)?, Held::new(few)?);
    let wire = large.bytes() / large.credentials;
    let mut memory = Vec::new();
    let mut applied_ms = Vec::new();
    for _ in 0..RUNS {
        let (many, next_to_none) = (large.resident()?, small.resident()?);
        memory.push((many.0 - next_to_none.0) / (large.credentials - small.credentials));
        applied_ms.push(many.1);
    }
    let rows = vec![
        Row::new("snapshot on the wire, bytes a credential", "B", &[wire; RUNS]).target(Target::AtMost(40.0)).note(
            format!("{} credentials, all frames of the update with commit, leaf, path and classes.", large.credentials),
        ),
        Row::new("state and cache in an agent's memory, bytes a credential", "B", &memory)
            .target(Target::AtMost(64.0))
            .note(format!(
                "Resident memory after a snapshot was applied, less that of an agent with {} credentials, for each \
                 credential more.",
                small.credentials
            )),
        Row::new("snapshot of 100,000 credentials from the first frame to the last tap by it", "ms", &applied_ms),
    ];
    let (delta, removal, described) = deltas()?;
    let mut rows = rows;
    rows.push(
        Row::new("delta of one suspension with proof, largest of the agents", "B", &[delta; RUNS])
            .target(Target::AtMost(1024.0))
            .beside("the removal that goes ahead of it", &[removal]),
    );
    Report::new("snapshot", &format!("{} And for the delta: {described}", recipe.describe()), rows)
}

/// The frames of a snapshot, and for whom.
struct Held {
    introduction: Introduction,
    frames: Vec<Vec<u8>>,
    credentials: f64,
}

impl Held {
    fn new(recipe: Recipe) -> Result<Self> {
        let office = Office::new(&recipe.campus()?)?;
        let agent = office.largest()?;
        let state = office.present.compiled.state(&agent).context("the agent has no state")?;
        let credentials = length(state.credentials().len());
        let greeting = Edge::of(&office, &agent)?.greet()?;
        let frames = office.greeted(&agent, greeting)?;
        let frames = frames.iter().map(to_wire).collect::<Result<_, _>>()?;
        Ok(Self { introduction: (agent, office.root.hash(), office.statements), frames, credentials })
    }

    fn bytes(&self) -> f64 {
        length(self.frames.iter().map(Vec::len).sum())
    }

    /// Resident bytes of an agent that holds it, and the milliseconds that it took to get there.
    fn resident(&self) -> Result<(f64, f64)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut agent = command.arg(HOLD).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut input = agent.stdin.take().context("the agent has no standard input")?;
        let mut output = agent.stdout.take().context("the agent has no standard output")?;
        input.write_all(&to_wire(&self.introduction)?)?;
        self.frames.iter().try_for_each(|frame| input.write_all(frame))?;
        input.write_all(&[0; 4])?;
        let mut took = [0; 8];
        output.read_exact(&mut took).context("the agent did not take the snapshot")?;
        let resident = usage(agent.id())?.resident_bytes;
        drop(input);
        ensure!(agent.wait()?.success(), "the agent failed");
        Ok((count(resident), f64::from_le_bytes(took)))
    }
}

/// This program as an agent: takes frames until an empty one, says so, and holds what it has until its input ends.
///
/// # Errors
/// When it refuses a frame.
pub fn hold() -> Result<()> {
    let mut input = std::io::stdin().lock();
    let first = frame(&mut input)?;
    let (agent, root, statements): Introduction = codec::decode(&first)?;
    let mut edge = Edge::new(agent, root, statements)?;
    edge.greet()?;
    let (took, taken) = time(|| {
        loop {
            let body = frame(&mut input)?;
            if body.is_empty() {
                return Ok::<(), anyhow::Error>(());
            }
            edge.take(&body)?;
        }
    });
    taken?;
    ensure!(edge.decider.shown().view.cache.is_some(), "nothing is in force");
    let mut output = std::io::stdout();
    output.write_all(&ms(took).to_le_bytes())?;
    output.flush()?;
    let mut rest = Vec::new();
    input.read_to_end(&mut rest)?;
    Ok(())
}

fn frame(input: &mut impl Read) -> Result<Vec<u8>> {
    let mut prefix = [0; 4];
    input.read_exact(&mut prefix)?;
    let mut body = vec![0; body_length(prefix)?];
    input.read_exact(&mut body)?;
    Ok(body)
}

/// The largest delta that one suspension makes among 4,000 agents, the largest removal, and the campus.
fn deltas() -> Result<(f64, f64, String)> {
    let recipe = Recipe { seed: 4, people: 20_000, doors: 40_000, agents: 4000, cards_percent: 103 };
    let mut office = Office::new(&recipe.campus()?)?;
    let before = office.present.published.position;
    let card = CardId::new(&recipe.card(1))?;
    let compiled = &office.present.compiled;
    let holders: Vec<AgentId> = compiled.holders(&card).cloned().collect();
    let have = |agent: &AgentId, position: Position| {
        let digest = compiled.state(agent)?.digest();
        Some((agent.clone(), doorward_protocol::frame::StateClaim { position, digest }))
    };
    let claims: Vec<_> = holders.iter().filter_map(|agent| have(agent, before)).collect();
    let order = Order::CardSuspend { card, reason: "lost".into() };
    let items = removal_items(&office.present.directory, &order);
    office.execute(order)?;
    let mut largest = 0;
    for (agent, claim) in &claims {
        let outgoing = office.update(agent, Some(*claim)).context("there is no update")?;
        let change = outgoing.parts.first().context("the delta is empty")?;
        let is_there = change.put.iter().any(|fact| matches!(fact.key(), FactKey::Credential(_)));
        ensure!(is_there, "the delta lacks the card");
        let update = doorward_protocol::frame::Update {
            head: outgoing.head,
            base: outgoing.base,
            parts: u32::try_from(outgoing.parts.len())?,
        };
        let mut bytes = to_wire(&ToAgent::Update(Box::new(update)))?.len();
        for part in outgoing.parts {
            bytes += to_wire(&ToAgent::Part(part))?.len();
        }
        largest = largest.max(bytes);
    }
    ensure!(!claims.is_empty(), "nobody holds the card");
    let removal = office.removal(items.into_iter().next().context("nothing is taken away")?)?;
    Ok((length(largest), length(removal.len()), recipe.describe()))
}
