//! Rules for kinds of message.

use std::sync::Arc;

use super::*;
use crate::fixtures::{message, sender};
use crate::model::{Content, Crs, Message, MessageKind};

fn rule(keys: &str) -> Result<RuleSet, Vec<String>> {
    load(&format!("[[rule]]\nid = 'a'\n{keys}\n"))
}

fn crs() -> Message {
    let content = Arc::new(Content::Crs(Crs::default()));
    Message::new("jane", MessageKind::Content { avatar: None, content })
}

fn is_hit(rules: &RuleSet, message: &Message) -> bool {
    !rules.examine(message, &sender()).matches.is_empty()
}

#[test]
fn a_rule_can_check_a_kind_alone() {
    let rules = rule("kinds = ['crs', 'image']\nverdict = 'hold'").unwrap();
    assert!(is_hit(&rules, &crs()));
    assert!(!is_hit(&rules, &message("jane", "hello")));
}

#[test]
fn a_rule_without_kinds_checks_texts_only() {
    let rules = rule("rooms = ['QGIS']\nverdict = 'hold'").unwrap();
    assert!(!is_hit(&rules, &crs()));
    assert!(is_hit(&rules, &message("jane", "hello")));
}

#[test]
fn a_rule_for_likes_does_not_check_chat_lines() {
    let rules = rule("words = ['casino']\nkinds = ['like']\nverdict = 'reject'").unwrap();
    let like = MessageKind::Like { liked: "hans".to_owned(), text: "casino".to_owned() };
    assert!(is_hit(&rules, &Message::new("jane", like)));
    assert!(!is_hit(&rules, &message("jane", "casino")));
}

#[test]
fn a_rule_that_could_never_match_because_of_its_kinds_is_an_error() {
    for (keys, error) in [
        (
            "words = ['x']\nkinds = ['image']\nverdict = 'hold'",
            "rules.toml:4: rule `a`: `kinds` names no kind with a text, so the conditions on the text would never hold",
        ),
        (
            "words = ['x']\nkinds = ['text', 'image']\nverdict = 'replace'",
            "rules.toml:4: rule `a`: only texts can be replaced; `kinds` may name `text` and `like` here",
        ),
        (
            "words = ['x']\nfield = 'nickname'\nkinds = ['text']\nverdict = 'reject'",
            "rules.toml:5: rule `a`: `kinds` does not apply to nicknames",
        ),
    ] {
        assert_eq!(rule(keys).unwrap_err(), [error], "{keys}");
    }
}
