//! The rules file at work.

use serde_json::json;

use crate::support::{Client, Relay, line, nb_users, refusal};

const RULES: &str = r#"
[[rule]]
id = "no-casino"
words = ["casino"]
verdict = "reject"
reason = "No advertising here."

[[rule]]
id = "kind"
clause = "Be kind"
any = ['\bidiots?\b']
verdict = "reject"

[[rule]]
id = "mask"
words = ["darn"]
any = ['b\p{L}*h', '🙈+']
costly = true
verdict = "replace"
mask = "~"

[[rule]]
id = "dark"
any = ['easy\s+money']
verdict = "shadow"

[[rule]]
id = "held"
words = ["invoice"]
verdict = "hold"
reason = "A moderator must look at this."

[[rule]]
id = "watched"
words = ["watch", "darn"]
verdict = "reject"
mode = "observe"

[[rule]]
id = "labelled"
words = ["label"]
verdict = "label"
labels = ["seen"]
"#;

/// A relay with these rules, and a listener and a sender in QGIS.
async fn relay() -> (Relay, Client, Client) {
    let builder = Relay::builder().env("RATE_LIMITS", "off").env("RULES", "Be kind").file("rules.toml", RULES);
    let relay = builder.start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    let mut speaker = relay.join("QGIS").await;
    speaker.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    (relay, witness, speaker)
}

#[tokio::test]
async fn a_rejected_message_is_refused_with_the_rules_reason_and_not_broadcast() {
    let (relay, mut witness, mut speaker) = relay().await;
    for (text, reason) in [
        ("Best CASINO in town", "No advertising here."),
        ("ｃａｓｉｎｏ", "No advertising here."),
        ("casino easy money darn", "No advertising here."),
    ] {
        speaker.send(line("jane", text)).await;
        assert_eq!(speaker.drain().await, [refusal(reason)], "{text}");
        let put = relay.put_line("QGIS", "jane", text, &[]).await;
        assert_eq!((put.status, put.json()), (403, json!({"detail": reason})), "{text}");
    }
    assert!(witness.drain().await.is_empty());
    speaker.send(line("jane", "casinos are another word")).await;
    assert_eq!(speaker.drain().await, [line("jane", "casinos are another word")]);
}

#[tokio::test]
async fn a_rule_without_a_reason_names_its_clause() {
    let (relay, _witness, mut speaker) = relay().await;
    let put = relay.put_line("QGIS", "jane", "you idiots", &[]).await;
    let detail = put.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(put.status, 403);
    assert!(detail.contains("Be kind"), "{detail}");
    speaker.send(line("jane", "you idiots")).await;
    speaker.expect_refusal(&detail).await;
}

#[tokio::test]
async fn a_replaced_message_reaches_everyone_masked_including_its_sender() {
    let (relay, mut witness, mut speaker) = relay().await;
    for (text, masked) in
        [("darn, the map", "~~~~, the map"), ("Darn! DARN!", "~~~~! ~~~~!"), ("äh bäh 🙈🙈🙈", "äh ~~~ ~~~")]
    {
        speaker.send(line("jane", text)).await;
        for client in [&mut speaker, &mut witness] {
            assert_eq!(client.drain().await, [line("jane", masked)], "{text}");
        }
        let put = relay.put_line("QGIS", "jane", text, &[]).await;
        assert_eq!((put.status, put.json()), (200, line("jane", masked)), "{text}");
        for client in [&mut speaker, &mut witness] {
            assert_eq!(client.drain().await, [line("jane", masked)], "{text}");
        }
    }
}

#[tokio::test]
async fn a_shadowed_message_reaches_only_its_sender() {
    let (relay, mut witness, mut speaker) = relay().await;
    let frame = json!({"message": "easy money", "author": "jane", "avatar": "mGeoPackage.svg"});
    speaker.send(frame.clone()).await;
    assert_eq!(speaker.drain().await, std::slice::from_ref(&frame));
    let put = relay.put("/room/QGIS/message", &frame.to_string()).await;
    assert_eq!((put.status, put.json()), (200, frame));
    for client in [&mut speaker, &mut witness] {
        assert!(client.drain().await.is_empty());
    }
}

#[tokio::test]
async fn a_like_passes_the_rules_too() {
    let (relay, _witness, mut speaker) = relay().await;
    let mut liked = relay.join_as("QGIS", "liked").await;
    speaker.drain().await;
    let like =
        |text: &str| json!({"author": "internal", "message": text, "liker_author": "jane", "liked_author": "liked"});
    speaker.send(like("casino")).await;
    assert_eq!(speaker.drain().await, [refusal("No advertising here.")]);
    speaker.send(like("easy money")).await;
    speaker.send(like("darn good")).await;
    assert!(speaker.drain().await.is_empty());
    assert_eq!(liked.drain().await, [like("~~~~ good")]);
}

#[tokio::test]
async fn a_message_held_by_a_rule_reaches_nobody_and_its_sender_is_told_why() {
    let (relay, mut witness, mut speaker) = relay().await;
    speaker.send(line("jane", "my invoice")).await;
    let heard = speaker.drain().await;
    assert_eq!(heard[0]["message"], "Waits for a moderator: A moderator must look at this.");
    assert_eq!(heard.len(), 1);
    let put = relay.put_line("QGIS", "jane", "my invoice", &[]).await;
    assert_eq!((put.status, put.json()), (202, json!({"detail": "A moderator must look at this."})));
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn rules_that_observe_or_label_change_nothing() {
    let (relay, mut witness, mut speaker) = relay().await;
    for text in ["watch this label", "watch"] {
        speaker.send(line("jane", text)).await;
        for client in [&mut speaker, &mut witness] {
            assert_eq!(client.drain().await, [line("jane", text)]);
        }
        assert_eq!(relay.put_line("QGIS", "jane", text, &[]).await.json(), line("jane", text));
        for client in [&mut speaker, &mut witness] {
            assert_eq!(client.drain().await, [line("jane", text)]);
        }
    }
}

#[tokio::test]
async fn the_file_that_the_setting_names_is_read_and_the_default_one_is_not() {
    let mild = RULES.replace("casino", "poker");
    let builder = Relay::builder().env("RULES", "Be kind").env("RULES_FILE", "mild.toml");
    let relay = builder.file("rules.toml", RULES).file("mild.toml", &mild).start().await;
    assert_eq!(relay.put_line("QGIS", "jane", "casino", &[]).await.status, 200);
    assert_eq!(relay.put_line("QGIS", "jane", "poker", &[]).await.status, 403);
}

#[tokio::test]
async fn a_chain_without_the_filter_has_no_rules() {
    let builder = Relay::builder().env("RULES", "Be kind").file("rules.toml", RULES);
    let relay = builder.env("RELAY__FILTER__ORDER", "shape,rate").start().await;
    assert_eq!(relay.put_line("QGIS", "jane", "casino", &[]).await.status, 200);
}
