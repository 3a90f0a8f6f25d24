//! Drives the recorder machine: a tap is answered, and its strike moves, only after its record is durable.

use crate::alarms::Alarms;
use crate::board::Board;
use crate::clock::wall_now;
use crate::machines::{Line, Outgoing};
use crate::stop::Stop;
use crate::store::storage::Job;
use crate::strike::Strike;
use doorward_protocol::agent::recorder::{Effect, Input, Recorder, Tap};
use doorward_protocol::decide::Reason;
use doorward_protocol::frame::ToAgent;
use doorward_protocol::id::{AgentId, DoorId};
use doorward_protocol::record::{ChainHead, Record};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

/// Taps that may wait for the recorder: more than all connections of the socket may have outstanding together.
pub const TAPS_MAX: usize = 4096;

/// How long the answer of the disk is watched for: a processor that goes to sleep meanwhile takes half as long to wake as a good
/// disk takes to write. What comes in between is done all the same.
const WATCH: Duration = Duration::from_micros(300);

/// A decided tap and where its answer goes.
#[derive(Debug)]
pub struct DecidedTap {
    /// The tap; its ticket is given here.
    pub tap: Tap,
    /// Where the final reason goes.
    pub answer: oneshot::Sender<Reason>,
}

/// The task and all that it hears and feeds.
pub struct RecorderTask {
    /// The machine.
    pub machine: Recorder,
    /// Whose records they are.
    pub agent: AgentId,
    /// What opens doors.
    pub strike: Arc<dyn Strike>,
    /// Where records are made durable.
    pub storage: mpsc::Sender<Job>,
    /// Where alarms go.
    pub alarms: Alarms,
    /// Where the number of unsent records is shown.
    pub board: Arc<Board>,
    /// Decided taps.
    pub taps: mpsc::Receiver<DecidedTap>,
    /// The records lane.
    pub line: mpsc::Receiver<Line>,
    /// Whether the agent is stopping.
    pub stop: Stop,
}

/// A tap whose record is on its way to the disk.
#[derive(Debug)]
struct Waiting {
    door: DoorId,
    answer: oneshot::Sender<Reason>,
}

/// What the task keeps beside the machine.
#[derive(Debug, Default)]
struct Course {
    outgoing: Outgoing,
    waiting: BTreeMap<u64, Waiting>,
    next_ticket: u64,
    appending: Option<oneshot::Receiver<bool>>,
    /// Until when its answer is watched for.
    watched_until: Option<Instant>,
    loading: Option<oneshot::Receiver<Vec<Record>>>,
    /// Where a chain begins anew.
    begin: Option<ChainHead>,
    /// Records that go to it.
    moving: Option<oneshot::Receiver<Vec<Record>>>,
}

impl RecorderTask {
    /// Runs until the agent stops and every tap that was taken is answered.
    pub async fn run(mut self) {
        let mut course = Course::default();
        loop {
            self.settle(&mut course).await;
            let is_stopping = self.stop.is_said();
            if is_stopping && self.taps.is_empty() && course.waiting.is_empty() {
                return;
            }
            let until_timeout = self.machine.poll_timeout().map(|at| at.since_ms(wall_now()));
            let input = tokio::select! {
                biased;
                durable = written(&mut course.appending, &mut course.watched_until) => match durable {
                    Some(true) => Input::Appended,
                    Some(false) | None => Input::AppendFailed,
                },
                records = answered(&mut course.loading) => Input::Loaded(records.unwrap_or_default()),
                records = answered(&mut course.moving) => match course.begin.take() {
                    Some(begin) => Input::Anew { begin, records: records.unwrap_or_default() },
                    None => continue,
                },
                Some(line) = self.line.recv() => match line {
                    Line::Up(lane, known) => {
                        course.outgoing.lead_to(Some(lane));
                        let _gone = known.send(());
                        Input::Connected
                    }
                    Line::Frame(ToAgent::Stored(head)) => Input::Stored(head),
                    // Other frames do not come here: the lane lets none through.
                    Line::Frame(
                        ToAgent::Statements(_)
                        | ToAgent::Update(_)
                        | ToAgent::Part(_)
                        | ToAgent::Pulse(_)
                        | ToAgent::Removal(_),
                    ) => continue,
                    Line::Down => {
                        course.outgoing.lead_to(None);
                        Input::Disconnected
                    }
                },
                Some(decided) = self.taps.recv() => course.take(decided),
                () = elapsed(until_timeout) => Input::Timeout,
                () = self.stop.wait(), if !is_stopping => continue,
            };
            self.machine.handle(input, wall_now());
        }
    }

