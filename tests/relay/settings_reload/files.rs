//! Files that are half written, that keep changing, or that are gone.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Way, change, errors, place, reload, signal, with};
use crate::moderation::notes;
use crate::support::{Relay, Response};

const ONE: &str = "[instance]\nrooms = ['QGIS']\n";

#[tokio::test]
async fn a_partly_written_file_is_read_once_it_is_complete() {
    let relay = with(ONE).start().await;
    let path = relay.directory().join("relay.toml");
    let whole = "[instance]\nrooms = ['QGIS', 'Maps']\n";
    let writing = async {
        // Like a slow copy: each piece arrives before the relay would consider the file stable.
        for end in 1..=whole.len() {
            std::fs::write(&path, &whole[..end]).unwrap();
            if end % 5 == 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    std::fs::write(&path, "[inst").unwrap();
    let (answer, ()) = tokio::join!(reload(&relay), writing);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(relay.get("/rooms").await.json(), json!(["QGIS", "Maps"]));
}

/// The time without a change after which the relay reads a file.
const STABLE_FOR: Duration = Duration::from_millis(400);

/// Reloads while a file grows. Returns the response and the longest time between two writes.
async fn reload_while_writing(relay: &Relay, path: &Path, text: &mut String) -> (Response, Duration) {
    let done = AtomicBool::new(false);
    let writing = async {
        let (mut last, mut longest_pause) = (Instant::now(), Duration::ZERO);
        while !done.load(Ordering::SeqCst) {
            text.push('#');
            std::fs::write(path, &*text).unwrap();
            longest_pause = longest_pause.max(last.elapsed());
            last = Instant::now();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        longest_pause.max(last.elapsed())
    };
    let asking = async {
        let answer = reload(relay).await;
        done.store(true, Ordering::SeqCst);
        answer
    };
    tokio::join!(asking, writing)
}

#[tokio::test]
async fn a_file_that_keeps_changing_is_reported_and_the_rest_takes_effect() {
    let relay = with(ONE).start().await;
    let path = relay.directory().join("relay.toml");
    let rule = "[[rule]]\nid = 'no'\nwords = ['bingo']\nverdict = 'reject'\n";
    place(&relay, "rules.toml", rule);
    let (mut text, mut attempts) = (ONE.to_owned(), 0);
    let answer = loop {
        let (answer, longest_pause) = reload_while_writing(&relay, &path, &mut text).await;
        if longest_pause < STABLE_FOR / 2 {
            break answer;
        }
        // The machine kept this test from writing, so the file was stable indeed.
        attempts += 1;
        assert!(attempts < 5, "the file was never written often enough");
        place(&relay, "rules.toml", rule);
    };
    assert_eq!(answer.status, 422, "{}", answer.body);
    let error = "relay.toml: keeps changing while it is read; reload again once it is stable";
    assert_eq!(errors(&answer), [error]);
    assert_eq!(relay.put_line("QGIS", "anna", "bingo", &[]).await.status, 403);
}

#[tokio::test]
async fn a_missing_settings_file_is_reported_and_changes_nothing() {
    let relay = with(ONE).start().await;
    std::fs::remove_file(relay.directory().join("relay.toml")).unwrap();
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    assert_eq!(errors(&answer), ["relay.toml: no longer exists; restore it, or restart the relay to run without it"]);
    assert_eq!(relay.get("/rooms").await.json(), json!(["QGIS"]));
    change(&relay, "[instance]\nrooms = ['Maps']\n", Way::Call).await;
    assert_eq!(relay.get("/rooms").await.json(), json!(["Maps"]));
}

#[tokio::test]
async fn a_settings_file_that_appears_is_read() {
    let relay = with(ONE).start().await;
    place(&relay, ".env", "ROOMS=Maps\n");
    signal(&relay).await;
    assert_eq!(relay.get("/rooms").await.json(), json!(["Maps"]));
}

#[tokio::test]
async fn repeated_signals_end_with_the_last_settings() {
    let relay = with(ONE).start().await;
    for number in 0..10 {
        place(&relay, "relay.toml", &format!("[instance]\nrooms = ['QGIS', 'r{number}']\n"));
        relay.signal("HUP");
    }
    relay.wait_until(json!(["QGIS", "r9"]), async || relay.get("/rooms").await.json()).await;
    assert!(notes(&relay, "reloaded").await.len() <= 10);
}
