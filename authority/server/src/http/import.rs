//! The import of a newer campus folder, stage by stage; a dry run stops before the first stage that changes something.

use super::caller::Caller;
use super::extract::{Body, Params};
use super::lines::{Lines, lines};
use super::shapes::{Fault, ImportLine, ImportOrder, ImportProgress, ImportResult};
use super::{Api, Failure, blocking};
use crate::authority::Accepted;
use crate::clock;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::command::Command;
use doorward_policy::difference::Difference;
use doorward_policy::folder::{self, CampusFiles};
use doorward_policy::model::Campus;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::parts::ROWS_MAX;
use doorward_policy::plan::{Plan, PlanError};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Largest campus folder in bytes: two million people.
pub const BODY_BYTES_MAX: usize = 512 << 20;

const STAGES: [&str; 5] = ["read", "compare", "plan", "store", "compile"];

#[derive(Debug, Deserialize)]
pub struct Options {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    allow_removals: bool,
}

/// Imports a campus folder as one difference; a large one in several entries, so that nothing else waits for all of it.
#[utoipa::path(post, path = "/v1/import", request_body = ImportOrder,
    params(("dry_run" = Option<bool>, Query, description = "Only say what would change"),
        ("allow_removals" = Option<bool>, Query, description = "Also when more than a tenth of the people or rights go")),
    responses((status = 200, body = ImportLine, content_type = "application/x-ndjson"), (status = 409, body = Fault)))]
pub async fn import(
    State(api): State<Arc<Api>>,
    Params(options): Params<Options>,
    caller: Caller,
    Body(order): Body<ImportOrder>,
) -> Result<Response, Failure> {
    caller.may(&api, Act::Import, Object::Campus)?;
    let (lines, response) = lines();
    tokio::spawn(async move {
        let line = match run(&api, &options, caller, order, &lines).await {
            Ok(result) => ImportLine::Result(result),
            Err(failure) => ImportLine::Fault(failure.fault),
        };
        lines.send(&line).await;
    });
    Ok(response)
}

async fn run(
    api: &Arc<Api>,
    options: &Options,
    caller: Caller,
    order: ImportOrder,
    lines: &Lines,
) -> Result<ImportResult, Failure> {
    let Ok(_only_one) = api.imports.try_acquire() else {
        return Err(Failure::new(StatusCode::CONFLICT, "another import is under way; try again when it is done"));
    };
    let bytes: usize = order.files.values().map(String::len).sum();
    stage(lines, 0, format!("{} files, {bytes} bytes", order.files.len())).await;
    let campus = blocking(move || read(order)).await??;
    let tables = &campus.tables;
    stage(
        lines,
        1,
        format!("{} people, {} cards, {} doors", tables.people.len(), tables.cards.len(), tables.doors.len()),
    )
    .await;
    let asked = Arc::clone(api);
    let difference = blocking(move || Difference::between(&asked.authority.present().directory, &campus)).await?;
    let rows = difference.people.put.len()
        + difference.left.len()
        + difference.cards.put.len()
        + difference.cards.removed.len();
    stage(lines, 2, format!("{rows} people and cards differ")).await;
    let asked = Arc::clone(api);
    let (plan, difference) = blocking(move || plan(&asked, difference)).await??;
    let needs_allow_removals = plan.removes_too_much();
    lines.send(&ImportLine::Plan(Box::new(plan))).await;
    let nothing = ImportResult {
        seq: None,
        at: None,
        changed: !difference.is_empty(),
        dry_run: options.dry_run,
        needs_allow_removals,
        agents: Vec::new(),
    };
    if options.dry_run || difference.is_empty() {
        return Ok(nothing);
    }
    if needs_allow_removals && !options.allow_removals {
        let error = "more than a tenth of the people or of the rights would go; nothing was changed";
        return Err(Failure::new(StatusCode::CONFLICT, error)
            .with_hint("if the folder is right, import it again with --allow-removals"));
    }
    let asked = Arc::clone(api);
    let parts = blocking(move || difference.into_parts(&asked.authority.present().directory, ROWS_MAX)).await?;
    give(api, &caller, parts, nothing, lines).await
}

/// Gives the parts one after the other, each once the one before is in force: what comes in between waits for one.
async fn give(
    api: &Api,
    caller: &Caller,
    parts: Vec<Difference>,
    nothing: ImportResult,
    lines: &Lines,
) -> Result<ImportResult, Failure> {
    let total = parts.len();
    let (mut last, mut agents): (Option<Accepted>, BTreeSet<String>) = (None, BTreeSet::new());
    for (number, part) in parts.into_iter().enumerate() {
        let detail = |number: usize| format!("entry {number} of {total} for the journal");
        stage(lines, 3, detail(number.saturating_add(1))).await;
        let base = last.map_or(part.base, |last| last.seq);
        let command = Command::Import { difference: Box::new(Difference { base, ..part }) };
        let given = api.authority.execute_for(caller.asker.clone(), caller.actor.clone(), command).await;
        let accepted = given.map_err(|error| broken_off(error.into(), number, total))?;
        last = Some(accepted);
        stage(lines, 4, "what each door must know".to_owned()).await;
        api.authority.published_at(accepted.seq).await;
        let closing = api.authority.closings.closing(accepted.seq)?;
        let concerned = closing.map(|closing| closing.agents).unwrap_or_default();
        agents.extend(concerned.into_keys().map(|id| id.to_string()));
    }
    let seq = last.map(|last| last.seq);
    Ok(ImportResult { seq, at: last.map(|last| api.when(last.at)), agents: agents.into_iter().collect(), ..nothing })
}

fn broken_off(failure: Failure, done: usize, total: usize) -> Failure {
    if done == 0 {
        return failure;
    }
    let told = format!("{}; {done} of {total} parts of the folder are in force", failure.fault.error);
    Failure { fault: Fault { error: told, ..failure.fault }, ..failure }
        .with_hint("import the folder again: what is in force already is not done twice")
}

fn read(order: ImportOrder) -> Result<Campus, Failure> {
    let files = order.files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    folder::parse(&CampusFiles(files.collect())).map_err(Failure::of_problems)
}

/// Over a copy, since it takes seconds in which commits would wait for the present.
fn plan(api: &Api, difference: Difference) -> Result<(Plan, Difference), Failure> {
    let (directory, compiled) = {
        let present = api.authority.present();
        (present.directory.clone(), present.compiled.clone())
    };
    let at = clock::wall().max(directory.at());
    let plan = Plan::of(&directory, &compiled, &difference, at).map_err(|error| match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::Compile(_) | PlanError::NoDay(_) => Failure::new(StatusCode::CONFLICT, error.to_string()),
    })?;
    Ok((plan, difference))
}

async fn stage(lines: &Lines, done: usize, detail: String) {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let stage = STAGES.get(done).copied().unwrap_or_default().to_owned();
    let progress = ImportProgress { stage, done: count(done), total: count(STAGES.len()), detail };
    // Who no longer reads still wants the import.
    lines.send(&ImportLine::Progress(progress)).await;
}
