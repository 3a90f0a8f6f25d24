//! What the pages of facilities and departments say, in each language side by side.

catalogue! {
    /// What the pages of facilities and departments say, by what it is for.
    AccessWords;

    nav: "Requests", "출입 신청", "门禁申请", "Zahtjevi";
}