    /// Does what the machine wants done, in its order.
    async fn settle(&mut self, course: &mut Course) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Append { records, head, begin } => {
                    let (done, appending) = oneshot::channel();
                    course.appending = Some(appending);
                    course.watched_until = Some(Instant::now() + WATCH);
                    self.hand_over(Job::Append { records, head, begin, done }).await;
                }
                Effect::BeginAnew { after, incarnation } => {
                    course.begin = Some(ChainHead::begin(&self.agent, incarnation));
                    let (done, moving) = oneshot::channel();
                    course.moving = Some(moving);
                    // All of them, and there are hardly more than the machine keeps.
                    self.hand_over(Job::Load { after, count: usize::MAX, done }).await;
                }
                Effect::Answer { ticket, reason } => {
                    if let Some(waiting) = course.waiting.remove(&ticket) {
                        if reason.is_grant() {
                            self.strike.release(&waiting.door, reason);
                        }
                        // Who tapped may have left; the door opens all the same.
                        let _gone = waiting.answer.send(reason);
                    }
                }
                Effect::Send(frame) => course.outgoing.send(frame),
                Effect::Load { after, count } => {
                    let (done, loading) = oneshot::channel();
                    course.loading = Some(loading);
                    self.hand_over(Job::Load { after, count, done }).await;
                }
                Effect::Free(head) => self.hand_over(Job::Free(head)).await,
                Effect::Alarm(text) => self.alarms.raise(text),
            }
        }
        self.board.show_unsent(self.machine.unsent());
    }

    async fn hand_over(&self, job: Job) {
        // When the storage has ended, the answer's sender is dropped with the job, which counts as a failure.
        if self.storage.send(job).await.is_err() {
            self.alarms.raise("the storage has ended; nothing is recorded any more");
        }
    }
}

impl Course {
    fn take(&mut self, decided: DecidedTap) -> Input {
        let ticket = self.next_ticket;
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.waiting.insert(ticket, Waiting { door: decided.tap.door.clone(), answer: decided.answer });
        Input::Tap(Tap { ticket, ..decided.tap })
    }
}

/// Whether an append is durable: watched for at first, then waited for.
async fn written(appending: &mut Option<oneshot::Receiver<bool>>, watched_until: &mut Option<Instant>) -> Option<bool> {
    while let Some(receiver) = appending
        && let Some(until) = *watched_until
    {
        match receiver.try_recv() {
            Err(TryRecvError::Empty) if Instant::now() < until => tokio::task::yield_now().await,
            Err(TryRecvError::Empty) => *watched_until = None,
            answer @ (Ok(_) | Err(TryRecvError::Closed)) => {
                *appending = None;
                return answer.ok();
            }
        }
    }
    answered(appending).await
}

/// The answer of a job that was handed over, `None` when it was dropped; waits for ever while there is no such job.
async fn answered<T>(job: &mut Option<oneshot::Receiver<T>>) -> Option<T> {
    match job {
        Some(receiver) => {
            let answer = receiver.await.ok();
            *job = None;
            answer
        }
        None => std::future::pending().await,
    }
}

/// Waits this many milliseconds, or for ever.
async fn elapsed(wait_ms: Option<i64>) {
    match wait_ms {
        Some(ms) => tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await,
        None => std::future::pending().await,
    }
}
