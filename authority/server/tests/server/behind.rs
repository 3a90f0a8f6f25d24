//! Agents that have not come as far as the authority: what they may still know counts until they have confirmed better.

use crate::agent::{Agent, now, order, started, stop};
use crate::support::made;
use doorward_policy::command::Command;
use doorward_policy::model::{CardId, CardState, Grant, GrantId, Subject, Target};
use doorward_protocol::evidence::{DoorState, verify};
use doorward_protocol::id::DoorId;
use doorward_protocol::time::DayRange;
use doorward_server::authority::Authority;
use doorward_server::evidence::evidence_file;
use doorward_server::hub::Connection;
use std::sync::Arc;

/// An agent that knows a card because of a grant, that grant, and one of its doors.
async fn with_grant(authority: &Arc<Authority>) -> (Agent, CardId, GrantId, DoorId) {
    let (agent, card, door, grant) = {
        let present = authority.present();
        let (agent, _) = present.compiled.agents().next().unwrap();
        let (door, _) = present.leases(agent).next().unwrap();
        let unknown_here = |card: &CardId| !present.compiled.holders(card).any(|holder| holder == agent);
        let mut cards = present.directory.tables().cards.iter();
        let (card, row) = cards.rfind(|(id, card)| card.state == CardState::Active && unknown_here(id)).unwrap();
        let (subject, target) = (Subject::Person(row.person.clone()), Target::Door(door.clone()));
        let grant = Grant { subject, target, schedule: None, days: DayRange::ALWAYS, within: None };
        (agent.to_string(), card.clone(), door, grant)
    };
    let mut agent = Agent::join(authority, &agent).await;
    let id = GrantId::new("guest").unwrap();
    order(authority, Command::GrantAdd { id: id.clone(), grant }).await.unwrap();
    agent.visit(authority);
    assert!(authority.present().compiled.holders(&card).any(|holder| *holder == agent.id));
    (agent, card, id, door)
}

fn suspend(card: &CardId) -> Command {
    Command::CardSuspend { card: card.clone(), reason: "lost".into() }
}

fn enter(authority: &Authority, agent: &Agent) -> (Arc<Connection>, impl FnMut() -> bool + use<>) {
    let address = ([127, 0, 0, 1], 1).into();
    let (connection, mut lane) = authority.hub.enter(agent.id.clone(), agent.key.public(), address, now());
    connection.note(|live| live.position = agent.position());
    (connection, move || lane.try_recv().is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_card_is_not_closed_where_an_agent_that_is_away_may_know_it_still() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let (mut agent, card, grant, door) = with_grant(&authority).await;
    authority.store.begin_contact(agent.id.clone()).await.unwrap();
    authority.store.confirm(agent.id.clone(), agent.position().unwrap());
    authority.store.note_pulse(now()).await.unwrap();
    // The agent is away when the grant ends, and then the card is lost.
    order(&authority, Command::GrantEnd { id: grant, on: None }).await.unwrap();
    let accepted = order(&authority, suspend(&card)).await.unwrap();
    let doors = |seq| {
        let file = evidence_file(&authority, seq).unwrap();
        verify(&file, authority.signer.root()).unwrap().doors
    };
    let found = doors(accepted.seq);
    let found = found.iter().find(|found| found.door == door).expect("the door that still opens is named");
    assert!(!matches!(found.state, DoorState::Closed(_)));
    assert!(!authority.closings.closing(accepted.seq).unwrap().unwrap().is_complete());
    agent.visit(&authority);
    assert!(authority.closings.closing(accepted.seq).unwrap().unwrap().is_complete());
    assert!(doors(accepted.seq).iter().all(|found| matches!(found.state, DoorState::Closed(_))));
    // From here on it is known to know nothing of the card.
    authority.store.confirm(agent.id.clone(), agent.position().unwrap());
    authority.store.note_pulse(now()).await.unwrap();
    order(&authority, Command::CardResume { card: card.clone(), reason: "found".into() }).await.unwrap();
    let again = order(&authority, suspend(&card)).await.unwrap();
    assert!(doors(again.seq).iter().all(|found| found.agent != agent.id));
    drop(authority);
    stop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_goes_to_agents_that_have_not_yet_forgotten_the_card_and_to_no_others() {
    let (_directory, layout) = made();
    let running = started(&layout);
    let authority = Arc::clone(&running.authority);
    let (mut agent, card, grant, _) = with_grant(&authority).await;
    let (_connection, mut is_told) = enter(&authority, &agent);
    order(&authority, Command::GrantEnd { id: grant, on: None }).await.unwrap();
    order(&authority, suspend(&card)).await.unwrap();
    assert!(is_told(), "the commit that takes the grant away may still be on its way");
    agent.visit(&authority);
    let (_connection, mut is_told) = enter(&authority, &agent);
    // What the hub still keeps for newcomers is handed over at once.
    while is_told() {}
    order(&authority, Command::CardResume { card: card.clone(), reason: "found".into() }).await.unwrap();
    order(&authority, suspend(&card)).await.unwrap();
    assert!(!is_told(), "it is no business of an agent that never knew the card at its position");
    drop(authority);
    stop(running);
}
