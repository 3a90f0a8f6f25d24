//! Accounts by themselves: who gets in, who does not, and what is left on the disk.

use super::*;

const NOW: UnixMs = UnixMs(1_800_000_000_000);
const PASSWORD: &str = "correct horse battery";

fn kim() -> Login {
    "kim".parse::<Login>().unwrap()
}

fn accounts() -> (tempfile::TempDir, Accounts) {
    let directory = tempfile::tempdir().unwrap();
    let accounts = Accounts::open(&Layout::new(directory.path())).unwrap();
    (directory, accounts)
}

async fn with_kim() -> (tempfile::TempDir, Accounts) {
    let (directory, accounts) = accounts();
    let (secret, _) = accounts.invite(&kim(), NOW).unwrap();
    accounts.set_up(&kim(), &secret, PASSWORD.into(), NOW).await.unwrap();
    (directory, accounts)
}

#[tokio::test]
async fn a_set_up_secret_works_once_and_not_for_ever() {
    let (directory, accounts) = accounts();
    let (secret, expires_at) = accounts.invite(&kim(), NOW).unwrap();
    let set_up = |secret: String, at| {
        let accounts = &accounts;
        async move { accounts.set_up(&kim(), &secret, PASSWORD.into(), at).await }
    };
    assert!(matches!(set_up("0".repeat(64), NOW).await, Err(AccountError::SetUp)));
    assert!(matches!(set_up(secret.clone(), expires_at).await, Err(AccountError::SetUp)));
    let weak = accounts.set_up(&kim(), &secret, "short".into(), NOW).await;
    assert!(matches!(weak, Err(AccountError::Weak(_))), "and the secret is still good");
    set_up(secret.clone(), NOW).await.unwrap();
    assert!(matches!(set_up(secret.clone(), NOW).await, Err(AccountError::SetUp)), "it was used");
    let nobody = "nobody".parse::<Login>().unwrap();
    assert!(matches!(accounts.set_up(&nobody, &secret, PASSWORD.into(), NOW).await, Err(AccountError::SetUp)));
    let kept = std::fs::read_to_string(Layout::new(directory.path()).accounts()).unwrap();
    assert!(kept.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
    assert!(!kept.contains(PASSWORD) && !kept.contains(&secret), "{kept}");
}

#[tokio::test]
async fn whoever_knows_the_password_gets_a_session_that_ends() {
    let (directory, accounts) = with_kim().await;
    let (token, session) = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.unwrap();
    let at = |ms| accounts.session(token.as_bytes(), NOW.plus_ms(ms)).map(|session| session.operator);
    assert_eq!(at(0), Some(kim()));
    assert_eq!(at(IDLE_MS - 1), Some(kim()), "its use keeps it");
    assert_eq!(at(2 * IDLE_MS - 2), Some(kim()));
    assert_eq!(at(4 * IDLE_MS), None, "it was not used for too long");
    let (token, _) = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.unwrap();
    let mut now = NOW;
    while now < session.expires_at {
        assert!(accounts.session(token.as_bytes(), now).is_some());
        now = now.plus_ms(IDLE_MS - 1);
    }
    assert!(accounts.session(token.as_bytes(), now).is_none(), "it is over, however busy");
    let (token, _) = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.unwrap();
    accounts.sign_out(token.as_bytes());
    assert!(accounts.session(token.as_bytes(), NOW).is_none());
    assert!(accounts.session(b"", NOW).is_none());
    let again = Accounts::open(&Layout::new(directory.path())).unwrap();
    assert!(again.sign_in(&kim(), PASSWORD.into(), NOW).await.is_ok(), "the password outlives the process");
}

#[tokio::test]
async fn wrong_passwords_lock_an_account_for_a_while_also_across_a_restart() {
    let (directory, accounts) = with_kim().await;
    let (session, _) = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.unwrap();
    for _ in 0..FAILURES_MAX {
        let wrong = accounts.sign_in(&kim(), "wrong horse battery".into(), NOW).await;
        assert!(matches!(wrong, Err(AccountError::Wrong)));
    }
    let locked = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await;
    assert!(matches!(locked, Err(AccountError::Locked(LOCK_MS))), "also for the right one");
    assert!(accounts.session(session.as_bytes(), NOW).is_some(), "who is in stays in");
    let accounts = Accounts::open(&Layout::new(directory.path())).unwrap();
    let later = NOW.plus_ms(LOCK_MS);
    assert!(matches!(accounts.sign_in(&kim(), PASSWORD.into(), later.plus_ms(-1)).await, Err(AccountError::Locked(1))));
    let wrong = accounts.sign_in(&kim(), "wrong horse battery".into(), later).await;
    assert!(matches!(wrong, Err(AccountError::Wrong)));
    let longer = accounts.sign_in(&kim(), PASSWORD.into(), later).await;
    assert!(matches!(longer, Err(AccountError::Locked(ms)) if ms == 2 * LOCK_MS));
    let much_later = later.plus_ms(2 * LOCK_MS);
    assert!(accounts.sign_in(&kim(), PASSWORD.into(), much_later).await.is_ok());
    assert!(accounts.sign_in(&kim(), PASSWORD.into(), much_later).await.is_ok(), "and the count begins anew");
    assert_eq!(lock_ms(u32::MAX), Some(LOCK_MS_MAX));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_are_no_more_guesses() {
    let (_directory, accounts) = with_kim().await;
    let accounts = std::sync::Arc::new(accounts);
    let guess = |n: usize| {
        let accounts = std::sync::Arc::clone(&accounts);
        tokio::spawn(async move { accounts.sign_in(&kim(), format!("wrong horse battery {n}"), NOW).await })
    };
    let guesses: Vec<_> = (0..40).map(guess).collect();
    let mut looked_at = 0;
    for guess in guesses {
        looked_at += usize::from(matches!(guess.await.unwrap(), Err(AccountError::Wrong)));
    }
    let most = usize::try_from(FAILURES_MAX).unwrap() + TOGETHER_MAX - 1;
    assert!(looked_at <= most, "{looked_at} guesses were looked at");
}

#[tokio::test]
async fn nobody_is_told_which_operators_there_are() {
    let (_directory, accounts) = with_kim().await;
    let nobody = "nobody".parse::<Login>().unwrap();
    let wrong = accounts.sign_in(&nobody, PASSWORD.into(), NOW).await.unwrap_err().to_string();
    assert_eq!(wrong, accounts.sign_in(&kim(), "wrong horse battery".into(), NOW).await.unwrap_err().to_string());
    for _ in 0..2 * FAILURES_MAX {
        assert!(matches!(accounts.sign_in(&nobody, PASSWORD.into(), NOW).await, Err(AccountError::Wrong)));
    }
    assert!(!accounts.lock().accounts.contains_key(&nobody), "nothing is kept of names that are none");
    assert!(!password::is("", NO_PASSWORD) && !password::is("x", "no hash"));
    assert!(argon2::password_hash::phc::PasswordHash::new(NO_PASSWORD).is_ok(), "it is checked at the usual cost");
}

#[tokio::test]
async fn another_password_and_another_invitation_end_what_was_before() {
    let (_directory, accounts) = with_kim().await;
    let (token, _) = accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.unwrap();
    let new = "another horse battery";
    let wrong = accounts.change_password(&kim(), "wrong horse battery".into(), new.into(), NOW).await;
    assert!(matches!(wrong, Err(AccountError::Wrong)));
    accounts.change_password(&kim(), PASSWORD.into(), new.into(), NOW).await.unwrap();
    assert!(accounts.session(token.as_bytes(), NOW).is_none());
    assert!(accounts.sign_in(&kim(), PASSWORD.into(), NOW).await.is_err());
    let (token, _) = accounts.sign_in(&kim(), new.into(), NOW).await.unwrap();
    let _invitation = accounts.invite(&kim(), NOW).unwrap();
    assert!(accounts.session(token.as_bytes(), NOW).is_none());
    assert!(accounts.sign_in(&kim(), new.into(), NOW).await.is_err(), "who forgot it is invited anew");
    let (secret, _) = accounts.invite(&kim(), NOW).unwrap();
    accounts.forget(&kim()).unwrap();
    assert!(accounts.set_up(&kim(), &secret, PASSWORD.into(), NOW).await.is_err());
}

#[tokio::test]
async fn sessions_of_one_operator_are_bounded() {
    let (_directory, accounts) = with_kim().await;
    let mut first = None;
    for n in 0..=SESSIONS_MAX {
        let at = NOW.plus_ms(i64::try_from(n).unwrap());
        let (token, _) = accounts.sign_in(&kim(), PASSWORD.into(), at).await.unwrap();
        first.get_or_insert(token);
    }
    assert_eq!(accounts.lock().sessions.len(), SESSIONS_MAX);
    assert!(accounts.session(first.unwrap().as_bytes(), NOW).is_none());
}

#[test]
fn a_password_is_long_and_not_the_name() {
    for weak in ["short", "aaaaaaaaaaaaaaaa", "i am Kim, let me in"] {
        assert!(password::check(weak, "kim").is_err(), "{weak}");
    }
    assert!(password::check(&"word ".repeat(300), "kim").is_err());
    assert!(password::check("밤새 안녕히 주무셨나요", "kim").is_ok());
}

#[test]
fn what_is_no_file_of_accounts_is_not_taken_for_an_empty_one() {
    let directory = tempfile::tempdir().unwrap();
    let layout = Layout::new(directory.path());
    keys::write_private(&layout.accounts(), "{").unwrap();
    let error = Accounts::open(&layout).unwrap_err().to_string();
    assert!(error.contains("accounts.json") && error.contains("delete it"), "{error}");
}
