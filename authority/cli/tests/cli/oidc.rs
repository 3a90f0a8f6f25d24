//! Signing in by an identity provider on the command line: the program waits for a browser, which this test is.

use crate::provider::{Kind, Provider, Twist, browse};
use crate::run::{Ran, command};
use crate::served::{Server, assert_says, text};
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

const GROUPS: &str = "[[group]]\nname = \"door-security\"\nrole = \"security-office\"\ncampus = true\n";

/// Signs in, with a browser that goes where it is sent; what it is shown at the end, and what the program said.
fn sign_in(server: &Server, session: &str, more: &[&str]) -> (String, Ran) {
    let data = server.data();
    let arguments = ["account", "sign-in", "--oidc", "--token-file", session, "--data", text(&data)];
    let mut command = command();
    let command = command.args(arguments).args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut shown) = (String::new(), String::new());
    while said.read_line(&mut line).unwrap() > 0 {
        if let Some(url) = line.lines().last().filter(|line| line.starts_with("http://")) {
            let back = browse(url);
            assert!(back.starts_with("http://127.0.0.1:"), "{back}");
            shown = browse(&back);
            break;
        }
    }
    let (mut out, mut err) = (String::new(), line);
    said.read_to_string(&mut err).unwrap();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    (shown, Ran { code: child.wait().unwrap().code().unwrap(), out, err })
}

#[test]
fn an_operator_signs_in_by_the_identity_provider_works_and_signs_out() {
    let provider = Provider::start(Kind::Rsa);
    let mut server = Server::start();
    let session = server.file("session");
    let (_, none) = sign_in(&server, &session, &[]);
    assert_eq!(none.code, 1);
    assert_says(&none.err, &["this authority knows no identity provider", "oidc.toml"]);
    server.stop();
    provider.configure(&server.data().join("oidc.toml"), GROUPS);
    server.start_again();
    provider.is("kim", json!({ "name": "Kim", "groups": ["staff", "door-security"] }));
    let (shown, signed_in) = sign_in(&server, &session, &["--json"]);
    assert_eq!(signed_in.code, 0, "{}", signed_in.err);
    assert_says(&shown, &["You are signed in"]);
    let answer: serde_json::Value = serde_json::from_str(&signed_in.out).unwrap();
    let operator = answer["operator"].as_str().unwrap().to_owned();
    let as_kim = |line: &str| server.say(&format!("{line} --token-file {session}"));
    assert_says(&as_kim("whoami").out, &[&operator, "security-office"]);
    assert_eq!(as_kim("card suspend CARD1 --reason lost").code, 0);
    let denied = as_kim("agent add agent-sci");
    assert_eq!(denied.code, 1);
    assert_says(&denied.err, &["the role security-office may not add or remove agents"]);
    let journal = server.say("journal").out;
    assert_says(&journal, &["oidc: ", &format!("{operator}: suspended card CARD1: lost")]);
    let taken = server.say("operator add oidc-kim --name Kim --role auditor --campus");
    assert_eq!(taken.code, 1);
    assert_says(&taken.err, &["choose another name"]);
    assert_eq!(as_kim("account sign-out").code, 0);
    assert_eq!(as_kim("whoami").code, 1);
    provider.twist(Twist::StrangersKey);
    let (shown, refused) = sign_in(&server, &server.file("other"), &[]);
    assert_eq!(refused.code, 1);
    assert_says(&shown, &["You are not signed in"]);
    assert_says(&refused.err, &["the identity provider's token is refused: its signature is wrong"]);
    assert!(!std::path::Path::new(&server.file("other")).exists(), "nothing is kept of who is not in");
    let twice = server.say("account sign-in kim --oidc");
    assert_eq!(twice.code, 2, "{}", twice.err);
}
