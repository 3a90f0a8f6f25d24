//! The pages of the card office as a browser without scripts sees them: photos, the desk, rosters and batches, applications.
//!
//! What keys do, and what doors do with a card from these pages, is tested from the outside, in the `tests/` room.

use crate::browser::{Browser, Page};
use crate::running::{Running, running};
use crate::support::campus_files;
use doorward_server::http::shapes::ImportLine;
use doorward_server::http::shapes::desk::PhotoList;
use doorward_server::http::shapes::production::Campaigns;
use serde_json::json;

const PHOTO: &[u8] = include_bytes!("../photo-24x30.jpg");

/// Every page of the office, with the campus's names in it.
const PAGES: [&str; 20] = [
    "/desk",
    "/desk?card=student",
    "/photos",
    "/photos/list",
    "/photos/list?state=waiting&find=23",
    "/photos/of/230003",
    "/cards/CARD1/extend",
    "/cards/CARD1/close",
    "/cards/CARD1/found",
    "/cards/CARD1/issued",
    "/people/230001/issue",
    "/people/230001/issue?weigh=true&cause=lost&card_type=id-card&replaces=CARD1",
    "/campaigns",
    "/campaigns/spring-2027/roster?unit=physics",
    "/campaigns/spring-2027/return?unit=physics",
    "/batches",
    "/applications",
    "/applications/new",
    "/applications/new?person=230003",
    "/reissues",
];

/// Every form of the office.
const FORMS: [&str; 18] = [
    "/cards/CARD5/activate",
    "/cards/CARD1/extend",
    "/cards/CARD1/close",
    "/cards/CARD1/found",
    "/people/230001/issue",
    "/photos/of/230003",
    "/photos/of/230003/approve",
    "/photos/of/230003/reject",
    "/photos/of/230003/reopen",
    "/campaigns/spring-2027/enter",
    "/campaigns/spring-2027/strike",
    "/campaigns/spring-2027/confirm",
    "/campaigns/spring-2027/accept",
    "/campaigns/spring-2027/return",
    "/batches",
    "/batches/b/deliver",
    "/applications/new",
    "/applications/a/decide",
];

/// The sample campus with small photos and a campaign of which only the hand-over is over; 230003 and 230013 have no card yet, and
/// undergraduates get one from their department, who show a paper for it where it is a bank's.
async fn office() -> Running {
    let running = running().await;
    let mut files = campus_files();
    let mut edit = |name: &str, change: &dyn Fn(&str) -> String| {
        let bytes = files.0.get_mut(name).unwrap();
        let before = String::from_utf8(bytes.clone()).unwrap();
        let after = change(&before);
        assert_ne!(before, after, "{name}");
        *bytes = after.into_bytes();
    };
    edit("campus.toml", &|text| {
        let (before, rest) = text.split_once("photos = {").unwrap();
        let (_, after) = rest.split_once("[retention]").unwrap();
        let small = before.replace("width = 295\nheight = 367", "width = 24\nheight = 30");
        let entitled = |card_type: &str, by: &str, papers: &str| {
            format!(
                "[[entitlement]]\ncategory = \"undergraduate\"\ncard_type = \"{card_type}\"\napproved_by = \"{by}\"\n\
                 documents = [{papers}]\n"
            )
        };
        let rows = [
            entitled("id-card", "card-office", ""),
            entitled("mobile", "card-office", ""),
            entitled("check-card", "department", "\"신분증\""),
        ];
        format!("{small}hand_over = {{ from = 2020-03-02, until = 2020-03-31 }}\n{}[retention]{after}", rows.concat())
    });
    edit("cards.csv", &|text| {
        let has_none = |line: &&str| {
            let mut cells = line.split(',').skip(1);
            let (person, card_type) = (cells.next().unwrap(), cells.next().unwrap());
            ["230003", "230013"].contains(&person) && ["check-card", "id-card"].contains(&card_type)
        };
        text.lines().filter(|line| !has_none(line)).map(|line| format!("{line}\n")).collect()
    });
    edit("affiliations.csv", &|text| {
        text.lines().filter(|line| !line.starts_with("230013,")).map(|line| format!("{line}\n")).collect::<String>()
            + "230013,physics,2023-03-02,\n"
    });
    let _done: Vec<ImportLine> = running.lines("POST", "/v1/import", &Running::import_body(&files).to_string()).await;
    running
}

