//! Where everything lies in the data directory of one authority.
//!
//! Deliberately only names: who creates, reads and protects a file is the module that owns it.

use std::path::{Path, PathBuf};

/// The files of a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The layout of a directory.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The directory itself; mode 0700.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// Locked while a server runs on the directory.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The journal's database.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.db")
    }

    /// Where snapshots of the directory are, which shorten a start and can be deleted at any time; mode 0700.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.0.join("snapshots")
    }

    /// The database of access records and alarms.
    #[must_use]
    pub fn access(&self) -> PathBuf {
        self.0.join("access.db")
    }

    /// The database of contacts and closings.
    #[must_use]
    pub fn progress(&self) -> PathBuf {
        self.0.join("progress.db")
    }

    /// The photos of people, by the hash of their bytes; mode 0700.
    #[must_use]
    pub fn photos(&self) -> PathBuf {
        self.0.join("photos")
    }

    /// The plan of the campus and the places of its buildings on it; mode 0700.
    #[must_use]
    pub fn map(&self) -> PathBuf {
        self.0.join("map")
    }

    /// The database of who asked about whom.
    #[must_use]
    pub fn looks(&self) -> PathBuf {
        self.0.join("looks.db")
    }

    /// The database of what other systems are told.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events.db")
    }

    /// Which other systems are told of what; written by whoever runs the authority.
    #[must_use]
    pub fn receivers(&self) -> PathBuf {
        self.0.join("receivers.toml")
    }

    /// Seed of the key that signs commits, in hexadecimal; mode 0600.
    #[must_use]
    pub fn signing_key(&self) -> PathBuf {
        self.0.join("signing-key")
    }

    /// Private key of the certificate authority, PEM; mode 0600.
    #[must_use]
    pub fn certificate_authority_key(&self) -> PathBuf {
        self.0.join("ca-key.pem")
    }

    /// Certificate of the certificate authority, PEM.
    #[must_use]
    pub fn certificate_authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// A signing key whose trust statement may not be stored yet; mode 0600. It is there only while keys are replaced.
    #[must_use]
    pub fn next_signing_key(&self) -> PathBuf {
        self.0.join("signing-key.next")
    }

    /// The bearer token of the HTTP API, in hexadecimal; mode 0600. For clients: the server does not need it.
    #[must_use]
    pub fn api_token(&self) -> PathBuf {
        self.0.join("api-token")
    }

    /// Hash of that token, in hexadecimal, by which the server knows it; mode 0600.
    #[must_use]
    pub fn api_token_hash(&self) -> PathBuf {
        self.0.join("api-token.hash")
    }

    /// Passwords of operators as hashes, and invitations to choose one; mode 0600.
    #[must_use]
    pub fn accounts(&self) -> PathBuf {
        self.0.join("accounts.json")
    }

    /// Which identity provider is believed, and what its groups may do; whoever sets the authority up writes it.
    #[must_use]
    pub fn oidc(&self) -> PathBuf {
        self.0.join("oidc.toml")
    }

    /// The campus root, as text: what `doorward verify` checks evidence with.
    #[must_use]
    pub fn root_public(&self) -> PathBuf {
        self.0.join("root.pub")
    }

    /// Where `init` leaves the root keys, which nothing but a new trust statement needs; mode 0700.
    #[must_use]
    pub fn root_keys(&self) -> PathBuf {
        self.0.join("root-key-TAKE-OFFLINE")
    }

    /// Where the root keys are left that replace others from a trust statement on; mode 0700.
    #[must_use]
    pub fn root_keys_from(&self, statement: u32) -> PathBuf {
        self.0.join(format!("root-key-{statement}-TAKE-OFFLINE"))
    }

    /// Says where a running server listens.
    #[must_use]
    pub fn run_file(&self) -> PathBuf {
        self.0.join("run.json")
    }
}
