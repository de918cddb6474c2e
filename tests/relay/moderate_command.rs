//! `gischat-relay filters` and `gischat-relay reload`: a moderator at the shell of the relay's machine.

use crate::moderation::{TOKEN, moderated};
use crate::support::Relay;
use crate::support::program::{Output, relay};

const RULES: &str = "[[rule]]\nid = 'no-casino'\nwords = ['casino']\nverdict = 'reject'\n";

async fn serving() -> Relay {
    moderated(Relay::builder()).env("RELAY__FILTER__PRESET", "off").file("rules.toml", RULES).start().await
}

/// Runs a command of the program, which is to find that relay by its configuration.
async fn run(server: &Relay, arguments: &[&'static str], token: Option<&'static str>) -> Output {
    let (address, directory) = (server.address().to_string(), server.directory().to_owned());
    let arguments = arguments.to_vec();
    let asked = move || {
        let mut variables = vec![("LISTEN", address.as_str())];
        variables.extend(token.map(|token| ("MODERATOR_TOKEN", token)));
        relay(&directory, &arguments, &variables)
    };
    tokio::task::spawn_blocking(asked).await.unwrap()
}

#[tokio::test]
async fn filters_shows_statistics_of_each_rule() {
    let server = serving().await;
    assert_eq!(server.put_line("QGIS", "anna", "the casino", &[]).await.status, 403);
    let output = run(&server, &["filters"], Some(TOKEN)).await;
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let rule = output.stdout.lines().find(|line| line.starts_with("no-casino")).unwrap();
    let words: Vec<&str> = rule.split_whitespace().collect();
    assert_eq!(words[..7], ["no-casino", "rules.toml:1", "enforce", "1", "0", "0", "0.0"]);
    assert!(words[7].ends_with('Z'), "{words:?}");
}

#[tokio::test]
async fn filters_shows_which_rules_only_observe_because_their_breaker_tripped() {
    let server = moderated(Relay::builder()).env("RELAY__FILTER__PRESET", "off").env("RATE_LIMITS", "off");
    let server = server.env("RELAY__FILTER__BREAKERS__MESSAGES", "100").env("TRUSTED_PROXIES", "127.0.0.1");
    let server = server.file("rules.toml", RULES).start().await;
    for host in 1..=6 {
        let ip = format!("192.0.2.{host}");
        let answer = server.put_line("QGIS", "anna", "the casino", &[("X-Forwarded-For", &ip)]).await;
        assert_eq!(answer.status, 403);
    }
    let output = run(&server, &["filters"], Some(TOKEN)).await;
    let mut lines = output.stdout.lines().skip_while(|line| !line.starts_with("no-casino"));
    assert!(lines.next().unwrap().contains(" observe "), "{output:?}");
    let note = lines.next().unwrap();
    assert!(note.starts_with("    breaker tripped at 20") && note.ends_with("Z; configured to enforce"), "{note}");
}

#[tokio::test]
async fn reload_puts_the_files_in_force_and_shows_the_rules() {
    let server = serving().await;
    std::fs::write(server.directory().join("rules.toml"), RULES.replace("casino", "poker")).unwrap();
    let output = run(&server, &["reload"], Some(TOKEN)).await;
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.starts_with("rules in force: 1; plugins: none\n"), "{output:?}");
    assert!(output.stdout.contains("\nno-poker  rules.toml:1  enforce "), "{output:?}");
    assert_eq!(server.put_line("QGIS", "anna", "the poker", &[]).await.status, 403);
}

#[tokio::test]
async fn reload_names_the_errors_and_fails() {
    let server = serving().await;
    std::fs::write(server.directory().join("rules.toml"), RULES.replace("words", "wrods")).unwrap();
    let output = run(&server, &["reload"], Some(TOKEN)).await;
    assert_eq!(output.status, Some(1), "{output:?}");
    assert!(output.stdout.starts_with("rules in force: 1; plugins: none\n"), "{output:?}");
    assert!(output.stderr.contains("unknown key `wrods`; did you mean `words`?"), "{output:?}");
}

#[tokio::test]
async fn without_a_valid_token_nothing_is_shown() {
    let server = serving().await;
    let output = run(&server, &["filters"], None).await;
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output:?}");
    assert!(output.stderr.starts_with("error: a moderator's token is required"), "{output:?}");
    let output = run(&server, &["filters"], Some("0123456789abcdef-hans")).await;
    assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains(": 401: "), "{output:?}");
}

#[tokio::test]
async fn the_token_may_be_in_a_file_and_json_prints_the_response_unchanged() {
    let server = serving().await;
    std::fs::write(server.directory().join("token"), format!("{TOKEN}\n")).unwrap();
    let output = run(&server, &["filters", "--json", "--token-file", "token"], None).await;
    assert_eq!((output.status, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let answer: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(answer["filters"][3]["rules"][0]["rule"], "no-casino");
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_named() {
    let server = serving().await;
    let output = {
        let directory = server.directory().to_owned();
        let asked = move || relay(&directory, &["filters"], &[("LISTEN", "127.0.0.1:1"), ("MODERATOR_TOKEN", TOKEN)]);
        tokio::task::spawn_blocking(asked).await.unwrap()
    };
    assert_eq!((output.status, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(output.stderr.starts_with("127.0.0.1:1: "), "{output:?}");
}
