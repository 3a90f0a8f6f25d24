//! The campus map as a browser without scripts sees it: who sees which buildings, who may arrange it, and what of a plan is taken.

use crate::browser::Browser;
use crate::running::{Running, running};
use crate::support::campus;
use doorward_server::http::shapes::map::{MapView, PlaceView};
use serde_json::{Value, json};

/// The plan of somebody in a hurry.
const PHOTO: &[u8] = include_bytes!("../photo-24x30.jpg");

impl Running {
    async fn administrator(&self) -> Browser<'_> {
        self.operator("admin", json!({ "role": "administrator", "campus": true })).await
    }

    async fn map(&self) -> MapView {
        self.get("/v1/map").await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_shows_each_building_of_the_remit_by_its_state_and_in_words() {
    let running = running().await;
    let mut admin = running.administrator().await;
    let page = admin.get("/map").await;
    assert_eq!(page.status, 200, "{}", page.body);
    for (id, building) in &campus().tables.buildings {
        assert!(page.body.contains(&format!("id=\"place-{id}\"")) && page.body.contains(&building.name), "{id}");
    }
    // No agent has joined; nobody placed anything, so that they stand in rows on an empty sheet.
    assert!(page.body.contains("no agent yet") && page.body.contains("-plan.svg\""), "{}", page.body);
    assert_eq!(page.body.matches("class=\"map-name\"").count(), campus().tables.buildings.len());
    assert!(page.body.contains("href=\"/map\" aria-current=\"page\"") && page.body.contains("/map/arrange"));

    let order = |scope: Value| json!({ "scope": scope, "reason": "drill" });
    let _change: Value = running.post("/v1/lockdown", order(json!({ "building": "sci" }))).await;
    let _change: Value = running.post("/v1/lockdown", order(json!({ "door": "eng-1-rear" }))).await;
    let page = admin.get("/map").await;
    assert!(page.body.contains("map-mark locked-down") && page.body.contains(">locked down"), "{}", page.body);
    assert!(page.body.contains("doors locked down: 1 of "), "{}", page.body);

    let mut porter = running.operator("porter", json!({ "role": "facilities", "buildings": ["eng-1"] })).await;
    let page = porter.get("/map").await;
    assert!(page.body.contains("place-eng-1\"") && !page.body.contains("place-sci\""), "only of the remit");
    assert!(!page.body.contains("/map/arrange"), "what is refused is not offered");
    let mut clerk = running.operator("clerk", json!({ "role": "card-office", "campus": true })).await;
    let page = clerk.get("/map").await;
    assert!(page.body.contains("not locked down") && page.body.contains("is for those to see"), "{}", page.body);
    assert!(!page.body.contains("no agent yet") && !page.body.contains("all well"), "what is not told is not said");
    let mut feed = running.operator("feed", json!({ "role": "registrar-feed", "campus": true })).await;
    for path in ["/map", "/map/live", "/map/plan", "/map/arrange"] {
        assert_eq!(feed.get(path).await.status, 403, "{path}");
    }
    for (code, title) in [("en", "Campus map"), ("ko", "캠퍼스 지도"), ("zh", "校园地图"), ("hr", "Karta kampusa")]
    {
        assert_eq!(admin.send("/map", "/language", &format!("to={code}&then=%2Fmap")).await.status, 303);
        for path in ["/map", "/map/arrange"] {
            let page = admin.get(path).await;
            assert!(page.body.len() < 100_000, "{path}: {} bytes", page.body.len());
            assert!(path != "/map" || page.body.contains(title), "{code}");
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_places_buildings_by_numbers_or_by_a_click_and_nobody_else_does() {
    let running = running().await;
    let mut admin = running.administrator().await;
    let page = admin.get("/map/arrange").await;
    assert!(
        page.body.contains("type=\"image\"") && page.body.contains("width=\"960\" height=\"576\""),
        "{}",
        page.body
    );
    let place = "building=sci&x=37.5&y=20&order=place";
    let page = admin.send("/map/arrange", "/map/arrange", place).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/map/arrange?building=sci")), "{}", page.body);
    let click = "building=eng-1&x=&y=&at.x=480&at.y=144";
    assert_eq!(admin.send("/map/arrange", "/map/arrange", click).await.status, 303);
    let places = running.map().await.places;
    assert_eq!(places["sci"], PlaceView { x: 375, y: 200 });
    assert_eq!(places["eng-1"], PlaceView { x: 500, y: 250 });
    assert!(admin.get("/map").await.body.contains("x=\"37.5%\" y=\"20.0%\""), "and it stands there");

    for wrong in ["building=sci&x=37.5&y=", "building=sci&x=101&y=1&order=place", "building=sci&at.x=961&at.y=1"] {
        let page = admin.send("/map/arrange", "/map/arrange", wrong).await;
        assert_eq!(page.status, 400, "{wrong}");
        assert!(page.body.contains("two numbers from 0 to 100") && page.body.contains("value=\"sci\" selected"));
    }
    assert!(admin.send("/map/arrange", "/map/arrange", "building=sci&x=37.5&y=").await.body.contains("value=\"37.5\""));
    let page = admin.send("/map/arrange", "/map/arrange", "building=planet&x=1&y=1").await;
    assert_eq!(page.status, 404, "{}", page.body);
    assert_eq!(admin.send("/map/arrange", "/map/arrange", "building=sci&order=take-off").await.status, 303);
    assert!(!running.map().await.places.contains_key("sci"));
    assert_eq!(admin.ask("POST", "/map/arrange", "", place).await.status, 403, "a form without its key");

    let mut guard = running.operator("guard", json!({ "role": "security-office", "campus": true })).await;
    assert_eq!(guard.get("/map/arrange").await.status, 403);
    assert_eq!(guard.send("/map", "/map/arrange", place).await.status, 403);
    assert_eq!(guard.send("/map", "/map/plan/remove", "").await.status, 403);
    assert_eq!(guard.upload("/map", "/map/plan", "plan", PHOTO).await.status, 403);
    let mut porter = running.operator("porter", json!({ "role": "administrator", "buildings": ["eng-1"] })).await;
    let (status, fault) = running.refused("PUT", "/v1/map/places/sci", json!({ "x": 1001, "y": 0 })).await;
    assert!(status == 400 && fault.error.contains("0 to 1000"), "{}", fault.error);
    assert_eq!(porter.send("/map", "/map/arrange", place).await.status, 403, "not in the remit");
    assert_eq!(running.map().await.places.len(), 1, "nothing was changed");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_an_image_that_carries_no_program_and_one_that_cannot_be_read_stops_nothing() {
    let running = running().await;
    let mut admin = running.administrator().await;
    for wrong in [b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".as_slice(), b"GIF89a", b"%PDF", b""] {
        let page = admin.upload("/map/arrange", "/map/plan", "plan", wrong).await;
        assert_eq!(page.status, 400, "{}", page.body);
        assert!(page.body.contains("role=\"alert\"") && page.body.contains("type=\"file\""), "{}", page.body);
    }
    assert_eq!(admin.get("/map/plan").await.status, 404);
    // A JPEG that is a page, too, behind its end.
    let both = [PHOTO, b"<script>alert(1)</script>"].concat();
    assert_eq!(admin.upload("/map/arrange", "/map/plan", "plan", &both).await.status, 303);
    let page = admin.get("/map/plan").await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(!page.body.contains("script"), "what is behind its end is not kept");
    let page = admin.get("/map").await;
    assert!(page.body.contains("src=\"/map/plan\"") && page.body.contains("not on the plan yet"), "{}", page.body);
    assert_eq!(
        page.body.matches("class=\"map-name\"").count(),
        0,
        "nothing stands on a new plan until it is put there"
    );
    assert_eq!(admin.send("/map/arrange", "/map/arrange", "building=sci&at.x=12&at.y=15").await.status, 303);
    assert_eq!(running.map().await.places["sci"], PlaceView { x: 500, y: 500 }, "the plan is shown as large as it is");

    let folder = running.layout.map();
    std::fs::write(folder.join("plan"), "no image").unwrap();
    std::fs::write(folder.join("places.json"), "{").unwrap();
    let page = admin.get("/map").await;
    assert!(page.status == 200 && page.body.contains("A part of the map cannot be read"), "{}", page.body);
    assert!(page.body.contains("place-sci"), "the buildings are there all the same");
    let running = running.restart().await;
    assert_eq!(running.map().await.problems.len(), 2);
    let mut admin = Browser::new(&running);
    assert_eq!(admin.sign_in("admin").await.status, 303);
    let page = admin.send("/map/arrange", "/map/arrange", "building=sci&x=1&y=1&order=place").await;
    assert!(page.status == 409 && page.body.contains("restore it from a backup"), "{}", page.body);
    assert_eq!(admin.send("/map/arrange", "/map/plan/remove", "").await.status, 303);
    std::fs::remove_file(folder.join("places.json")).unwrap();
    assert!(running.map().await.problems.is_empty());
    running.stop().await;
}
