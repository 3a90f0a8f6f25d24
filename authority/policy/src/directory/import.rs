//! What an import does to a directory: folders and commands both change it, and neither undoes the other by accident.
//!
//! A folder changes the state of a card only where it says something else than the folder before: security suspends a
//! card that the registrar's next export still calls active. Nothing opens a closed card again.

use super::Directory;
use crate::difference::Difference;
use crate::model::{Building, Card, CardId, CardState, Door, PersonId, Policy, Subject};
use crate::touched::{Reach, Touched};
use doorward_protocol::id::AgentId;
use doorward_protocol::time::UnixMs;
use std::collections::BTreeMap;

impl Directory {
    /// The state that a card has once a folder says `said` of it.
    #[must_use]
    pub(crate) fn state_after_import(&self, id: &CardId, said: CardState) -> CardState {
        let known = self.tables.cards.get(id).map(|card| card.state);
        let Some(known) = known.or_else(|| self.removed_states.get(id).copied()) else { return said };
        if self.is_issued_here_alone(id) {
            // The first word of a folder may lag behind what was done here, and takes nothing back.
            return known.max(said);
        }
        let says_the_same = self.folder_states.get(id) == Some(&said);
        if known == CardState::Closed || says_the_same { known } else { said }
    }

    pub(super) fn import(&mut self, difference: &Difference, seq: u64, at: UnixMs) {
        if let Some(policy) = &difference.policy {
            self.policy = Some(policy.clone());
        }
        difference.units.apply_to(&mut self.tables.units);
        difference.buildings.apply_to(&mut self.tables.buildings);
        difference.doors.apply_to(&mut self.tables.doors);
        for id in difference.people.put.keys().chain(&difference.people.removed) {
            self.leave_units(id);
        }
        difference.people.apply_to(&mut self.tables.people);
        for id in difference.people.put.keys().chain(&difference.people.removed) {
            self.folder_people.remove(id);
        }
        self.show_again(difference.people.put.keys());
        self.mark_left(&difference.left, at);
        for id in &difference.people.removed {
            self.photos.remove(id);
            self.forget_on_rosters(id);
            self.applications.retain(|_, applied| applied.application.person != *id);
        }
        for (id, person) in &difference.people.put {
            for affiliation in &person.affiliations {
                self.members.entry(affiliation.unit.clone()).or_default().insert(id.clone());
            }
        }
        self.leave_gone_units(&difference.units.removed);
        for id in &difference.cards.removed {
            self.forget_card(id);
        }
        for (id, card) in &difference.cards.put {
            let state = self.state_after_import(id, card.state);
            self.removed_states.remove(id);
            self.folder_states.insert(id.clone(), card.state);
            let valid_until = self.last_day_after_import(id, card.valid_until);
            let known = Card { state, valid_until, ..card.clone() };
            self.leave_holder(id);
            self.cards_of.entry(known.person.clone()).or_default().insert(id.clone());
            self.tables.cards.insert(id.clone(), known);
            self.note_state(id, state, at);
        }
        difference.grants.apply_to(&mut self.tables.grants);
        for id in &difference.grants.removed {
            self.reviewed_at.remove(id);
        }
        self.reviewed_at.extend(difference.grants.put.keys().map(|id| (id.clone(), at)));
        difference.grants.apply_to(&mut self.folder_grants);
        self.import_seq = seq;
        let touches_people_alone = difference.policy.is_none()
            && difference.units.is_empty()
            && difference.buildings.is_empty()
            && difference.doors.is_empty()
            && difference.grants.is_empty();
        if !touches_people_alone {
            self.structure_seq = seq;
        }
    }

    pub(super) fn forget_card(&mut self, id: &CardId) {
        self.leave_holder(id);
        self.reported.remove(id);
        self.desk.issued.remove(id);
        self.desk.extended.remove(id);
        self.desk.found.remove(id);
        let Some(card) = self.tables.cards.remove(id) else { return };
        if card.state == CardState::Closed || self.folder_states.get(id) != Some(&card.state) {
            self.removed_states.insert(id.clone(), card.state);
        } else {
            self.folder_states.remove(id);
        }
    }

