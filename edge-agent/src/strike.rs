//! Strikes: what moves when a door opens. A driver stands behind one trait; a grant is durable before it is called.
//!
//! Deliberately one way: a strike says nothing back to the decision, and one that fails is an alarm.

use crate::alarms::Alarms;
use doorward_protocol::decide::Reason;
use doorward_protocol::id::DoorId;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// How long a strike's program may run: a relay takes milliseconds, and a hanging driver must be noticed.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// Programs that may run at once: more doors than one building controller has.
const COMMANDS_MAX: usize = 64;

/// Opens doors.
pub trait Strike: Send + Sync {
    /// Releases a door; does not wait for it.
    fn release(&self, door: &DoorId, reason: Reason);
}

/// Writes a line for each release and does nothing else.
#[derive(Debug, Clone, Copy)]
pub struct LogStrike;

impl Strike for LogStrike {
    fn release(&self, door: &DoorId, reason: Reason) {
        tracing::info!("strike released: door {door}, {reason}");
    }
}

/// Runs a program as `PROGRAM DOOR REASON` for each release.
#[derive(Debug, Clone)]
pub struct CommandStrike {
    program: PathBuf,
    running: Arc<Semaphore>,
    timeout: Duration,
    alarms: Alarms,
    /// Starting a program takes a while, for which no other tap waits.
    runtime: Handle,
}

impl CommandStrike {
    /// A strike that runs this program, in the runtime in which this is called.
    #[must_use]
    pub fn new(program: PathBuf, alarms: Alarms) -> Self {
        let running = Arc::new(Semaphore::new(COMMANDS_MAX));
        Self { program, running, timeout: COMMAND_TIMEOUT, alarms, runtime: Handle::current() }
    }
}

impl Strike for CommandStrike {
    fn release(&self, door: &DoorId, reason: Reason) {
        let Ok(permit) = Arc::clone(&self.running).try_acquire_owned() else {
            self.alarms.raise(format!("{COMMANDS_MAX} strike programs are running; door {door} stays closed"));
            return;
        };
        let mut command = Command::new(&self.program);
        command.arg(door.as_str()).arg(reason.as_str());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let (door, timeout, alarms) = (door.clone(), self.timeout, self.alarms.clone());
        self.runtime.spawn(async move {
            let fault = match tokio::time::timeout(timeout, command.status()).await {
                Ok(Ok(status)) if status.success() => None,
                Ok(Ok(status)) => Some(format!("ended with {status}")),
                Ok(Err(error)) => Some(format!("cannot be run: {error}")),
                Err(_) => Some(format!("was still running after {timeout:?} and was killed")),
            };
            match fault {
                None => tracing::info!("strike released: door {door}, {reason}"),
                Some(fault) => alarms.raise(format!("the strike program for door {door} {fault}")),
            }
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    fn script(directory: &Path, body: &str) -> PathBuf {
        let path = directory.join("strike.sh");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    async fn until(condition: impl Fn() -> bool) {
        for _ in 0..500 {
            if condition() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not come true within 5 s");
    }

    #[tokio::test]
    async fn the_program_gets_door_and_reason() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("out");
        let program = script(directory.path(), &format!("printf '%s %s' \"$1\" \"$2\" > {}", out.display()));
        CommandStrike::new(program, Alarms::default()).release(&DoorId::new("eng-1").unwrap(), Reason::Granted);
        until(|| fs::read_to_string(&out).is_ok_and(|text| text == "eng-1 granted")).await;
    }

    #[tokio::test]
    async fn a_program_that_fails_hangs_or_is_missing_is_an_alarm() {
        let directory = tempfile::tempdir().unwrap();
        let door = DoorId::new("eng-1").unwrap();
        let cases = [
            (script(directory.path(), "exit 3"), "exit status: 3"),
            (directory.path().join("missing"), "cannot be run"),
        ];
        for (program, said) in cases {
            let alarms = Alarms::default();
            CommandStrike::new(program, alarms.clone()).release(&door, Reason::Granted);
            until(|| alarms.last().iter().any(|alarm| alarm.text.contains(said))).await;
        }
        let alarms = Alarms::default();
        let mut strike = CommandStrike::new(script(directory.path(), "sleep 60"), alarms.clone());
        strike.timeout = Duration::from_millis(50);
        strike.running = Arc::new(Semaphore::new(1));
        strike.release(&door, Reason::Granted);
        strike.release(&door, Reason::Granted);
        until(|| alarms.last().iter().any(|alarm| alarm.text.contains("was killed"))).await;
        assert!(alarms.last()[0].text.contains("stays closed"), "{:?}", alarms.last());
    }
}
