//! The story, chapter by chapter: each does something with real processes, shows it, and checks what came of it.

use crate::campus::{self, BUILDINGS, LOST_CARD, PORTER, porter_grant};
use crate::cast::{SCENES, in_words};
use crate::telling::Telling;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tests::agent::Agent;
use tests::authority::Authority;
use tests::binaries::binaries;
use tests::command::{Answer, run};
use tests::json::{at, list, text};
use tests::random::Random;
use tests::wait::{SOON, until_true};

/// The building that is cut off when the card is lost, its agent and two of its doors' names.
const CUT_OFF: &str = "agent-sci";
const CUT_OFF_DOOR: &str = "sci-main";
const REACHED_DOOR: &str = "eng-1-main";

/// How many taps are played beside those that are shown.
const TAPS_COUNTED: usize = 200;

/// Seed of those taps: the same ones in every run.
const TAPS_SEED: u64 = 20_230_403;

/// Everything that runs while the story is told.
pub struct Story {
    telling: Telling,
    folder: PathBuf,
    authority: Authority,
    agents: Vec<Agent>,
    /// What was asked and answered: `at,door,card`, and decision and reason.
    asked: Vec<(String, String, String)>,
}

impl Story {
    /// Before the first chapter.
    ///
    /// # Errors
    /// When the campus cannot be written.
    pub fn begin(folder: &Path, telling: Telling) -> Result<Self> {
        let authority = Authority::at(&folder.join("authority"))?;
        Ok(Self { telling, folder: folder.to_owned(), authority, agents: Vec::new(), asked: Vec::new() })
    }

    /// All chapters.
    ///
    /// # Errors
    /// When something is not as it should be.
    pub fn tell(&mut self) -> Result<()> {
        self.a_campus()?;
        self.an_authority()?;
        self.agents()?;
        self.rights()?;
        self.a_morning()?;
        self.a_lost_card()?;
        self.proof()?;
        self.back_again()?;
        self.looking_back()
    }

    fn a_campus(&mut self) -> Result<()> {
        let years = campus::write(&self.folder.join("campus"))?;
        self.telling.say("Doorward decides who may open which door of a campus. This demonstration runs it on your machine: \
            one authority, and in each of eight buildings an agent that controls the doors. They are real processes that \
            talk over the loopback network. Lines that begin with $ are commands as you would type them.")?;
        self.telling.chapter("A campus, as its offices write it down")?;
        self.telling.say(&format!("A sample of Chonnam National University (전남대학교): tables of people, cards, \
            buildings and doors, and rules such as \"students enter the building of their own college\". It is of 2023; \
            here all its dates are moved by {years} years, so that its semester is now, and its doors get a lease of 7 days \
            (what that is comes later). Nothing else is changed."))?;
        self.doorward("check campus")?.ok()?;
        Ok(())
    }

    fn an_authority(&mut self) -> Result<()> {
        self.telling.chapter("The authority")?;
        self.telling.say(
            "It keeps the journal of all that was ever decided, and signs what agents must know. Whoever holds \
            root.pub can check its word, even offline.",
        )?;
        self.doorward("init --campus campus")?.ok()?;
        self.telling.command("doorward serve &")?;
        self.authority.start()?;
        self.telling.show(&format!("agents reach it at {}, commands at {}", self.authority.quic, self.authority.api))
    }

