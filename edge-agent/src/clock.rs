//! The wall clock of this machine, and the watch that notices when somebody sets it.
//!
//! Deliberately not where time is judged: whether a clock can be trusted is the sync machine's to say.

use doorward_protocol::time::UnixMs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// How often the two clocks are compared.
const WATCH_PERIOD: Duration = Duration::from_secs(1);

/// By how much the wall clock may move against the monotonic one between two looks, in milliseconds: far above what
/// slewing does in a second, far below what matters to a schedule.
const STEP_MS_MAX: i64 = 5_000;

/// What the wall clock shows; instants that it cannot say become the nearest one.
#[must_use]
pub fn wall_now() -> UnixMs {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => UnixMs(whole_ms(since)),
        Err(before) => UnixMs(whole_ms(before.duration()).saturating_neg()),
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Sends a word whenever the wall clock was stepped; ends when nobody listens.
///
/// The monotonic clock stands still while the machine sleeps, so waking up counts as a step, too: what the clock shows
/// then has to be confirmed like any other.
pub async fn watch(stepped: mpsc::Sender<()>) {
    let start = Instant::now();
    let apart_ms = || wall_now().plus_ms(whole_ms(start.elapsed()).saturating_neg()).0;
    let mut before_ms = apart_ms();
    loop {
        tokio::time::sleep(WATCH_PERIOD).await;
        let now_ms = apart_ms();
        if is_step(before_ms, now_ms) && stepped.send(()).await.is_err() {
            return;
        }
        if stepped.is_closed() {
            return;
        }
        before_ms = now_ms;
    }
}

const fn is_step(before_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(before_ms).saturating_abs() > STEP_MS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slewing_is_no_step_and_setting_the_clock_is_one_in_either_direction() {
        assert!(!is_step(0, 500));
        assert!(!is_step(0, -5_000));
        assert!(is_step(0, 5_001));
        assert!(is_step(0, -3_600_000));
    }

    #[test]
    fn the_wall_clock_shows_a_day_of_this_century() {
        assert!(wall_now() > UnixMs::parse("2024-01-01T00:00:00Z").unwrap());
    }
}
