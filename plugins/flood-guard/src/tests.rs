use gischat_filter::testing::{Harness, json};
use gischat_filter::{Action, Verdict};

use super::*;

const ADVERT: &str = "Buy cheap imagery now!";
const NONE: [usize; 0] = [];

fn guard() -> Harness<FloodGuard> {
    Harness::new(json!({}))
}

/// The numbers, from 1 on, of the texts that are refused.
fn refused<'t>(guard: &mut Harness<FloodGuard>, texts: impl IntoIterator<Item = &'t str>) -> Vec<usize> {
    let verdicts = texts.into_iter().map(|text| guard.check(text));
    (1..).zip(verdicts).filter(|(_, verdict)| verdict.action == Action::Reject).map(|(number, _)| number).collect()
}

/// The numbers of the senders that are refused when each sends the text once.
fn refused_senders(guard: &mut Harness<FloodGuard>, senders: std::ops::RangeInclusive<usize>) -> Vec<usize> {
    senders
        .filter(|number| {
            guard.sender.address = format!("address {number}");
            guard.check(ADVERT).action == Action::Reject
        })
        .collect()
}

#[test]
fn the_fourth_time_is_refused() {
    assert_eq!(refused(&mut guard(), [ADVERT; 5]), [4, 5]);
}

#[test]
fn a_flood_is_labelled() {
    let mut guard = guard();
    assert_eq!(refused(&mut guard, [ADVERT; 3]), NONE);
    assert_eq!(guard.check(ADVERT).labels, ["flood"]);
}

#[test]
fn digits_punctuation_blanks_and_capitals_make_no_difference() {
    let texts = ["Buy cheap imagery 1", "BUY, CHEAP: IMAGERY 22!", "buycheapimagery", "buy  cheap imagery 🛰"];
    assert_eq!(refused(&mut guard(), texts), [4]);
}

#[test]
fn other_letters_are_another_text() {
    let texts = ["Where is layer alpha?", "Where is layer beta?", "Where is layer gamma?", "Where is layer delta?"];
    assert_eq!(refused(&mut guard(), texts), NONE);
}

#[test]
fn short_texts_never_count() {
    assert_eq!(refused(&mut guard(), ["bonjour !"; 20]), NONE);
    assert_eq!(refused(&mut guard(), ["hello world"; 20]), NONE);
    assert_eq!(refused(&mut guard(), ["1234567890 1234567890"; 20]), NONE);
}

#[test]
fn a_window_ends() {
    let mut guard = guard();
    assert_eq!(refused(&mut guard, [ADVERT; 4]), [4]);
    guard.advance(59);
    assert_eq!(refused(&mut guard, [ADVERT]), [1]);
    guard.advance(1);
    assert_eq!(refused(&mut guard, [ADVERT; 4]), [4]);
}

#[test]
fn the_sixth_sender_is_refused() {
    assert_eq!(refused_senders(&mut guard(), 1..=7), [6, 7]);
}

#[test]
fn senders_of_an_earlier_window_are_counted_again() {
    let mut guard = guard();
    assert_eq!(refused_senders(&mut guard, 1..=1), NONE);
    guard.advance(50);
    assert_eq!(refused_senders(&mut guard, 2..=5), NONE);
    guard.advance(10);
    assert_eq!(refused_senders(&mut guard, 2..=7), [7]);
}

#[test]
fn a_new_instance_continues_the_count() {
    let mut guard = guard();
    assert_eq!(refused(&mut guard, [ADVERT; 3]), NONE);
    guard.restart();
    assert_eq!(refused(&mut guard, [ADVERT]), [1]);
}

#[test]
fn a_trusted_sender_may_repeat() {
    let mut guard = guard();
    guard.sender.trusted = true;
    assert_eq!(refused(&mut guard, [ADVERT; 10]), NONE);
}

#[test]
fn the_settings_are_kept() {
    let mut guard = Harness::<FloodGuard>::new(json!({ "per_sender": 1, "seconds": 10, "min_letters": 5 }));
    assert_eq!(refused(&mut guard, ["hello"; 2]), [2]);
    guard.advance(10);
    assert_eq!(guard.check("hello"), Verdict::pass());
}

#[test]
fn a_limit_of_0_is_refused() {
    for name in ["per_sender", "senders", "seconds"] {
        let error = Harness::<FloodGuard>::try_new(json!({ name: 0 })).map(|_| ()).unwrap_err();
        assert_eq!(error, format!("`{name}` must be at least 1"));
    }
}
