//! One change: what a command costs from the entry of the journal to the signed commit; and beside it, from the order until
//! all of it is kept, through the authority's own writer and compiler, with its journal and access store on the disk.
//!
//! Deliberately no agent is connected: what delivery costs is measured elsewhere. Waiting for the disk costs no processor.

use anyhow::{Context, Result};
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::compile::Compiled;
use doorward_policy::difference::{Difference, Rows};
use doorward_policy::directory::Directory;
use doorward_policy::model::{Affiliation, Campus, CardState, Grant, Person, Subject, Target as Place};
use doorward_protocol::id::{AgentId, Hash};
use doorward_protocol::sign::SecretKey;
use doorward_protocol::time::DayRange;
use doorward_server::authority::Authority;
use doorward_server::clock::wall;
use doorward_server::init::{InitOptions, init};
use doorward_server::paths::Layout;
use doorward_server::present::Leaves;
use doorward_server::start::{Running, start};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tests::bench::campus::Recipe;
use tests::bench::measure::{length, median, time, us};
use tests::bench::report::{Report, Row, Target};
use tests::bench::system::{own_thread, threads};
use tokio::runtime::Runtime;

const RUNS: usize = 5;
const SUSPENSIONS: usize = 200;
const MOVES: usize = 20;
const GRANTS: usize = 4;

/// Doors and agents stay the same, so that nothing but the number of people differs.
const RECIPE: Recipe = Recipe { seed: 4, people: 10_000, doors: 2_000, agents: 200, cards_percent: 100 };

/// What changes of one kind cost on average, one value a run, in microseconds.
#[derive(Default)]
struct Costs {
    wall: Vec<f64>,
    /// From the entry to the signed commit.
    signed: Vec<f64>,
    /// From the order until everything is kept, all threads.
    cpu: Vec<f64>,
    threads: BTreeMap<String, Vec<f64>>,
    /// People touched by each change.
    people: Vec<f64>,
    /// Agents whose state each change makes another, and with it their leaf of the commit.
    agents: Vec<f64>,
}

#[derive(Default)]
struct Measured {
    suspend: Costs,
    depart: Costs,
    grant: Costs,
}

/// What the compiler thread works on, without what keeps it.
struct Signing {
    directory: Directory,
    compiled: Compiled,
    leaves: Leaves,
    previous: Hash,
}

pub fn bench() -> Result<Report> {
    let mut rows = Vec::new();
    let mut all = Vec::new();
    for people in [10_000, 100_000, 1_000_000] {
        let measured = size(Recipe { people, ..RECIPE })?;
        let [signed, kept] = measured.suspend.rows("suspend a card", people);
        rows.extend([signed.target(Target::AtMost(100.0)), kept]);
        rows.extend(measured.depart.rows("move a person to another department", people));
        rows.extend(measured.grant.rows("grant a department a building", people));
        all.push(measured);
    }
    let ratio = |cost: fn(&Measured) -> f64| match all.as_slice() {
        [small, .., large] => cost(large) / cost(small),
        _ => 0.0,
    };
    let suspend = ratio(|measured| median(&measured.suspend.signed));
    let kept = ratio(|measured| median(&measured.suspend.cpu));
    let depart = ratio(|measured| median(&measured.depart.signed));
    let grant = ratio(|measured| median(&measured.grant.each()));
    let against = "1,000,000 people against 10,000";
    rows.extend([
        Row::new(format!("suspend, signed: {against}"), "times", &[suspend]).target(Target::AtMost(1.3)),
        Row::new(format!("suspend, kept: {against}"), "times", &[kept]).target(Target::AtMost(1.3)),
        Row::new(format!("move, signed: {against}"), "times", &[depart]),
        Row::new(format!("grant, signed, for each person that it touches: {against}"), "times", &[grant]),
    ]);
    Report::new("change", &RECIPE.describe(), rows)
}

