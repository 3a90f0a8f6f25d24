//! What somebody typed who asks for access or gives it, and the order that it means.
//!
//! Deliberately no judgement whether it may be: that is the API's. Here it is only found out what was meant.

use super::{given, said};
use crate::console::Site;
use crate::console::visit::Visitor;
use crate::console::words::fill;
use crate::http::caller::Caller;
use crate::http::extract::Params;
use crate::http::failure::Failure;
use crate::http::people::{self, Search};
use crate::http::shapes::GrantOrder;
use axum::Json;
use axum::extract::State;
use doorward_policy::model::{BuildingId, CategoryId, PersonId, Subject, Target, UnitId};
use doorward_protocol::id::DoorId;
use serde::Deserialize;
use std::sync::Arc;

/// Most people among whom to choose.
const PEOPLE_MAX: usize = 20;

/// See the module.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Wish {
    #[serde(default)]
    pub building: String,
    /// One of its doors; all of them when empty.
    #[serde(default)]
    pub door: String,
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub category: String,
    /// An id, or what somebody remembers of a name.
    #[serde(default)]
    pub person: String,
    /// The one who is meant, of several who fit.
    #[serde(default)]
    pub which: String,
    #[serde(default)]
    pub schedule: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub until: String,
    #[serde(default)]
    pub reason: String,
    #[serde(default)]
    pub waits: String,
    /// `preview`, or what else the button says.
    #[serde(default)]
    pub step: String,
}

/// Why what was typed means no order.
pub enum Unclear {
    /// What to say of it.
    Said(String),
    /// What the API says of it.
    Refused(Failure),
    /// Which of these people is meant: id and name; and whether there are more of them.
    Which(Vec<(String, String)>, bool),
}

impl From<Failure> for Unclear {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl Wish {
    /// The building that is meant, also where only a door was named.
    pub fn place(&mut self, site: &Site) {
        if self.building.trim().is_empty()
            && let Ok(door) = DoorId::new(self.door.trim())
        {
            let present = site.api.authority.present();
            let known = present.directory.tables().doors.get(&door);
            self.building = known.map(|door| door.building.to_string()).unwrap_or_default();
        }
    }

    /// The grant that it describes; a person found by name is named by id from then on.
    pub async fn order(&mut self, site: &Site, visitor: &Visitor, caller: &Caller) -> Result<GrantOrder, Unclear> {
        let (unit, category) = (given(&self.unit), given(&self.category));
        let target = match given(&self.door) {
            Some(door) => Target::Door(DoorId::new(&door).map_err(Failure::of_id("door", &door))?),
            None => {
                let building = self.building.trim();
                Target::Building(BuildingId::new(building).map_err(Failure::of_id("building", building))?)
            }
        };
        let (subject, within) = match (given(&self.which).or_else(|| given(&self.person)), category, unit) {
            (Some(_), Some(_), _) => return Err(Unclear::Said(said(visitor).person_or_category.to_owned())),
            (Some(person), None, within) => {
                let id = self.person_of(site, visitor, caller, person).await?;
                (Subject::Person(id), within)
            }
            (None, Some(category), within) => {
                let id = CategoryId::new(&category).map_err(Failure::of_id("category", &category))?;
                (Subject::Category(id), within)
            }
            (None, None, Some(unit)) => {
                (Subject::Unit(UnitId::new(&unit).map_err(Failure::of_id("unit", &unit))?), None)
            }
            (None, None, None) => return Err(Unclear::Said(said(visitor).say_whom.to_owned())),
        };
        let (schedule, from, until) = (given(&self.schedule), given(&self.from), given(&self.until));
        Ok(GrantOrder { id: None, subject, target, schedule, from, until, within })
    }

    /// The person of an id, or the one of whom the text is known; whom the visitor cannot find is left to the API to judge.
    async fn person_of(
        &mut self,
        site: &Site,
        visitor: &Visitor,
        caller: &Caller,
        text: String,
    ) -> Result<PersonId, Unclear> {
        let search = Search { find: text.clone(), limit: Some(PEOPLE_MAX) };
        let Json(found) = people::find(State(Arc::clone(&site.api)), caller.clone(), Params(search)).await?;
        let exact = found.people.iter().find(|person| person.id == text);
        let only = exact.or_else(|| if found.people.len() == 1 { found.people.first() } else { None });
        let id = match only {
            Some(person) => person.id.clone(),
            None if found.people.is_empty() => text,
            None => {
                let people = found.people.into_iter().map(|person| (person.id, person.name));
                return Err(Unclear::Which(people.collect(), found.more));
            }
        };
        self.person.clone_from(&id);
        let nobody = || Unclear::Said(fill(visitor.words().found_none, &[("text", &id)]));
        PersonId::new(&id).map_err(|_| nobody())
    }

    /// How many days it waits for a decision; as many as the API waits where nothing was typed.
    pub fn waits_days(&self, visitor: &Visitor) -> Result<Option<u32>, Unclear> {
        let Some(text) = given(&self.waits) else { return Ok(None) };
        let wrong = |_| Unclear::Said(fill(said(visitor).waits_wrong, &[("text", &text)]));
        text.parse().map(Some).map_err(wrong)
    }
}
