//! What a bad network does to one datagram: how many copies of it come out, when, and with which bytes.
//!
//! Pure: the choices come from a seed. Deliberately no bandwidth and no bursts: what is asked here is whether anything is
//! lost or wrong in the end, and each fault by itself is found out sooner than a model of a certain cable.

use crate::random::Random;

/// How much longer a datagram is held back that others are to overtake, in milliseconds: at least and at most.
const HELD_BACK_MS: (u64, u64) = (5, 40);

/// The faults of a wire, the same for both ways; the default is a wire that does nothing wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// How many of a hundred datagrams vanish.
    pub lost_percent: u64,
    /// How many of a hundred come twice.
    pub doubled_percent: u64,
    /// How many of a hundred are held back, so that later ones overtake them.
    pub overtaken_percent: u64,
    /// How many of a hundred have a byte changed on the way.
    pub damaged_percent: u64,
    /// How long each takes, in milliseconds.
    pub delay_ms: u64,
    /// How much longer it may take, in milliseconds; by itself this changes no order.
    pub jitter_ms: u64,
    /// Larger datagrams vanish, and nobody is told: the payload of UDP, in bytes.
    pub bytes_max: Option<usize>,
    /// Everything vanishes.
    pub is_cut: bool,
}

/// A datagram as it leaves the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How long after it came, in milliseconds.
    pub delay_ms: u64,
    /// Whether others may overtake it.
    pub may_be_overtaken: bool,
}

impl Faults {
    /// A wire that carries nothing.
    pub const CUT: Self = Self {
        lost_percent: 0,
        doubled_percent: 0,
        overtaken_percent: 0,
        damaged_percent: 0,
        delay_ms: 0,
        jitter_ms: 0,
        bytes_max: None,
        is_cut: true,
    };

    /// What becomes of a datagram.
    pub fn fate(&self, datagram: &[u8], random: &mut Random) -> Vec<Copy> {
        if self.is_cut || self.bytes_max.is_some_and(|most| datagram.len() > most) {
            return Vec::new();
        }
        let count = if happens(self.doubled_percent, random) { 2 } else { 1 };
        let copies = (0..count).filter_map(|_| self.copy(datagram, random));
        copies.collect()
    }

    /// One copy, unless it is lost.
    fn copy(&self, datagram: &[u8], random: &mut Random) -> Option<Copy> {
        if happens(self.lost_percent, random) {
            return None;
        }
        let mut bytes = datagram.to_vec();
        if happens(self.damaged_percent, random) {
            damage(&mut bytes, random);
        }
        let mut delay_ms = self.delay_ms.saturating_add(random.below(self.jitter_ms.saturating_add(1)));
        let may_be_overtaken = happens(self.overtaken_percent, random);
        if may_be_overtaken {
            let (least, most) = HELD_BACK_MS;
            delay_ms = delay_ms.saturating_add(least).saturating_add(random.below(most - least));
        }
        Some(Copy { bytes, delay_ms, may_be_overtaken })
    }
}

const fn happens(percent: u64, random: &mut Random) -> bool {
    random.below(100) < percent
}

/// Changes one byte for certain.
fn damage(bytes: &mut [u8], random: &mut Random) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let at = usize::try_from(random.below(length)).unwrap_or_default();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATAGRAM: [u8; 1200] = [7; 1200];

    fn fates(faults: Faults, count: usize) -> Vec<Vec<Copy>> {
        let mut random = Random::new(1);
        (0..count).map(|_| faults.fate(&DATAGRAM, &mut random)).collect()
    }

    #[test]
    fn a_wire_without_faults_changes_nothing() {
        let whole = Copy { bytes: DATAGRAM.to_vec(), delay_ms: 0, may_be_overtaken: false };
        assert!(fates(Faults::default(), 100).into_iter().all(|fate| fate == [whole.clone()]));
    }

    #[test]
    fn each_fault_happens_as_often_as_it_is_asked_for() {
        let count = |faults: Faults, is: &dyn Fn(&[Copy]) -> bool| {
            let happened = fates(faults, 10_000).iter().filter(|fate| is(fate)).count();
            assert!((1_800..2_200).contains(&happened), "{faults:?} happened {happened} times in 10,000");
        };
        let no_fault = Faults::default();
        count(Faults { lost_percent: 20, ..no_fault }, &|fate| fate.is_empty());
        count(Faults { doubled_percent: 20, ..no_fault }, &|fate| fate.len() == 2);
        count(Faults { overtaken_percent: 20, ..no_fault }, &|fate| fate[0].may_be_overtaken && fate[0].delay_ms > 0);
        count(Faults { damaged_percent: 20, ..no_fault }, &|fate| fate[0].bytes != DATAGRAM);
    }

    #[test]
    fn delays_lie_within_their_bounds() {
        let delays: Vec<u64> = fates(Faults { delay_ms: 300, jitter_ms: 50, ..Faults::default() }, 1_000)
            .into_iter()
            .map(|fate| fate[0].delay_ms)
            .collect();
        assert_eq!((delays.iter().min(), delays.iter().max()), (Some(&300), Some(&350)));
    }

    #[test]
    fn a_bound_of_size_stops_what_is_larger_and_a_cut_stops_all() {
        let passes = |faults: Faults| !faults.fate(&DATAGRAM, &mut Random::new(1)).is_empty();
        assert!(passes(Faults { bytes_max: Some(1200), ..Faults::default() }));
        assert!(!passes(Faults { bytes_max: Some(1199), ..Faults::default() }));
        assert!(!passes(Faults { is_cut: true, ..Faults::default() }));
    }

    #[test]
    fn a_seed_repeats_every_fate() {
        let faults =
            Faults { lost_percent: 20, doubled_percent: 20, damaged_percent: 20, jitter_ms: 9, ..Faults::default() };
        assert_eq!(fates(faults, 1_000), fates(faults, 1_000));
    }
}
