//! Requests in the directory: which can be asked and decided, what becomes of them, and which grants were looked at when.

use super::check::{check_reason, grant_fits};
use super::{Directory, Refusal};
use crate::command::Actor;
use crate::model::{Grant, GrantId, Tables};
use crate::office::requests::{End, Outcome, Request, RequestId, RequestOrder, Standing};
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;

impl Directory {
    /// All requests, also those that have ended.
    #[must_use]
    pub const fn requests(&self) -> &BTreeMap<RequestId, Request> {
        &self.requests
    }

    /// Since when a grant stands as it is, or when somebody last confirmed that it is still needed.
    #[must_use]
    pub fn reviewed_at(&self, grant: &GrantId) -> Option<UnixMs> {
        self.reviewed_at.get(grant).copied()
    }

    /// This directory with nobody but the people whom a grant names, without and with that grant: what it would change is
    /// found among them, at a cost that does not grow with the campus.
    ///
    /// # Errors
    /// When the grant names what is not there.
    pub(crate) fn among(&self, grant: &Grant) -> Result<(Self, Self), Refusal> {
        self.check_grant(grant)?;
        let named = self.touched_by_grants([grant]).resolve(self);
        let cards = named.cards.iter().chain(named.cards_at.values().flatten());
        let mut without = Self {
            founding: self.founding.clone(),
            policy: self.policy.clone(),
            agents: self.agents.clone(),
            ..Self::default()
        };
        let Tables { units, buildings, doors, grants, .. } = self.tables.clone_without_people();
        (without.tables.units, without.tables.buildings, without.tables.doors) = (units, buildings, doors);
        without.tables.grants = grants;
        for id in cards {
            let Some(card) = self.tables.cards.get(id) else { continue };
            let Some(person) = self.tables.people.get(&card.person) else { continue };
            without.cards_of.entry(card.person.clone()).or_default().insert(id.clone());
            without.tables.people.entry(card.person.clone()).or_insert_with(|| person.clone());
            without.tables.cards.insert(id.clone(), card.clone());
        }
        let mut with = without.clone();
        let names = (0_u64..).filter_map(|n| GrantId::new(&format!("preview-{n}")).ok());
        let free = names.into_iter().find(|name| !with.tables.grants.contains_key(name));
        with.tables.grants.extend(free.map(|name| (name, grant.clone())));
        Ok((without, with))
    }

    /// The same for a grant that was given: without it, and with it.
    ///
    /// # Errors
    /// When there is no such grant, or what it names is not there any more.
    pub(crate) fn among_those_of(&self, id: &GrantId) -> Result<(Self, Self), Refusal> {
        let grants = &self.tables.grants;
        let grant = grants.get(id).ok_or_else(|| Refusal::unknown("grant", id.as_str(), grants.keys()))?;
        let (mut without, with) = self.among(grant)?;
        without.tables.grants.remove(id);
        Ok((without, with))
    }

    pub(super) fn check_request(&self, order: &RequestOrder, at: UnixMs) -> Result<(), Refusal> {
        check_reason(order.reason())?;
        match order {
            RequestOrder::Ask { id, wish } => {
                if self.requests.contains_key(id) {
                    return Err(Refusal::RequestExists(id.clone()));
                }
                if wish.expires_at <= at {
                    return Err(Refusal::ExpiryPast { at });
                }
                self.check_grant(&wish.grant)
            }
            RequestOrder::Approve { id, grant, until, reason: _ } => {
                let request = self.check_waiting(id, at)?;
                self.check_new_grant(grant, &request.granted(*until))
            }
            RequestOrder::Reject { id, .. } | RequestOrder::Withdraw { id, .. } => {
                self.check_waiting(id, at).map(|_| ())
            }
        }
    }

    fn check_waiting(&self, id: &RequestId, at: UnixMs) -> Result<&Request, Refusal> {
        let request = self.requests.get(id);
        let request = request.ok_or_else(|| Refusal::unknown("request", id.as_str(), self.requests.keys()))?;
        match request.standing(at) {
            Standing::Waiting => Ok(request),
            standing @ (Standing::Expired | Standing::Approved | Standing::Rejected | Standing::Withdrawn) => {
                Err(Refusal::RequestDecided { id: id.clone(), standing })
            }
        }
    }

    pub(super) fn check_new_grant(&self, id: &GrantId, grant: &Grant) -> Result<(), Refusal> {
        if self.tables.grants.contains_key(id) {
            return Err(Refusal::GrantExists(id.clone()));
        }
        self.check_grant(grant)
    }

    fn check_grant(&self, grant: &Grant) -> Result<(), Refusal> {
        grant_fits(self.policy.as_ref().ok_or(Refusal::NothingImported)?, &self.tables, grant)
    }

    /// The grant that an approval makes.
    pub(super) fn approved(&self, order: &RequestOrder) -> Option<(GrantId, Grant)> {
        match order {
            RequestOrder::Approve { id, grant, until, .. } => {
                Some((grant.clone(), self.requests.get(id)?.granted(*until)))
            }
            RequestOrder::Ask { .. } | RequestOrder::Reject { .. } | RequestOrder::Withdraw { .. } => None,
        }
    }

    pub(super) fn perform_request(&mut self, order: &RequestOrder, by: &Actor, at: UnixMs) {
        if let Some((id, grant)) = self.approved(order) {
            self.put_grant(id, grant, at);
        }
        let end = match order {
            RequestOrder::Ask { id, wish } => {
                let request = Request { by: by.clone(), at, wish: wish.clone(), outcome: None };
                self.requests.insert(id.clone(), request);
                return;
            }
            RequestOrder::Approve { grant, .. } => End::Approved(grant.clone()),
            RequestOrder::Reject { .. } => End::Rejected,
            RequestOrder::Withdraw { .. } => End::Withdrawn,
        };
        if let Some(request) = self.requests.get_mut(order.id()) {
            let reason = order.reason().to_owned();
            request.outcome = Some(Outcome { end, by: by.clone(), at, reason });
        }
    }

    pub(crate) fn put_grant(&mut self, id: GrantId, grant: Grant, at: UnixMs) {
        self.reviewed_at.insert(id.clone(), at);
        self.tables.grants.insert(id, grant);
    }

    pub(super) fn forget_grant(&mut self, id: &GrantId) {
        self.tables.grants.remove(id);
        self.reviewed_at.remove(id);
    }
}
