//! The word that the agent is to stop, which every task listens for.

use tokio::sync::watch;

/// Listens for the word; clones listen for the same one.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Says the word; dropping it says it, too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Both ends.
#[must_use]
pub fn stop_word() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Says the word.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits for the word.
    pub async fn wait(&mut self) {
        let _said_or_dropped = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_said(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
/// When the operating system takes no handler.
pub async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
