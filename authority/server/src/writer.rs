//! The writer thread: checks a command, makes it durable, and sends its removals out before anything else happens.
//!
//! It keeps a directory of its own, so that it never waits for the compiler.

use crate::authority::{Accepted, Authority, Message, OrderError, Warning};
use crate::compiler::Written;
use crate::concern;
use crate::hub::{End, Outgoing};
use crate::journal::Journal;
use crate::present::Present;
use doorward_policy::command::{Actor, Command, Entry};
use doorward_policy::directory::Directory;
use doorward_policy::office::authorize::Asker;
use doorward_protocol::commit::Position;
use doorward_protocol::removal::Removal;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::sign::Signed;
use std::sync::{Arc, mpsc};

pub struct Writer {
    pub authority: Arc<Authority>,
    pub journal: Box<dyn Journal>,
    /// The directory after the newest entry of the journal.
    pub directory: Directory,
    /// Where entries go on to.
    pub compiler: mpsc::Sender<Written>,
}

impl Writer {
    /// Takes commands until it is told to stop, or everyone who could give one is gone.
    pub fn run(mut self, orders: &mpsc::Receiver<Message>) {
        while let Ok(Message::Order(order)) = orders.recv() {
            let outcome = self.execute(&order.asker, order.actor, order.command, &order.text);
            // Who gave the order may have gone away; it stands all the same.
            let _gone = order.reply.send(outcome);
        }
    }

    /// Makes a command true. `text` is the command as JSON.
    pub fn execute(
        &mut self,
        asker: &Asker,
        actor: Actor,
        command: Command,
        text: &str,
    ) -> Result<Accepted, OrderError> {
        let seq = self.directory.head().saturating_add(1);
        let at = self.authority.timeline.accept(seq);
        let entry = Entry { seq, at, actor, command };
        let outcome = self.try_execute(asker, entry, text);
        if outcome.is_err() {
            self.authority.timeline.withdraw(seq);
        }
        outcome.map(|()| Accepted { seq, at })
    }

    fn try_execute(&mut self, asker: &Asker, entry: Entry, text: &str) -> Result<(), OrderError> {
        self.directory.authorize(asker, &entry.command, entry.at)?;
        self.directory.check(&entry.command, entry.at)?;
        let position = Position { epoch: self.authority.signer.epoch(), seq: entry.seq };
        let removals = concern::removals(&self.directory, &entry, position);
        if let Err(error) = self.journal.append(self.directory.head(), &entry, text) {
            let text = format!("commands are refused: {error}");
            self.authority.warn(Warning::JournalNotWritten, AlarmKind::StoreDamaged, &text);
            return Err(error.into());
        }
        self.authority.clear(Warning::JournalNotWritten);
        let removals = Some(self.send_removals(entry.seq, removals));
        if let Command::AgentRemove { agent } = &entry.command {
            self.authority.hub.end_unless(agent, None, End::StruckOff);
        }
        // The command was checked against this very directory, so it is taken.
        self.directory.take(&entry)?;
        if let Command::Office(_) = &entry.command {
            self.authority.set_office(self.directory.office().clone());
        }
        self.compiler.send(Written { entry, removals }).map_err(|_| OrderError::Stopping)
    }

    /// Signs removals and sends them to whom they concern.
    fn send_removals(&self, seq: u64, removals: Vec<Removal>) -> Vec<Signed<Removal>> {
        if removals.is_empty() {
            return Vec::new();
        }
        // After an entry that could not be compiled, who holds a card is not known either.
        let has_caught_up = |present: &Present| present.published.position.seq == self.directory.head();
        let present = self.authority.try_present().filter(|present| has_caught_up(present));
        let (mut kept, mut outgoing) = (Vec::new(), Vec::new());
        for removal in removals {
            let concerned = concern::of_removal(&self.authority.hub, &self.directory, present.as_deref(), &removal);
            // A removal holds at most so many items as fit a frame, so it can be signed and sent.
            if let Ok(signed) = self.authority.signer.sign(&removal)
                && let Ok(frame) = Outgoing::new(&signed)
            {
                outgoing.push((frame, concerned));
                kept.push(signed);
            }
        }
        self.authority.hub.remove(seq, outgoing);
        kept
    }
}
