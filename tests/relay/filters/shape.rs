//! Limits on the shape of messages.

use serde_json::{Value, json};

use crate::support::{Relay, line, nb_users, newcomer, refusal};

fn with_avatar(avatar: &str) -> Value {
    json!({"message": "hi", "author": "jane", "avatar": avatar})
}

#[tokio::test]
async fn a_message_out_of_bounds_is_refused_by_every_entrance_in_the_same_words() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    let characters = "`author` may hold only the letters A to Z and a to z, digits, _ and -";
    for (frame, reason) in [
        (line("", "hi"), "`author` has 0 characters; 3 to 32 are allowed"),
        (line("x", "hi"), "`author` has 1 character; 3 to 32 are allowed"),
        (line("xy", "hi"), "`author` has 2 characters; 3 to 32 are allowed"),
        (line(&"x".repeat(33), "hi"), "`author` has 33 characters; 3 to 32 are allowed"),
        (line(&"x".repeat(9_999), "hi"), "`author` has more than 32 characters; 3 to 32 are allowed"),
        (line("jané", "hi"), characters),
        (line("jane doe", "hi"), characters),
        (line("jane\n", "hi"), characters),
        (line("ｊａｎｅ", "hi"), characters),
        (line("jane", ""), "the message text is empty; at least 1 visible character is needed"),
        (line("jane", " \t\n\u{3000}"), "the message text is empty; at least 1 visible character is needed"),
        (line("jane", &"a".repeat(256)), "the message text has 256 characters; at most 255 are allowed"),
        (line("jane", &"🗺".repeat(256)), "the message text has 256 characters; at most 255 are allowed"),
        (line("jane", &"e\u{301}".repeat(128)), "the message text has 256 characters; at most 255 are allowed"),
        (line("jane", &"a".repeat(50_000)), "the message text has more than 255 characters; at most 255 are allowed"),
        (with_avatar(&"a".repeat(129)), "`avatar` has 129 characters; at most 128 are allowed"),
        (
            with_avatar("../../secret.svg"),
            "`avatar` must be the file name of an icon: letters A to Z and a to z, digits, _, . and -, with at most one folder",
        ),
        (
            with_avatar("a\u{0}b"),
            "`avatar` must be the file name of an icon: letters A to Z and a to z, digits, _, . and -, with at most one folder",
        ),
    ] {
        jane.send(frame.clone()).await;
        assert_eq!(jane.drain().await, [refusal(reason)], "{frame:.80}");
        let put = relay.put("/room/QGIS/message", &frame.to_string()).await;
        assert_eq!((put.status, put.json()), (422, json!({"detail": reason})), "{frame:.80}");
    }
    assert!(witness.drain().await.is_empty());
}

#[tokio::test]
async fn a_message_within_the_limits_is_accepted_from_websockets_and_put() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    for frame in [
        line("abc", "."),
        line(&"x".repeat(32), "hi"),
        line("A_b-9", "hi"),
        line("jane", &"a".repeat(255)),
        line("jane", &"🗺".repeat(255)),
        // 85 families of three code points each.
        line("jane", &"👨\u{200d}👩".repeat(85)),
        line("jane", " padded "),
        with_avatar(&"a".repeat(128)),
    ] {
        jane.send(frame.clone()).await;
        assert_eq!(jane.drain().await, std::slice::from_ref(&frame), "{frame:.80}");
        assert_eq!(witness.drain().await, std::slice::from_ref(&frame), "{frame:.80}");
        let put = relay.put("/room/QGIS/message", &frame.to_string()).await;
        assert_eq!((put.status, put.json()), (200, frame.clone()), "{frame:.80}");
        assert_eq!(witness.drain().await, std::slice::from_ref(&frame), "{frame:.80}");
        assert_eq!(jane.drain().await, [frame]);
    }
}

