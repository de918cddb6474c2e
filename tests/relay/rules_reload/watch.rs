//! Changed files are detected, and valid ones applied.

use super::{
    not_in_force, place, refusing, remove, status, until, until_not_in_force, until_note_texts, with_rules,
    without_rules, write,
};

const WITH_WORDS: &str = "[[rule]]\nid = 'no'\nwords_file = 'lists/words.txt'\nverdict = 'reject'\n";

#[tokio::test]
async fn a_rule_that_is_written_while_the_relay_runs_refuses_the_next_message() {
    let relay = without_rules().start().await;
    assert_eq!(status(&relay, "casino").await, 200);
    write(&relay, "rules.toml", &refusing("casino"));
    until(&relay, "casino", 403).await;
    write(&relay, "rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert_eq!(status(&relay, "casino").await, 200);
    until_note_texts(&relay, "reloaded", &["rules reloaded after a file change; rules in force: 1"; 2]).await;
}

#[tokio::test]
async fn a_file_replaced_by_renaming_is_read() {
    let relay = with_rules(&refusing("casino")).start().await;
    for word in ["poker", "bingo"] {
        place(&relay, "rules.toml", &refusing(word));
        until(&relay, word, 403).await;
    }
    assert_eq!(status(&relay, "casino").await, 200);
}

#[tokio::test]
async fn the_file_that_the_setting_names_is_watched() {
    let relay = without_rules().env("RULES_FILE", "sub/mine.toml").file("sub/mine.toml", "").start().await;
    write(&relay, "rules.toml", &refusing("casino"));
    write(&relay, "sub/mine.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
    assert_eq!(status(&relay, "casino").await, 200);
}

#[tokio::test]
async fn a_file_behind_a_link_is_watched_and_so_is_the_link() {
    let relay = without_rules().file("one/rules.toml", &refusing("casino")).file("two/rules.toml", "").start().await;
    let link = |to: &str| {
        std::os::unix::fs::symlink(to, relay.directory().join("link")).unwrap();
        std::fs::rename(relay.directory().join("link"), relay.directory().join("rules.toml")).unwrap();
    };
    link("one/rules.toml");
    until(&relay, "casino", 403).await;
    link("two/rules.toml");
    until(&relay, "casino", 200).await;
    write(&relay, "two/rules.toml", &refusing("poker"));
    until(&relay, "poker", 403).await;
}

#[tokio::test]
async fn a_file_of_words_that_changes_is_read() {
    let relay = with_rules(WITH_WORDS).file("lists/words.txt", "casino").start().await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "lists/words.txt", "poker\n");
    until(&relay, "poker", 403).await;
    place(&relay, "lists/words.txt", "bingo\n");
    until(&relay, "bingo", 403).await;
    assert_eq!((status(&relay, "casino").await, status(&relay, "poker").await), (200, 200));
    // One that is named since then.
    write(&relay, "more.txt", "roulette");
    write(&relay, "rules.toml", &WITH_WORDS.replace("lists/words.txt", "more.txt"));
    until(&relay, "roulette", 403).await;
    write(&relay, "more.txt", "baccarat");
    until(&relay, "baccarat", 403).await;
}

#[tokio::test]
async fn a_rule_takes_effect_once_its_missing_word_file_appears() {
    let relay = with_rules(&refusing("casino")).start().await;
    write(&relay, "rules.toml", WITH_WORDS);
    until_not_in_force(&relay, &["rules.toml:3: rule `no`: `words_file` `lists/words.txt` does not exist"]).await;
    assert_eq!(status(&relay, "casino").await, 403);
    write(&relay, "lists/words.txt", "poker");
    until(&relay, "poker", 403).await;
    assert_eq!(status(&relay, "casino").await, 200);
    assert!(not_in_force(&relay).await.is_null());
    // It is removed, and added again.
    remove(&relay, "lists/words.txt");
    until_not_in_force(&relay, &["rules.toml:3: rule `no`: `words_file` `lists/words.txt` does not exist"]).await;
    assert_eq!(status(&relay, "poker").await, 403);
    write(&relay, "lists/words.txt", "bingo");
    until(&relay, "bingo", 403).await;
}
