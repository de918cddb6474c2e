//! Delivery of messages.

use serde_json::{Value, json};

use crate::support::{Client, Relay, line, nb_users, newcomer};

/// Unregistered clients in QGIS, each of which has seen the others join.
async fn company(relay: &Relay, size: usize) -> Vec<Client> {
    let mut members = Vec::new();
    for _ in 0..size {
        let mut member = relay.join("QGIS").await;
        member.drain().await;
        members.push(member);
    }
    for member in &mut members {
        member.drain().await;
    }
    members
}

#[tokio::test]
async fn a_message_reaches_everyone_once_including_the_sender() {
    let relay = Relay::start().await;
    let mut members = company(&relay, 3).await;
    members[1].send(line("hans", "hello")).await;
    // The sender first: its pong comes after the message has gone out.
    for index in [1, 0, 2] {
        assert_eq!(members[index].drain().await, [line("hans", "hello")]);
    }
}

#[tokio::test]
async fn messages_stay_in_their_room() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join_as("QField", "hans").await;
    jane.send(line("jane", "in QGIS")).await;
    assert_eq!(jane.drain().await, [line("jane", "in QGIS")]);
    assert!(hans.drain().await.is_empty());
    hans.send(line("hans", "in QField")).await;
    assert_eq!(hans.drain().await, [line("hans", "in QField")]);
    assert!(jane.drain().await.is_empty());
}

#[tokio::test]
async fn the_avatar_key_is_always_present_and_null_if_the_sender_gave_none() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    for (sent, heard) in [
        (r#"{"message":"hi","author":"jane"}"#, r#"{"message":"hi","author":"jane","avatar":null}"#),
        (r#"{"author":"jane","avatar":null,"message":"hi"}"#, r#"{"message":"hi","author":"jane","avatar":null}"#),
        (
            r#"{"message":"hi","author":"jane","avatar":"mGeoPackage.svg"}"#,
            r#"{"message":"hi","author":"jane","avatar":"mGeoPackage.svg"}"#,
        ),
    ] {
        jane.send_text(sent).await;
        assert_eq!(jane.drain_texts().await, [heard], "{sent}");
        let put = relay.put("/room/QGIS/message", sent).await;
        assert_eq!((put.status, put.body.as_str()), (200, heard), "{sent}");
        assert_eq!(jane.drain_texts().await, [heard], "{sent}");
    }
}

#[tokio::test]
async fn keys_that_v1_does_not_know_are_not_passed_on() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send(json!({"message": "hi", "author": "jane", "nb_users": 99, "colour": {"deep": [1]}})).await;
    jane.expect(line("jane", "hi")).await;
}

#[tokio::test]
async fn a_put_message_is_delivered_and_returned_as_broadcast() {
    let relay = Relay::start().await;
    let mut members = company(&relay, 2).await;
    let put = relay.put_line("QGIS", "curl", "from outside", &[]).await;
    assert_eq!((put.status, put.json()), (200, line("curl", "from outside")));
    for member in &mut members {
        assert_eq!(member.drain().await, [line("curl", "from outside")]);
    }
    // A sender by `PUT` is not a member.
    assert_eq!(relay.users("QGIS").await, json!([]));
}

#[tokio::test]
async fn texts_of_any_script_are_delivered_unchanged() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut members = company(&relay, 2).await;
    let four_bytes_each = "🗺".repeat(255);
    for text in [
        "👨\u{200d}👩\u{200d}👧\u{200d}👦 family",
        "e\u{301} stays two code points, é one",
        "שלום עולם \u{202e}override\u{202c}",
        "日本語 Ωμέγα Привет Kıyı ﬁn",
        "quotes \" and \\ and / and \t and \n lines\r\n",
        "\u{feff} \u{200b}a \u{2028} \u{ffff}",
        "<script>alert(1)</script> &amp; %20 {{x}}",
        &four_bytes_each,
    ] {
        members[0].send(line("jane", text)).await;
        for member in &mut members {
            assert_eq!(member.drain().await, [line("jane", text)]);
        }
        let put = relay.put_line("QGIS", "hans", text, &[]).await;
        assert_eq!((put.status, put.json()), (200, line("hans", text)));
        for member in &mut members {
            member.expect(line("hans", text)).await;
        }
    }
}

#[tokio::test]
async fn escaped_and_plain_json_mean_the_same() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    jane.send_text(r#"  { "message" : "\ud83d\uddfa\ufe0f \u00e9\/\u0022" , "\u0061uthor" : "j\u0061ne" }  "#).await;
    jane.expect(line("jane", "🗺\u{fe0f} é/\"")).await;
}

#[tokio::test]
async fn a_like_reaches_only_the_liked_author() {
    let relay = Relay::start().await;
    let mut jane = relay.join_as("QGIS", "jane").await;
    let mut hans = relay.join_as("QGIS", "hans").await;
    let mut eve = relay.join_as("QGIS", "eve").await;
    jane.skip_until(newcomer("eve")).await;
    hans.skip_until(newcomer("eve")).await;

    let like = |liked: &str| json!({"author": "internal", "message": "nice map", "liker_author": "hans", "liked_author": liked});
    hans.send(like("jane")).await;
    // Nobody has that nickname, so nothing happens.
    hans.send(like("nobody")).await;
    assert!(hans.drain().await.is_empty());
    assert_eq!(jane.drain().await, [like("jane")]);
    assert!(eve.drain().await.is_empty());
}

#[tokio::test]
async fn frames_in_the_packet_of_the_handshake_are_answered() {
    let relay = Relay::start().await;
    let path = "/room/QGIS/ws";
    let mut jane = Client::connect_with_frames(
        relay.address(),
        path,
        &[newcomer("jane"), line("jane", "first words"), line("x", "?")],
    )
    .await;
    jane.expect(nb_users(1)).await;
    jane.expect(newcomer("jane")).await;
    jane.expect(line("jane", "first words")).await;
    jane.expect_refusal("you are registered as jane and can speak only under that name").await;
    jane.send(line("jane", "sentinel")).await;
    jane.expect(line("jane", "sentinel")).await;
}

#[tokio::test]
async fn frames_that_arrive_together_are_delivered_in_order() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut members = company(&relay, 2).await;
    let frames: Vec<Value> = (0..200).map(|number| line("jane", &format!("number {number}"))).collect();
    members[0].send_together(&frames).await;
    for member in &mut members {
        assert_eq!(member.drain().await, frames);
    }
}

#[tokio::test]
async fn all_members_receive_the_same_order() {
    const MEMBERS: usize = 20;
    const SENDERS: usize = 10;
    const MESSAGES: usize = 20;
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let members = company(&relay, MEMBERS).await;
    let tasks = members.into_iter().enumerate().map(|(sender, mut member)| {
        tokio::spawn(async move {
            if sender < SENDERS {
                for number in 0..MESSAGES {
                    member.send(line(&format!("sender-{sender}"), &format!("number {number}"))).await;
                }
            }
            let mut heard = Vec::new();
            while heard.len() < SENDERS * MESSAGES {
                heard.push(member.next().await);
            }
            heard
        })
    });
    let heard: Vec<Vec<Value>> = futures_util::future::try_join_all(tasks).await.unwrap();
    assert!(heard.iter().all(|one| *one == heard[0]));
    for sender in 0..SENDERS {
        let author = format!("sender-{sender}");
        let said: Vec<_> = heard[0].iter().filter(|frame| frame["author"] == author.as_str()).cloned().collect();
        let wanted: Vec<_> = (0..MESSAGES).map(|number| line(&author, &format!("number {number}"))).collect();
        assert_eq!(said, wanted);
    }
}
