//! Tests of the harness for authors of filters.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic fails the test")]

use gischat_filter::regex::Pattern;
use gischat_filter::testing::{Harness, folded, json};
use gischat_filter::{Action, Filter, Hook, Message, NoSettings, Sanction, Sender, Verdict};
use gischat_filter::{clock, log, room, store};

/// Executes the command in a message.
struct Obedient {
    checks: u32,
}

impl Filter for Obedient {
    type Settings = NoSettings;

    const HOOKS: &'static [Hook] = &[Hook::Check, Hook::CheckNickname];

    fn configure(_: NoSettings) -> Result<Self, String> {
        log::info("configured");
        Ok(Self { checks: 0 })
    }

    fn check(&mut self, message: &Message, sender: &Sender) -> Verdict {
        self.checks += 1;
        let words: Vec<&str> = message.folded.split(' ').collect();
        match words[..] {
            ["get", key] => {
                let value = store::get(key).map(|value| String::from_utf8_lossy(&value).into_owned());
                Verdict::replace(format!("{value:?}"))
            }
            ["set", key, value, seconds] => {
                store::set(key, value, seconds.parse().unwrap());
                Verdict::pass()
            }
            ["add", key, amount, seconds] => {
                Verdict::replace(store::add(key, amount.parse().unwrap(), seconds.parse().unwrap()).to_string())
            }
            ["room"] => Verdict::replace(format!("{} {}", room::members(), room::names().join(","))),
            ["now"] => Verdict::replace(clock::now().to_string()),
            ["checks"] => Verdict::replace(self.checks.to_string()),
            ["long", "reason"] => Verdict::reject("x".repeat(1_025)),
            ["long", "key"] => Verdict::replace(store::add(&"x".repeat(257), 1, 1).to_string()),
            ["trusted"] => Verdict::replace(sender.trusted.to_string()),
            _ => Verdict::pass(),
        }
    }
}

fn obedient() -> Harness<Obedient> {
    Harness::new(json!({}))
}

#[track_caller]
fn answer(harness: &mut Harness<Obedient>, text: &str) -> String {
    match harness.check(text).action {
        Action::Replace(text) => text,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_value_lasts_for_its_seconds() {
    let mut harness = obedient();
    assert_eq!(answer(&mut harness, "get a"), "None");
    assert_eq!(harness.check("set a b 10"), Verdict::pass());
    harness.now += 9_999;
    assert_eq!(answer(&mut harness, "get a"), "Some(\"b\")");
    harness.now += 1;
    assert_eq!(answer(&mut harness, "get a"), "None");
}

#[test]
fn later_additions_do_not_extend_a_counter() {
    let mut harness = obedient();
    assert_eq!(answer(&mut harness, "add n 2 10"), "2");
    harness.advance(9);
    assert_eq!(answer(&mut harness, "add n -5 10"), "-3");
    harness.advance(1);
    assert_eq!(answer(&mut harness, "add n 1 10"), "1");
}

#[test]
fn a_key_written_by_set_counts_as_missing_for_add() {
    let mut harness = obedient();
    assert_eq!(harness.check("set n 7 10"), Verdict::pass());
    assert_eq!(answer(&mut harness, "add n 1 10"), "1");
}

#[test]
fn the_store_outlives_an_instance_and_fields_do_not() {
    let mut harness = obedient();
    assert_eq!(harness.check("set a b 10"), Verdict::pass());
    assert_eq!(answer(&mut harness, "checks"), "2");
    harness.restart();
    assert_eq!(answer(&mut harness, "checks"), "1");
    assert_eq!(answer(&mut harness, "get a"), "Some(\"b\")");
}

#[test]
fn two_harnesses_share_nothing() {
    let (mut one, mut two) = (obedient(), obedient());
    assert_eq!(one.check("set a b 10"), Verdict::pass());
    assert_eq!(answer(&mut two, "get a"), "None");
}

#[test]
fn a_filter_sees_the_fields_of_the_harness() {
    let mut harness = obedient();
    harness.now = 5;
    harness.members = 3;
    harness.names = vec!["jane".into(), "hans".into()];
    harness.sender.trusted = true;
    assert_eq!(answer(&mut harness, "now"), "5");
    assert_eq!(answer(&mut harness, "room"), "3 hans,jane");
    assert_eq!(answer(&mut harness, "trusted"), "true");
}

#[test]
fn the_log_is_kept() {
    assert_eq!(obedient().log(), [(log::Level::Info, "configured".to_owned())]);
}

#[test]
fn nicknames_pass_by_default() {
    assert_eq!(obedient().check_nickname("bob"), Verdict::pass());
}

#[test]
#[should_panic(expected = "its KINDS lack `like`")]
fn a_kind_that_the_filter_did_not_ask_for_fails_the_test() {
    let mut harness = obedient();
    let mut message = harness.message("hi");
    message.kind = "like".to_owned();
    assert_eq!(harness.check_message(&message), Verdict::pass());
}

#[test]
#[should_panic(expected = "the relay takes 1024")]
fn a_reason_that_the_relay_does_not_accept_fails_the_test() {
    assert_eq!(obedient().check("long reason"), Verdict::pass());
}

#[test]
#[should_panic(expected = "the relay takes 256")]
fn a_key_that_the_relay_does_not_accept_fails_the_test() {
    assert_eq!(obedient().check("long key"), Verdict::pass());
}

#[test]
fn unknown_settings_are_named() {
    let error = Harness::<Obedient>::try_new(json!({ "wrod": 1 })).map(|_| ()).unwrap_err();
    assert!(error.contains("wrod"), "{error}");
}

#[test]
fn a_text_is_folded_like_the_relay_does() {
    assert_eq!(folded("ＳｔＲＡẞＥ ﬁne E\u{301}t\u{e9} ΣΊΣΥΦΟΣ"), "strasse fine \u{e9}t\u{e9} σίσυφοσ");
}

#[test]
fn spans_are_counted_in_code_points() {
    let pattern = Pattern::compile("[a-z]+").unwrap();
    let text = "é ab 漢 cd";
    let found = pattern.find_all(text);
    assert_eq!(found.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>(), [(2, 4), (7, 9)]);
    assert_eq!(found.iter().map(|span| span.of(text)).collect::<Vec<_>>(), ["ab", "cd"]);
    assert_eq!(pattern.find(text), found.first().copied());
    assert_eq!(found[0].of("é"), "");
}

#[test]
fn a_replacement_may_name_groups() {
    let pattern = Pattern::compile("(?<a>[a-z])([0-9])").unwrap();
    assert_eq!(pattern.replace_all("x1 y2", "$2$a$$"), "1x$ 2y$");
    assert!(pattern.is_match("z3") && !pattern.is_match("z"));
}

#[test]
fn an_invalid_expression_is_explained() {
    assert!(Pattern::compile("(").unwrap_err().contains("unclosed"));
}

#[test]
fn an_expression_that_is_too_large_for_the_relay_is_refused() {
    assert!(Pattern::compile(r"\w{1000}").unwrap_err().contains("size limit"));
}

#[test]
fn a_verdict_is_built_in_one_expression() {
    let verdict = Verdict::reject("No.").label("a").label("b").sanction(Sanction::mute(60));
    assert_eq!(verdict.action, Action::Reject);
    assert_eq!(verdict.reason.as_deref(), Some("No."));
    assert_eq!(verdict.labels, ["a", "b"]);
    assert_eq!(verdict.sanction, Some(Sanction { kind: "mute".to_owned(), seconds: 60 }));
}
