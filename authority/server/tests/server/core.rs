//! The core from command to agent, without a socket: exact states, chained commits, restarts, and bad days.

use crate::agent::{Agent, now, order, started, stop};
use crate::support::{campus, made};
use doorward_policy::command::{Actor, Command, Entry, Scope};
use doorward_policy::compile::Compiled;
use doorward_policy::desk::{Cause, DeskOrder, Issue};
use doorward_policy::difference::Difference;
use doorward_policy::model::{CardId, Grant, GrantId, Subject, Target};
use doorward_policy::office::requests::{RequestId, RequestOrder, Wish};
use doorward_protocol::commit::Position;
use doorward_protocol::decide::{Reason, decide};
use doorward_protocol::facts::Factors;
use doorward_protocol::frame::{ToAgent, from_wire};
use doorward_protocol::id::DoorId;
use doorward_protocol::session::AlarmKind;
use doorward_protocol::time::{Day, DayRange};
use doorward_server::authority::{Authority, OrderError};
use doorward_server::epoch::{EpochError, EpochOptions, new_epoch};
use doorward_server::evidence::{EvidenceError, evidence_file};
use doorward_server::init::{InitError, InitOptions, init};
use doorward_server::journal;
use doorward_server::paths::Layout;
use doorward_server::start::{StartError, start};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The agent with the most doors, and a card that opens one of them at some time.
fn agent_and_card(authority: &Authority) -> (String, CardId, DoorId) {
    let present = authority.present();
    let agents = present.compiled.agents().map(|(id, _)| (present.leases(id).count(), id));
    let (_, agent) = agents.max().unwrap();
    let card =
        present.directory.tables().cards.keys().find(|card| present.compiled.holders(card).any(|id| id == agent));
    let card = card.unwrap().clone();
    let door = present.compiled.doors_known(agent, &card).remove(0);
    (agent.to_string(), card, door)
}

fn suspend(card: &CardId) -> Command {
    Command::CardSuspend { card: card.clone(), reason: "lost".into() }
}

