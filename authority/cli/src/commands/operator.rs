//! `doorward operator`: who works here, what each may do, and the API tokens of their programs.
//!
//! The table of roles is the policy crate's; it is printed here and kept nowhere else.

use crate::args::reason;
use crate::client::{Answer, Client};
use crate::failure::{Exit, Failure};
use crate::options::Options;
use crate::output::{Output, note};
use crate::progress::stored;
use clap::{Args, Subcommand};
use doorward_policy::model::{BuildingId, UnitId};
use doorward_policy::office::acts::Act;
use doorward_policy::office::{ApiTokenId, OperatorId, Role};
use doorward_server::http::shapes::Change;
use doorward_server::http::shapes::office::{
    ApiTokenGiven, ApiTokenOrder, OperatorOrder, Operators, PowerView, SetUpGiven,
};
use serde_json::json;

/// Say who works here and what each may do; give their programs API tokens
#[derive(Debug, Args)]
pub struct Operator {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the roles and what each may do
    ///
    /// Asks no authority: the table is part of the program. What a role may do it may do within the operator's remit.
    #[command(after_help = "Example:\n  doorward operator roles")]
    Roles,
    /// Show all operators, their remits, and their API tokens
    ///
    /// Changes nothing.
    #[command(after_help = "Example:\n  doorward operator list")]
    List,
    /// Make somebody an operator, or give an operator another role or remit
    ///
    /// The remit is the whole campus, or the people and doors of units (and of those below them) and the doors of buildings.
    /// An entry of the journal says so; what the operator may do is different from that entry on.
    #[command(
        after_help = "Examples:\n  doorward operator add kim --name \"김민지\" --role security-office --campus\n  \
                      doorward operator add lee --name \"이서준\" --role department --unit eng --unit sci"
    )]
    Add(Add),
    /// End what an operator may do, and the API tokens that act for it
    #[command(after_help = "Example:\n  doorward operator remove kim")]
    Remove(Named),
    /// Invite an operator to choose a password
    ///
    /// Prints a secret that is good once and for a day, with which `doorward account set-up` chooses the password. Ends the
    /// password before, and its sessions.
    #[command(after_help = "Example:\n  doorward operator invite kim")]
    Invite(Named),
    /// Give a program an API token that acts for an operator
    ///
    /// Prints the token, this once: the authority keeps only its hash. It never does more than its operator may at the time.
    #[command(after_help = "Examples:\n  doorward operator token registrar --days 365 > registrar.token\n  \
                      doorward operator token kim --role auditor --campus")]
    Token(Token),
    /// End an API token
    #[command(after_help = "Example:\n  doorward operator end-token t-5f0c2a9b1d3e")]
    EndToken(EndToken),
}

#[derive(Debug, Args)]
struct Add {
    /// A short name, such as the one of the person's mail address
    id: OperatorId,
    /// The name that people know
    #[arg(long, value_parser = reason)]
    name: String,
    /// What kind of work; see `doorward operator roles`
    #[arg(long, value_parser = role)]
    role: Role,
    #[command(flatten)]
    remit: Remit,
}

#[derive(Debug, Args)]
struct Remit {
    /// The whole campus
    #[arg(long, conflicts_with_all = ["unit", "building"])]
    campus: bool,
    /// People and doors of this unit and of those below it; may be given several times
    #[arg(long, value_name = "UNIT")]
    unit: Vec<UnitId>,
    /// Doors of this building; may be given several times
    #[arg(long, value_name = "BUILDING")]
    building: Vec<BuildingId>,
}

impl Remit {
    fn is_given(&self) -> bool {
        self.campus || !self.unit.is_empty() || !self.building.is_empty()
    }

    fn with(&self, role: Role) -> PowerView {
        PowerView {
            role: role.to_string(),
            campus: self.campus,
            units: self.unit.iter().map(ToString::to_string).collect(),
            buildings: self.building.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Debug, Args)]
struct Named {
    /// The operator
    id: OperatorId,
}

#[derive(Debug, Args)]
struct Token {
    /// For whom it acts
    id: OperatorId,
    /// Name of the token, by which it is ended; made up unless given
    #[arg(long)]
    name: Option<ApiTokenId>,
    /// How many days it is good for
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=731))]
    days: u32,
    /// What may be done with it; what the operator may do unless given
    #[arg(long, value_parser = role)]
    role: Option<Role>,
    #[command(flatten)]
    remit: Remit,
}

#[derive(Debug, Args)]
struct EndToken {
    /// The token's name
    name: ApiTokenId,
}

fn role(text: &str) -> Result<Role, String> {
    Role::of_name(text).ok_or_else(|| format!("expected one of {}", Role::ALL.map(Role::name).join(", ")))
}

