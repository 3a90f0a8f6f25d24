//! Slips in what `campus.toml` says to the card office.

use super::Slip;

pub const SLIPS: &[Slip] = &[
    Slip {
        file: "campus.toml",
        right: "[[rule]]\nid = \"own\"",
        wrong: "[[entitlement]]\ncategory = \"studnt\"\napproved_by = \"auditor\"\ndocuments = [7]\n\n[[rule]]\nid = \"own\"",
        problems: &[
            "campus.toml:31:1: [[entitlement]] lacks `card_type`",
            "campus.toml:32:12: category `studnt` is not declared in campus.toml; did you mean `student`?",
            "campus.toml:33:15: approved_by `auditor` is no role that approves applications; expected administrator | card-office | department | security-office",
            "campus.toml:34:14: documents is an integer; expected a string",
        ],
    },
    Slip {
        file: "campus.toml",
        right: "[[rule]]\nid = \"own\"",
        wrong: "[campaign.spring]\ncard_type = \"cards\"\nroster = { from = 2027-02-02, until = 2027-02-01 }\nphotos = { from = \"soon\" }\n\n[[rule]]\nid = \"own\"",
        problems: &[
            "campus.toml:31:1: [campaign.spring] lacks `name`",
            "campus.toml:32:13: card_type `cards` is not declared in campus.toml",
            "campus.toml:33:10: roster begins on 2027-02-02 and ends on 2027-02-01; swap them",
            "campus.toml:34:10: photos lacks `until`",
            "campus.toml:34:19: from `soon` is not a date; a date is YYYY-MM-DD, such as 2026-03-02",
        ],
    },
];