impl Costs {
    fn rows(&self, what: &str, people: u64) -> [Row; 2] {
        let parts = self.threads.iter().filter(|(_, runs)| median(runs) > 0.5);
        let parts = parts.map(|(name, runs)| format!("{name} {:.0}", median(runs))).collect::<Vec<_>>().join(", ");
        let note = format!("us by thread: {parts}; {:.0} us on the clock", median(&self.wall));
        let touched = format!(
            "people touched: {:.0}; agents with another state: {:.1}",
            median(&self.people),
            median(&self.agents)
        );
        [
            Row::new(format!("{what}, {people} people, CPU from the entry to the signed commit"), "us", &self.signed)
                .note(touched),
            Row::new(
                format!("{what}, {people} people, CPU of all threads from the order until all is kept"),
                "us",
                &self.cpu,
            )
            .note(note),
        ]
    }

    fn each(&self) -> Vec<f64> {
        self.signed.iter().zip(&self.people).map(|(cpu, people)| cpu / people.max(1.0)).collect()
    }
}

fn size(recipe: Recipe) -> Result<Measured> {
    let folder = tempfile::tempdir()?;
    let layout = Layout::new(folder.path().join("data"));
    let campus = recipe.campus()?;
    init(&layout, &campus, InitOptions::default())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let site = Site { running: serve(&layout)?, runtime, campus, recipe };
    site.enrol_all()?;
    let mut measured = Measured::default();
    let mut signing = site.signing();
    let mut next = 0;
    for run in 0..RUNS {
        let suspensions = site.suspensions(&mut next);
        site.measure(&mut signing, suspensions, 1.0, &mut measured.suspend)?;
        let moves = site.moves(run)?;
        site.measure(&mut signing, moves, 1.0, &mut measured.depart)?;
        let (grants, people) = site.grants(run)?;
        site.measure(&mut signing, grants, people, &mut measured.grant)?;
    }
    site.stop();
    Ok(measured)
}

fn serve(layout: &Layout) -> Result<Running> {
    Ok(start(Layout::new(layout.directory()), false)?)
}

/// An authority in this process, and the campus that it was made from.
struct Site {
    running: Running,
    runtime: Runtime,
    campus: Campus,
    recipe: Recipe,
}

impl Site {
    fn authority(&self) -> &Arc<Authority> {
        &self.running.authority
    }

    /// Gives a command and waits until its commit is there.
    fn order(&self, command: Command) -> Result<()> {
        let actor = Actor::new("bench")?;
        self.runtime.block_on(async {
            let accepted = self.authority().execute(actor, command).await?;
            self.authority().published_at(accepted.seq).await;
            Ok(())
        })
    }

    fn enrol_all(&self) -> Result<()> {
        for number in 0..self.recipe.agents {
            let agent: AgentId = self.recipe.agent(number).parse()?;
            let (token_hash, expires_at) = (Hash([1; 32]), wall().plus_ms(3_600_000));
            let mut seed = [0; 32];
            seed.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            let key = SecretKey::from_seed(&seed).public();
            self.order(Command::AgentAdd { agent: agent.clone(), token_hash, expires_at })?;
            self.order(Command::AgentEnrol { agent, key, token_hash })?;
        }
        Ok(())
    }

    /// Suspensions of active cards, spread over all people.
    fn suspensions(&self, next: &mut u64) -> Vec<Command> {
        let mut commands = Vec::new();
        while commands.len() < SUSPENSIONS {
            let number = (*next).wrapping_mul(7_919) % self.recipe.people;
            *next += 1;
            let Ok(card) = self.recipe.card(number).parse() else { continue };
            if self.campus.tables.cards.get(&card).is_some_and(|card| card.state == CardState::Active) {
                commands.push(Command::CardSuspend { card, reason: "reported lost".into() });
            }
        }
        commands
    }

