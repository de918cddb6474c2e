use proptest::prelude::*;

use super::*;
use crate::fixtures::{message, nickname};

fn line(author: &str, avatar: Option<&str>, text: &str) -> (String, MessageKind) {
    (author.to_owned(), MessageKind::Text { avatar: avatar.map(str::to_owned), text: text.to_owned() })
}

fn decoded(text: &str) -> Result<(String, MessageKind), Notice> {
    decode(text).map(|message| (message.author, message.kind))
}

fn encoded(event: RoomEvent<'_>) -> String {
    String::from_utf8(encode(event).unwrap()).unwrap()
}

#[test]
fn the_avatar_key_is_always_present() {
    let message = message("jane", "hi");
    assert_eq!(encoded(RoomEvent::Message(&message)), r#"{"message":"hi","author":"jane","avatar":null}"#);
}

#[test]
fn presence_events_come_from_internal() {
    let jane = nickname("Jane");
    assert_eq!(encoded(RoomEvent::UserCount(36)), r#"{"author":"internal","nb_users":36}"#);
    assert_eq!(encoded(RoomEvent::Newcomer(&jane)), r#"{"author":"internal","newcomer":"Jane"}"#);
    assert_eq!(encoded(RoomEvent::Exiter(&jane)), r#"{"author":"internal","exiter":"Jane"}"#);
}

#[test]
fn a_refusal_is_encoded_according_to_the_setting() {
    let refused = Notice::Refused(Reason::new(ReasonCode::TooLong, "too long"));
    let text = |setting| encode_notice(&refused, setting).map(|json| String::from_utf8(json).unwrap());
    let visible = r#"{"message":"Refused: too long","author":"moderation","avatar":"mIconWarning.svg"}"#;
    assert_eq!(text(V1Notices::Visible).as_deref(), Some(visible));
    assert_eq!(text(V1Notices::Internal).as_deref(), Some(r#"{"author":"internal","uncompliant":"too long"}"#));
    assert_eq!(text(V1Notices::Off), None);
}

#[test]
fn an_uncompliant_frame_gets_no_visible_line() {
    let notice = decode("[]").unwrap_err();
    assert_eq!(encode_notice(&notice, V1Notices::Visible), None);
    assert!(encode_notice(&notice, V1Notices::Internal).is_some());
}

#[test]
fn unknown_keys_are_ignored_whatever_their_value() {
    let text = r#"{"message":"hi","x":{"y":[1,{"z":1e308}]},"author":"jane","avatar":null}"#;
    assert_eq!(decoded(text), Ok(line("jane", None, "hi")));
}

#[test]
fn a_like_round_trips() {
    let text = r#"{"author":"internal","message":"nice map","liker_author":"jane","liked_author":"hans"}"#;
    let message = decode(text).unwrap();
    assert_eq!(message.kind, MessageKind::Like { liked: "hans".into(), text: "nice map".into() });
    assert_eq!(encoded(RoomEvent::Message(&message)), text);
}

proptest! {
    #[test]
    fn decode_of_encode_is_the_identity(
        author in "[A-Za-z0-9_-]{1,40}", avatar in proptest::option::of(".{1,40}"), text in ".{0,300}",
    ) {
        prop_assume!(author != INTERNAL);
        let message = Message::new(author, MessageKind::Text { avatar, text });
        let json = String::from_utf8(encode_message(&message)).unwrap();
        prop_assert_eq!(decoded(&json), Ok((message.author, message.kind)));
    }

    #[test]
    fn decode_of_encode_is_the_identity_for_newcomers_and_likes(
        author in ".{0,40}", liked in ".{0,40}", text in ".{0,300}", like in any::<bool>(),
    ) {
        let message = Message::new(author, if like { MessageKind::Like { liked, text } } else { MessageKind::Newcomer });
        let json = String::from_utf8(encode_message(&message)).unwrap();
        prop_assert_eq!(decoded(&json), Ok((message.author, message.kind)));
    }

    #[test]
    fn random_text_never_panics(text in "\\PC*") {
        drop(decode(&text));
    }

    #[test]
    fn random_json_like_text_never_panics(
        text in r#"[{}\[\]",:\\a-z0-9eE+.\-]{0,60}"#, key in "(author|message|newcomer|avatar)",
    ) {
        drop(decode(&format!("{{\"{key}\":{text}}}")));
        drop(decode(&text));
    }
}
