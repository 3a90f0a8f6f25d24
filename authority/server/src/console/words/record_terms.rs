//! Words for what the authority names in its records: kinds of change, roles, tables of the directory.
//!
//! A name without a word here is shown as the authority says it.

use super::{Language, RecordsWords};
use doorward_policy::office::acts::Act;

/// What a name is called.
type Named = (&'static str, fn(&RecordsWords) -> &'static str);

/// Every kind of change that the journal knows, by the name of its command.
pub const KINDS: [Named; 45] = [
    ("found", |words| words.did_found),
    ("import", |words| words.did_import),
    ("tick", |words| words.did_tick),
    ("agent-add", |words| words.did_agent_add),
    ("agent-enrol", |words| words.did_agent_enrol),
    ("agent-remove", |words| words.did_agent_remove),
    ("card-suspend", |words| words.did_card_suspend),
    ("card-resume", |words| words.did_card_resume),
    ("card-activate", |words| words.did_card_activate),
    ("card-close", |words| words.did_card_close),
    ("card-found", |words| words.did_card_found),
    ("card-issue", |words| words.did_card_issue),
    ("card-extend", |words| words.did_card_extend),
    ("application-apply", |words| words.did_application_apply),
    ("application-approve", |words| words.did_application_approve),
    ("application-reject", |words| words.did_application_reject),
    ("photo-submit", |words| words.did_photo_submit),
    ("photo-approve", |words| words.did_photo_approve),
    ("photo-reject", |words| words.did_photo_reject),
    ("photo-reopen", |words| words.did_photo_reopen),
    ("photo-remove", |words| words.did_photo_remove),
    ("roster-enter", |words| words.did_roster_enter),
    ("roster-strike", |words| words.did_roster_strike),
    ("roster-confirm", |words| words.did_roster_confirm),
    ("roster-accept", |words| words.did_roster_accept),
    ("roster-return", |words| words.did_roster_return),
    ("batch-order", |words| words.did_batch_order),
    ("batch-deliver", |words| words.did_batch_deliver),
    ("lock-down", |words| words.did_lock_down),
    ("release", |words| words.did_release),
    ("grant-add", |words| words.did_grant_add),
    ("grant-end", |words| words.did_grant_end),
    ("grant-confirm", |words| words.did_grant_confirm),
    ("request-ask", |words| words.did_request_ask),
    ("request-approve", |words| words.did_request_approve),
    ("request-reject", |words| words.did_request_reject),
    ("request-withdraw", |words| words.did_request_withdraw),
    ("operator-put", |words| words.did_operator_put),
    ("operator-remove", |words| words.did_operator_remove),
    ("operator-invite", |words| words.did_operator_invite),
    ("token-add", |words| words.did_token_add),
    ("token-remove", |words| words.did_token_remove),
    ("holder-invite", |words| words.did_holder_invite),
    ("person-erase", |words| words.did_person_erase),
    ("people-push", |words| words.did_people_push),
];

/// The roles.
const ROLES: [Named; 8] = [
    ("administrator", |words| words.role_administrator),
    ("security-office", |words| words.role_security_office),
    ("control-room", |words| words.role_control_room),
    ("facilities", |words| words.role_facilities),
    ("department", |words| words.role_department),
    ("card-office", |words| words.role_card_office),
    ("registrar-feed", |words| words.role_registrar_feed),
    ("auditor", |words| words.role_auditor),
];

impl RecordsWords {
    /// A kind of change.
    #[must_use]
    pub fn kind_of<'a>(&self, command: &'a str) -> &'a str {
        self.named(&KINDS, command)
    }

    /// A role.
    #[must_use]
    pub fn role_of<'a>(&self, role: &'a str) -> &'a str {
        self.named(&ROLES, role)
    }

    fn named<'a>(&self, names: &[Named], name: &'a str) -> &'a str {
        names.iter().find(|(known, _)| *known == name).map_or(name, |(_, word)| word(self))
    }

    /// Something that a role may do.
    #[must_use]
    pub const fn of_act(&self, act: Act) -> &'static str {
        match act {
            Act::Import => self.act_import,
            Act::PushPeople => self.act_push_people,
            Act::ManageAgents => self.act_manage_agents,
            Act::ManageOperators => self.act_manage_operators,
            Act::SuspendCard => self.act_suspend_card,
            Act::ResumeCard => self.act_resume_card,
            Act::ActivateCard => self.act_activate_card,
            Act::CloseCard => self.act_close_card,
            Act::IssueCards => self.act_issue_cards,
            Act::SubmitPhotos => self.act_submit_photos,
            Act::DecidePhotos => self.act_decide_photos,
            Act::ApplyForCards => self.act_apply_for_cards,
            Act::DecideApplications => self.act_decide_applications,
            Act::PrepareRosters => self.act_prepare_rosters,
            Act::ProduceCards => self.act_produce_cards,
            Act::LockDown => self.act_lock_down,
            Act::Grant => self.act_grant,
            Act::Ask => self.act_ask,
            Act::Decide => self.act_decide,
            Act::SeeGrants => self.act_see_grants,
            Act::SeeCards => self.act_see_cards,
            Act::SeeDoors => self.act_see_doors,
            Act::ReadLog => self.act_read_log,
            Act::ReadJournal => self.act_read_journal,
            Act::SeeAgents => self.act_see_agents,
            Act::AcknowledgeAlarms => self.act_acknowledge_alarms,
            Act::FollowChanges => self.act_follow_changes,
            Act::PersonalData => self.act_personal_data,
            Act::InviteHolders => self.act_invite_holders,
        }
    }

    /// A table of the directory.
    #[must_use]
    pub fn table<'a>(&self, table: &'a str, language: Language) -> &'a str {
        match table {
            "cards" => language.words().cards,
            "units" => language.words().units,
            "buildings" => language.words().buildings,
            "people" => self.people,
            "grants" => self.grants,
            "lockdowns" => self.lockdowns,
            "operators" => self.operators,
            "agents" => self.agents,
            "doors" => self.doors,
            other => other,
        }
    }

    /// Something that is kept for some time, by its name in `campus.toml`.
    #[must_use]
    pub fn kept(&self, kind: &str) -> Option<&'static str> {
        Some(match kind {
            "access_records" => self.kept_access_records,
            "alarms" => self.kept_alarms,
            "looks" => self.kept_looks,
            "photos" => self.kept_photos,
            "closed_accounts" => self.kept_closed_accounts,
            "unnamed_photos" => self.kept_unnamed_photos,
            _ => return None,
        })
    }

    /// What became of a row.
    #[must_use]
    pub fn difference<'a>(&self, kind: &'a str) -> &'a str {
        match kind {
            "added" => self.added,
            "removed" => self.removed,
            "changed" => self.changed,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_policy::office::Role;
    use doorward_policy::retention::Kind;

    #[test]
    fn every_role_has_a_word_and_a_name_without_one_is_said_as_it_is() {
        let words = RecordsWords::of(Language::English);
        for role in Role::ALL {
            assert_ne!(words.role_of(role.name()), role.name());
        }
        for kind in Kind::ALL {
            assert!(words.kept(kind.name()).is_some(), "{}", kind.name());
        }
        assert_eq!(words.kind_of("card-suspend"), "Card suspended");
        assert_eq!(words.kind_of("something-new"), "something-new");
    }
}