    fn agents(&mut self) -> Result<()> {
        self.telling.chapter("An agent for each building")?;
        self.telling.say(
            "An agent joins with a token that is good for one agent, once. It makes its own key, and from then \
            on keeps what its doors need on its own disk: it decides by itself, with or without a network.",
        )?;
        for (number, (_, id, _)) in BUILDINGS.into_iter().enumerate() {
            let mut agent = Agent::at(&self.folder, &self.authority, id)?;
            let token = self.authority.invite(id)?;
            let joined = agent.run(&["join", &token])?.ok()?;
            if number == 0 {
                self.telling.command(&format!("doorward agent add {id}"))?;
                self.telling.show(&format!("{}... (one line of {} characters)", shortened(&token), token.len()))?;
                self.telling.command(&format!("doorward-agent join {}... --data {id}", shortened(&token)))?;
                self.telling.show(&joined.out.replace(&format!("{}/", self.folder.display()), ""))?;
                self.telling.command(&format!("doorward-agent run --data {id} &"))?;
                self.telling.say("")?;
                self.telling.say("and likewise for the seven other buildings. All of them are then connected:")?;
            }
            agent.start()?;
            self.agents.push(agent);
        }
        self.wait_until_exact()?;
        let list = self.doorward("agent list")?.ok()?;
        let connected = BUILDINGS.iter().all(|(_, id, _)| list.out.contains(id));
        self.telling.expect(connected, "every agent is in the list")
    }

    fn rights(&mut self) -> Result<()> {
        self.telling.chapter("A right that is given by hand")?;
        self.telling.say(&format!("Student {PORTER} of civil engineering works as night porter this semester. His college \
            lets him into its own building by rule; now he may enter all eight, at any hour. A change is in force once the \
            agents that it concerns have it on their disks, and the command tells when that was:"))?;
        for (number, (building, ..)) in BUILDINGS.into_iter().enumerate() {
            let line = format!("grant add --person {PORTER} --building {building} --id {}", porter_grant(building));
            if number == 0 {
                self.doorward(&line)?.ok()?;
                self.telling.space()?;
                self.telling
                    .say("and likewise for the seven other buildings. Which doors the porter's card opens now:")?;
            } else {
                self.quietly(&line)?.ok()?;
            }
        }
        self.wait_until_exact()?;
        let opened = self.doorward(&format!("where {LOST_CARD}"))?.ok()?;
        self.telling.expect(opened.out.contains(REACHED_DOOR), "the porter's card opens the engineers' door")?;
        self.telling.expect(opened.out.contains(CUT_OFF_DOOR), "the porter's card opens the scientists' door")
    }

    fn a_morning(&mut self) -> Result<()> {
        self.telling.chapter("A morning of taps")?;
        self.telling.say(
            "A reader at a door writes one line for each card that it reads to its agent's socket, and gets one \
            line back. It is now what time it is, so some doors are open to some and shut to others:",
        )?;
        self.telling.space()?;
        for scene in SCENES {
            let (decision, reason) = self.tap(scene.building, scene.door, scene.card)?;
            let mark = if decision == "grant" { "+" } else { "-" };
            let line = format!("{mark} {:<27} {:<15} {:<15} {}", scene.who, scene.card, scene.door, in_words(&reason));
            self.telling.show(&line)?;
        }
        let (count, median, slowest) = self.many_taps()?;
        self.telling.space()?;
        self.telling.say(&format!(
            "{count} more taps at all {} doors were answered, half of them within {} and the slowest \
            within {}; each answer waited until its record was safe on the agent's disk.",
            self.doors()?,
            ms(median),
            ms(slowest)
        ))?;
        self.telling.say("Were they right? The same questions, put to the rules on paper:")?;
        self.compare_with_rules()
    }

    /// Taps cards at random doors; how many, the median and the longest time to an answer.
    fn many_taps(&mut self) -> Result<(usize, Duration, Duration)> {
        let folder = self.folder.join("campus");
        let (doors, cards) = (campus::doors(&folder)?, campus::cards(&folder)?);
        let mut random = Random::new(TAPS_SEED);
        let mut times = Vec::new();
        for _ in 0..TAPS_COUNTED {
            let (door, building) = random.choose(&doors).context("the campus has no doors")?;
            let card = random.choose(&cards).context("the campus has no cards")?;
            let begun = Instant::now();
            self.tap(building, door, card)?;
            times.push(begun.elapsed());
        }
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        Ok((times.len(), median, times.last().copied().unwrap_or_default()))
    }

