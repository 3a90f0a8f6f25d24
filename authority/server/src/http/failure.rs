//! Errors as the API answers them: a status, a sentence, and what to do about it.

use super::shapes::{Fault, FileProblem};
use crate::access::StoreError;
use crate::authority::OrderError;
use crate::enrolment::InviteError;
use crate::evidence::EvidenceError;
use crate::journal::JournalError;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use doorward_policy::directory::Refusal;
use doorward_policy::explain::ExplainError;
use doorward_policy::office::authorize::Denial;
use doorward_protocol::id::IdError;
use doorward_protocol::problem::Problem;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(crate) status: StatusCode,
    /// What is answered.
    pub fault: Fault,
    /// What is behind it, for whoever tells it in other words.
    pub(crate) cause: Option<Box<Cause>>,
}

/// What is behind a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The caller may not.
    Denied(Denial),
    /// The directory does not take it.
    Refused(Refusal),
    /// The name or the password is wrong.
    WrongPassword,
    /// There were too many wrong passwords; for how long, in milliseconds, none is tried.
    LockedOut(i64),
    /// The secret of an invitation is wrong, was used, or has expired.
    WrongSecret,
    /// The password may not be chosen.
    WeakPassword,
    /// A form of the console is not of a page of its visitor.
    ForeignForm,
    /// The session asks the console faster than people do.
    TooFast,
    /// The session of the console has ended.
    SessionEnded,
    /// The console has no such page.
    NoPage,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, fault: Fault { error: error.into(), ..Fault::default() }, cause: None }
    }

    /// What was sent is wrong.
    pub fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Its status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.fault.hint = Some(hint.into());
        self
    }

    /// The same, with what is behind it.
    pub(crate) fn because(self, cause: Cause) -> Self {
        Self { cause: Some(Box::new(cause)), ..self }
    }

    /// The files that were sent are wrong.
    #[must_use]
    pub fn of_problems(problems: Vec<Problem>) -> Self {
        let count = problems.len();
        let mut failure = Self::bad(format!("the campus folder has {count} problem(s); nothing was changed"));
        failure.fault.problems = problems
            .into_iter()
            .map(|Problem { file, line, column, message }| FileProblem { file, line, column, message })
            .collect();
        failure
    }

    /// An id in a path or query is wrong.
    pub fn of_id(what: &str, text: &str) -> impl FnOnce(IdError) -> Self {
        let shown = doorward_protocol::problem::shown(text);
        let what = what.to_owned();
        move |error| Self::bad(format!("{what} {shown} {error}"))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.fault.clone())).into_response();
        // The console makes a page of it.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let is_unknown = matches!(refusal, Refusal::Unknown { .. });
        let status = if is_unknown { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT };
        Self::new(status, refusal.to_string()).because(Cause::Refused(refusal))
    }
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        Self::new(StatusCode::FORBIDDEN, denial.to_string()).because(Cause::Denied(denial))
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let status = match error {
            JournalError::Full => StatusCode::INSUFFICIENT_STORAGE,
            JournalError::Conflict { .. }
            | JournalError::Missing(_)
            | JournalError::Exists(_)
            | JournalError::NotAJournal(_)
            | JournalError::Newer { .. }
            | JournalError::ReadOnly
            | JournalError::Damaged { .. }
            | JournalError::Storage(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
            .with_hint("nothing was changed; doors go on deciding, and removals wait until this is repaired")
    }
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Denied(denial) => denial.into(),
            OrderError::Refused(refusal) => refusal.into(),
            OrderError::Journal(error) => error.into(),
            OrderError::Spelling(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            OrderError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
    }
}

impl From<InviteError> for Failure {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Order(error) => error.into(),
            InviteError::Key(_) | InviteError::Token => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Refused(refusal) => refusal.into(),
            ExplainError::NoLocalTime(_) => Self::bad(error.to_string()),
        }
    }
}

impl From<EvidenceError> for Failure {
    fn from(error: EvidenceError) -> Self {
        let status = match error {
            EvidenceError::Unknown(_) => StatusCode::NOT_FOUND,
            EvidenceError::NotARevocation(_) | EvidenceError::TooLarge(_) => StatusCode::CONFLICT,
            EvidenceError::NoCommit(_) | EvidenceError::Journal(_) | EvidenceError::Store(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, error.to_string())
    }
}
