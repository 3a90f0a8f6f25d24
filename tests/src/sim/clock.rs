//! The wall clock of one simulated machine: an offset and a drift from the true time, until somebody steps it.

use doorward_protocol::time::UnixMs;

/// See the module.
#[derive(Debug, Clone)]
pub struct Clock {
    offset_ms: i64,
    drift_ppm: i64,
    since: UnixMs,
}

impl Clock {
    /// A clock that is right at an instant and drifts from there, in millionths.
    pub const fn new(now: UnixMs, drift_ppm: i64) -> Self {
        Self { offset_ms: 0, drift_ppm, since: now }
    }

    /// What it shows.
    pub const fn wall(&self, now: UnixMs) -> UnixMs {
        let elapsed_ms = now.since_ms(self.since);
        now.plus_ms(self.offset_ms).plus_ms(elapsed_ms.saturating_mul(self.drift_ppm) / 1_000_000)
    }

    /// Sets it.
    pub const fn step_to(&mut self, now: UnixMs, wall: UnixMs) {
        self.offset_ms = wall.since_ms(now);
        self.since = now;
    }
}
