//! Medians and percentiles of what was measured.

use std::time::{Duration, Instant};

/// How often each figure is measured anew; its median is reported. Odd, so that the median is one of them.
pub const RUNS: usize = 5;

/// A count as a number that can be divided.
#[must_use]
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts here stay far below 2^53")]
pub const fn count(count: u64) -> f64 {
    count as f64
}

/// The length of something as a number that can be divided.
#[must_use]
pub fn length(length: usize) -> f64 {
    count(u64::try_from(length).unwrap_or(u64::MAX))
}

/// The value below which `percent` of the values are, by nearest rank; 0 of none. The values need not be sorted.
#[must_use]
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    let mut rank = 0;
    while rank < last && (length(rank) + 1.0) * 100.0 < percent * length(sorted.len()) {
        rank += 1;
    }
    sorted.get(rank).copied().unwrap_or_default()
}

/// The value in the middle; 0 of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// How long something takes, and what it comes to.
pub fn time<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let outcome = what();
    (begun.elapsed(), outcome)
}

/// Nanoseconds of a duration.
#[must_use]
pub fn ns(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// Microseconds of a duration.
#[must_use]
pub fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Milliseconds of a duration.
#[must_use]
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(
            [0.0, 20.0, 50.0, 99.0, 100.0].map(|percent| percentile(&values, percent)),
            [1.0, 1.0, 3.0, 5.0, 5.0]
        );
        assert_eq!(median(&[]), 0.0);
        let hundred: Vec<f64> = (1..=100).map(count).collect();
        assert_eq!([50.0, 99.0].map(|percent| percentile(&hundred, percent)), [50.0, 99.0]);
    }
}
