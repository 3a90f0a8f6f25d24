//! What other systems are told of what happens at doors, and over TLS only by whom they believe.

use crate::tools::{SOUTH, tiny_world};
use serde_json::Value;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tests::authority::Authority;
use tests::campus;
use tests::wait::{SOON, until};

fn write_secret(authority: &Authority) {
    let file = authority.data.join("hook.secret");
    std::fs::write(&file, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLjSw").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Waits until nothing reaches a receiver, and returns why.
fn why_not(authority: &Authority, name: &str) -> String {
    let mut seen = Value::Null;
    let found = until(&format!("{name} takes nothing"), SOON, || {
        seen = authority.json("status").ok()?["receivers"].clone();
        let receiver = seen.as_array()?.iter().find(|receiver| receiver["name"] == name)?;
        receiver["error"].as_str().map(str::to_owned)
    });
    found.unwrap_or_else(|error| panic!("{error}: {seen}"))
}

#[test]
fn a_lost_card_that_is_tapped_is_told_to_other_systems() {
    let mut world = tiny_world();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    world.authority.stop().unwrap();
    let address = socket.local_addr().unwrap();
    let receivers = format!(
        "[[syslog]]\nname = \"siem\"\naddress = \"udp://{address}\"\nevents = [\"card.suspended\", \"card.tapped-while-shut\"]\n"
    );
    std::fs::write(world.authority.data.join("receivers.toml"), receivers).unwrap();
    world.authority.start().unwrap();
    world.wait_until_exact().unwrap();
    let told = || {
        let mut buffer = [0; 4_096];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    world.authority.say("card suspend BOB --reason lost").unwrap().ok().unwrap();
    assert!(told().contains(" card.suspended [doorward@32473 "));
    assert_eq!(world.agent(SOUTH).unwrap().tap("south-main", "BOB").unwrap(), "deny suspended");
    let message = told();
    assert!(message.starts_with("<84>1 ") && message.contains(" card.tapped-while-shut "), "{message}");
    assert!(message.contains("card BOB was tapped at door south-main"), "{message}");
    world.stop().unwrap();
}

#[test]
fn a_webhook_goes_over_tls_to_whom_the_named_certificates_vouch_for_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = Authority::init(&folder.path().join("authority"), &campus::tiny()).unwrap();
    write_secret(&authority);
    // The receiver is the authority's own API, which speaks TLS and knows no such route.
    let url = format!("https://{}/v1/hook", authority.api);
    let hook = |name: &str, more: &str| {
        format!("[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret_file = \"hook.secret\"\n{more}\n")
    };
    std::fs::copy(authority.data.join("root.pub"), authority.data.join("nobody.pem")).unwrap();
    let receivers = hook("trusting", "certificates = \"ca.pem\"") + &hook("doubting", "certificates = \"nobody.pem\"");
    std::fs::write(authority.data.join("receivers.toml"), receivers).unwrap();
    authority.arguments.push("--api-tls".to_owned());
    authority.start().unwrap();
    authority.say("card suspend BOB --reason lost").unwrap().ok().unwrap();
    assert_eq!(why_not(&authority, "trusting"), "it answered 401");
    let doubt = why_not(&authority, "doubting");
    assert!(doubt.to_lowercase().contains("certificate"), "{doubt}");
    assert!(authority.say("status").unwrap().ok().unwrap().out.contains("trusting takes nothing since"));
    authority.stop().unwrap();
}