impl Running {
    async fn clerk(&self) -> Browser<'_> {
        self.operator("clerk", json!({ "role": "card-office", "campus": true })).await
    }

    async fn assistant(&self, unit: &str) -> Browser<'_> {
        self.operator(&format!("{unit}-office"), json!({ "role": "department", "units": [unit] })).await
    }

    async fn photo_of(&self, person: &str) -> (String, String) {
        let list: PhotoList = self.get(&format!("/v1/photos?find={person}")).await;
        list.photos.first().map(|photo| (photo.state.clone(), photo.image.clone())).unwrap()
    }

    async fn bring_photos(&self, browser: &mut Browser<'_>, people: &[&str]) {
        for person in people {
            let page = format!("/photos/of/{person}");
            let sent = browser.upload(&page, &page, "file", PHOTO).await;
            assert_eq!((sent.status, sent.header("location")), (303, Some(page.as_str())), "{}", sent.body);
        }
    }
}

/// Where a page leads, once what was sent is done.
#[track_caller]
fn led(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.body);
    page.header("location").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_page_of_the_card_office_is_small_in_each_language_and_needs_the_key_for_its_forms() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    running.bring_photos(&mut clerk, &["230003", "230013"]).await;
    let entered = clerk.send("/desk", "/campaigns/spring-2027/enter", "unit=physics&people=230003").await;
    assert_eq!(led(&entered), "/campaigns/spring-2027/roster?unit=physics");
    for (code, says) in [("en", "Card desk"), ("ko", "카드 창구"), ("zh", "办卡窗口"), ("hr", "Šalter")] {
        clerk.send("/desk", "/language", &format!("to={code}&then=%2Fdesk")).await;
        for path in PAGES {
            let page = clerk.get(path).await;
            assert_eq!(page.status, 200, "{code} {path}: {}", page.body);
            assert!(page.body.contains(&format!("<html lang=\"{code}\">")), "{code} {path}");
            assert!(page.body.contains(says), "{code} {path}");
            assert!(page.body.len() < 100_000, "{code} {path}: {} bytes", page.body.len());
        }
    }
    let head = running.head().await;
    for path in FORMS {
        for (more, key) in [("", ""), ("Sec-Fetch-Site: cross-site\r\n", clerk.get("/desk").await.key().as_str())] {
            let page = clerk.ask("POST", path, more, &format!("key={key}&unit=physics&reason=r")).await;
            assert_eq!(page.status, 403, "{path} {more}");
        }
    }
    assert_eq!(running.head().await, head, "nothing was changed");
    let mut stranger = Browser::new(&running);
    for path in PAGES {
        assert_eq!(stranger.get(path).await.status, 303, "{path} before signing in");
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_nothing_there_gets_no_page_of_the_card_office_and_no_form_works() {
    let running = office().await;
    let mut auditor = running.operator("auditor", json!({ "role": "auditor", "campus": true })).await;
    let mut guard = running.operator("guard", json!({ "role": "security-office", "campus": true })).await;
    let mut feed = running.operator("feed", json!({ "role": "registrar-feed", "campus": true })).await;
    assert!(!auditor.get("/").await.body.contains("href=\"/desk\""), "what is refused is not offered");
    assert!(guard.get("/").await.body.contains("href=\"/desk\""), "whoever decides about applications");
    let head = running.head().await;
    for path in PAGES {
        assert_eq!(feed.get(path).await.status, 403, "{path}");
        let is_seen = path.starts_with("/desk") || path.ends_with("/issued") || path == "/photos/of/230003";
        assert_eq!(auditor.get(path).await.status, if is_seen { 200 } else { 403 }, "{path}");
    }
    let key = auditor.get("/").await.key();
    for path in FORMS {
        let fields = "unit=physics&people=230003&reason=r&place=p&document=d&until=2090-01-01&decision=approve&card=N\
                      &cause=first&card_type=id-card&person=230003&channel=desk&batch=b&campaign=spring-2027\
                      &image=0000000000000000000000000000000000000000000000000000000000000000";
        let page = auditor.ask("POST", path, "", &format!("key={key}&{fields}")).await;
        let is_file = path.ends_with("/230003") || path.ends_with("/deliver");
        assert!(page.status == 403 || is_file && page.status == 400, "{path}: {} {}", page.status, page.body);
    }
    for path in ["/photos/of/230003", "/batches/b/deliver"] {
        let page = auditor.upload("/", path, "file", PHOTO).await;
        assert_eq!(page.status, 403, "{path}: {}", page.body);
    }
    assert_eq!(running.head().await, head, "nothing was changed");
    let page = guard.get("/cards/CARD1").await;
    assert!(page.body.contains("/cards/CARD1/close") && !page.body.contains("/issue?replaces"), "{}", page.body);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_decided_one_after_the_other_and_each_approver_sees_the_own_department() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    running.bring_photos(&mut clerk, &["230001", "230003", "230013"]).await;
    let mut physics = running.assistant("physics").await;
    let page = physics.get("/photos").await;
    assert!(page.body.contains("Waiting: 2") && page.body.contains("24 × 30 pixels"), "{}", page.body);
    assert!(page.body.contains("230003") && !page.body.contains("230001"), "{}", page.body);
    assert!(page.body.contains("accesskey=\"a\"") && page.body.contains("Not upright"), "{}", page.body);
    let next = page.body.split("data-next=\"/photos?from=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let later = physics.get(&format!("/photos?from={next}")).await;
    assert!(later.body.contains("230013") && !later.body.contains("id=\"whose\">학생 3<"), "{}", later.body);

    let (_, image) = running.photo_of("230003").await;
    let none = format!("image={image}&from={next}&reason=+");
    let page = physics.send("/photos", "/photos/of/230003/reject", &none).await;
    assert_eq!(page.status, 400, "without a reason");
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("Waiting: 2"), "it waits on: {}", page.body);
    let page = physics
        .send("/photos", "/photos/of/230003/reject", &format!("image={image}&from={next}&reason=Blank+margin"))
        .await;
    let to = led(&page);
    assert_eq!(to, format!("/photos?from={next}&done=rejected&of=230003"));
    let page = physics.get(&to).await;
    assert!(page.body.contains("Rejected: 학생 3.") && page.body.contains("Waiting: 1"), "{}", page.body);
    assert!(page.body.contains("230013") && !page.body.contains("data-next"), "the last one");
    let page = physics.send("/photos", "/photos/of/230013/approve", &format!("image={image}&from=")).await;
    assert!(physics.get(&led(&page)).await.body.contains("No photo waits."), "the same image, of another");

    // Another assistant had the same photo on the screen.
    let page = physics.send("/photos", "/photos/of/230013/approve", &format!("image={image}&from=")).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("role=\"alert\"") && page.body.contains("No photo waits."), "{}", page.body);
    for path in ["/photos/of/230001", "/people/230001/photo"] {
        assert_eq!(physics.get(path).await.status, 403, "{path} is another department's");
    }
    let page = physics.send("/photos", "/photos/of/230001/approve", &format!("image={image}&from=")).await;
    assert_eq!(page.status, 403);
    assert_eq!(running.photo_of("230001").await.0, "waiting");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_photo_is_brought_anew_and_an_approved_one_is_locked_until_it_is_reopened() {
    let running = office().await;
    let mut physics = running.assistant("physics").await;
    let page = "/photos/of/230003";
    let sent = physics.upload(page, page, "file", b"no photo").await;
    assert_eq!(sent.status, 400);
    assert!(sent.body.contains("the photo is no JPEG") && sent.body.contains("type=\"file\""), "{}", sent.body);
    running.bring_photos(&mut physics, &["230003"]).await;
    let (_, image) = running.photo_of("230003").await;
    let fields = format!("image={image}&from=&reason=Too+old");
    led(&physics.send(page, "/photos/of/230003/reject", &fields).await);
    let list = physics.get("/photos/list?state=rejected&find=0003").await;
    assert!(list.body.contains("Too old") && list.body.contains("학생 3"), "{}", list.body);
    running.bring_photos(&mut physics, &["230003"]).await;
    assert_eq!(running.photo_of("230003").await.0, "waiting", "it waits again");
    led(&physics.send(page, "/photos/of/230003/approve", &fields).await);
    assert!(!physics.get(page).await.body.contains("type=\"file\""), "locked");
    let sent = physics.upload(page, page, "file", PHOTO).await;
    assert_eq!(sent.status, 409, "{}", sent.body);
    assert_eq!(physics.send(page, "/photos/of/230003/reopen", "reason=").await.status, 409, "without a reason");
    led(&physics.send(page, "/photos/of/230003/reopen", "reason=ten+years+old").await);
    assert!(physics.get(page).await.body.contains("ten years old"));
    running.bring_photos(&mut physics, &["230003"]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_says_the_fee_before_a_card_is_replaced_and_activates_what_a_reader_reads() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    assert_eq!(led(&clerk.get("/desk?card=CARD1").await), "/cards/CARD1");
    assert_eq!(led(&clerk.get("/desk?card=card1").await), "/cards/CARD1", "as it is typed");
    assert_eq!(led(&clerk.get("/desk?card=230003").await), "/people/230003");
    assert!(clerk.get("/desk?card=NONE").await.body.contains("Nothing contains “NONE”"));
    let page = clerk.get("/cards/CARD1").await;
    assert!(page.body.contains("/people/230001/issue?replaces=CARD1"), "{}", page.body);

    let asked = "cause=lost&card_type=id-card&replaces=CARD1&returned=false&document=&valid_until=&number=";
    let page = clerk.get(&format!("/people/230001/issue?weigh=true&{asked}")).await;
    assert!(page.body.contains("2000 KRW"), "before anything is ordered: {}", page.body);
    assert!(page.body.contains("Card CARD1 ends as soon as the new one is issued"), "{}", page.body);
    assert_eq!(running.state_of("CARD1").await, "active");
    let wrong = clerk.get("/people/230001/issue?weigh=true&cause=first&card_type=id-card").await;
    assert_eq!(wrong.status, 409);
    assert!(wrong.body.contains("has card CARD1") && wrong.body.contains("id=\"cause\""), "{}", wrong.body);
    let issue = "/people/230001/issue";
    let page = clerk.send(issue, issue, &format!("{asked}&card=CARD2")).await;
    assert_eq!(page.status, 409, "somebody's card");
    assert!(
        page.body.contains("value=\"CARD2\"") && page.body.contains("2000 KRW"),
        "nothing typed is lost: {}",
        page.body
    );
    let to = led(&clerk.send(issue, issue, &format!("{asked}&card=NEW1")).await);
    assert!(to.starts_with("/cards/NEW1/issued?change="), "{to}");
    let page = clerk.get(&to).await;
    assert!(page.body.contains("2000 KRW") && page.body.contains("action=\"/cards/NEW1/activate\""), "{}", page.body);
    assert_eq!((running.state_of("CARD1").await, running.state_of("NEW1").await), ("closed".into(), "produced".into()));
    let to = led(&clerk.send("/cards/NEW1", "/cards/NEW1/activate", "").await);
    assert!(to.starts_with("/changes/"), "{to}");
    assert_eq!(running.state_of("NEW1").await, "active");
    let page = clerk.send("/desk", "/cards/NEW1/activate", "").await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("role=\"alert\""), "{}", page.body);
    assert!(clerk.get("/cards/NEW1").await.body.contains("in place of CARD1"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_extends_closes_and_gives_found_cards_back_with_what_was_shown() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    let extend = "/cards/CARD2/extend";
    for (fields, status) in [("until=2090-02-28&document=", 409), ("until=&document=letter", 400)] {
        let page = clerk.send(extend, extend, fields).await;
        assert_eq!(page.status, status, "{fields}");
        assert!(page.body.contains("role=\"alert\""), "{}", page.body);
    }
    let page = clerk.send(extend, extend, "until=2000-01-01&document=letter").await;
    assert!(page.status == 409 && page.body.contains("value=\"letter\""), "nothing typed is lost: {}", page.body);
    led(&clerk.send(extend, extend, "until=2090-02-28&document=letter").await);
    assert!(clerk.get("/cards/CARD2").await.body.contains("2090-02-28"));

    let found = "/cards/CARD2/found";
    assert_eq!(clerk.send(found, found, "place=+").await.status, 409);
    led(&clerk.send(found, found, "place=library%3B+at+the+gate").await);
    assert_eq!(running.state_of("CARD2").await, "suspended");
    let page = clerk.get("/desk").await;
    assert!(page.body.contains("library; at the gate") && page.body.contains("/cards/CARD2/resume"), "{}", page.body);
    assert!(clerk.get("/cards/CARD2").await.body.contains("waits for its holder: library; at the gate"));
    led(&clerk.send("/cards/CARD2/resume", "/cards/CARD2/resume", "reason=identity+card+seen").await);
    assert!(clerk.get("/desk").await.body.contains("No found card waits"));

    let close = "/cards/CARD2/close";
    assert_eq!(clerk.send(close, close, "reason=&document=passport").await.status, 409);
    led(&clerk.send(close, close, "reason=wish&document=passport").await);
    assert_eq!(running.state_of("CARD2").await, "closed");
    let page = clerk.get("/cards/CARD2").await;
    assert!(!page.body.contains("/cards/CARD2/extend"), "nothing is offered any more");
    let mut physics = running.assistant("physics").await;
    assert_eq!(physics.get("/cards/CARD1").await.status, 403);
    assert_eq!(physics.send("/desk", "/cards/CARD1/close", "reason=x").await.status, 403);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roster_is_confirmed_by_its_department_accepted_by_the_office_and_becomes_cards() {
    let running = office().await;
    let mut physics = running.assistant("physics").await;
    let roster = "/campaigns/spring-2027/roster?unit=physics";
    let page = physics.get("/campaigns").await;
    assert!(page.body.contains("any day") && page.body.contains("2020-03-02 – 2020-03-31"), "{}", page.body);
    assert!(page.body.contains("value=\"physics\"") && !page.body.contains("value=\"korean\""), "{}", page.body);
    let page = physics.get(roster).await;
    assert!(page.body.contains("value=\"230003\"") && page.body.contains("value=\"230013\""), "those who have no card");
    let enter = "/campaigns/spring-2027/enter";
    let page = physics.send(roster, enter, "unit=physics&people=230003&more=230001").await;
    assert_eq!(page.status, 409, "of another department");
    assert!(page.body.contains("has card CARD1"), "{}", page.body);
    assert!(
        page.body.contains(">230001</textarea>") && page.body.contains("value=\"230003\" checked"),
        "{}",
        page.body
    );
    led(&physics.send(roster, enter, "unit=physics&people=230003&more=%0A230013%0D%0A").await);
    led(&physics.send(roster, "/campaigns/spring-2027/strike", "unit=physics&people=230013").await);
    let page = physics.get(roster).await;
    assert!(page.body.contains("Without an approved photo: 1") && !page.body.contains("/confirm\""), "{}", page.body);
    let page = physics.send(roster, "/campaigns/spring-2027/confirm", "unit=physics").await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("Without an approved photo: `230003`"), "{}", page.body);
    running.bring_photos(&mut physics, &["230003"]).await;
    let (_, image) = running.photo_of("230003").await;
    led(&physics.send("/photos", "/photos/of/230003/approve", &format!("image={image}&from=")).await);
    led(&physics.send(roster, "/campaigns/spring-2027/confirm", "unit=physics").await);
    assert_eq!(physics.send(roster, "/campaigns/spring-2027/accept", "unit=physics").await.status, 403);
    assert_eq!(physics.get("/batches").await.status, 403);

    let mut clerk = running.clerk().await;
    let back = "/campaigns/spring-2027/return?unit=physics";
    assert_eq!(clerk.send(back, "/campaigns/spring-2027/return", "unit=physics&reason=").await.status, 409);
    led(&clerk.send(back, "/campaigns/spring-2027/return", "unit=physics&reason=one+is+missing").await);
    assert!(physics.get(roster).await.body.contains("Given back: one is missing"));
    led(&physics.send(roster, "/campaigns/spring-2027/confirm", "unit=physics").await);
    assert!(clerk.get("/batches").await.body.contains("No roster is accepted"));
    led(&clerk.send(roster, "/campaigns/spring-2027/accept", "unit=physics").await);
    assert!(clerk.get("/batches").await.body.contains("value=\"spring-2027-1\""));
    let to = led(&clerk.send("/batches", "/batches", "campaign=spring-2027&unit=&batch=spring-1").await);
    assert_eq!(to, "/batches/spring-1");
    let page = clerk.send("/batches", "/batches", "campaign=spring-2027&unit=&batch=spring-2").await;
    assert!(page.status == 409 && page.body.contains("value=\"spring-2\""), "{}", page.body);

    let archive = clerk.get("/batches/spring-1/archive").await;
    assert_eq!(archive.header("content-type"), Some("application/zip"));
    assert!(archive.body.contains("batch.csv") && archive.body.contains("photos/230003.jpg"));
    for (table, says) in [
        ("person_id,card\n230003,N\n", "file:1: the table has no column card_id"),
        ("person_id,card_id\n230013,N\n", "Not in this batch: `230013`"),
    ] {
        let page = clerk.upload(&to, "/batches/spring-1/deliver", "file", table.as_bytes()).await;
        assert!((400..=409).contains(&page.status) && page.body.contains(says), "{table}: {}", page.body);
    }
    let table = b"person_id,card_id\n230003,NEW3\n";
    led(&clerk.upload(&to, "/batches/spring-1/deliver", "file", table).await);
    assert_eq!(running.state_of("NEW3").await, "produced");
    assert!(clerk.get(&to).await.body.contains("1 of 1 came"));

    let page = physics.send("/cards/NEW3", "/cards/NEW3/activate", "").await;
    assert_eq!(page.status, 403, "the stage is over");
    assert!(
        page.body.contains("2020-03-31") && page.body.contains("card office"),
        "who is late goes there: {}",
        page.body
    );
    led(&clerk.send("/cards/NEW3", "/cards/NEW3/activate", "").await);
    let campaigns: Campaigns = running.get("/v1/campaigns").await;
    assert_eq!(campaigns.campaigns[0].rosters[0].people[0].card.as_deref(), Some("NEW3"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_lacks_no_paper_and_the_office_that_the_campus_names_decides() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    assert!(clerk.get("/applications/new").await.body.contains("name=\"person\""));
    let new = "/applications/new?person=230003";
    let page = clerk.get(new).await;
    assert!(page.body.contains("신분증") && page.body.contains("value=\"check-card\""), "{}", page.body);
    let paper = "%EC%8B%A0%EB%B6%84%EC%A6%9D";
    let fields = "person=230003&card_type=check-card&channel=paper&reason=from+abroad";
    let page = clerk.send(new, "/applications/new", &format!("{fields}&documents=letter")).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("The application lacks: 신분증"), "{}", page.body);
    assert!(page.body.contains("value=\"letter\"") && page.body.contains("value=\"from abroad\""), "{}", page.body);
    let to = led(&clerk.send(new, "/applications/new", &format!("{fields}&documents={paper}&documents=")).await);
    let page = clerk.get(&to).await;
    assert!(page.body.contains("on paper: from abroad") && page.body.contains("waits"), "{}", page.body);
    let decide = format!("{to}/decide");
    let page = clerk.send(&to, &decide, "reason=seen&decision=approve").await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Only Department decides about this application"), "{}", page.body);
    let mut physics = running.assistant("physics").await;
    assert!(physics.get("/applications").await.body.contains(&to));
    assert_eq!(physics.send(&to, &decide, "reason=&decision=approve").await.status, 409);
    led(&physics.send(&to, &decide, "reason=seen&decision=approve").await);
    let mut korean = running.assistant("korean").await;
    assert_eq!(korean.get(&to).await.status, 404, "another department's");
    let page = clerk.get(&to).await;
    assert!(page.body.contains("/people/230003/issue?cause=first&amp;card_type=check-card"), "{}", page.body);
    let issue = "/people/230003/issue";
    led(&clerk.send(issue, issue, "cause=first&card_type=check-card&card=NEW3").await);
    assert!(clerk.get(&to).await.body.contains("card issued"));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_went_to_another_category_is_proposed_for_another_card() {
    let running = office().await;
    let mut clerk = running.clerk().await;
    let page = clerk.get("/reissues").await;
    let line = page.body.split("<li>").find(|line| line.contains("cause=role-change")).unwrap();
    let href = line.split("href=\"/people/").last().unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let form = clerk.get(&format!("/people/{href}")).await;
    assert!(form.body.contains("value=\"role-change\" selected"), "{}", form.body);
    running.stop().await;
}
