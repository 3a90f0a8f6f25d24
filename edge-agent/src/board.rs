//! What `status` shows and nobody decides by: connection, unsent records, certificate.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// See the module.
#[derive(Debug, Default)]
pub struct Board {
    unsent: AtomicU64,
    connected_to: Mutex<Option<String>>,
    certificate_until: Mutex<Option<String>>,
}

impl Board {
    /// Shows how many records wait for an acknowledgement.
    pub fn show_unsent(&self, unsent: u64) {
        self.unsent.store(unsent, Ordering::Relaxed);
    }

    /// How many records wait for an acknowledgement.
    #[must_use]
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Shows to which authority the agent is connected.
    pub fn show_connection(&self, address: Option<String>) {
        *self.connected_to.lock().unwrap_or_else(PoisonError::into_inner) = address;
    }

    /// To which authority the agent is connected.
    #[must_use]
    pub fn connected_to(&self) -> Option<String> {
        self.connected_to.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows until when the agent's certificate is valid.
    pub fn show_certificate(&self, until: Option<String>) {
        *self.certificate_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Until when the agent's certificate is valid.
    #[must_use]
    pub fn certificate_until(&self) -> Option<String> {
        self.certificate_until.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
