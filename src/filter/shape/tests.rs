use std::sync::Arc;

use super::*;
use crate::model::{Content, Crs};

fn shape() -> ShapeFilter {
    ShapeFilter::new(Config {
        min_author_length: 3,
        max_author_length: 32,
        max_message_length: 255,
        max_avatar_length: 128,
        content: ContentLimits::default(),
    })
}

fn refusal(author: &str, avatar: Option<&str>, text: &str) -> Option<(ReasonCode, String)> {
    let kind = MessageKind::Text { avatar: avatar.map(str::to_owned), text: text.to_owned() };
    shape().check(&Message::new(author, kind)).err().map(|reason| (reason.code, reason.text.into_owned()))
}

fn refused(code: ReasonCode, text: &str) -> (ReasonCode, String) {
    (code, text.to_owned())
}

#[test]
fn an_author_may_have_3_to_32_characters() {
    assert_eq!(refusal("abc", None, "hi"), None);
    assert_eq!(refusal(&"a".repeat(32), None, "hi"), None);
    let bounds = "3 to 32 are allowed";
    assert_eq!(
        refusal("x", None, "hi"),
        Some(refused(ReasonCode::BadAuthor, &format!("`author` has 1 character; {bounds}")))
    );
    let long = "a".repeat(33);
    assert_eq!(
        refusal(&long, None, "hi"),
        Some(refused(ReasonCode::BadAuthor, &format!("`author` has 33 characters; {bounds}")))
    );
}

#[test]
fn an_author_may_have_letters_digits_underscores_and_hyphens() {
    assert_eq!(refusal("Hans_Hibbel-2", None, "hi"), None);
    for name in ["a b c", "jané", "abc\n", "a.b"] {
        assert_eq!(refusal(name, None, "hi").map(|r| r.0), Some(ReasonCode::BadAuthor), "{name}");
    }
}

#[test]
fn a_text_is_counted_in_code_points() {
    for unit in ["a", "é", "e\u{301}", "👨\u{200d}👩\u{200d}👧"] {
        let points = unit.chars().count();
        assert_eq!(refusal("jane", None, &unit.repeat(255 / points)), None, "{unit}");
        assert_eq!(
            refusal("jane", None, &unit.repeat(255 / points + 1)).map(|r| r.0),
            Some(ReasonCode::TooLong),
            "{unit}"
        );
    }
    let text = "the message text has 256 characters; at most 255 are allowed";
    assert_eq!(refusal("jane", None, &"é".repeat(256)), Some(refused(ReasonCode::TooLong, text)));
}

#[test]
fn empty_and_blank_texts_are_refused() {
    for text in ["", " ", "\n\t\u{2003}"] {
        assert_eq!(refusal("jane", None, text).map(|r| r.0), Some(ReasonCode::Empty), "{text:?}");
    }
}

#[test]
fn an_avatar_is_empty_or_the_name_of_an_icon_with_at_most_one_folder() {
    for (avatar, passes) in cases(include_str!("../../../tests/cases/avatars.txt")) {
        let refused = refusal("jane", Some(avatar), "hi").map(|r| r.0);
        assert_eq!(refused, (!passes).then_some(ReasonCode::BadAvatar), "{avatar:?}");
        let crs = Content::Crs(Crs { wkt: String::new(), authid: String::new() });
        let kind = MessageKind::Content { avatar: Some(avatar.to_owned()), content: Arc::new(crs) };
        assert_eq!(shape().check(&Message::new("jane", kind)).is_ok(), passes, "{avatar:?}");
    }
    assert_eq!(refusal("jane", Some(&"a".repeat(128)), "hi"), None);
    assert_eq!(refusal("jane", Some(&"a".repeat(129)), "hi").map(|r| r.0), Some(ReasonCode::BadAvatar));
    assert_eq!(refusal("jane", Some("a\0.svg"), "hi").map(|r| r.0), Some(ReasonCode::BadAvatar));
    assert_eq!(refusal("jane", Some("a\n"), "hi").map(|r| r.0), Some(ReasonCode::BadAvatar));
}

/// The cases of a file, and whether they pass. `+` and `-` at the beginning of a line say so.
fn cases(file: &str) -> impl Iterator<Item = (&str, bool)> {
    file.lines().filter_map(|line| {
        let (sign, case) = line.split_at_checked(1)?;
        matches!(sign, "+" | "-").then(|| (case, sign == "+"))
    })
}

#[test]
fn open_directions_are_closed_and_all_other_texts_stay_as_they_are() {
    let passed = |text: &str| {
        let message = Message::new("jane", MessageKind::Text { avatar: None, text: text.to_owned() });
        shape().check(&message).unwrap()
    };
    assert_eq!(passed("\u{202e}abc").as_deref(), Some("\u{202e}abc\u{202c}"));
    for text in ["  padded\t\n", "e\u{301}", "\u{2067}שלום\u{2069}", "a\u{200b}b", "👨\u{200d}👩\u{200d}👧"] {
        assert_eq!(passed(text), None, "{text:?}");
    }
}

#[test]
fn what_the_relay_closes_does_not_count_towards_the_length() {
    let text = format!("\u{2067}{}", "a".repeat(254));
    let closed = format!("{text}\u{2069}");
    for text in [&text, &closed] {
        assert_eq!(refusal("jane", None, text), None);
        let like = MessageKind::Like { liked: "hans".to_owned(), text: text.clone() };
        assert!(shape().check(&Message::new("jane", like)).is_ok());
    }
    assert_eq!(refusal("jane", None, &format!("\u{2067}{}", "a".repeat(255))).map(|r| r.0), Some(ReasonCode::TooLong));
}

#[test]
fn the_names_and_the_text_of_a_like_have_the_same_limits() {
    let like = |liker: &str, liked: &str, text: &str| {
        let kind = MessageKind::Like { liked: liked.to_owned(), text: text.to_owned() };
        shape().check(&Message::new(liker, kind)).err().map(|reason| reason.code)
    };
    assert_eq!(like("jane", "hans", "nice"), None);
    assert_eq!(like("x", "hans", "nice"), Some(ReasonCode::BadAuthor));
    assert_eq!(like("jane", "x", "nice"), Some(ReasonCode::BadAuthor));
    assert_eq!(like("jane", "hans", &"a".repeat(256)), Some(ReasonCode::TooLong));
}

#[test]
fn a_huge_text_is_refused_without_counting_it() {
    let text = "the message text has more than 255 characters; at most 255 are allowed";
    assert_eq!(refusal("jane", None, &"a".repeat(5_000)), Some(refused(ReasonCode::TooLong, text)));
}
