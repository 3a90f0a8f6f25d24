//! `doorward-agent join`: makes the agent's key, enrols with a token, and stores what the authority answered.

use crate::clock::wall_now;
use crate::files::{create_private_dir, lock};
use crate::identity::{Identity, is_enrolled, new_incarnation, new_key};
use crate::quic;
use crate::quic::enrol::EnrolError;
use crate::quic::tls::agent_config;
use crate::store::open::{Beginning, create};
use crate::validity::Validity;
use anyhow::{Context, Result, bail};
use doorward_protocol::enrol::{Enrolled, JoinToken};
use doorward_protocol::sign::SecretKey;
use doorward_protocol::time::UnixMs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Enrol this machine as an agent, with a token from `doorward agent add ID`.
///
/// The key is made here and never leaves the directory. The token works once, and only for the agent that it names; it
/// also says how to recognise the campus's authority, so nothing else has to be configured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The whole token, as `doorward agent add` printed it.
    #[arg(env = "DOORWARD_JOIN_TOKEN", hide_env_values = true)]
    token: TokenText,
    /// Directory for key, enrolment and state; made if it is not there.
    #[arg(long, value_name = "DIR", env = "DOORWARD_AGENT_DATA")]
    data: PathBuf,
}

/// A token as it was given; never printed.
#[derive(Clone)]
struct TokenText(String);

impl From<String> for TokenText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl core::fmt::Debug for TokenText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TokenText(secret)")
    }
}

