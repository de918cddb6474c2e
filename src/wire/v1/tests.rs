use proptest::prelude::*;

use super::*;
use crate::model::Nickname;

fn line(author: &str, avatar: Option<&str>, text: &str) -> (String, Kind) {
    (author.to_owned(), Kind::Text { avatar: avatar.map(str::to_owned), text: text.to_owned() })
}

fn decoded(text: &str) -> Result<(String, Kind), Notice> {
    decode(text).map(|message| (message.author, message.kind))
}

fn encoded(event: Event<'_>) -> String {
    String::from_utf8(encode(event)).unwrap()
}

#[test]
fn the_key_avatar_is_always_there() {
    let message = Message::new("jane", Kind::Text { avatar: None, text: "hi".into() });
    assert_eq!(encoded(Event::Message(&message)), r#"{"message":"hi","author":"jane","avatar":null}"#);
}

#[test]
fn presence_is_told_by_internal() {
    let jane = Nickname::parse("Jane").unwrap();
    assert_eq!(encoded(Event::Users(36)), r#"{"author":"internal","nb_users":36}"#);
    assert_eq!(encoded(Event::Newcomer(&jane)), r#"{"author":"internal","newcomer":"Jane"}"#);
    assert_eq!(encoded(Event::Exiter(&jane)), r#"{"author":"internal","exiter":"Jane"}"#);
}

#[test]
fn a_refusal_is_told_as_the_setting_says() {
    let refused = Notice::Refused(Reason::new(Code::TooLong, "too long"));
    let text = |setting| encode_notice(&refused, setting).map(|json| String::from_utf8(json).unwrap());
    let visible = r#"{"message":"Refused: too long","author":"moderation","avatar":"mIconWarning.svg"}"#;
    assert_eq!(text(V1Notices::Visible).as_deref(), Some(visible));
    assert_eq!(text(V1Notices::Internal).as_deref(), Some(r#"{"author":"internal","uncompliant":"too long"}"#));
    assert_eq!(text(V1Notices::Off), None);
}

#[test]
fn a_frame_that_is_none_of_the_protocols_gets_no_visible_line() {
    let notice = decode("[]").unwrap_err();
    assert_eq!(encode_notice(&notice, V1Notices::Visible), None);
    assert!(encode_notice(&notice, V1Notices::Internal).is_some());
}

#[test]
fn keys_that_v1_does_not_know_are_passed_over_whatever_they_hold() {
    let text = r#"{"message":"hi","x":{"y":[1,{"z":1e308}]},"author":"jane","avatar":null}"#;
    assert_eq!(decoded(text), Ok(line("jane", None, "hi")));
}

#[test]
fn a_like_of_a_late_plugin_is_understood_and_written_back_alike() {
    let text = r#"{"author":"internal","message":"nice map","liker_author":"jane","liked_author":"hans"}"#;
    let message = decode(text).unwrap();
    assert_eq!(message.kind, Kind::Like { liked: "hans".into(), text: "nice map".into() });
    assert_eq!(encoded(Event::Message(&message)), text);
}

proptest! {
    #[test]
    fn decode_of_encode_is_the_identity(
        author in "[A-Za-z0-9_-]{1,40}", avatar in proptest::option::of(".{0,40}"), text in ".{0,300}",
    ) {
        prop_assume!(author != INTERNAL);
        let message = Message::new(author, Kind::Text { avatar, text });
        let json = String::from_utf8(encode_message(&message)).unwrap();
        prop_assert_eq!(decoded(&json), Ok((message.author, message.kind)));
    }

    #[test]
    fn decode_of_encode_is_the_identity_for_newcomers_and_likes(
        author in ".{0,40}", liked in ".{0,40}", text in ".{0,300}", like in any::<bool>(),
    ) {
        let message = Message::new(author, if like { Kind::Like { liked, text } } else { Kind::Newcomer });
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