/// The commits of all entries follow each other, and the newest is what a recomputation from nothing gives.
fn assert_history_is_sound(authority: &Authority) {
    let journal = journal::open(&authority.layout.journal()).unwrap();
    let head = journal.head().unwrap();
    let mut before = None;
    for seq in 1..=head {
        let position = Position { epoch: authority.signer.epoch(), seq };
        let Some(signed) = journal.commit(position).unwrap() else { panic!("no commit {seq}") };
        let commit = authority.signer.trust().verify(&signed).unwrap();
        if let Some(before) = before {
            assert_eq!(commit.previous, before, "commit {seq} follows the one before");
        }
        before = Some(signed.hash());
    }
    let present = authority.present();
    let whole = Compiled::whole(&present.directory).unwrap();
    let states =
        |compiled: &Compiled| -> Vec<_> { compiled.agents().map(|(id, state)| (id.clone(), state.digest())).collect() };
    assert_eq!(states(&present.compiled), states(&whole));
    assert_eq!(before, Some(present.published.hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_exact_after_every_kind_of_command() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let (agent, card, door) = agent_and_card(&authority);
    let mut agent = Agent::join(&authority, &agent).await;
    assert_eq!(agent.visit(&authority), None);
    assert_eq!(agent.take_received(), ["snapshot"]);
    assert!(agent.is_exact(&authority));
    let tables = campus().tables;
    let subject = Subject::Person(tables.people.keys().next_back().unwrap().clone());
    let days = DayRange { from: Day::parse("2026-01-01"), until: None };
    let grant = Grant { subject, target: Target::Door(door.clone()), schedule: None, days, within: None };
    let id = GrantId::new("test-grant").unwrap();
    let (request, approved) = (RequestId::new("r").unwrap(), GrantId::new("approved").unwrap());
    let expires_at = authority.timeline.now().plus_ms(1_000_000);
    let wish = Wish { grant: grant.clone(), reason: "course".into(), expires_at };
    let (replacement, known) = (CardId::new("replacement").unwrap(), tables.cards[&card].clone());
    let issue = Command::Desk(DeskOrder::Issue(Box::new(Issue {
        card: replacement.clone(),
        person: known.person,
        card_type: known.card_type,
        cause: Cause::Lost,
        replaces: Some(card.clone()),
        returned: false,
        number: None,
        issued_on: known.issued_on,
        valid_until: Day::parse("2098-12-31"),
        document: None,
    })));
    let mut smaller = campus();
    smaller.tables.cards.remove(tables.cards.keys().next().unwrap());
    let difference = Box::new(Difference::between(&authority.present().directory, &smaller));
    let commands = [
        suspend(&card),
        Command::CardResume { card: card.clone(), reason: "found".into() },
        Command::LockDown { scope: Scope::Door(door), reason: "drill".into() },
        Command::LockDown { scope: Scope::Campus, reason: "drill".into() },
        Command::Release { scope: Scope::Campus, reason: "over".into() },
        Command::GrantAdd { id: id.clone(), grant: grant.clone() },
        Command::GrantConfirm { id: id.clone(), reason: "needed".into() },
        Command::GrantEnd { id, on: None },
        Command::Request(RequestOrder::Ask { id: request.clone(), wish }),
        Command::Request(RequestOrder::Approve { id: request, grant: approved, until: None, reason: "yes".into() }),
        issue,
        Command::CardActivate { card: replacement.clone() },
        Command::Desk(DeskOrder::Extend {
            card: replacement,
            until: Day::parse("2099-12-31").unwrap(),
            document: "letter".into(),
        }),
        Command::Import { difference },
    ];
    for command in commands {
        let name = command.name();
        order(&authority, command).await.unwrap();
        assert_eq!(agent.visit(&authority), None, "{name}");
        assert_eq!(agent.take_received(), ["delta"], "{name}");
        assert!(agent.is_exact(&authority), "{name}");
    }
    assert_history_is_sound(&authority);
    drop(authority);
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_away_is_served_a_delta_by_a_restarted_authority() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let (agent, card, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    agent.take_received();
    order(&running.authority, suspend(&card)).await.unwrap();
    let published = running.authority.published();
    stop(running);
    let running = started(&layout);
    assert_eq!(running.authority.published().hash, published.hash, "a restart changes no commit");
    agent.visit(&running.authority);
    assert_eq!(agent.take_received(), ["delta"]);
    assert!(agent.is_exact(&running.authority));
    agent.visit(&running.authority);
    assert_eq!(agent.take_received(), Vec::<&str>::new(), "who has everything is sent nothing");
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_whose_commit_was_lost_in_a_crash_gets_the_same_commit_again() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let (_, card, _) = agent_and_card(&running.authority);
    let at = running.authority.present().directory.at();
    stop(running);
    // The crash came between the append and the commit.
    let mut journal = journal::open(&layout.journal()).unwrap();
    let head = journal.head().unwrap();
    let command = suspend(&card);
    let text = serde_json::to_string(&command).unwrap();
    let entry = Entry { seq: head + 1, at, actor: Actor::system(), command };
    journal.append(head, &entry, &text).unwrap();
    drop(journal);
    let running = started(&layout);
    let first = running.authority.published();
    assert_eq!(first.position, Position { epoch: 0, seq: head + 1 });
    assert_history_is_sound(&running.authority);
    assert!(running.authority.closings.closing(head + 1).unwrap().is_some());
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_same_journal_compiles_otherwise_than_before_a_tick_says_so_and_agents_follow() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let (agent, _, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    agent.take_received();
    let published = running.authority.published();
    // What an older version of the software might have signed for the next entry.
    let position = Position { epoch: 0, seq: published.position.seq + 1 };
    let root = doorward_protocol::id::Hash([9; 32]);
    let older = running.authority.signer.commit(position.seq, published.at, published.hash, root).unwrap();
    stop(running);
    let mut journal = journal::open(&layout.journal()).unwrap();
    let command = suspend(campus().tables.cards.keys().next().unwrap());
    let text = serde_json::to_string(&command).unwrap();
    let entry = Entry { seq: position.seq, at: published.at, actor: Actor::system(), command };
    journal.append(published.position.seq, &entry, &text).unwrap();
    journal.store_commit(position, &older).unwrap();
    drop(journal);
    let running = started(&layout);
    let newest = running.authority.published();
    assert_eq!(newest.position.seq, position.seq + 1, "one entry more: the tick");
    assert_eq!(newest.commit.unverified().unwrap().previous, older.hash());
    agent.visit(&running.authority);
    assert_eq!(agent.take_received(), ["snapshot"]);
    assert!(agent.is_exact(&running.authority));
    stop(running);
    let running = started(&layout);
    assert_eq!(running.authority.published().position, newest.position, "said once");
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_is_on_its_way_while_something_else_is_still_being_compiled() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let (agent, card, _) = agent_and_card(&authority);
    let agent = Agent::join(&authority, &agent).await;
    let (_connection, mut lane) =
        authority.hub.enter(agent.id.clone(), agent.key.public(), ([127, 0, 0, 1], 1).into(), now());
    let before = authority.published().position;
    let (held, release) = std::sync::mpsc::channel::<()>();
    let (holds, is_held) = tokio::sync::oneshot::channel();
    // Whoever reads the present holds up the compiler as a large import would hold it up.
    let reader = std::thread::spawn({
        let authority = Arc::clone(&authority);
        move || {
            let _present = authority.present();
            holds.send(()).unwrap();
            assert!(release.recv().is_err(), "nothing is sent, the sender is let go");
        }
    });
    is_held.await.unwrap();
    let accepted = authority.execute(Actor::system(), suspend(&card)).await.unwrap();
    let frame = lane.recv().await.unwrap();
    let Ok(ToAgent::Removal(removal)) = from_wire(&frame[4..]) else { panic!("something else came on its lane") };
    let removal = authority.signer.trust().verify(&removal).unwrap();
    assert_eq!(removal.position.seq, accepted.seq);
    assert_eq!(authority.published().position, before, "its commit comes later");
    assert!(authority.timeline.pulse().is_none(), "no pulse renews a lease meanwhile");
    drop(held);
    reader.join().unwrap();
    assert!(authority.published_at(accepted.seq).await);
    assert!(authority.timeline.pulse().is_some());
    drop(authority);
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_command_leaves_no_trace() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let before = authority.published().position;
    let refused = order(&authority, suspend(&CardId::new("nobody").unwrap())).await;
    assert!(matches!(refused, Err(OrderError::Refused(_))), "{refused:?}");
    assert_eq!(journal::open(&layout.journal()).unwrap().head().unwrap(), before.seq);
    assert!(authority.timeline.pulse().is_some(), "pulses go on");
    drop(authority);
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_struck_off_is_sent_nothing_more() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let (agent, _, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    order(&running.authority, Command::AgentRemove { agent: agent.id.clone() }).await.unwrap();
    assert_eq!(agent.visit(&running.authority).as_deref(), Some("the agent is not enrolled"));
    assert!(running.authority.published().leaves.agent_of(agent.key.public()).is_none());
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_a_suspension_is_verified_with_the_root_alone_and_by_no_other_bytes() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let (agent, card, door) = agent_and_card(&authority);
    let mut agent = Agent::join(&authority, &agent).await;
    agent.visit(&authority);
    let accepted = order(&authority, suspend(&card)).await.unwrap();
    agent.visit(&authority);
    assert!(authority.closings.closing(accepted.seq).unwrap().unwrap().is_complete());
    let view = agent.view.clone().unwrap();
    let key = authority.present().directory.reader_key().unwrap().credential_key(card.as_str());
    assert_eq!(decide(&view, &door, key, Factors::NONE, now()), Reason::Suspended);
    let file = evidence_file(&authority, accepted.seq).unwrap();
    let root = authority.signer.root().clone();
    let finding = doorward_protocol::evidence::verify(&file, &root).unwrap();
    assert!(finding.doors.iter().all(|door| matches!(door.state, doorward_protocol::evidence::DoorState::Closed(_))));
    assert!(finding.doors.iter().any(|found| found.door == door));
    for place in (0..file.len()).step_by(97) {
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(doorward_protocol::evidence::verify(&changed, &root).is_err(), "byte {place}");
    }
    let resumed = Command::CardResume { card, reason: "found".into() };
    let resumed = order(&authority, resumed).await.unwrap();
    assert!(matches!(evidence_file(&authority, resumed.seq), Err(EvidenceError::NotARevocation(_))));
    assert!(matches!(evidence_file(&authority, 999), Err(EvidenceError::Unknown(999))));
    drop(authority);
    stop(running);
}

#[test]
fn of_two_servers_on_one_data_directory_the_second_does_not_start() {
    let (_directory, layout) = made();
    let running = started(&layout);
    assert!(matches!(start(layout.clone(), false), Err(StartError::Locked(_))));
    stop(running);
    stop(started(&layout));
}

#[test]
fn init_refuses_to_overwrite_and_keeps_secrets_to_their_owner() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, layout) = made();
    assert!(matches!(init(&layout, &campus(), InitOptions::default()), Err(InitError::Exists(_))));
    let mode = |path: std::path::PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(layout.directory().to_owned()), 0o700);
    let secrets = [
        layout.signing_key(),
        layout.api_token(),
        layout.api_token_hash(),
        layout.certificate_authority_key(),
        layout.journal(),
    ];
    assert!(secrets.into_iter().all(|secret| mode(secret) == 0o600));
    assert_eq!(mode(layout.root_keys().join("root-1.key")), 0o600);
}

fn copy(from: &Layout, to: &std::path::Path) -> Layout {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from.directory()).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    Layout::new(to)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_restored_from_an_older_backup_is_noticed_and_goes_on_in_a_new_epoch() {
    let (directory, layout) = made();
    let running = started(&layout);
    let (agent, card, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    stop(running);
    let backup = copy(&layout, &directory.path().join("backup"));
    let running = started(&layout);
    order(&running.authority, suspend(&card)).await.unwrap();
    agent.visit(&running.authority);
    assert!(agent.is_exact(&running.authority));
    stop(running);

    let running = started(&backup);
    agent.take_received();
    agent.visit(&running.authority);
    assert!(agent.has_alarm(AlarmKind::AuthorityRolledBack));
    assert_eq!(agent.take_received(), Vec::<&str>::new(), "an agent that is ahead is sent nothing");
    let only = EpochOptions::default();
    assert!(matches!(new_epoch(&backup, &[], only), Err(EpochError::NoKey(_))));
    stop(running);

    let root_key = layout.root_keys().join("root-1.key");
    let wrong = layout.signing_key();
    assert!(matches!(new_epoch(&backup, &[wrong], only), Err(EpochError::Keys(..))));
    assert_eq!(new_epoch(&backup, &[root_key], only).unwrap().epoch, 1);
    let running = started(&backup);
    assert_eq!(agent.visit(&running.authority), None);
    assert_eq!(agent.take_received(), ["statements", "snapshot"]);
    assert_eq!(agent.position().unwrap().epoch, 1);
    assert!(agent.is_exact(&running.authority));
    order(&running.authority, suspend(&card)).await.unwrap();
    agent.visit(&running.authority);
    assert_eq!(agent.take_received(), ["delta"]);
    assert!(agent.is_exact(&running.authority));
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_signing_key_is_replaced_and_the_agents_follow_by_themselves() {
    let (directory, layout) = made();
    let running = started(&layout);
    let (agent, card, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    stop(running);
    let stolen = std::fs::read_to_string(layout.signing_key()).unwrap();
    let before = copy(&layout, &directory.path().join("before"));

    let options = EpochOptions { replace_signing_key: true, replace_root: None };
    let root_key = layout.root_keys().join("root-1.key");
    assert_eq!(new_epoch(&layout, std::slice::from_ref(&root_key), options).unwrap().epoch, 1);
    assert_ne!(std::fs::read_to_string(layout.signing_key()).unwrap(), stolen);
    assert!(!layout.next_signing_key().exists());
    let running = started(&layout);
    agent.take_received();
    agent.visit(&running.authority);
    assert!(agent.is_exact(&running.authority));
    order(&running.authority, suspend(&card)).await.unwrap();
    agent.visit(&running.authority);
    assert!(agent.is_exact(&running.authority), "it believes what the new key signs");
    let position = agent.position();
    stop(running);

    // Whoever has the old key, and all else that was there, moves no agent that heard of the new one.
    let thief = started(&before);
    agent.visit(&thief.authority);
    assert_eq!(agent.position(), position);
    stop(thief);

    // The key that was there before the statement fits nothing any more.
    std::fs::write(layout.signing_key(), stolen).unwrap();
    assert!(matches!(start(layout.clone(), false), Err(StartError::Signer(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_while_keys_are_replaced_leaves_one_of_them_in_force() {
    let (_directory, layout) = made();
    let old = std::fs::read_to_string(layout.signing_key()).unwrap();
    // Cut before the statement was stored: the next key is named by nothing.
    std::fs::copy(layout.root_keys().join("root-1.key"), layout.next_signing_key()).unwrap();
    stop(started(&layout));
    assert_eq!(std::fs::read_to_string(layout.signing_key()).unwrap(), old);
    // Cut after it: the next key is named, and not yet in place.
    let options = EpochOptions { replace_signing_key: true, replace_root: None };
    new_epoch(&layout, &[layout.root_keys().join("root-1.key")], options).unwrap();
    let new = std::fs::read_to_string(layout.signing_key()).unwrap();
    std::fs::rename(layout.signing_key(), layout.next_signing_key()).unwrap();
    std::fs::write(layout.signing_key(), &old).unwrap();
    stop(started(&layout));
    assert_eq!(std::fs::read_to_string(layout.signing_key()).unwrap(), new);
    assert!(!layout.next_signing_key().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn stolen_root_shares_are_replaced_and_alone_can_do_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path().join("data"));
    init(&layout, &campus(), InitOptions { root_keys: 3, threshold: 2 }).unwrap();
    let running = started(&layout);
    let (agent, card, _) = agent_and_card(&running.authority);
    let mut agent = Agent::join(&running.authority, &agent).await;
    agent.visit(&running.authority);
    stop(running);
    let share = |n: u8| layout.root_keys().join(format!("root-{n}.key"));
    let only = EpochOptions::default();
    // One share is too little, and shown twice it is still one.
    for shares in [vec![share(1)], vec![share(1), share(1)]] {
        assert!(matches!(new_epoch(&layout, &shares, only), Err(EpochError::Keys(..))));
    }
    let impossible = EpochOptions { replace_root: Some(InitOptions { root_keys: 15, threshold: 2 }), ..only };
    assert!(matches!(new_epoch(&layout, &[share(2), share(3)], impossible), Err(EpochError::Threshold { .. })));
    let replaced = EpochOptions { replace_root: Some(InitOptions { root_keys: 3, threshold: 2 }), ..only };
    let report = new_epoch(&layout, &[share(2), share(3)], replaced).unwrap();
    assert_eq!(report.root_keys.len(), 3);
    assert!(matches!(new_epoch(&layout, &[share(1), share(2)], only), Err(EpochError::Keys(..))), "worth nothing now");
    assert_eq!(new_epoch(&layout, &report.root_keys[..2], only).unwrap().epoch, 2);
    let running = started(&layout);
    agent.visit(&running.authority);
    assert!(agent.is_exact(&running.authority), "it follows from root to root");
    order(&running.authority, suspend(&card)).await.unwrap();
    agent.visit(&running.authority);
    assert!(agent.is_exact(&running.authority));
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_numbered_without_gaps_and_never_run_backwards_under_many_hands() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let cards: Vec<CardId> = campus().tables.cards.keys().cloned().collect();
    let orders = cards.iter().take(40).map(|card| {
        let (authority, command) = (Arc::clone(&authority), suspend(card));
        tokio::spawn(async move { order(&authority, command).await.map(|accepted| accepted.seq) })
    });
    let mut seqs = BTreeSet::new();
    for order in orders.collect::<Vec<_>>() {
        if let Ok(seq) = order.await.unwrap() {
            assert!(seqs.insert(seq));
        }
    }
    assert!(seqs.len() > 20, "most cards of the campus can be suspended");
    let mut last = None;
    let visit = &mut |entry: Entry| {
        assert!(last.is_none_or(|last| last <= entry.at));
        last = Some(entry.at);
        ControlFlow::Continue(())
    };
    journal::open(&layout.journal()).unwrap().read_from(1, visit).unwrap();
    assert_history_is_sound(&authority);
    drop(authority);
    stop(running);
}
