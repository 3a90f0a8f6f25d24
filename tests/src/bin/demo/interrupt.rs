//! Ctrl-C: ends a demonstration that is under way, and is what `--stay` waits for.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

/// How a shell sees a program that Ctrl-C ended.
const EXIT_CODE: i32 = 130;

/// Where the word comes from.
#[derive(Debug)]
pub struct Interrupt(Receiver<()>);

/// Listens from now on. With a folder that is to vanish, an interrupt removes it and ends the program; the processes of
/// the demonstration end with it. Without one, it only ends the wait.
///
/// # Errors
/// When the operating system does not let us listen.
pub fn watch(passing: Option<PathBuf>) -> Result<Interrupt> {
    let (sender, receiver) = channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut terminate = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("no handler for signals")?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        });
        if let Some(folder) = passing {
            // Whatever cannot be removed is in the folder for passing things anyway.
            let _left = std::fs::remove_dir_all(folder);
            std::process::exit(EXIT_CODE);
        }
        let _ended = sender.send(());
    });
    Ok(Interrupt(receiver))
}

impl Interrupt {
    /// Waits for Ctrl-C, or for a request to end.
    pub fn wait(&self) {
        // When the listener is gone, there is nothing to wait for either.
        let _ended = self.0.recv();
    }
}
