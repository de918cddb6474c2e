//! Texts and names that are left out.

use super::*;

/// A step of a plugin that quotes a text.
fn plugin_step(quote: &str) -> TraceStep {
    let basis =
        Basis::Plugin { name: "mine".into(), took: Duration::ZERO, failure: Some(quote.into()), sanction: None };
    let matched = Match { labels: vec![quote.into()], ..matched(Outcome::Reject, basis) };
    TraceStep { filter: "plugin", verdict: Outcome::Reject, matched: Some(matched), took: Duration::ZERO }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A text of letters that nothing else in the log is made of.
    #[test]
    fn neither_texts_nor_addresses_are_in_a_log_without_texts(
        text in "[А-Я]{1,200}", liked in "[а-я]{3,20}", ip in any::<[u8; 4]>(), outcome in 0..5_usize, like: bool,
    ) {
        let dir = TempDir::new().unwrap();
        let outcomes = [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject];
        let outcome = outcomes[outcome];
        let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Off), now(0), nothing_in_force());
        let mut recorded = recorded(&text, outcome, now(1));
        if like {
            recorded.decision.message.kind = MessageKind::Like { liked, text: text.clone() };
        }
        recorded.decision.original = (outcome == Outcome::Replace).then(|| format!("{text}!"));
        recorded.decision.trace.push(plugin_step(&text));
        recorded.sender.address = Address::from(IpAddr::from(ip));
        log.add_decision(&recorded);
        log.add_act(banned(plugin("mine"), &text), now(1));
        log.close(now(2)).unwrap();
        let bytes = all_bytes(dir.path());
        prop_assert!(bytes.contains("\"decision\"") && bytes.contains("\"act\""));
        prop_assert!(!bytes.chars().any(|c| ('А'..='я').contains(&c)), "{bytes}");
        let [a, b, c, d] = ip;
        for plain in [format!("{a}.{b}.{c}.{d}"), format!("{a}.{b}.{c}.")] {
            prop_assert!(!bytes.contains(&plain), "{bytes}");
        }
        prop_assert!(!bytes.contains("mIconAvatar"));
    }
}

#[test]
fn only_80_characters_of_refused_texts_are_logged() {
    let dir = TempDir::new().unwrap();
    let (mut log, _) = log(&config(dir.path(), Recording::All, Texts::Refusals), now(0), nothing_in_force());
    let text = "é".repeat(81);
    for outcome in [Outcome::Pass, Outcome::Replace, Outcome::Hold, Outcome::Shadow, Outcome::Reject] {
        log.add_decision(&recorded(&text, outcome, now(1)));
    }
    log.add_decision(&recorded("short", Outcome::Reject, now(1)));
    log.close(now(5)).unwrap();
    let lines = lines_of(&dir.path().join("audit-2026-11-23.jsonl"));
    let kept: Vec<_> = lines
        .iter()
        .filter_map(|line| if let Line::Decision(line) = line { Some(line) } else { None })
        .map(|line| (line.text.as_ref().map_or(0, |text| text.chars().count()), line.cut))
        .collect();
    assert_eq!(kept, [(0, false), (0, false), (80, true), (80, true), (80, true), (5, false)]);
    assert!(!all_bytes(dir.path()).contains(&text) && !all_bytes(dir.path()).contains("not said here"));
}
