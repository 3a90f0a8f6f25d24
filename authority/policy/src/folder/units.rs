//! `units.csv`: units, each below at most one other, in a forest.

use crate::folder::CampusFiles;
use crate::folder::declared::Declared;
use crate::folder::tables::table;
use crate::folder::values;
use crate::model::{Unit, UnitId};
use doorward_protocol::problem::{Place, Problem, shown};
use doorward_protocol::table::Column;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

const FILE: &str = "units.csv";
const COLUMNS: &[Column] =
    &[Column::required("unit_id"), Column::required("name"), Column::optional("kind"), Column::optional("parent_id")];
/// How many units of a cycle a message names at most.
const CYCLE_SHOWN_MAX: usize = 10;

/// For each unit the one above it and where that is said.
type Parents = BTreeMap<UnitId, Option<(UnitId, Place)>>;

/// Reads `units.csv`.
pub fn read(files: &CampusFiles, problems: &mut Vec<Problem>) -> (Declared<UnitId>, BTreeMap<UnitId, Unit>) {
    let mut parents = Parents::new();
    let mut mentions = Vec::new();
    let (declared, units) = table(files, FILE, COLUMNS, "unit_id", problems, |row, id: Option<&UnitId>, problems| {
        let name = row.required("name", problems, values::text);
        let kind = row.optional("kind", problems, values::text);
        let parent = row.optional("parent_id", problems, UnitId::from_str);
        let mention = parent.clone().flatten().map(|parent| (parent, row.place("parent_id")));
        mentions.extend(mention.clone());
        if let Some(id) = id {
            parents.entry(id.clone()).or_insert(mention);
        }
        Some(Unit { name: name?, kind: kind?, parent: parent? })
    });
    for (parent, place) in &mentions {
        if let Err(error) = declared.check(parent) {
            problems.push(Problem::new(FILE, *place, format!("parent_id {} {error}", shown(parent.as_str()))));
        }
    }
    report_cycles(&parents, problems);
    (declared, units)
}

/// Each cycle is one problem, at the unit whose id comes first.
fn report_cycles(parents: &Parents, problems: &mut Vec<Problem>) {
    let above = |unit: &UnitId| parents.get(unit)?.as_ref().map(|(parent, _)| parent);
    let mut settled = BTreeSet::new();
    for start in parents.keys() {
        let mut path = BTreeSet::new();
        let mut unit = Some(start);
        while let Some(next) = unit.filter(|unit| settled.insert(*unit)) {
            path.insert(next);
            unit = above(next);
        }
        // The walk ended at a unit that it had met before: only when it met it on this path is there a new cycle.
        let Some(entry) = unit.filter(|unit| path.contains(unit)) else { continue };
        let around = std::iter::successors(above(entry), |unit| above(unit).filter(|_| *unit != entry));
        let Some(first) = around.min() else { continue };
        let Some(Some((parent, place))) = parents.get(first) else { continue };
        let around = std::iter::successors(above(first), |unit| above(unit).filter(|_| *unit != first));
        let around = std::iter::once(first).chain(around);
        let mut names: Vec<_> = around.map(|unit| shown(unit.as_str())).take(CYCLE_SHOWN_MAX + 1).collect();
        if names.len() > CYCLE_SHOWN_MAX {
            names.truncate(CYCLE_SHOWN_MAX);
            names.push("…".into());
        }
        let message = format!("parent_id {} closes a cycle: {}", shown(parent.as_str()), names.join(" -> "));
        problems.push(Problem::new(FILE, *place, message));
    }
}
