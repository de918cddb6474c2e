//! Invalid rules change nothing, and are reported.

use super::{
    call, not_in_force, note_texts, place, refusing, remove, status, until, until_not_in_force, until_note_texts,
    with_rules, without_rules, write,
};
use crate::plugins::{LONG_DEADLINES, guest};
use crate::support::Relay;

const INVALID: &str =
    "[[rule]]\nid = 'no'\nwords = ['poker']\nverdict = 'reject'\nresaon = 'No.'\nclosue = 'Be kind'\n";
const ERRORS: [&str; 2] = [
    "rules.toml:5: rule `no`: unknown key `resaon`; did you mean `reason`?",
    "rules.toml:6: rule `no`: unknown key `closue`; did you mean `clause`?",
];
const GONE: &str = "rules.toml: was removed; its rules stay in force; reload (SIGHUP or the API) to drop them";

/// The number of log lines about an invalid file.
fn logged(relay: &Relay, part: &str) -> usize {
    relay.log().iter().filter(|line| line.contains("reload failed; rules are unchanged") && line.contains(part)).count()
}

async fn reload(relay: &Relay) -> u16 {
    call(relay, "POST", "/moderation/reload", "").await.status
}

#[tokio::test]
async fn an_invalid_file_leaves_the_rules_in_force_and_is_reported_once_until_fixed() {
    let relay = with_rules(&refusing("casino")).start().await;
    assert!(not_in_force(&relay).await.is_null());
    write(&relay, "rules.toml", INVALID);
    until_not_in_force(&relay, &ERRORS).await;
    let since = not_in_force(&relay).await["since"].clone();
    assert!(since.as_str().unwrap().ends_with('Z'), "{since}");
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (403, 200));
    until_note_texts(&relay, "rules_invalid", &[&ERRORS.join("\n")]).await;

    // The same error in a replaced file is not reported again, except in the response to the call.
    place(&relay, "rules.toml", INVALID);
    assert_eq!(reload(&relay).await, 422);
    // A different error is reported.
    write(&relay, "rules.toml", "[[rule");
    relay.wait_until(2, async || note_texts(&relay, "rules_invalid").await.len()).await;
    assert_ne!(not_in_force(&relay).await["since"], since);
    assert_eq!(status(&relay, "casino").await, 403);

    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert!(not_in_force(&relay).await.is_null());
    assert_eq!(note_texts(&relay, "rules_invalid").await.len(), 2);
    let with_errors = "reloaded by jane; rules in force: 1, plugins: 0; errors: 2; those parts are unchanged";
    let after_change = "rules reloaded after a file change; rules in force: 1";
    until_note_texts(&relay, "reloaded", &[with_errors, after_change]).await;
    relay.wait_until(1, async || logged(&relay, "unknown key `resaon`")).await;
}

#[tokio::test]
async fn a_file_that_is_fixed_and_broken_again_is_reported_again() {
    let relay = with_rules(&refusing("casino")).start().await;
    for (time, word) in (1..).zip(["poker", "bingo"]) {
        write(&relay, "rules.toml", INVALID);
        relay.wait_until(time, async || note_texts(&relay, "rules_invalid").await.len()).await;
        write(&relay, "rules.toml", &refusing(word));
        until(&relay, word, 403).await;
    }
}

#[tokio::test]
async fn rules_whose_file_vanishes_stay_in_force_and_this_is_logged_once() {
    let relay = with_rules(&refusing("casino")).start().await;
    remove(&relay, "rules.toml");
    until_not_in_force(&relay, &[GONE]).await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert!(not_in_force(&relay).await.is_null());
    until_note_texts(&relay, "rules_invalid", &[GONE]).await;
    relay.wait_until(1, async || logged(&relay, "was removed")).await;
}

#[tokio::test]
async fn an_explicit_reload_removes_the_rules_of_a_missing_default_file() {
    // Messages that poll for the new rules are refused each time.
    let relay = with_rules(&refusing("casino")).env("RELAY__FILTER__BREAKERS__ENABLED", "false").start().await;
    remove(&relay, "rules.toml");
    until_not_in_force(&relay, &[GONE]).await;
    relay.signal("HUP");
    until(&relay, "casino", 200).await;
    assert!(not_in_force(&relay).await.is_null());

    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    remove(&relay, "rules.toml");
    assert_eq!(reload(&relay).await, 200);
    assert_eq!(status(&relay, "poker").await, 200);
    assert!(not_in_force(&relay).await.is_null());
    // None of that stops it from being watched.
    write(&relay, "rules.toml", &refusing("bingo"));
    until(&relay, "bingo", 403).await;
}

#[tokio::test]
async fn removing_a_configured_rules_file_does_not_remove_its_rules() {
    let relay = without_rules().env("RULES_FILE", "mine.toml").file("mine.toml", &refusing("casino")).start().await;
    remove(&relay, "mine.toml");
    let gone =
        "mine.toml: was removed; its rules stay in force; restore it, since RULES_FILE (filter.rules_file) names it";
    until_not_in_force(&relay, &[gone]).await;
    assert_eq!(reload(&relay).await, 422);
    until_not_in_force(&relay, &["mine.toml: does not exist, but RULES_FILE (filter.rules_file) names it"]).await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "mine.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
}

#[tokio::test]
async fn a_new_invalid_file_is_reported_until_it_is_removed() {
    let relay = without_rules().start().await;
    write(&relay, "rules.toml", INVALID);
    until_not_in_force(&relay, &ERRORS).await;
    remove(&relay, "rules.toml");
    relay.wait_until(true, async || not_in_force(&relay).await.is_null()).await;
    until_note_texts(&relay, "rules_invalid", &[&ERRORS.join("\n")]).await;
}

#[tokio::test]
async fn a_reload_applies_valid_rules_despite_plugins_with_errors() {
    let relay =
        LONG_DEADLINES.into_iter().fold(with_rules(&refusing("casino")), |relay, (name, value)| relay.env(name, value));
    let relay = relay.plugin("mine", "", b"no wasm").start().await;
    place(&relay, "rules.toml", &refusing("poker"));
    assert_eq!(reload(&relay).await, 422);
    assert!(not_in_force(&relay).await.is_null());
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 403));

    let path = relay.directory().join("plugins/mine/filter.wasm");
    std::fs::write(path, guest("hostile")).unwrap();
    assert_eq!(reload(&relay).await, 200);
    assert_eq!(status(&relay, "poker").await, 403);
    assert!(note_texts(&relay, "rules_invalid").await.is_empty());
}