#[tokio::test]
async fn open_directions_are_closed_for_everybody_and_harmless_texts_stay_byte_identical() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    let mut witness = relay.join("QGIS").await;
    witness.expect(nb_users(1)).await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(2)).await;
    witness.expect(nb_users(2)).await;
    let long = format!("\u{2067}{}", "a".repeat(254));
    let closed = format!("{long}\u{2069}");
    for (sent, shown) in [
        ("\u{202e}gpj.exe", "\u{202e}gpj.exe\u{202c}"),
        ("\u{2068}a\u{202b}שלום", "\u{2068}a\u{202b}שלום\u{202c}\u{2069}"),
        ("\u{2069}\u{202c}hi", "hi"),
        (&long, &closed),
        (&closed, &closed),
        ("\u{2067}שלום\u{2069} (QGIS)\u{200f}", "\u{2067}שלום\u{2069} (QGIS)\u{200f}"),
        ("a\u{200b}b\tc\r\n\u{ad}", "a\u{200b}b\tc\r\n\u{ad}"),
    ] {
        jane.send(line("jane", sent)).await;
        assert_eq!(jane.drain().await, [line("jane", shown)], "{sent:?}");
        assert_eq!(witness.drain().await, [line("jane", shown)], "{sent:?}");
        let put = relay.put_line("QGIS", "jane", sent, &[]).await;
        assert_eq!((put.status, put.json()), (200, line("jane", shown)), "{sent:?}");
        assert_eq!(witness.drain().await, [line("jane", shown)], "{sent:?}");
        jane.drain().await;
    }
}

#[tokio::test]
async fn avatars_are_checked_at_every_entrance() {
    let relay = Relay::builder().env("RATE_LIMITS", "off").start().await;
    for case in include_str!("../../cases/avatars.txt").lines() {
        let status = match case.get(..1) {
            Some("+") => 200,
            Some("-") => 422,
            _ => continue,
        };
        let avatar = case.get(1..).unwrap_or_default();
        let v1 = json!({"author": "jane", "message": "hi", "avatar": avatar}).to_string();
        let text = json!({"author": "jane", "text": "hi", "avatar": avatar}).to_string();
        for (path, body) in [("/room/QGIS/message", &v1), ("/room/QGIS/text", &text), ("/channel/QGIS/text", &text)] {
            assert_eq!(relay.put(path, body).await.status, status, "{path}: {avatar:?}");
        }
    }
}

#[tokio::test]
async fn the_limits_are_those_of_the_settings() {
    let relay = Relay::builder()
        .env("MIN_AUTHOR_LENGTH", "1")
        .env("MAX_AUTHOR_LENGTH", "4")
        .env("MAX_MESSAGE_LENGTH", "5")
        .env("RELAY__FILTER__SHAPE__MAX_AVATAR_LENGTH", "3")
        .start()
        .await;
    for (author, text, detail) in [
        ("x", "12345", None),
        ("jane", "é2345", None),
        ("janet", "hi", Some("`author` has 5 characters; 1 to 4 are allowed")),
        ("jane", "123456", Some("the message text has 6 characters; at most 5 are allowed")),
    ] {
        let put = relay.put_line("QGIS", author, text, &[]).await;
        let wanted = detail.map_or(line(author, text), |detail| json!({"detail": detail}));
        assert_eq!(put.json(), wanted, "{author}: {text}");
    }
    let put = relay.put("/room/QGIS/message", r#"{"author":"jane","message":"hi","avatar":"abcd"}"#).await;
    assert_eq!(put.json(), json!({"detail": "`avatar` has 4 characters; at most 3 are allowed"}));
}

#[tokio::test]
async fn nicknames_and_likes_keep_the_same_bounds() {
    let relay = Relay::start().await;
    let mut jane = relay.join("QGIS").await;
    jane.expect(nb_users(1)).await;
    let like = |liker: &str, liked: &str, text: &str| json!({"author": "internal", "message": text, "liker_author": liker, "liked_author": liked});
    for (frame, reason) in [
        (newcomer("x"), "`newcomer` has 1 character; 3 to 32 are allowed"),
        (newcomer("a.b"), "`newcomer` may hold only the letters A to Z and a to z, digits, _ and -"),
        (like("x", "hans", "hi"), "`liker_author` has 1 character; 3 to 32 are allowed"),
        (like("jane", "x", "hi"), "`liked_author` has 1 character; 3 to 32 are allowed"),
        (like("jane", "hans", &"a".repeat(256)), "the message text has 256 characters; at most 255 are allowed"),
    ] {
        jane.send(frame.clone()).await;
        assert_eq!(jane.drain().await, [refusal(reason)], "{frame}");
    }
}
