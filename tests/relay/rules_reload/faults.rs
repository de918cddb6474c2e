//! What is at fault changes nothing, and is named.

use super::{
    call, not_in_force, place, refusing, remove, status, told, until, until_at_fault, with_rules, without_rules, write,
};
use crate::plugins::{PATIENT, guest};
use crate::support::Relay;

const FAULTY: &str = "[[rule]]\nid = 'no'\nwords = ['poker']\nverdict = 'reject'\nresaon = 'No.'\nclosue = 'Be kind'\n";
const FAULTS: [&str; 2] = [
    "rules.toml:5: rule `no`: unknown key `resaon`; did you mean `reason`?",
    "rules.toml:6: rule `no`: unknown key `closue`; did you mean `clause`?",
];
const GONE: &str =
    "rules.toml: is gone; its rules stay in force; to take them off, have the rules read again (SIGHUP, or the call)";

/// How often the log says that a file is at fault.
fn logged(relay: &Relay, part: &str) -> usize {
    relay.log().iter().filter(|line| line.contains("the rules stay as they are") && line.contains(part)).count()
}

async fn reload(relay: &Relay) -> u16 {
    call(relay, "POST", "/moderation/reload", "").await.status
}

#[tokio::test]
async fn a_faulty_file_leaves_the_rules_as_they_are_and_is_named_once_until_it_is_healed() {
    let relay = with_rules(&refusing("casino")).start().await;
    assert!(not_in_force(&relay).await.is_null());
    write(&relay, "rules.toml", FAULTY);
    until_at_fault(&relay, &FAULTS).await;
    let since = not_in_force(&relay).await["since"].clone();
    assert!(since.as_str().unwrap().ends_with('Z'), "{since}");
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (403, 200));
    assert_eq!(told(&relay, "rules_at_fault").await, [FAULTS.join("\n")]);

    // The same fault in another file is no news; the call answers with it nevertheless.
    place(&relay, "rules.toml", FAULTY);
    assert_eq!(reload(&relay).await, 422);
    // Another fault is.
    write(&relay, "rules.toml", "[[rule");
    relay.wait_until(2, async || told(&relay, "rules_at_fault").await.len()).await;
    assert_ne!(not_in_force(&relay).await["since"], since);
    assert_eq!(status(&relay, "casino").await, 403);

    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert!(not_in_force(&relay).await.is_null());
    assert_eq!(told(&relay, "rules_at_fault").await.len(), 2);
    let reloaded = told(&relay, "reloaded").await;
    assert_eq!(reloaded.iter().filter(|text| text.starts_with("the rules were read again")).count(), 1, "{reloaded:?}");
    let with_errors =
        "reloaded by jane; rules in force: 1, plugins: 0; errors: 2, and what they are in stays as it was";
    assert!(reloaded.iter().any(|text| text == with_errors), "{reloaded:?}");
    relay.wait_until(1, async || logged(&relay, "unknown key `resaon`")).await;
}

#[tokio::test]
async fn a_file_that_was_healed_and_is_broken_again_is_named_again() {
    let relay = with_rules(&refusing("casino")).start().await;
    for (time, word) in (1..).zip(["poker", "bingo"]) {
        write(&relay, "rules.toml", FAULTY);
        relay.wait_until(time, async || told(&relay, "rules_at_fault").await.len()).await;
        write(&relay, "rules.toml", &refusing(word));
        until(&relay, word, 403).await;
    }
}

#[tokio::test]
async fn rules_of_which_the_file_vanishes_stay_in_force_and_that_is_said_once() {
    let relay = with_rules(&refusing("casino")).start().await;
    remove(&relay, "rules.toml");
    until_at_fault(&relay, &[GONE]).await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert!(not_in_force(&relay).await.is_null());
    assert_eq!(told(&relay, "rules_at_fault").await, [GONE]);
    relay.wait_until(1, async || logged(&relay, "is gone")).await;
}

#[tokio::test]
async fn who_asks_takes_off_the_rules_of_a_default_file_that_is_gone() {
    // What is asked again and again until the rules are read is refused each time.
    let relay = with_rules(&refusing("casino")).env("RELAY__FILTER__BRAKES__ENABLED", "false").start().await;
    remove(&relay, "rules.toml");
    until_at_fault(&relay, &[GONE]).await;
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
async fn nobody_takes_off_the_rules_of_a_file_that_the_setting_names_by_removing_it() {
    let relay = without_rules().env("RULES_FILE", "mine.toml").file("mine.toml", &refusing("casino")).start().await;
    remove(&relay, "mine.toml");
    let gone = "mine.toml: is gone; its rules stay in force; put it back, as RULES_FILE (filter.rules_file) names it";
    until_at_fault(&relay, &[gone]).await;
    assert_eq!(reload(&relay).await, 422);
    until_at_fault(&relay, &["mine.toml: does not exist, though RULES_FILE (filter.rules_file) names it"]).await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "mine.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
}

#[tokio::test]
async fn a_faulty_file_that_comes_where_there_was_none_is_named_and_forgotten_when_it_goes() {
    let relay = without_rules().start().await;
    write(&relay, "rules.toml", FAULTY);
    until_at_fault(&relay, &FAULTS).await;
    remove(&relay, "rules.toml");
    relay.wait_until(true, async || not_in_force(&relay).await.is_null()).await;
    assert_eq!(told(&relay, "rules_at_fault").await, [FAULTS.join("\n")]);
}

#[tokio::test]
async fn a_call_puts_good_rules_in_force_beside_plugins_with_an_error() {
    let relay =
        PATIENT.into_iter().fold(with_rules(&refusing("casino")), |relay, (name, value)| relay.env(name, value));
    let relay = relay.plugin("mine", "", b"no wasm").start().await;
    place(&relay, "rules.toml", &refusing("poker"));
    assert_eq!(reload(&relay).await, 422);
    assert!(not_in_force(&relay).await.is_null());
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 403));

    let path = relay.directory().join("plugins/mine/filter.wasm");
    std::fs::write(path, guest("hostile")).unwrap();
    assert_eq!(reload(&relay).await, 200);
    assert_eq!(status(&relay, "poker").await, 403);
    assert!(told(&relay, "rules_at_fault").await.is_empty());
}
