//! The import of a newer campus folder, stage by stage; a dry run stops before the first stage that changes something.

use super::caller::Caller;
use super::extract::Params;
use super::lines::{Lines, lines};
use super::shapes::{Fault, ImportLine, ImportOrder, ImportProgress, ImportResult};
use super::{Api, Failure, blocking};
use crate::authority::Accepted;
use crate::clock;
use crate::closing::ClosingAgent;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use doorward_policy::command::Command;
use doorward_policy::compile::Compiled;
use doorward_policy::difference::Difference;
use doorward_policy::directory::Directory;
use doorward_policy::folder::{self, CampusFiles};
use doorward_policy::model::Campus;
use doorward_policy::office::acts::Act;
use doorward_policy::office::authorize::Object;
use doorward_policy::parts::ROWS_MAX;
use doorward_policy::plan::{Plan, PlanError};
use doorward_protocol::id::AgentId;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Largest campus folder in bytes: two million people.
pub const BODY_BYTES_MAX: usize = 512 << 20;

/// How long agents may take to have a part before the next one is given all the same.
const AGENTS_WITHIN: Duration = Duration::from_secs(1);
/// How often it is looked whether they have it.
const LOOK: Duration = Duration::from_millis(10);

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
    body: Bytes,
) -> Result<Response, Failure> {
    caller.may(&api, Act::Import, Object::Campus)?;
    // Tens of megabytes: whatever else is to be done meanwhile does not wait for them to be read.
    let order = blocking(move || serde_json::from_slice::<ImportOrder>(&body)).await?;
    let order = order.map_err(|error| Failure::bad(format!("the body is no import: {error}")))?;
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
    // Over a copy, since it takes seconds in which commits would wait for the present.
    let asked = Arc::clone(api);
    let copied = blocking(move || copy(&asked)).await?;
    let compared = blocking(move || {
        let difference = Difference::between(&copied.directory, &campus);
        (copied, difference)
    });
    let (copied, difference) = compared.await?;
    let rows = difference.people.put.len()
        + difference.left.len()
        + difference.cards.put.len()
        + difference.cards.removed.len();
    stage(lines, 2, format!("{rows} people and cards differ")).await;
    let (plan, parts) = blocking(move || plan(&copied, difference)).await??;
    let needs_allow_removals = plan.removes_too_much();
    lines.send(&ImportLine::Plan(Box::new(plan))).await;
    let nothing = ImportResult {
        seq: None,
        at: None,
        changed: !parts.is_empty(),
        dry_run: options.dry_run,
        needs_allow_removals,
        agents: Vec::new(),
    };
    if options.dry_run || parts.is_empty() {
        return Ok(nothing);
    }
    if needs_allow_removals && !options.allow_removals {
        let error = "more than a tenth of the people or of the rights would go; nothing was changed";
        return Err(Failure::new(StatusCode::CONFLICT, error)
            .with_hint("if the folder is right, import it again with --allow-removals"));
    }
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
        if number.saturating_add(1) < total {
            let _in_time = tokio::time::timeout(AGENTS_WITHIN, heard(api, accepted.seq)).await;
        }
    }
    let seq = last.map(|last| last.seq);
    Ok(ImportResult { seq, at: last.map(|last| api.when(last.at)), agents: agents.into_iter().collect(), ..nothing })
}

/// Waits until each agent that is connected has the entry. Would the next part come before, agents fell behind and had to be
/// sent several at once, and a removal would find them at work.
async fn heard(api: &Api, seq: u64) {
    let is_awaited =
        |(id, agent): (&AgentId, &ClosingAgent)| agent.durable_at.is_none() && api.authority.hub.is_connected(id);
    while let Ok(Some(closing)) = api.authority.closings.closing(seq)
        && closing.agents.iter().any(is_awaited)
    {
        tokio::time::sleep(LOOK).await;
    }
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

/// What an import is compared with and planned on.
struct Copied {
    directory: Directory,
    compiled: Compiled,
}

fn copy(api: &Api) -> Copied {
    let present = api.authority.present();
    Copied { directory: present.directory.clone(), compiled: present.compiled.clone() }
}

/// What a difference would do, and in which parts it is given; in none, where nothing is different.
fn plan(Copied { directory, compiled }: &Copied, difference: Difference) -> Result<(Plan, Vec<Difference>), Failure> {
    let at = clock::wall().max(directory.at());
    let plan = Plan::of(directory, compiled, &difference, at).map_err(|error| match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::Compile(_) | PlanError::NoDay(_) => Failure::new(StatusCode::CONFLICT, error.to_string()),
    })?;
    let parts = if difference.is_empty() { Vec::new() } else { difference.into_parts(directory, ROWS_MAX) };
    Ok((plan, parts))
}

async fn stage(lines: &Lines, done: usize, detail: String) {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let stage = STAGES.get(done).copied().unwrap_or_default().to_owned();
    let progress = ImportProgress { stage, done: count(done), total: count(STAGES.len()), detail };
    // Who no longer reads still wants the import.
    lines.send(&ImportLine::Progress(progress)).await;
}