impl Operator {
    /// Runs the command.
    ///
    /// # Errors
    /// When the authority refuses or does not answer.
    pub fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<Exit> {
        match self.action {
            Action::Roles => roles(out)?,
            Action::List => list(options, out)?,
            Action::Add(add) => {
                if !add.remit.is_given() {
                    return Err(Failure::usage("the operator's remit is not given")
                        .hint("name the whole campus with --campus, or parts of it with --unit and --building")
                        .into());
                }
                let order = OperatorOrder { name: add.name, power: add.remit.with(add.role) };
                let answer: Answer<Change> =
                    Client::of(options)?.replace(&format!("/v1/operators/{}", add.id), &order)?;
                stored(&answer, &format!("operator {} has the role {}", add.id, add.role), out)?;
            }
            Action::Remove(Named { id }) => {
                let answer = Client::of(options)?.remove(&format!("/v1/operators/{id}"))?;
                stored(&answer, &format!("operator {id} may do nothing any more"), out)?;
            }
            Action::Invite(Named { id }) => {
                let path = format!("/v1/operators/{id}/invite");
                let invited: Answer<SetUpGiven> = Client::of(options)?.change(&path, &json!({}))?;
                if out.is_json() {
                    out.json(&invited.raw)?;
                } else {
                    out.line(&invited.value.secret)?;
                    let until = &invited.value.expires_at.text;
                    note(&format!("{id} chooses a password with it by `doorward account set-up {id}`, until {until}"));
                }
            }
            Action::Token(token) => token.run(options, out)?,
            Action::EndToken(EndToken { name }) => {
                let answer = Client::of(options)?.remove(&format!("/v1/tokens/{name}"))?;
                stored(&answer, &format!("token {name} is worth nothing any more"), out)?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Token {
    fn run(self, options: &Options, out: &mut Output) -> anyhow::Result<()> {
        let power = match (self.role, self.remit.is_given()) {
            (Some(role), true) => Some(self.remit.with(role)),
            (None, false) => None,
            (Some(_), false) | (None, true) => {
                return Err(Failure::usage("a token has a role and a remit of its own, or those of its operator")
                    .hint("give --role with --campus, --unit or --building, or none of them")
                    .into());
            }
        };
        let id = self.name.as_ref().map(ToString::to_string);
        let order = ApiTokenOrder { operator: self.id.to_string(), id, power, days: Some(self.days) };
        let answer: Answer<ApiTokenGiven> = Client::of(options)?.change("/v1/tokens", &order)?;
        if out.is_json() {
            out.json(&answer.raw)?;
        } else {
            let ApiTokenGiven { id, token, expires_at, .. } = &answer.value;
            out.line(token)?;
            note(&format!("this is token {id} of {}, good until {}; it is not shown again", self.id, expires_at.text));
        }
        Ok(())
    }
}

fn roles(out: &mut Output) -> anyhow::Result<()> {
    if out.is_json() {
        for act in Act::ALL {
            let roles: Vec<_> = act.roles().iter().map(|role| role.name()).collect();
            out.json(&json!({ "act": act, "words": act.words(), "roles": roles }))?;
        }
        return Ok(());
    }
    let rows = Role::ALL.map(|role| {
        let acts = Act::ALL.into_iter().filter(|act| act.is_of(role)).map(Act::words).collect::<Vec<_>>();
        vec![role.to_string(), acts.join("; ")]
    });
    out.table(&["ROLE", "MAY, WITHIN ITS REMIT"], &rows)?;
    Ok(())
}

fn list(options: &Options, out: &mut Output) -> anyhow::Result<()> {
    let answer: Answer<Operators> = Client::of(options)?.ask("/v1/operators", &[])?;
    if out.is_json() {
        out.json(&answer.raw)?;
        return Ok(());
    }
    let mut rows = Vec::new();
    for operator in &answer.value.operators {
        let (role, remit) = (operator.power.role.clone(), remit_text(&operator.power));
        rows.push(vec![operator.id.clone(), role, remit, operator.name.clone()]);
        for token in &operator.tokens {
            let until = if token.expired { "expired" } else { "until" };
            let text = format!("{until} {}", token.expires_at.text);
            rows.push(vec![format!("  {}", token.id), token.power.role.clone(), remit_text(&token.power), text]);
        }
    }
    if rows.is_empty() {
        note("there is no operator yet; make one with `doorward operator add`");
        return Ok(());
    }
    out.table(&["OPERATOR OR TOKEN", "ROLE", "REMIT", "NAME"], &rows)?;
    Ok(())
}

/// A remit in a few words.
pub fn remit_text(power: &PowerView) -> String {
    if power.campus {
        return "the whole campus".to_owned();
    }
    let units = power.units.iter().map(|unit| format!("unit {unit}"));
    let buildings = power.buildings.iter().map(|building| format!("building {building}"));
    units.chain(buildings).collect::<Vec<_>>().join(", ")
}
