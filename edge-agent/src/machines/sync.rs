//! Drives the sync machine: removals first, then what became durable, then everything else.

use crate::alarms::Alarms;
use crate::clock::wall_now;
use crate::decider::{Decider, Shown};
use crate::forks;
use crate::machines::{Line, Outgoing};
use crate::stop::Stop;
use crate::store::storage::Job;
use doorward_protocol::agent::sync::{Effect, Input, Sync};
use doorward_protocol::commit::Position;
use doorward_protocol::frame::ToAgent;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Changes of the state that may wait to become durable: half of what the storage takes, so that access records always
/// find room beside them, and handing one over never waits.
const UNCONFIRMED_MAX: usize = 512;

/// The task and all that it hears and feeds.
#[derive(Debug)]
pub struct SyncTask {
    /// The machine.
    pub machine: Sync,
    /// Where taps are decided.
    pub decider: Arc<Decider>,
    /// Where changes are made durable.
    pub storage: mpsc::Sender<Job>,
    /// Where alarms go.
    pub alarms: Alarms,
    /// The data directory: where proofs for people are kept.
    pub directory: PathBuf,
    /// Removals; these come first.
    pub removals: mpsc::Receiver<ToAgent>,
    /// Tickets of durable changes.
    pub persisted: mpsc::UnboundedReceiver<u64>,
    /// The control lane.
    pub line: mpsc::Receiver<Line>,
    /// Steps of the wall clock.
    pub clock_steps: mpsc::Receiver<()>,
    /// Whether the agent is stopping.
    pub stop: Stop,
}

/// What the task keeps beside the machine.
#[derive(Debug, Default)]
pub struct Course {
    outgoing: Outgoing,
    unconfirmed: usize,
    shown: Option<Position>,
    /// A removal came and is not in force yet; one that the state contains already never is.
    removing: bool,
}

impl SyncTask {
    /// Shows what was stored, so that no tap finds the agent without it.
    pub async fn begin(&mut self) -> Course {
        let mut course = Course::default();
        self.settle(&mut course).await;
        course
    }

    /// Runs until the agent stops.
    pub async fn run(mut self, mut course: Course) {
        loop {
            let has_room = course.unconfirmed < UNCONFIRMED_MAX;
            let input = tokio::select! {
                biased;
                Some(removal) = self.removals.recv() => {
                    course.removing = true;
                    Input::Frame(removal)
                }
                Some(ticket) = self.persisted.recv() => {
                    course.unconfirmed = course.unconfirmed.saturating_sub(1);
                    Input::Persisted(ticket)
                }
                Some(()) = self.clock_steps.recv() => Input::ClockStepped,
                () = self.stop.wait() => return,
                Some(line) = self.line.recv(), if has_room => match line {
                    Line::Up(lane, known) => {
                        course.outgoing.lead_to(Some(lane));
                        self.machine.handle(Input::Connected, wall_now());
                        self.settle(&mut course).await;
                        let _gone = known.send(());
                        continue;
                    }
                    Line::Frame(frame) => Input::Frame(frame),
                    Line::Down => {
                        course.outgoing.lead_to(None);
                        Input::Disconnected
                    }
                },
            };
            self.machine.handle(input, wall_now());
            self.settle(&mut course).await;
            course.removing = false;
        }
    }

    /// Does what the machine wants done, in its order.
    async fn settle(&mut self, course: &mut Course) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::View(view) => {
                    let position = self.machine.position();
                    self.decider.show(Shown { view, position });
                    if std::mem::take(&mut course.removing) {
                        tracing::info!("a removal is in force ahead of its commit");
                    }
                    if course.shown != position {
                        if let Some(position) = position {
                            tracing::info!("commit {position} is in force");
                        }
                        course.shown = position;
                    }
                }
                Effect::Send(frame) => course.outgoing.send(*frame),
                Effect::Persist { ticket, writes } => {
                    course.unconfirmed = course.unconfirmed.saturating_add(1);
                    if self.storage.send(Job::Persist { ticket, writes }).await.is_err() {
                        self.alarms.raise("the storage has ended; nothing is kept any more");
                    }
                }
                Effect::Fork(proof) => match forks::keep(&self.directory, &proof) {
                    Ok(Some(path)) => self.alarms.raise(format!(
                        "the campus's keys have signed two histories; `doorward verify {} --root root.pub` names both",
                        path.display()
                    )),
                    Ok(None) => {}
                    Err(error) => self.alarms.raise(format!("the proof of two histories was not kept: {error:#}")),
                },
                Effect::Alarm(text) => self.alarms.raise(text),
            }
        }
    }
}
