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
/// How many units of a cycle a message names.
const CYCLE_SHOWN_MAX: usize = 10;

type Parents = BTreeMap<UnitId, (UnitId, Place)>;

/// Reads `units.csv`.
pub fn read(files: &CampusFiles, problems: &mut Vec<Problem>) -> (Declared<UnitId>, BTreeMap<UnitId, Unit>) {
    let mut parents = Parents::new();
    let (declared, units) = table(files, FILE, COLUMNS, "unit_id", problems, |row, id: Option<&UnitId>, problems| {
        let name = row.required("name", problems, values::text);
        let kind = row.optional("kind", problems, values::text);
        let parent = row.optional("parent_id", problems, UnitId::from_str);
        if let (Some(id), Some(Some(parent))) = (id, &parent) {
            parents.entry(id.clone()).or_insert_with(|| (parent.clone(), row.place("parent_id")));
        }
        Some(Unit { name: name?, kind: kind?, parent: parent? })
    });
    for (parent, place) in parents.values() {
        if let Err(error) = declared.check(parent) {
            problems.push(Problem::new(FILE, *place, format!("parent_id {} {error}", shown(parent.as_str()))));
        }
    }
    report_cycles(&parents, problems);
    (declared, units)
}

/// Each cycle is one problem, at the first of its units in the order of ids.
fn report_cycles(parents: &Parents, problems: &mut Vec<Problem>) {
    let mut settled = BTreeSet::new();
    for start in parents.keys() {
        let mut path = Vec::new();
        let mut on_path = BTreeSet::new();
        let mut unit = start;
        while settled.insert(unit) {
            path.push(unit);
            on_path.insert(unit);
            let Some((parent, _)) = parents.get(unit) else { break };
            unit = parent;
        }
        if !on_path.contains(unit) || parents.get(unit).is_none() {
            continue;
        }
        let cycle: Vec<_> = path.into_iter().skip_while(|on_path| *on_path != unit).collect();
        let Some((first, (parent, place))) = cycle.iter().filter_map(|id| parents.get_key_value(*id)).min() else {
            continue;
        };
        let mut names: Vec<_> = std::iter::successors(Some(first), |id| parents.get(*id).map(|(parent, _)| parent))
            .take(cycle.len().min(CYCLE_SHOWN_MAX))
            .map(|id| shown(id.as_str()))
            .collect();
        names.push(if cycle.len() > CYCLE_SHOWN_MAX { "…".into() } else { shown(first.as_str()) });
        let message = format!("parent_id {} closes a cycle: {}", shown(parent.as_str()), names.join(" -> "));
        problems.push(Problem::new(FILE, *place, message));
    }
}
