//! The wall clock of this machine, and the watch that notices when somebody sets it.
//!
//! Deliberately not where time is judged: whether a clock can be trusted is the sync machine's to say.

use doorward_protocol::limits::CLOCK_TOLERANCE_MS;
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

/// Where the two clocks stood apart, in milliseconds.
#[derive(Debug)]
struct Watch {
    /// At the last look.
    before_ms: i64,
    /// When the watch began, or at the last step.
    believed_ms: i64,
}

impl Watch {
    /// Whether the wall clock was stepped: at once, or by many steps that are each too small. Slewing moves both clocks
    /// alike and does not count.
    const fn look(&mut self, now_ms: i64) -> bool {
        let is_step = distance_ms(self.before_ms, now_ms) > STEP_MS_MAX
            || distance_ms(self.believed_ms, now_ms) > CLOCK_TOLERANCE_MS;
        self.before_ms = now_ms;
        if is_step {
            self.believed_ms = now_ms;
        }
        is_step
    }
}

/// Sends a word whenever the wall clock was stepped; ends when nobody listens.
///
/// The monotonic clock stands still while the machine sleeps, so waking up counts as a step, too: what the clock shows
/// then has to be confirmed like any other.
pub async fn watch(stepped: mpsc::Sender<()>) {
    let start = Instant::now();
    let apart_ms = || wall_now().plus_ms(whole_ms(start.elapsed()).saturating_neg()).0;
    let mut watch = Watch { before_ms: apart_ms(), believed_ms: apart_ms() };
    loop {
        tokio::time::sleep(WATCH_PERIOD).await;
        if watch.look(apart_ms()) && stepped.send(()).await.is_err() {
            return;
        }
        if stepped.is_closed() {
            return;
        }
    }
}

const fn distance_ms(a: i64, b: i64) -> i64 {
    b.saturating_sub(a).saturating_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch { before_ms: 0, believed_ms: 0 }
    }

    #[test]
    fn slewing_is_no_step_and_setting_the_clock_is_one_in_either_direction() {
        assert!(!watch().look(500));
        assert!(!watch().look(-5_000));
        assert!(watch().look(5_001));
        assert!(watch().look(-3_600_000));
    }

    #[test]
    fn many_small_steps_are_a_large_one() {
        let mut watch = watch();
        let steps = (1..).find(|n| watch.look(n * -4_900)).unwrap();
        assert_eq!(steps, CLOCK_TOLERANCE_MS / 4_900 + 1);
        assert!(!watch.look(steps * -4_900), "said once");
        assert!(!watch.look(steps * -4_900 - 4_900), "and counted anew");
    }

    #[test]
    fn the_wall_clock_shows_a_day_of_this_century() {
        assert!(wall_now() > UnixMs::parse("2024-01-01T00:00:00Z").unwrap());
    }
}
