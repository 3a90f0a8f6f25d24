//! What the pages of a card holder's own pages say, in each language side by side.

catalogue! {
    /// What the pages of a card holder's own pages say, by what it is for.
    OwnWords;

    nav: "My card", "내 카드", "我的卡", "Moja kartica";
}