    fn compare_with_rules(&mut self) -> Result<()> {
        campus::write_with_grants(&self.folder.join("campus-with-grants"), &self.folder.join("campus"))?;
        let mut table = "at,door_id,card_id\n".to_owned();
        self.asked.iter().for_each(|(question, ..)| table.push_str(&format!("{question}\n")));
        std::fs::write(self.folder.join("taps.csv"), table)?;
        let line = "decide campus-with-grants taps.csv";
        self.telling.command(&format!("doorward {line}"))?;
        let answers = self.quietly(line)?.ok()?;
        let mut same = 0;
        for ((_, decision, reason), answer) in self.asked.iter().zip(answers.out.lines().skip(1)) {
            let (rest, why) = answer.rsplit_once(',').context("an answer has columns")?;
            // An agent is told only of cards that can open one of its doors; of others it knows nothing.
            let is_same = rest.ends_with(decision.as_str()) && (reason == why || reason == "unknown_credential");
            same += usize::from(is_same);
        }
        let count = self.asked.len();
        self.telling.show(&format!("{same} of {count} answers at the doors are what the rules say"))?;
        self.telling.expect(same == count, "every answer at a door is what the rules say")
    }

    fn a_lost_card(&mut self) -> Result<()> {
        self.telling.chapter("A card is lost, and one building is cut off")?;
        self.telling.say(
            "The network cable of the Natural Sciences building is pulled, so to say: no word reaches its agent. \
            Just then the porter reports that his card is gone, the one that opens everything:",
        )?;
        self.agent(CUT_OFF)?.network.cut();
        let line = format!("card suspend {LOST_CARD} --reason lost --evidence lost.evidence --wait 2s");
        let suspended = self.doorward(&line)?;
        let says = |part: &str| suspended.out.contains(part);
        self.telling
            .expect(suspended.code == Some(3), "the command says by exit code 3 that not all doors are closed")?;
        self.telling.expect(says("1 unreachable") && says(CUT_OFF), "the agent that is cut off is named")?;
        self.telling.expect(says("lease ends"), "it is said until when its doors go on deciding")?;
        self.telling.space()?;
        self.telling.say("Each line is an agent's signed word that the card is dead at its doors and stays dead through a power \
            cut; the milliseconds count from the command. One agent has not answered, and it is said until when the card \
            can still be used there: a door whose lease has ended without a word from the authority opens for nobody.")?;
        self.show_tap("eng-1", REACHED_DOOR, "deny suspended", "it is dead here")?;
        self.show_tap(
            "sci",
            CUT_OFF_DOOR,
            "grant granted",
            "here nobody could tell the door, and it says so in its record",
        )
    }

    fn proof(&mut self) -> Result<()> {
        self.telling.chapter("The proof")?;
        self.telling.say(
            "The file lost.evidence proves it to anyone who has the campus's public root key, with no server and no \
            network. It says what is proven, and also what is not:",
        )?;
        let line = "verify lost.evidence --root authority/root.pub --time-zone Asia/Seoul";
        let verified = self.verify(line)?;
        self.telling.expect(verified.out.contains("genuine"), "the evidence is genuine")?;
        let changed = self.folder.join("changed.evidence");
        let mut bytes = std::fs::read(self.folder.join("lost.evidence"))?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        std::fs::write(changed, bytes)?;
        self.telling.space()?;
        self.telling.say("The same file, in which a single bit is changed:")?;
        let refused = self.doorward("verify changed.evidence --root authority/root.pub")?;
        self.telling.expect(refused.code == Some(1), "changed evidence proves nothing")
    }

