//! The taps that are shown: who comes to which door with what, and what an answer means in plain words.

/// A tap of the morning.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Who, in a few words.
    pub who: &'static str,
    /// What the reader reads.
    pub card: &'static str,
    /// Which door.
    pub door: &'static str,
    /// Which building's agent answers.
    pub building: &'static str,
}

const fn scene(who: &'static str, card: &'static str, door: &'static str, building: &'static str) -> Scene {
    Scene { who, card, door, building }
}

/// The taps, in the order in which they are shown.
pub const SCENES: [Scene; 13] = [
    scene("the night porter", "CARD1", "eng-1-main", "eng-1"),
    scene("the night porter", "CARD1", "sci-main", "sci"),
    scene("the night porter, by phone", "QR230001", "eng-1-main", "eng-1"),
    scene("a chemistry student", "CARD4", "sci-main", "sci"),
    scene("a chemistry student", "CARD4", "eng-cs-main", "eng-cs"),
    scene("a student of mechanics", "CARD2", "eng-1-rear", "eng-1"),
    scene("a student of mechanics", "CARD2", "library-gate-1", "library"),
    scene("a management student", "CARD7", "hall-shop", "student-hall"),
    scene("a card that was suspended", "CARD3", "library-gate-2", "library"),
    scene("a card not handed out yet", "CARD5", "library-gate-1", "library"),
    scene("a student who quits in May", "CARDL1", "library-gate-1", "library"),
    scene("a card of another campus", "04A1B2C3D4E5F6", "dorm-gate", "dorm-9"),
    scene("a visitor at the main gate", "VISITOR", "hum-main", "hum"),
];

/// What an answer means, in plain words.
#[must_use]
pub fn in_words(reason: &str) -> &'static str {
    match reason {
        "granted" => "opens",
        "unlocked" => "opens: the door stands open for everyone at this hour",
        "unknown_credential" => "stays shut: no door of this building opens for that card",
        "closed" => "stays shut: the card is closed for good",
        "suspended" => "stays shut: the card is suspended",
        "not_activated" => "stays shut: the card was never handed out",
        "not_yet_valid" => "stays shut: the card is not valid yet",
        "expired" => "stays shut: the card has expired",
        "function_not_on_card" => "stays shut: that kind of card is not for such doors",
        "ended" => "stays shut: the holder has left",
        "excluded" => "stays shut: a rule excludes the holder",
        "no_permission" => "stays shut: no rule lets the holder in",
        "outside_schedule" => "stays shut: not at this hour",
        "factor_required" => "stays shut: a fingerprint is wanted as well",
        "lockdown" => "stays shut: the door is locked down",
        "lease_ended" => "stays shut: too long without a word from the authority",
        _ => "stays shut",
    }
}
