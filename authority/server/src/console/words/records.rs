//! What the pages of the auditor and the operator say, in each language side by side.

catalogue! {
    /// What the pages of the auditor and the operator say, by what it is for.
    RecordsWords;

    nav: "Records", "감사 기록", "审计记录", "Evidencija";
}