    fn back_again(&mut self) -> Result<()> {
        self.telling.chapter("The network is back")?;
        let seq = self.seq_of_suspension()?;
        let begun = Instant::now();
        self.agent(CUT_OFF)?.network.mend();
        let progress = self.authority.api_json(&format!("/v1/changes/{seq}/progress?wait_ms=20000"))?;
        let took = ms(begun.elapsed());
        self.telling.expect(*at(&progress, "summary/complete") == true, "the last building confirms the suspension")?;
        self.telling.say(&format!(
            "The cable is in again. The agent finds its way back by itself, and {took} later it has \
            confirmed: the card is dead here, too."
        ))?;
        self.show_tap("sci", CUT_OFF_DOOR, "deny suspended", "as everywhere")?;
        self.telling.space()?;
        self.telling.say("Now the evidence is complete:")?;
        self.doorward(&format!("evidence {seq} --out complete.evidence"))?.ok()?;
        self.verify("verify complete.evidence --root authority/root.pub --time-zone Asia/Seoul")?;
        let found = self.quietly("verify complete.evidence --root authority/root.pub --json")?.ok()?.json()?;
        let doors = list(&found, "doors");
        let closed = doors.iter().filter(|door| text(door, "state") == "closed").count();
        self.telling.expect(closed == doors.len() && closed == self.doors()?, "the card is closed at every door")
    }

    fn looking_back(&mut self) -> Result<()> {
        self.telling.chapter("Looking back")?;
        until_true("all records are home", SOON, || {
            let unsent = self.agents.iter().map(|agent| Ok(*at(&agent.status()?, "unsent_records") == 0));
            Ok(unsent.collect::<Result<Vec<_>>>()?.into_iter().all(|is_home| is_home))
        })?;
        self.telling.say("Every tap is on record, those of the building that was cut off as well:")?;
        let log = self.doorward(&format!("log --card {LOST_CARD} --limit 8"))?.ok()?;
        self.telling
            .expect(log.out.contains("suspended") && log.out.contains(CUT_OFF_DOOR), "the log has both doors")?;
        self.telling.space()?;
        self.telling
            .say("Whoever tried the lost card did not go unnoticed, least of all where it still opened a door:")?;
        let alarms = self.doorward("alarms")?.ok()?;
        let names = |door: &str| alarms.out.lines().any(|line| line.contains(LOST_CARD) && line.contains(door));
        self.telling.expect(names(REACHED_DOOR), "the tap where the lost card was dead raised an alarm")?;
        self.telling
            .expect(alarms.out.contains(&format!("OPENED door {CUT_OFF_DOOR}")), "so did the one that opened")?;
        self.telling.space()?;
        self.telling.say("And anyone may ask why a door answers as it does:")?;
        let why = self.doorward(&format!("why {LOST_CARD} {REACHED_DOOR}"))?.ok()?;
        self.telling.expect(why.out.contains("suspended"), "the explanation names the suspension")?;
        let records = self.authority.json("status")?;
        let count = at(&records, "counts/records").as_u64().unwrap_or_default();
        let tapped = u64::try_from(self.asked.len())?;
        self.telling.expect(count >= tapped, "the authority has a record of every tap")
    }

    /// What one can do while everything is left running.
    ///
    /// # Errors
    /// When nobody listens.
    pub fn explain_how_to_play(&mut self) -> Result<()> {
        let programs = binaries()?;
        let bin = programs.authority.parent().unwrap_or_else(|| Path::new(".")).display().to_string();
        self.telling.chapter("It goes on running")?;
        self.telling.say("Everything is left running until you press Ctrl-C here. In another terminal:")?;
        self.telling.space()?;
        self.telling.show(&format!(
            "cd {}\nexport PATH=\"{bin}:$PATH\" DOORWARD_DATA=authority\n\n\
             doorward status\n\
             doorward log --follow\n\
             doorward-agent tap library-gate-1 CARD2 --data agent-library\n\
             doorward card resume {LOST_CARD} --reason found\n\
             doorward lockdown building library --reason drill\n\
             doorward --help",
            self.folder.display()
        ))
    }

    /// Stops everything, and says how it was.
    ///
    /// # Errors
    /// When a process does not end well.
    pub fn end(mut self, took: Duration) -> Result<()> {
        self.telling.chapter("The end")?;
        self.agents.iter_mut().try_for_each(Agent::stop)?;
        self.authority.stop()?;
        self.telling.expect(true, "all processes ended well")?;
        let (agents, checks) = (self.agents.len(), self.telling.checks());
        self.telling.say(&format!(
            "The authority and its {agents} agents were asked to stop, and ended well. {checks} \
            expectations were checked on the way, and every one of them held, in {:.0} s.",
            took.as_secs_f64()
        ))
    }

