//! What stands under which key: the one place that knows how an agent's state and records lie in its store.
//!
//! Each key begins with a letter for its kind. Values are the protocol's canonical encoding, so that what is read back
//! is decoded strictly. A change of this layout needs a new [`FORMAT`].

use crate::store::disk::{Disk, DiskError, Edits};
use doorward_protocol::agent::stored::Write;
use doorward_protocol::codec::{self, CodecError};
use doorward_protocol::commit::Position;
use doorward_protocol::facts::{Credential, Fact, FactKey};
use doorward_protocol::id::{CredentialKey, Incarnation};
use doorward_protocol::limits::TEXT_BYTES_MAX;
use doorward_protocol::record::{ChainHead, Record};
use doorward_protocol::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use thiserror::Error;

/// Version of this layout; a store with a higher one was written by a newer program and is left alone.
pub const FORMAT: u32 = 1;

/// Under which [`FORMAT`] stands.
pub const FORMAT_KEY: &[u8] = b"v";
/// Under which the head of the state stands.
pub const HEAD_KEY: &[u8] = b"h";
/// Under which the floor stands.
pub const FLOOR_KEY: &[u8] = b"l";
/// Under which the newest durable head of the record chain stands.
pub const DURABLE_KEY: &[u8] = b"d";
/// Under which the acknowledged head of the record chain stands.
pub const ACKNOWLEDGED_KEY: &[u8] = b"k";

/// Under which the [`crate::store::seal::Seal`] of the newest commit stands.
pub const SEAL_KEY: &[u8] = b"w";
/// Under which stands, in a sentence, what the authority has not been told of a damage.
pub const UNTOLD_KEY: &[u8] = b"u";

/// First letter of trust statements; their version follows, big-endian.
pub const STATEMENT: u8 = b's';
/// First letter of facts, those about credentials excepted; the encoding of their key follows.
pub const FACT: u8 = b'f';
/// First letter of pages of credentials; their number follows, big-endian. A page is one value with all credentials whose
/// keys begin with that number: a hundred thousand values of their own would be most of the store's memory and of the
/// time that it takes to open.
pub const PAGE: u8 = b'p';
/// First letter of removals; epoch and number of their position and their part follow, big-endian.
pub const REMOVAL: u8 = b'r';
/// First letter of access records; incarnation and number follow, big-endian, so that they stand in order.
pub const RECORD: u8 = b'a';

/// Why edits could not be put together.
#[derive(Debug, Error)]
pub enum EditError {
    /// What is stored could not be looked at.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A value does not encode: it is larger than anything that came over the network can be.
    #[error("a value is too large to be stored: {0}")]
    Codec(#[from] CodecError),
}

/// The first and the last key of a kind.
#[must_use]
pub fn range_of(kind: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![kind], vec![kind.saturating_add(1)])
}

/// Key of a trust statement.
#[must_use]
pub fn statement_key(version: u32) -> Vec<u8> {
    [&[STATEMENT], version.to_be_bytes().as_slice()].concat()
}

/// Key of a removal.
#[must_use]
pub fn removal_key(position: Position, part: u32) -> Vec<u8> {
    let (epoch, seq) = (position.epoch.to_be_bytes(), position.seq.to_be_bytes());
    [&[REMOVAL], epoch.as_slice(), &seq, &part.to_be_bytes()].concat()
}

/// Key of an access record.
#[must_use]
pub fn record_key(incarnation: Incarnation, seq: u64) -> Vec<u8> {
    [&[RECORD], incarnation.0.as_slice(), &seq.to_be_bytes()].concat()
}

/// Key of the page on which a credential stands: keys are hashes, so their first twelve bits spread them evenly.
#[must_use]
pub const fn page_key(CredentialKey([first, second, ..]): CredentialKey) -> [u8; 3] {
    [PAGE, first, second & 0xf0]
}

fn fact_key(key: &FactKey) -> Result<Vec<u8>, CodecError> {
    Ok([vec![FACT], codec::encode(key)?].concat())
}

/// Reads one value; that it cannot be read is said and counts as absent.
///
/// # Errors
/// See [`DiskError`].
pub fn read_one<T: Serialize + DeserializeOwned>(
    disk: &Disk,
    key: &[u8],
    what: &str,
    damage: &mut Vec<String>,
) -> Result<Option<T>, DiskError> {
    let Some(bytes) = disk.value(key)? else { return Ok(None) };
    match codec::decode(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            damage.push(format!("{what} cannot be read: {error}"));
            Ok(None)
        }
    }
}

/// Edits that are being put together; later ones win.
#[derive(Debug)]
pub struct Draft<'a> {
    disk: &'a Disk,
    edits: Edits,
    /// What changes on each page of credentials, in its order.
    pages: BTreeMap<[u8; 3], Vec<(CredentialKey, Option<Credential>)>>,
}

impl<'a> Draft<'a> {
    /// No edit yet, for this store.
    #[must_use]
    pub const fn new(disk: &'a Disk) -> Self {
        Self { disk, edits: Edits::new(), pages: BTreeMap::new() }
    }