    fn leave_holder(&mut self, id: &CardId) {
        let Some(holder) = self.tables.cards.get(id).map(|card| &card.person) else { return };
        if let Some(cards) = self.cards_of.get_mut(holder) {
            cards.remove(id);
            if cards.is_empty() {
                self.cards_of.remove(holder);
            }
        }
    }

    pub(super) fn leave_units(&mut self, id: &PersonId) {
        let Some(person) = self.tables.people.get(id) else { return };
        for affiliation in &person.affiliations {
            if let Some(members) = self.members.get_mut(&affiliation.unit) {
                members.remove(id);
                if members.is_empty() {
                    self.members.remove(&affiliation.unit);
                }
            }
        }
    }

    pub(super) fn touched_by_import(&self, difference: &Difference) -> Touched {
        let mut touched = Touched::default();
        if let Some(policy) = &difference.policy {
            match &self.policy {
                Some(known) if is_calendar_alone(known, policy) => touched.calendar = true,
                Some(_) | None => return Touched::everything(),
            }
        }
        let parent_of = |id| self.tables.units.get(id).map(|known| &known.parent);
        let moved = difference.units.put.iter().filter(|(id, unit)| parent_of(id) != Some(&unit.parent));
        let moved = moved.map(|(id, _)| Subject::Unit(id.clone()));
        let people = difference.people.put.keys().chain(&difference.left);
        let people = people.chain(difference.units.removed.iter().flat_map(|unit| self.members_of(unit)));
        let people = people.map(|id| Subject::Person(id.clone()));
        for subject in moved.chain(people) {
            touched.add_subject(&subject, Reach::Everywhere);
        }
        touched.agents.extend(self.agents_of_changed_doors(difference));
        touched.cards.extend(difference.cards.put.keys().chain(&difference.cards.removed).cloned());
        let named = difference.grants.put.keys().chain(&difference.grants.removed);
        let known = named.filter_map(|id| self.tables.grants.get(id));
        touched.union(self.touched_by_grants(known.chain(difference.grants.put.values())));
        touched
    }

    /// Agents that control a door whose place or kind changes, before or after; another name changes no door.
    fn agents_of_changed_doors(&self, difference: &Difference) -> Vec<AgentId> {
        let mut agents = Vec::new();
        for (id, building) in &difference.buildings.put {
            let known = self.tables.buildings.get(id);
            if !known.is_some_and(|known| Building { name: known.name.clone(), ..building.clone() } == *known) {
                agents.extend(known.map(|known| known.agent.clone()));
                agents.push(building.agent.clone());
            }
        }
        let gone = difference.buildings.removed.iter().filter_map(|id| self.tables.buildings.get(id));
        agents.extend(gone.map(|building| building.agent.clone()));
        for (id, door) in &difference.doors.put {
            let known = self.tables.doors.get(id);
            if !known.is_some_and(|known| Door { name: known.name.clone(), ..door.clone() } == *known) {
                let buildings = difference.buildings.put.get(&door.building);
                let after = buildings.or_else(|| self.tables.buildings.get(&door.building));
                agents.extend(after.map(|building| building.agent.clone()));
                agents.extend(self.agent_of(id).cloned());
            }
        }
        agents.extend(difference.doors.removed.iter().filter_map(|id| self.agent_of(id)).cloned());
        agents
    }
}

/// Whether two policies differ in no more than names, fees, photos, retention, own taps, time zone and holidays.
fn is_calendar_alone(known: &Policy, new: &Policy) -> bool {
    let mut renamed = known.clone();
    renamed.name.clone_from(&new.name);
    renamed.fees.clone_from(&new.fees);
    renamed.photo = new.photo;
    renamed.retention.clone_from(&new.retention);
    renamed.own_taps = new.own_taps;
    renamed.time_zone.clone_from(&new.time_zone);
    renamed.holidays = BTreeMap::clone(&new.holidays);
    renamed == *new
}
