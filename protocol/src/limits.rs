//! Every bound of the protocol with its reason, in one place. Over a bound is a typed refusal and an alarm.

/// Largest frame in bytes. A frame is held whole before it is parsed, so this bounds memory per stream;
/// a megabyte carries thousands of facts and keeps an agent on a small box safe.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Target size of one part of a delta or snapshot in bytes: well below [`FRAME_BYTES_MAX`], so that the largest
/// fact still fits beside it, and small enough that a lost packet does not hold back much.
pub const PART_BYTES_TARGET: usize = 128 << 10;

/// Most parts in one update; [`UPDATE_BYTES_MAX`] ends before parts of usual size do.
pub const PARTS_MAX: u32 = 4096;

/// Most bytes in the parts of one update: a snapshot of a million credentials. They are held until the last part proves
/// them, so this is what somebody who kept a genuine head can make an agent hold.
pub const UPDATE_BYTES_MAX: usize = 64 << 20;

/// Largest encoded fact in bytes: a class that names 4,000 doors with several rules each stays below.
pub const FACT_BYTES_MAX: usize = 512 << 10;

/// Most facts in one agent's state: ten times the largest campus that was measured.
pub const FACTS_MAX: usize = 10_000_000;

/// Most doors at one agent: a building controller has tens, a relayed campus thousands.
pub const DOORS_MAX: usize = 65_536;

/// Most leaves of a commit's tree, which bounds an inclusion path to 20 hashes.
pub const AGENTS_MAX: usize = 1 << 20;

/// Most keys, and most signatures, that one signed message may carry.
pub const SIGNATURES_MAX: usize = 16;

/// Most trust statements an agent takes in one greeting; a statement is made a few times a decade.
pub const STATEMENTS_MAX: usize = 256;

/// Most credentials or doors in one removal; a larger one is split by the authority.
pub const REMOVAL_ITEMS_MAX: usize = 4096;

/// Most removals that an agent keeps as an overlay while the commits that contain them are on their way.
pub const OVERLAY_REMOVALS_MAX: usize = 65_536;

/// Most access records in one batch on the wire.
pub const RECORDS_BATCH_MAX: usize = 2048;

/// Most access records that wait at an agent for an acknowledgement: about 100 MiB, months of a busy building.
pub const RECORDS_KEPT_MAX: u64 = 1_000_000;

/// Farthest that the clocks of agent and authority may stand apart in milliseconds: five minutes, far above what
/// network time leaves and far below what would let a card in on the wrong day.
pub const CLOCK_TOLERANCE_MS: i64 = 300_000;

/// Most authority addresses in a join token.
pub const ADDRESSES_MAX: usize = 16;

/// Longest text such as a software version or an address, in bytes.
pub const TEXT_BYTES_MAX: usize = 256;