/// Runs the command.
///
/// # Errors
/// A sentence that says what to do.
pub fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { token, data } = arguments;
    let token = check_token(&token.0, wall_now())?;
    create_private_dir(&data)?;
    let _lock = lock(&data)?;
    if is_enrolled(&data)? {
        let shown = data.display();
        bail!("{shown} already holds an enrolled agent; choose another --data, or start it with `doorward-agent run`");
    }
    let key = new_key(&data)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (address, identity) = runtime.block_on(join(token, key, &data))?;
    let valid = Validity::of_certificate(&identity.certificate);
    let until = valid.map_or_else(String::new, |valid| format!(" until {}", valid.until.to_utc_text()));
    let (agent, campus, shown) = (&identity.agent, &identity.campus, data.display());
    super::print(&format!(
        "enrolled as {agent} of campus {campus} at {address}\n\
         key and certificate (valid{until}, renewed by itself) are in {shown}\n\
         next: doorward-agent run --data {shown}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for the enrolment and stores it, once it has proven itself; says which authority answered.
pub async fn join(token: JoinToken, key: SecretKey, data: &Path) -> Result<(String, Identity)> {
    let (address, enrolled) = ask_all(&token, &key).await?;
    let identity = identity_of(token, key, enrolled)?;
    store(data, &identity)?;
    Ok((address, identity))
}

fn check_token(text: &str, now: UnixMs) -> Result<JoinToken> {
    let token = JoinToken::parse(text).map_err(|error| anyhow::anyhow!("the join token {error}"))?;
    if token.expires_at <= now {
        bail!(
            "the join token expired at {} (the clock here shows {}); make a new one with `doorward agent add {}`",
            token.expires_at.to_utc_text(),
            now.to_utc_text(),
            token.agent
        );
    }
    Ok(token)
}

/// Asks each authority that the token names until one enrols; a refusal is the campus's word and ends the search.
async fn ask_all(token: &JoinToken, key: &SecretKey) -> Result<(String, Enrolled)> {
    let mut faults = Vec::new();
    for address in &token.addresses {
        match quic::enrol::join(address, token, key).await {
            Ok(enrolled) => return Ok((address.clone(), enrolled)),
            Err(error @ EnrolError::Refused(_)) => bail!("{address}: {error}"),
            Err(error) => faults.push(format!("{address}: {error}")),
        }
    }
    bail!("no authority of the token enrolled this agent; is one running, and is UDP open?\n  {}", faults.join("\n  "))
}

/// Who the agent is now, once the answer has proven itself.
fn identity_of(token: JoinToken, key: SecretKey, enrolled: Enrolled) -> Result<Identity> {
    let mut identity = Identity {
        campus: token.campus,
        agent: token.agent,
        key,
        pinned_root: token.root,
        certificate: Vec::new(),
        certificate_authority: Vec::new(),
        statements: Vec::new(),
        addresses: token.addresses,
    };
    identity.take_over(enrolled).context("the authority's answer is not believed, nothing was stored")?;
    agent_config(&identity).context("the authority's answer has no certificate for this agent's key")?;
    Ok(identity)
}

fn store(data: &Path, identity: &Identity) -> Result<()> {
    let (agent, statements) = (&identity.agent, identity.statements.as_slice());
    let beginning = Beginning { agent, statements, incarnation: new_incarnation()? };
    create(data, &beginning).with_context(|| format!("the store in {} cannot be made", data.display()))?;
    identity.store(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::{certificate_authority, key};
    use doorward_protocol::enrol::certificate_hash;
    use doorward_protocol::id::Hash;

    fn token(addresses: Vec<String>) -> JoinToken {
        let authority = certificate_authority();
        let identity = authority.identity("agent-1", addresses);
        JoinToken {
            campus: identity.campus,
            agent: identity.agent,
            secret: [7; 32],
            expires_at: UnixMs(1_000),
            root: identity.pinned_root,
            certificate_authority: certificate_hash(&authority.der),
            addresses: identity.addresses,
        }
    }

    #[test]
    fn a_token_that_is_damaged_or_expired_says_so() {
        let text = token(vec!["127.0.0.1:1".into()]).to_text().unwrap();
        assert!(check_token(&text, UnixMs(999)).is_ok());
        let expired = check_token(&text, UnixMs(1_000)).unwrap_err().to_string();
        assert!(expired.contains("expired at 1970-01-01T00:00:01Z"), "{expired}");
        assert!(expired.contains("doorward agent add agent-1"), "{expired}");
        let damaged = check_token(&text.replace("d", "e"), UnixMs(0)).unwrap_err().to_string();
        assert!(damaged.contains("the join token does not begin with \"doorward1_\""), "{damaged}");
        let cut = check_token(&text[..text.len() - 1], UnixMs(0)).unwrap_err().to_string();
        assert!(cut.contains("the join token is damaged; copy the whole line"), "{cut}");
    }

    #[test]
    fn a_token_on_the_command_line_does_not_print() {
        let data = PathBuf::from("data");
        let arguments = Arguments { token: TokenText::from("doorward1_c2VjcmV0".to_owned()), data };
        assert!(!format!("{arguments:?}").contains("c2VjcmV0"), "{arguments:?}");
    }

    #[tokio::test]
    async fn every_address_is_tried_and_each_fault_named() {
        // Nothing listens on the discard port of loopback, and the other is no address.
        let token = token(vec!["no-address".into(), "127.0.0.1:9".into()]);
        let error = ask_all(&token, &key(3)).await.unwrap_err().to_string();
        assert!(error.contains("no-address: \"no-address\" is not an address"), "{error}");
        assert!(error.contains("127.0.0.1:9: no answer within 4 s"), "{error}");
    }

    #[test]
    fn an_answer_for_another_key_or_root_is_not_stored() {
        let authority = certificate_authority();
        let identity = authority.identity("agent-1", vec![]);
        let enrolled = |key: &SecretKey| Enrolled {
            certificate: authority.certificate("agent-1", key),
            certificate_authority: authority.der.clone(),
            statements: identity.statements.clone(),
        };
        let token = |root| JoinToken { root, ..token(vec![]) };
        assert!(identity_of(token(identity.pinned_root), key(3), enrolled(&key(3))).is_ok());
        let other = identity_of(token(identity.pinned_root), key(3), enrolled(&key(4))).unwrap_err().to_string();
        assert!(other.contains("no certificate for this agent's key"), "{other}");
        assert!(identity_of(token(Hash([0; 32])), key(3), enrolled(&key(3))).is_err());
    }
}