    /// Shows a command and its answer, which is run exactly as it is shown.
    fn doorward(&mut self, line: &str) -> Result<Answer> {
        self.telling.command(&format!("doorward {line}"))?;
        let answer = self.quietly(line)?;
        self.telling.show(&answer.text())?;
        Ok(answer)
    }

    /// Shows a verification; of the many doors that are proven alike, two stand for all.
    fn verify(&mut self, line: &str) -> Result<Answer> {
        self.telling.command(&format!("doorward {line}"))?;
        let answer = self.quietly(line)?.ok()?;
        let alike: Vec<&str> = answer.out.lines().filter(|line| line.starts_with("Proven: agent")).collect();
        let left_out = alike.get(2..).unwrap_or_default();
        for line in answer.out.lines() {
            if left_out.first() == Some(&line) {
                self.telling.show(&format!("... and likewise for {} more doors ...", left_out.len()))?;
            }
            if !left_out.contains(&line) {
                self.telling.show(line)?;
            }
        }
        Ok(answer)
    }

    fn quietly(&self, line: &str) -> Result<Answer> {
        let environment = [("DOORWARD_DATA".to_owned(), "authority".to_owned())];
        let words: Vec<&str> = line.split_whitespace().collect();
        run(&binaries()?.authority, &words, &environment, Some(&self.folder))
    }

    fn agent(&self, id: &str) -> Result<&Agent> {
        self.agents.iter().find(|agent| agent.id == id).with_context(|| format!("no agent {id}"))
    }

    fn agent_of(&self, building: &str) -> Result<&Agent> {
        let (_, id, _) = BUILDINGS.iter().find(|(name, ..)| *name == building).context("no such building")?;
        self.agent(id)
    }

    /// Taps a card and keeps question and answer; decision and reason.
    fn tap(&mut self, building: &str, door: &str, card: &str) -> Result<(String, String)> {
        let answer: Value = self.agent_of(building)?.reader()?.ask(door, card, &[])?;
        let (decision, reason) = (text(&answer, "decision").to_owned(), text(&answer, "reason").to_owned());
        self.asked.push((format!("{},{door},{card}", text(&answer, "at")), decision.clone(), reason.clone()));
        Ok((decision, reason))
    }

    /// Shows a tap of the lost card as one would type it, and holds the door to an answer.
    fn show_tap(&mut self, building: &str, door: &str, expected: &str, comment: &str) -> Result<()> {
        let agent = self.agent_of(building)?;
        let line = ["tap", door, LOST_CARD, "--data", &agent.id];
        self.telling.command(&format!("doorward-agent {}", line.join(" ")))?;
        let answer = run(&binaries()?.agent, &line, &[], Some(&self.folder))?;
        self.telling.show(&format!("{:<25} ({comment})", answer.out.trim()))?;
        self.telling.expect(answer.out.trim() == expected, &format!("{door} answers {LOST_CARD} with {expected}"))
    }

    fn doors(&self) -> Result<usize> {
        Ok(campus::doors(&self.folder.join("campus"))?.len())
    }

    fn seq_of_suspension(&self) -> Result<u64> {
        let entries = self.authority.json_lines("journal --limit 1000")?;
        let entry = entries.iter().find(|entry| text(entry, "command") == "card-suspend");
        entry.and_then(|entry| at(entry, "seq").as_u64()).context("the journal has no suspension")
    }

    fn wait_until_exact(&self) -> Result<()> {
        until_true("all agents have the newest commit", SOON, || {
            let head = self.authority.api_json("/v1/status")?;
            let seen = self.authority.api_json("/v1/agents")?;
            Ok(list(&seen, "agents").iter().all(|agent| at(agent, "position") == at(&head, "position")))
        })
    }
}

fn shortened(token: &str) -> String {
    token.chars().take(24).collect()
}

fn ms(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
