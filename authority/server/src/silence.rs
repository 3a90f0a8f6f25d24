//! Notices agents that have not been connected for a while: one alarm for each silence.

use crate::authority::Authority;
use doorward_protocol::id::AgentId;
use doorward_protocol::session::AlarmKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long an agent may be away without a word; a restart of an agent takes seconds.
const AWAY_MAX: Duration = Duration::from_secs(60);

/// Since when each enrolled agent is away, and whether that was said.
#[derive(Debug, Default)]
pub struct Silence {
    away: BTreeMap<AgentId, (Instant, bool)>,
}

impl Silence {
    /// Looks who is away now.
    pub fn look(&mut self, authority: &Authority, now: Instant) {
        let connected = authority.hub.connected();
        let published = authority.published();
        let away = published.leaves.agents().filter(|id| !connected.contains(id)).cloned().collect();
        for agent in self.silent(away, now) {
            let text = format!("agent {agent} has not been connected for {} seconds", AWAY_MAX.as_secs());
            authority.raise(AlarmKind::Silent, Some(agent), &text);
        }
    }

    /// Who has been away for too long now, and was not named before.
    fn silent(&mut self, away: BTreeSet<AgentId>, now: Instant) -> Vec<AgentId> {
        self.away.retain(|id, _| away.contains(id));
        let mut silent = Vec::new();
        for id in away {
            let (since, is_said) = self.away.entry(id.clone()).or_insert((now, false));
            if !*is_said && now.duration_since(*since) >= AWAY_MAX {
                *is_said = true;
                silent.push(id);
            }
        }
        silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_named_once_and_again_only_after_a_return() {
        let mut silence = Silence::default();
        let agent = AgentId::new("a").unwrap();
        let away = || BTreeSet::from([agent.clone()]);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(silence.silent(away(), start).is_empty());
        assert!(silence.silent(away(), after(50)).is_empty());
        assert_eq!(silence.silent(away(), after(70)), std::slice::from_ref(&agent));
        assert!(silence.silent(away(), after(170)).is_empty());
        assert!(silence.silent(BTreeSet::new(), after(180)).is_empty());
        assert!(silence.silent(away(), after(190)).is_empty());
        assert_eq!(silence.silent(away(), after(260)), std::slice::from_ref(&agent));
    }
}
