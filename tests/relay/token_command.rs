//! `gischat-relay token`: a token, and the entry of it for the file of tokens.

use crate::moderation::call_with;
use crate::support::Relay;
use crate::support::program::{Output, relay};

/// Runs `token` with these arguments; returns the entry for the file, and the token.
fn token(arguments: &[&str]) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let Output { status, stdout, stderr } = relay(directory.path(), &[&["token"], arguments].concat(), &[]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(std::fs::read_dir(directory.path()).unwrap().next().is_none(), "something is stored");
    let token = stderr.strip_prefix("the token is shown only once and not stored:\n").unwrap().trim_end().to_owned();
    assert_eq!(token.len(), 43);
    assert!(!stdout.contains(&token), "{stdout}");
    (stdout, token)
}

#[tokio::test]
async fn a_relay_with_the_entry_in_its_file_takes_the_token() {
    let (jane, token_of_jane) = token(&["--name", "jane"]);
    let (hans, token_of_hans) = token(&["--nickname", "Hans"]);
    assert!(
        jane.starts_with("[[moderator]]\nname = \"jane\"\n") && jane.ends_with("\nscopes = [\"read\"]\n"),
        "{jane}"
    );
    assert!(hans.starts_with("[[trusted]]\nnickname = \"Hans\"\n"), "{hans}");
    let relay = Relay::builder()
        .file("tokens.toml", &format!("{jane}{hans}"))
        .env("RELAY__MODERATION__TOKENS_FILE", "tokens.toml")
        .start()
        .await;
    for (token, status) in [(token_of_jane, 200), (token_of_hans, 401)] {
        assert_eq!(call_with(&relay, ("GET", "/moderation/feed"), &token, &[], "").await.status, status);
    }
}

#[test]
fn without_a_name_only_a_random_token_line_is_printed() {
    let ((one, first), (two, second)) = (token(&[]), token(&[]));
    assert!(first != second && one != two);
    let hash = one.strip_prefix("token = \"sha256:").unwrap().strip_suffix("\"\n").unwrap();
    assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
}

#[test]
fn a_bad_configuration_is_no_obstacle_and_a_bad_name_is_one() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("relay.toml"), "=").unwrap();
    assert_eq!(relay(directory.path(), &["token"], &[]).status, Some(0));
    for arguments in [["--name", "jane doe"], ["--name", ""], ["--nickname", "moderation"], ["--nickname", "jane doe"]]
    {
        let output = relay(directory.path(), &[&["token"], &arguments[..]].concat(), &[]);
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{arguments:?}: {output:?}");
    }
    let both = relay(directory.path(), &["token", "--name", "jane", "--nickname", "jane"], &[]);
    assert_eq!(both.status, Some(2), "{both:?}");
}
