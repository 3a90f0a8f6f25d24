//! What the pages of the card office say, in each language side by side.

catalogue! {
    /// What the pages of the card office say, by what it is for.
    CardOfficeWords;

    nav: "Card office", "카드 업무", "办卡", "Ured za kartice";
}
