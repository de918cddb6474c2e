//! How far a token reaches: the file of tokens, scopes and rooms.

use serde_json::json;

use super::{SAMPLE_CALLS, call_with};
use crate::support::program::relay;
use crate::support::{Relay, RelayBuilder, request};

const READER: &str = "Zx9-reader-Zx9-reader";
const ACTOR: &str = "Zx9-actor-Zx9-actor";
const ADMIN: &str = "Zx9-admin-Zx9-admin";
/// May do everything in QGIS.
const LOCAL: &str = "Zx9-local-Zx9-local";
/// Proves the nickname Hans.
const HANS: &str = "Zx9-hans-Zx9-hans";

/// The tokens file, with hashes from `printf TOKEN | sha256sum`.
const FILE: &str = include_str!("../../cases/tokens.toml");

fn with_file() -> RelayBuilder {
    Relay::builder().file("tokens.toml", FILE).env("RELAY__MODERATION__TOKENS_FILE", "tokens.toml")
}

/// A body that the call takes.
fn body(path: &str) -> &'static str {
    if path == "/moderation/try" { r#"{"room":"QGIS","author":"anna","text":"hello"}"# } else { "" }
}

#[tokio::test]
async fn every_call_is_answered_to_a_token_of_its_scope_and_of_wider_ones() {
    let relay = with_file().start().await;
    for (method, path) in SAMPLE_CALLS {
        let needs_admin = path == "/moderation/reload";
        for (token, admin) in [(READER, false), (ACTOR, false), (ADMIN, true)] {
            let answer = call_with(&relay, (method, path), token, &[], body(path)).await;
            if needs_admin && !admin {
                let wanted = json!({"detail": "this call requires the scope `admin`"});
                assert_eq!((answer.status, answer.json()), (403, wanted), "{path} {token}");
            } else {
                assert_eq!(answer.status, 200, "{path} {token}: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn a_token_for_one_room_is_not_valid_for_others() {
    let relay = with_file().start().await;
    let tried = async |room: &str| {
        let body = json!({"room": room, "author": "anna", "text": "hello"}).to_string();
        call_with(&relay, ("POST", "/moderation/try"), LOCAL, &[], &body).await
    };
    assert_eq!(tried("QGIS").await.status, 200);
    let other = tried("QField").await;
    assert_eq!((other.status, other.json()), (403, json!({"detail": "this token is not valid for room QField"})));
    let all = call_with(&relay, ("POST", "/moderation/reload"), LOCAL, &[], "").await;
    let wanted = json!({"detail": "this call concerns all rooms, but the token is limited to some; name one of them"});
    assert_eq!((all.status, all.json()), (403, wanted));
}

#[tokio::test]
async fn a_token_for_one_room_decides_on_held_messages_of_that_room_only() {
    let relay = with_file().env("RELAY__FILTER__PRESET", "off");
    let relay = relay.file("rules.toml", "[[rule]]\nid = 'look'\nwords = ['look']\nverdict = 'hold'\n").start().await;
    for room in ["QGIS", "QField"] {
        assert_eq!(relay.put_line(room, "anna", "look", &[]).await.status, 202);
    }
    let refuse = async |body: serde_json::Value| {
        call_with(&relay, ("POST", "/moderation/held/refuse"), LOCAL, &[], &body.to_string()).await
    };
    assert_eq!(refuse(json!({"room": "QField"})).await.status, 403);
    let done = refuse(json!({"author": "anna"})).await;
    assert_eq!((done.status, done.json()["refused"].as_array().map(Vec::len)), (200, Some(1)));
    let left = call_with(&relay, ("GET", "/moderation/held"), READER, &[], "").await.json();
    assert_eq!(left["held"].as_array().unwrap().iter().map(|held| &held["room"]).collect::<Vec<_>>(), ["QField"]);
}

#[tokio::test]
async fn a_token_that_proves_a_nickname_moderates_nothing() {
    let relay = with_file().start().await;
    for (method, path) in SAMPLE_CALLS {
        assert_eq!(call_with(&relay, (method, path), HANS, &[], body(path)).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn with_moderators_in_the_file_no_token_is_generated() {
    let relay = with_file().start().await;
    assert_eq!(call_with(&relay, ("GET", "/moderation/feed"), READER, &[], "").await.status, 200);
    assert!(relay.printed().is_empty(), "{:?}", relay.printed());
}

#[tokio::test]
async fn metrics_are_served_to_moderators_anywhere() {
    let relay = with_file().env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let elsewhere = ("X-Forwarded-For", "203.0.113.7");
    for token in [READER, LOCAL] {
        let answer = call_with(&relay, ("GET", "/metrics"), token, &[elsewhere], "").await;
        assert_eq!(answer.status, 200, "{token}: {}", answer.body);
        assert!(answer.body.contains("gischat_connections"), "{}", answer.body);
    }
    for _ in 0..10 {
        assert_eq!(call_with(&relay, ("GET", "/metrics"), HANS, &[elsewhere], "").await.status, 401);
    }
    assert_eq!(call_with(&relay, ("GET", "/metrics"), HANS, &[elsewhere], "").await.status, 429);
    assert_eq!(call_with(&relay, ("GET", "/metrics"), READER, &[elsewhere], "").await.status, 200);
    // On this machine nobody asks for a token, unless a proxy may hide the client.
    let wrong = [("Authorization", "Bearer wrong")];
    assert_eq!(request(relay.address(), "GET", "/metrics", &wrong, "").await.status, 401);
    let relay = with_file().start().await;
    assert_eq!(request(relay.address(), "GET", "/metrics", &wrong, "").await.status, 200);
}

#[test]
fn an_invalid_tokens_file_stops_check_and_start_without_revealing_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let file = format!("[[moderator]]\nname = 'jane'\ntoken = '{ADMIN}'\n[[trusted]]\nnickname = 'x'\nrooms = []\n");
    std::fs::write(directory.path().join("tokens.toml"), file).unwrap();
    for command in ["check", "serve"] {
        let variables = [("RELAY__MODERATION__TOKENS_FILE", "tokens.toml"), ("LISTEN", "127.0.0.1:0")];
        let output = relay(directory.path(), &[command], &variables);
        let places: Vec<&str> =
            output.stderr.lines().filter_map(|line| line.split_once(": ")).map(|(at, _)| at).collect();
        assert_eq!(places, ["tokens.toml:3", "tokens.toml:4", "tokens.toml:6", "gischat-relay"], "{}", output.stderr);
        assert_eq!((output.status, output.stdout.as_str()), (Some(78), ""));
        assert!(!output.stderr.contains("Zx9"), "{}", output.stderr);
    }
}

/// All calls but the stream, with the narrowest scope that they take.
const ROUTES: [(&str, &str, &str); 27] = [
    ("POST", "/moderation/try", "read"),
    ("POST", "/moderation/whatif", "read"),
    ("GET", "/moderation/filters", "read"),
    ("GET", "/moderation/feed", "read"),
    ("GET", "/moderation/stats", "read"),
    ("GET", "/moderation/decisions", "read"),
    ("GET", "/moderation/held", "read"),
    ("GET", "/moderation/sanctions", "read"),
    ("GET", "/moderation/level", "read"),
    ("GET", "/moderation/preset", "read"),
    ("GET", "/moderation/held/x", "act"),
    ("POST", "/moderation/held/x/release", "act"),
    ("POST", "/moderation/held/x/refuse", "act"),
    ("POST", "/moderation/held/release", "act"),
    ("POST", "/moderation/held/refuse", "act"),
    ("POST", "/moderation/sanctions", "act"),
    ("DELETE", "/moderation/sanctions/7", "act"),
    ("GET", "/moderation/rooms/QGIS/members", "act"),
    ("DELETE", "/moderation/rooms/QGIS/last/x", "act"),
    ("POST", "/moderation/members/7/kick", "act"),
    ("POST", "/moderation/trusted", "act"),
    ("DELETE", "/moderation/trusted", "act"),
    ("PUT", "/moderation/level", "act"),
    ("PUT", "/moderation/preset", "admin"),
    ("POST", "/moderation/undo", "admin"),
    ("POST", "/moderation/breakers/reset", "admin"),
    ("POST", "/moderation/reload", "admin"),
];

/// Whether `path` has the form of a path of the description, such as `/moderation/held/{id}/release`.
fn has_form(path: &str, form: &str) -> bool {
    let (parts, forms) = (path.split('/'), form.split('/'));
    parts.clone().count() == forms.clone().count()
        && parts.zip(forms).all(|(part, form)| part == form || form.starts_with('{'))
}

#[tokio::test]
async fn every_call_of_the_description_is_tried_with_each_scope() {
    let description = with_file().start().await.get("/openapi.json").await.json();
    let paths = description["paths"].as_object().unwrap().iter();
    let calls = paths.flat_map(|(form, methods)| methods.as_object().unwrap().keys().map(move |method| (form, method)));
    let is_tried = |form: &str, method: &str| {
        ROUTES.iter().any(|(own, path, _)| own.eq_ignore_ascii_case(method) && has_form(path, form))
    };
    let missing: Vec<_> = calls
        .filter(|(form, _)| form.starts_with("/moderation/") && !form.ends_with("/stream"))
        .filter(|(form, method)| !is_tried(form, method))
        .collect();
    assert!(missing.is_empty(), "not in ROUTES: {missing:?}");
}

#[tokio::test]
async fn no_call_goes_beyond_the_scope_of_its_token() {
    let relay = with_file().start().await;
    let rank = |scope: &str| ["read", "act", "admin"].iter().position(|known| *known == scope);
    for (method, path, scope) in ROUTES {
        for (own, token) in [("read", READER), ("act", ACTOR), ("admin", ADMIN)] {
            let answer = call_with(&relay, (method, path), token, &[], "").await;
            let text = format!("this call requires the scope `{scope}`");
            let refused = answer.status == 403 && answer.json() == json!({"detail": text});
            assert_eq!(refused, rank(own) < rank(scope), "{method} {path} {own}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn no_call_at_all_is_answered_without_a_token() {
    let relay = with_file().start().await;
    for (method, path, _) in ROUTES {
        assert_eq!(request(relay.address(), method, path, &[], "").await.status, 401, "{method} {path}");
    }
    let stream = request(relay.address(), "GET", "/moderation/decisions/stream", &[], "").await;
    assert_eq!(stream.status, 401);
}
