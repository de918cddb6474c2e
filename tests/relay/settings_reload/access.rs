//! Moderators and tokens change while the relay runs.

use std::path::Path;

use super::{WAYS, Way, change, errors, place, reload, with};
use crate::moderation::{TOKEN, call, call_with};
use crate::support::Relay;
use crate::support::program::relay as program;

const HANS: &str = "fedcba9876543210-hans";
const BOTH: &str = "[moderation]\nmoderators = ['jane:0123456789abcdef-jane', 'hans:fedcba9876543210-hans']\n";
const JANE: &str = "[moderation]\nmoderators = ['jane:0123456789abcdef-jane']\n";

/// A relay whose moderators are in its settings file.
async fn relay(settings: &str) -> Relay {
    with(settings).env("MODERATORS", "").start().await
}

async fn status(relay: &Relay, token: &str) -> u16 {
    call_with(relay, ("GET", "/moderation/feed"), token, &[], "").await.status
}

#[tokio::test]
async fn a_moderator_is_added_and_removed() {
    for way in WAYS {
        let relay = relay(JANE).await;
        assert_eq!(status(&relay, HANS).await, 401);
        change(&relay, BOTH, way).await;
        assert_eq!((status(&relay, HANS).await, status(&relay, TOKEN).await), (200, 200), "{way:?}");
        change(&relay, JANE, way).await;
        assert_eq!((status(&relay, HANS).await, status(&relay, TOKEN).await), (401, 200), "{way:?}");
    }
}

/// A new token, and the line that a file of tokens holds of it.
fn new_token() -> (String, String) {
    let output = program(Path::new("."), &["token"], &[]);
    let token = output.stderr.lines().nth(1).unwrap().to_owned();
    (token, output.stdout)
}

#[tokio::test]
async fn a_changed_token_is_listed_as_a_change_and_never_shown() {
    let relay = relay(BOTH).await;
    place(&relay, "relay.toml", &BOTH.replace("fedcba", "abcdef"));
    let answer = reload(&relay).await;
    assert_eq!(answer.json()["settings"]["changed"], serde_json::json!(["moderation.moderators"]));
    assert!(!answer.body.contains("abcdef"), "{}", answer.body);
    assert_eq!((status(&relay, HANS).await, status(&relay, "abcdef9876543210-hans").await), (401, 200));
}

#[tokio::test]
async fn a_tokens_file_may_name_a_room_added_by_the_same_reload() {
    let settings = |rooms: &str| format!("{JANE}tokens_file = 'tokens.toml'\n[instance]\nrooms = [{rooms}]\n");
    let relay = with(&settings("'QGIS'")).env("MODERATORS", "").file("tokens.toml", "").start().await;
    let (hans, hash) = new_token();
    place(&relay, "tokens.toml", &format!("[[moderator]]\nname = 'hans'\n{hash}scopes = ['act']\nrooms = ['Maps']\n"));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    assert!(errors(&answer)[0].starts_with("tokens.toml:5: "), "{}", answer.body);
    change(&relay, &settings("'QGIS', 'Maps'"), Way::Call).await;
    assert_eq!(status(&relay, &hans).await, 200);
    assert_eq!(call_with(&relay, ("GET", "/moderation/rooms/Maps/members"), &hans, &[], "").await.status, 200);

    // Settings and tokens are one part: the room cannot go while the tokens name it.
    place(&relay, "relay.toml", &settings("'QGIS'"));
    let answer = reload(&relay).await;
    assert_eq!(answer.status, 422);
    assert!(errors(&answer)[0].starts_with("tokens.toml:5: "), "{}", answer.body);
    assert_eq!(relay.get("/rooms").await.json(), serde_json::json!(["QGIS", "Maps"]));
    assert_eq!(call(&relay, "GET", "/moderation/rooms/Maps/members", "").await.status, 200);
}
