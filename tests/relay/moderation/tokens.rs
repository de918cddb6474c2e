//! Moderator tokens.

use serde_json::json;

use super::{SAMPLE_CALLS, TOKEN, call, call_with, moderated};
use crate::support::{Relay, Response, request};

/// That an answer is a refusal for want of a good token.
fn assert_unauthorized(answer: &Response, detail: &str) {
    assert_eq!((answer.status, answer.json()), (401, json!({"detail": detail})));
    assert_eq!(answer.header("Www-Authenticate"), Some("Bearer"));
}

const WRONG: &str = "this token belongs to no moderator";

#[tokio::test]
async fn no_call_is_answered_without_a_token() {
    let relay = moderated(Relay::builder()).start().await;
    for (method, path) in SAMPLE_CALLS {
        for headers in [&[] as &[(&str, &str)], &[("Authorization", "Basic amFuZTpqYW5l")], &[("Authorization", TOKEN)]]
        {
            let answer = request(relay.address(), method, path, headers, "").await;
            let detail = "this call requires a moderator token, as `Authorization: Bearer TOKEN`";
            assert_unauthorized(&answer, detail);
        }
    }
}

#[tokio::test]
async fn no_call_is_answered_to_a_wrong_token() {
    let relay = moderated(Relay::builder()).start().await;
    for (method, path) in SAMPLE_CALLS {
        for wrong in ["0123456789abcdef-jan", "0123456789abcdef-janes"] {
            assert_unauthorized(&call_with(&relay, (method, path), wrong, &[], "").await, WRONG);
        }
    }
}

#[tokio::test]
async fn the_token_of_each_moderator_is_accepted() {
    let both = "jane:0123456789abcdef-jane, hans:fedcba9876543210:hans";
    let relay = Relay::builder().env("MODERATORS", both).start().await;
    for token in [TOKEN, "fedcba9876543210:hans"] {
        assert_eq!(call_with(&relay, ("GET", "/moderation/filters"), token, &[], "").await.status, 200);
    }
}

#[tokio::test]
async fn without_moderators_a_token_for_this_run_is_printed_once_and_accepted() {
    let relay = Relay::start().await;
    relay.wait_until(1, async || relay.printed().len()).await;
    let printed = relay.printed().remove(0);
    let token = printed.strip_prefix("moderation: MODERATORS is not set; the token of this run is ").unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(call_with(&relay, ("GET", "/moderation/feed"), token, &[], "").await.status, 200);
    assert!(!relay.log().join("\n").contains(token));
    relay.signal("TERM");
    let other = Relay::start().await;
    assert_unauthorized(&call_with(&other, ("GET", "/moderation/feed"), token, &[], "").await, WRONG);
}

#[tokio::test]
async fn with_moderators_nothing_is_printed() {
    let relay = moderated(Relay::builder()).start().await;
    assert_eq!(call(&relay, "GET", "/moderation/feed", "").await.status, 200);
    assert!(relay.printed().is_empty());
}

#[tokio::test]
async fn no_token_is_ever_logged() {
    let relay = moderated(Relay::builder()).env("LOG_LEVEL", "trace").start().await;
    for (method, path) in SAMPLE_CALLS {
        call(&relay, method, path, "").await;
        for _ in 0..4 {
            call_with(&relay, (method, path), "kohlrabi-4711-kohlrabi", &[], "").await;
        }
    }
    relay.signal("TERM");
    let (_, log) = relay.wait();
    let log = log.join("\n");
    assert!(log.contains("too many wrong tokens"), "{log}");
    assert!(!log.contains("kohlrabi") && !log.contains(TOKEN), "{log}");
}

#[tokio::test]
async fn an_invalid_token_is_not_quoted_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [("MODERATORS", "jane:kohlrabi,hans")];
    let output = crate::support::program::relay(directory.path(), &["serve"], &variables);
    assert_eq!((output.status, output.stdout.as_str()), (Some(78), ""));
    assert!(output.stderr.starts_with("MODERATORS: the value holds an item, number 1, that has a token of 8 bytes"));
    assert!(!output.stderr.contains("kohlrabi"), "{}", output.stderr);
}

#[tokio::test]
async fn after_ten_wrong_tokens_an_address_must_wait_unless_its_token_is_valid() {
    let relay = moderated(Relay::builder()).env("TRUSTED_PROXIES", "127.0.0.1").start().await;
    let from = async |address: &str, token: &str| {
        call_with(&relay, ("GET", "/moderation/filters"), token, &[("X-Forwarded-For", address)], "").await
    };
    for _ in 0..10 {
        assert_unauthorized(&from("192.0.2.1", "wrong").await, WRONG);
    }
    let answer = from("192.0.2.1", "wrong").await;
    let detail = "too many wrong tokens from this address";
    assert_eq!((answer.status, answer.json()), (429, json!({"detail": detail})));
    let seconds: u64 = answer.header("Retry-After").unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(from("192.0.2.1", TOKEN).await.status, 200);
    assert_unauthorized(&from("192.0.2.2", "wrong").await, WRONG);
    let logged = async || relay.log().iter().filter(|line| line.contains("too many wrong tokens")).count();
    relay.wait_until(1, logged).await;
    assert!(relay.log().iter().any(|line| line.contains("192.0.2.x") && line.contains("WARN")));
}

#[tokio::test]
async fn moderator_calls_have_no_cors_headers_and_are_not_cached() {
    let relay = moderated(Relay::builder()).start().await;
    let origin = ("Origin", "https://maps.example");
    for (method, path) in SAMPLE_CALLS {
        let preflight =
            [origin, ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "authorization")];
        let answers = [
            request(relay.address(), "OPTIONS", path, &preflight, "").await,
            call_with(&relay, (method, path), TOKEN, &[origin], "").await,
            call_with(&relay, (method, path), "wrong", &[origin], "").await,
        ];
        for answer in answers {
            assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("Access-Control-Allow")), "{answer:?}");
            assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    let relay = moderated(Relay::builder()).start().await;
    for (method, path) in [("GET", "/moderation/try"), ("PUT", "/moderation/reload"), ("POST", "/moderation/feed")] {
        assert_eq!(call(&relay, method, path, "").await.status, 405, "{method} {path}");
    }
    assert_eq!(call(&relay, "GET", "/moderation", "").await.status, 404);
}