    /// The edits.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn into_edits(self) -> Result<Edits, EditError> {
        let Self { disk, mut edits, pages } = self;
        for (key, changes) in pages {
            let mut page: BTreeMap<CredentialKey, Credential> = BTreeMap::new();
            // A whole state of this draft stands there before what changed since.
            let before = match edits.get(key.as_slice()) {
                Some(replaced) => replaced.clone(),
                None => disk.value(&key)?,
            };
            if let Some(bytes) = before {
                // What cannot be read is missing at the next start, and shows there.
                let credentials: Vec<Credential> = codec::decode(&bytes).unwrap_or_default();
                page.extend(credentials.into_iter().map(|credential| (credential.key, credential)));
            }
            for (key, change) in changes {
                match change {
                    Some(credential) => page.insert(key, credential),
                    None => page.remove(&key),
                };
            }
            let credentials: Vec<Credential> = page.into_values().collect();
            let value = if credentials.is_empty() { None } else { Some(codec::encode(&credentials)?) };
            edits.insert(key.to_vec(), value);
        }
        Ok(edits)
    }

    /// Adds one change of the state.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn write(&mut self, write: &Write) -> Result<(), EditError> {
        match write {
            Write::Statement(version, statement) => self.put(statement_key(*version), statement)?,
            Write::Head(head) => self.put(HEAD_KEY.to_vec(), head)?,
            Write::PutFact(Fact::Credential(credential)) => self.change(credential.key, Some(*credential)),
            Write::PutFact(
                fact @ (Fact::Calendar(_) | Fact::Reader(_) | Fact::Door(_) | Fact::Schedule(..) | Fact::Class(..)),
            ) => self.put(fact_key(&fact.key())?, fact)?,
            Write::RemoveFact(FactKey::Credential(key)) => self.change(*key, None),
            Write::RemoveFact(
                key @ (FactKey::Calendar
                | FactKey::Reader
                | FactKey::Door(_)
                | FactKey::Schedule(_)
                | FactKey::Class(_)),
            ) => {
                self.edits.insert(fact_key(key)?, None);
            }
            Write::ReplaceFacts(state) => self.replace_facts(state)?,
            Write::PutRemoval(position, part, removal) => self.put(removal_key(*position, *part), removal)?,
            Write::DropRemovals(position) => self.remove(&[REMOVAL], &removal_key(*position, u32::MAX))?,
            Write::Floor(floor) => self.put(FLOOR_KEY.to_vec(), floor)?,
        }
        Ok(())
    }

    /// Adds access records and where the chain stands after them.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn append(&mut self, records: &[Record], head: &ChainHead) -> Result<(), EditError> {
        for record in records {
            self.put(record_key(head.incarnation, record.seq), record)?;
        }
        self.put_durable(head)
    }

    /// Says where the durable chain stands.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn put_durable(&mut self, head: &ChainHead) -> Result<(), EditError> {
        Ok(self.put(DURABLE_KEY.to_vec(), head)?)
    }

    /// Lets go of the records up to an acknowledged head.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn free(&mut self, head: &ChainHead) -> Result<(), EditError> {
        self.remove(&record_key(head.incarnation, 0), &record_key(head.incarnation, head.seq))?;
        Ok(self.put(ACKNOWLEDGED_KEY.to_vec(), head)?)
    }

    /// Removes what stands behind the durable head: left over from an append that failed.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn drop_after(&mut self, head: &ChainHead) -> Result<(), EditError> {
        let first = record_key(head.incarnation, head.seq.saturating_add(1));
        Ok(self.remove(&first, &record_key(head.incarnation, u64::MAX))?)
    }

    /// Marks the store as one of this layout.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn put_format(&mut self) -> Result<(), EditError> {
        Ok(self.put(FORMAT_KEY.to_vec(), &FORMAT)?)
    }

    /// Keeps what the authority has yet to be told of a damage.
    ///
    /// # Errors
    /// See [`EditError`].
    pub fn put_untold(&mut self, text: &str) -> Result<(), EditError> {
        Ok(self.put(UNTOLD_KEY.to_vec(), &text.chars().take(TEXT_BYTES_MAX).collect::<String>())?)
    }

    /// Page by page, so that a large state is held once.
    fn replace_facts(&mut self, state: &State) -> Result<(), EditError> {
        for (first, last) in [range_of(FACT), range_of(PAGE)] {
            self.remove(&first, &last)?;
        }
        self.pages.clear();
        for fact in state.facts_but_credentials() {
            self.put(fact_key(&fact.key())?, fact)?;
        }
        let mut credentials = state.credentials().iter().peekable();
        while let Some(first) = credentials.next() {
            let mut page = vec![first];
            while let Some(next) = credentials.next_if(|next| page_key(next.key) == page_key(first.key)) {
                page.push(next);
            }
            self.put(page_key(first.key).to_vec(), &page)?;
        }
        Ok(())
    }

    fn change(&mut self, key: CredentialKey, change: Option<Credential>) {
        self.pages.entry(page_key(key)).or_default().push((key, change));
    }

    fn put<T: Serialize>(&mut self, key: Vec<u8>, value: &T) -> Result<(), CodecError> {
        self.edits.insert(key, Some(codec::encode(value)?));
        Ok(())
    }

    /// Removes what is stored in a range of keys, and what this draft would have put there.
    fn remove(&mut self, first: &[u8], last: &[u8]) -> Result<(), DiskError> {
        for (_, value) in self.edits.range_mut(first.to_vec()..=last.to_vec()) {
            *value = None;
        }
        let edits = &mut self.edits;
        self.disk.visit(first, last, |(key, _)| {
            edits.insert(key, None);
            true
        })
    }
}
