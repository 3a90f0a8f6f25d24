//! Snapshots of the directory: a start from one is the start from the first entry, and a wrong one is no snapshot.

use crate::agent::{Agent, order, started, stop};
use crate::support::{campus, made};
use doorward_policy::command::Command;
use doorward_policy::compile::Compiled;
use doorward_policy::directory::Directory;
use doorward_policy::model::{CardId, CardState, Grant, Subject, Target};
use doorward_protocol::time::DayRange;
use doorward_server::authority::Authority;
use doorward_server::journal;
use doorward_server::paths::Layout;
use doorward_server::snapshots::{make, newest};
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// The directory by folding every entry.
fn folded(layout: &Layout) -> Directory {
    let mut directory = Directory::default();
    let visit = &mut |entry| {
        directory.apply(&entry).unwrap();
        ControlFlow::Continue(())
    };
    journal::open(&layout.journal()).unwrap().read_from(1, visit).unwrap();
    directory
}

/// Up to which entry a start would read a snapshot; 0 when it would fold from the first.
fn used(layout: &Layout) -> u64 {
    let journal = journal::open(&layout.journal()).unwrap();
    newest(layout, &*journal, u64::MAX).unwrap().directory.head()
}

fn snapshots(layout: &Layout) -> Vec<PathBuf> {
    let found = fs::read_dir(layout.snapshots()).into_iter().flatten();
    let mut found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn active_cards() -> Vec<CardId> {
    let cards = campus().tables.cards.into_iter();
    cards.filter(|(_, card)| card.state == CardState::Active).map(|(id, _)| id).collect()
}

async fn suspend(authority: &Authority, card: &CardId) {
    order(authority, Command::CardSuspend { card: card.clone(), reason: "lost".into() }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_from_a_snapshot_is_the_start_from_the_first_entry_and_serves_the_same_deltas() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let agents: Vec<String> = running.authority.present().compiled.agents().map(|(id, _)| id.to_string()).collect();
    let mut behind = Vec::new();
    for id in &agents {
        let mut agent = Agent::join(&running.authority, id).await;
        agent.visit(&running.authority);
        agent.take_received();
        behind.push(agent);
    }
    let cards = active_cards();
    suspend(&running.authority, &cards[0]).await;
    let tables = campus().tables;
    let subject = Subject::Unit(tables.units.keys().next().unwrap().clone());
    let target = Target::Building(tables.buildings.keys().next().unwrap().clone());
    let grant = Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: None };
    order(&running.authority, Command::GrantAdd { id: "opened".parse().unwrap(), grant }).await.unwrap();
    stop(running);
    let made_of = make(&layout).unwrap();
    assert_eq!(used(&layout), made_of);
    let running = started(&layout);
    suspend(&running.authority, &cards[1]).await;
    let published = running.authority.published();
    stop(running);
    assert_eq!((used(&layout), published.position.seq), (made_of, made_of + 1));
    let running = started(&layout);
    assert_eq!(running.authority.published().hash, published.hash, "the same commit");
    {
        let present = running.authority.present();
        let whole = Compiled::whole(&folded(&layout)).unwrap();
        assert!(present.directory == folded(&layout), "the same directory");
        let states = |compiled: &Compiled| -> Vec<_> {
            compiled.agents().map(|(id, state)| (id.clone(), state.digest())).collect()
        };
        assert_eq!(states(&present.compiled), states(&whole), "the same states");
    }
    for agent in &mut behind {
        agent.visit(&running.authority);
        assert_eq!(agent.take_received(), ["delta"], "what was touched before the snapshot is still known");
        assert!(agent.is_exact(&running.authority));
    }
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_damaged_or_of_other_software_is_ignored_and_an_older_one_takes_its_place() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let cards = active_cards();
    stop(running);
    let older = make(&layout).unwrap();
    let running = started(&layout);
    suspend(&running.authority, &cards[0]).await;
    let published = running.authority.published();
    stop(running);
    let newer = make(&layout).unwrap();
    assert_eq!(used(&layout), newer);
    let file = layout.snapshots().join(format!("{newer}.snapshot"));
    let sound = fs::read(&file).unwrap();
    let last = sound.len() - 1;
    for place in [0, 31, 32, 40, 60, 100, 150, 200, last / 2, last] {
        let mut damaged = sound.clone();
        damaged[place] ^= 1;
        fs::write(&file, damaged).unwrap();
        assert_eq!(used(&layout), older, "byte {place}");
    }
    for length in [0, 10, 33, 50, last / 2, last] {
        fs::write(&file, &sound[..length]).unwrap();
        assert_eq!(used(&layout), older, "cut to {length}");
    }
    fs::write(&file, [&sound[..], b"x"].concat()).unwrap();
    assert_eq!(used(&layout), older, "longer than it was");
    let running = started(&layout);
    assert_eq!(running.authority.published().hash, published.hash);
    assert!(running.authority.present().directory == folded(&layout));
    stop(running);
    fs::write(&file, &sound).unwrap();
    assert_eq!(used(&layout), newer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_history_that_was_lost_is_ignored_and_goes() {
    let (_directory, layout) = made();
    let cards = active_cards();
    let running = started(&layout);
    stop(running);
    let backup = fs::read(layout.journal()).unwrap();
    let running = started(&layout);
    suspend(&running.authority, &cards[0]).await;
    suspend(&running.authority, &cards[1]).await;
    stop(running);
    let lost = make(&layout).unwrap();
    assert_eq!(used(&layout), lost);
    fs::write(layout.journal(), backup).unwrap();
    assert_eq!(used(&layout), 0, "it is of a longer journal");
    let running = started(&layout);
    for card in &cards[2..5] {
        suspend(&running.authority, card).await;
    }
    assert!(running.authority.present().directory == folded(&layout));
    stop(running);
    assert_eq!(used(&layout), 0, "this journal has another entry of that number");
    let kept = make(&layout).unwrap();
    assert!(kept > lost);
    for card in &cards[5..7] {
        let running = started(&layout);
        suspend(&running.authority, card).await;
        stop(running);
        make(&layout).unwrap();
    }
    let names: Vec<_> = snapshots(&layout).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, [format!("{}.snapshot", kept + 1).as_str(), format!("{}.snapshot", kept + 2).as_str()]);
}