    /// Imports that each move one person to another department.
    fn moves(&self, run: usize) -> Result<Vec<Command>> {
        let departments = self.campus.tables.units.keys().filter(|unit| unit.as_str().starts_with("unit-"));
        let mut departments = departments.cycle().skip(run * MOVES);
        let mut base = self.authority().present().directory.import_seq();
        let head = self.authority().present().directory.head();
        let mut commands = Vec::new();
        let people = self.campus.tables.people.iter().step_by(97).skip(run * MOVES).take(MOVES);
        for (seq, (id, person)) in (head + 1..).zip(people) {
            let unit = departments.next().context("no departments")?.clone();
            let affiliations = [Affiliation { unit, days: DayRange::ALWAYS }].into();
            let person = Person { affiliations, ..person.clone() };
            let people = Rows { put: [(id.clone(), person)].into(), ..Rows::default() };
            commands
                .push(Command::Import { difference: Box::new(Difference { base, people, ..Difference::default() }) });
            base = seq;
        }
        Ok(commands)
    }

    /// Grants that each let one department into one building, and how many people a department has on average.
    fn grants(&self, run: usize) -> Result<(Vec<Command>, f64)> {
        let tables = &self.campus.tables;
        let departments = tables.units.keys().filter(|unit| unit.as_str().starts_with("unit-"));
        // Buildings of departments stand at the end of the list.
        let buildings = tables.buildings.keys().rev();
        let pairs = departments.cycle().zip(buildings).skip(run * GRANTS).take(GRANTS);
        let (mut commands, mut people) = (Vec::new(), 0.0);
        for (number, (unit, building)) in pairs.enumerate() {
            let grant = Grant {
                subject: Subject::Unit(unit.clone()),
                target: Place::Building(building.clone()),
                schedule: None,
                days: DayRange::ALWAYS,
                within: None,
            };
            let members = tables.people.values();
            let members = members.filter(|person| person.affiliations.iter().any(|one| one.unit == *unit)).count();
            people += length(members);
            commands.push(Command::GrantAdd { id: format!("bench-{run}-{number}").parse()?, grant });
        }
        Ok((commands, people / length(GRANTS)))
    }

    /// A copy of what the compiler thread works on.
    fn signing(&self) -> Signing {
        let present = self.authority().present();
        let (directory, compiled) = (present.directory.clone(), present.compiled.clone());
        Signing { directory, compiled, leaves: present.published.leaves.clone(), previous: present.published.hash }
    }

    fn measure(&self, signing: &mut Signing, commands: Vec<Command>, people: f64, costs: &mut Costs) -> Result<()> {
        let changes = length(commands.len());
        let (cost, agents) = signing.take(self.authority(), &commands)?;
        costs.signed.push(us(cost) / changes);
        costs.agents.push(length(agents) / changes);
        let before = threads()?;
        let (took, outcome) = time(|| commands.into_iter().try_for_each(|command| self.order(command)));
        outcome?;
        let mut total = Duration::ZERO;
        for (name, cpu) in threads()? {
            let spent = cpu.saturating_sub(before.get(&name).copied().unwrap_or_default());
            total += spent;
            costs.threads.entry(name).or_default().push(us(spent) / changes);
        }
        costs.cpu.push(us(total) / changes);
        costs.wall.push(us(took) / changes);
        costs.people.push(people);
        Ok(())
    }

    fn stop(self) {
        let Running { authority, threads } = self.running;
        authority.stop();
        drop(authority);
        threads.into_iter().for_each(|thread| drop(thread.join()));
    }
}

impl Signing {
    /// Takes commands as the compiler thread does, up to the signed commit; says what that cost, and how many agents have
    /// another state by it.
    fn take(&mut self, authority: &Authority, commands: &[Command]) -> Result<(Duration, usize)> {
        let (mut cost, mut agents) = (Duration::ZERO, 0);
        for command in commands {
            let (seq, at) = (self.directory.head() + 1, wall().max(self.directory.at()));
            let entry = Entry { seq, at, actor: Actor::new("bench")?, command: command.clone() };
            let before = own_thread()?;
            let touched = self.directory.apply(&entry)?;
            let changes = self.compiled.update(&self.directory, &touched)?;
            self.leaves = self.leaves.after(&self.directory, &self.compiled, &changes.changed)?;
            let commit = authority.signer.commit(seq, at, self.previous, self.leaves.root())?;
            self.previous = commit.hash();
            cost += own_thread()? - before;
            agents += changes.changed.len();
        }
        Ok((cost, agents))
    }
}
