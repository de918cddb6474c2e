//! Verdicts of plugins and their effects.

use serde_json::json;

use super::{expect_pass, expect_refusal, guest, hostile, say, with_long_deadlines};
use crate::support::{Relay, line, nb_users};

#[tokio::test]
async fn a_plugin_refuses_with_its_reason() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "reject not here", "not here").await;
    expect_pass(&relay, "hello", "hello").await;
}

#[tokio::test]
async fn a_refusal_without_a_reason_gets_a_default_one() {
    let relay = hostile("").start().await;
    expect_refusal(&relay, "reject", "This message was refused by a filter of this instance.").await;
}

#[tokio::test]
async fn the_room_gets_the_text_that_the_plugin_wrote() {
    let relay = hostile("").start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send(line("jane", "replace good morning")).await;
    jane.expect(line("jane", "good morning")).await;
}

#[tokio::test]
async fn a_message_shadowed_by_a_plugin_reaches_only_its_sender() {
    let relay = hostile("").start().await;
    let (mut jane, mut hans) = (relay.join_as("QGIS", "jane").await, relay.join_as("QGIS", "hans").await);
    jane.send(line("jane", "shadow advertising")).await;
    jane.skip_until(line("jane", "shadow advertising")).await;
    jane.send(line("jane", "hello")).await;
    hans.expect(line("jane", "hello")).await;
}

#[tokio::test]
async fn a_message_held_by_a_plugin_waits_and_its_sender_is_told_why() {
    let relay = hostile("").start().await;
    let put = relay.put_line("QGIS", "jane", "hold a moderator looks at this", &[]).await;
    assert_eq!((put.status, put.body.as_str()), (202, r#"{"detail":"a moderator looks at this"}"#));
}

#[tokio::test]
async fn a_plugin_that_observes_never_acts() {
    let relay = hostile("mode = 'observe'").start().await;
    for text in ["reject x", "replace x", "hold x", "shadow x", "panic"] {
        expect_pass(&relay, text, text).await;
    }
}

#[tokio::test]
async fn a_plugin_limited_to_one_room_does_not_see_others() {
    let relay = hostile("rooms = ['QField']").start().await;
    expect_pass(&relay, "reject x", "reject x").await;
    assert_eq!(relay.put_line("QField", "jane", "reject x", &[]).await.status, 403);
}

#[tokio::test]
async fn plugins_run_in_order_and_see_the_replacements_of_earlier_ones() {
    let relay = with_long_deadlines(Relay::builder())
        .env("RATE_LIMITS", "off")
        .env("RELAY__FILTER__PLUGINS__ORDER", "second")
        .plugin("first", "", &guest("hostile"))
        .plugin("second", "", &guest("hostile"))
        .start()
        .await;
    expect_refusal(&relay, "replace reject by the other", "by the other").await;
}

#[tokio::test]
async fn messages_of_one_sender_keep_their_order() {
    let relay = hostile("").start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    for n in 0..20 {
        let text = if n % 2 == 0 { format!("spin {}", 100_000) } else { "hello".to_owned() };
        jane.send(line("jane", &format!("{text} {n}"))).await;
    }
    for n in 0..20 {
        let text = if n % 2 == 0 { format!("spin {}", 100_000) } else { "hello".to_owned() };
        jane.expect(line("jane", &format!("{text} {n}"))).await;
    }
}

#[tokio::test]
async fn a_plugin_knows_room_sender_and_time() {
    let relay = hostile("").start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut expect_answer = async |topic: &str, expected: &str| {
        jane.send(line("jane", &format!("tell {topic}"))).await;
        let refused = jane.next().await;
        assert_eq!(refused["message"], json!(format!("Refused: {expected}")), "{topic}");
    };
    expect_answer("room", r#"QGIS 1 ["jane"]"#).await;
    expect_answer("sender", "true true 0 1 false").await;
    expect_answer("folded STRASSE ﬁne", "tell folded strasse fine").await;
    expect_answer("time", "true").await;
}

#[tokio::test]
async fn an_address_has_a_stable_opaque_token() {
    let relay = hostile("").start().await;
    let (first, second) = (say(&relay, "tell address").await, say(&relay, "tell address").await);
    assert_eq!(first.body, second.body);
    assert!(!first.body.contains("127"), "{}", first.body);
}

#[tokio::test]
async fn data_stored_by_a_plugin_is_available_for_the_next_message() {
    let relay = hostile("").start().await;
    for count in ["1", "2", "3"] {
        expect_refusal(&relay, "count visits", count).await;
    }
}
