//! Extra rules before those of the file, and changes of the preset while the relay runs.

use std::sync::Arc;

use super::*;
use crate::filter::rules::{ActiveRules, PresetError, RulesSource, WHAT_IF_FILE_NAME};

const FILE: &str = "[[rule]]\nid = 'a'\nwords = ['casino']\nverdict = 'reject'\n\n\
                    [[rule]]\nid = 'b'\nwords = ['poker']\nverdict = 'reject'\n";

fn with(extra: &str) -> Result<RuleSet, Vec<String>> {
    let loaded = RuleSet::load_with_extra(
        Path::new("rules.toml"),
        FILE,
        Path::new(""),
        &instance(Preset::Off),
        (WHAT_IF_FILE_NAME, extra),
    );
    loaded.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// Returns the file and line of each rule that hits a text.
fn hits(rules: &RuleSet, text: &str) -> Vec<String> {
    examine(rules, text).matches.iter().map(|matched| rule_of(matched).1.to_owned()).collect()
}

#[test]
fn extra_rules_come_first_and_replace_those_with_the_same_id() {
    let rules = with(
        "[[rule]]\nid = 'c'\nwords = ['roulette']\nverdict = 'label'\n\
                      [[rule]]\nid = 'b'\nwords = ['bridge']\nverdict = 'reject'\n",
    )
    .unwrap();
    let ids: Vec<_> = rules.stats().map(|rule| (rule.id, rule.source)).collect();
    assert_eq!(ids, [("c", "what-if:1"), ("b", "what-if:5"), ("a", "rules.toml:1")]);
    assert_eq!(rules.own_count(), 3);
    assert_eq!(hits(&rules, "casino roulette poker bridge"), ["what-if:1", "what-if:5", "rules.toml:1"]);
}

#[test]
fn extra_rules_replace_starter_rules_and_choose_the_preset() {
    let rules = with(
        "[starter]\npreset = 'strict'\nmodes = { shouting = 'off' }\n\
                      [[rule]]\nid = 'everyone'\nwords = ['x']\nverdict = 'label'\n",
    )
    .unwrap();
    assert_eq!(rules.preset(), Preset::Strict);
    let of = |id: &str| rules.stats().find(|rule| rule.id == id).map(|rule| (rule.source.to_owned(), rule.mode));
    assert_eq!(of("everyone"), Some(("what-if:4".to_owned(), Mode::Enforce)));
    assert_eq!(of("shouting"), None);
    assert_eq!(of("zalgo").unwrap().1, Mode::Enforce);
}

#[test]
fn errors_of_extra_rules_come_first_with_their_lines() {
    let errors = with(
        "[starter]\nmodes = { shoutin = 'off' }\n\
                       [[rule]]\nid = 'c'\nwrods = ['x']\nverdict = 'reject'\n",
    )
    .unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(errors[0].starts_with("what-if:2: there is no starter rule `shoutin`; did you mean"), "{errors:?}");
    assert!(errors[1..].iter().all(|error| error.starts_with("what-if:3") || error.starts_with("what-if:5")));
    let case = with("[[rule]]\nid = 'c'\nwords = ['x']\nverdict = 'reject'\nrefuses = ['y']\n").unwrap_err();
    assert_eq!(case, ["what-if:5: rule `c`: does not hit `y`, which `refuses` lists"]);
}

#[test]
fn extra_rules_have_the_limits_of_a_file_and_read_no_files() {
    let large = with(&format!("#{}", "x".repeat(1 << 20))).unwrap_err();
    assert_eq!(large, ["what-if: is larger than 1048576 bytes"]);
    let many = "[[rule]]\nid = 'x'\n".repeat(1_001);
    assert!(with(&many).unwrap_err().len() <= 101);
    for file in ["words.txt", "/etc/hostname"] {
        let errors = with(&format!("[[rule]]\nid = 'c'\nwords_file = '{file}'\nverdict = 'reject'\n")).unwrap_err();
        assert_eq!(errors, ["what-if:3: rule `c`: `words_file` is not allowed here; use `words`"]);
    }
}

/// Returns rules in force that were loaded from a file in a temporary folder.
fn in_force(text: &str) -> (tempfile::TempDir, Arc<ActiveRules>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    fs::write(&file, text).unwrap();
    let source = RulesSource { file: Some(file), context: instance(Preset::Off) };
    let rules = source.load_stable().rules.unwrap();
    (folder, Arc::new(ActiveRules::new(source, rules, Arc::default())))
}

fn mode(current: &ActiveRules, id: &str) -> Option<Mode> {
    current.get().stats().find(|rule| rule.id == id).map(|rule| rule.mode)
}

#[test]
fn hypothetical_rules_are_not_in_force_and_share_tripped_breakers() {
    let (_folder, current) = in_force(FILE);
    current.get().breaker("a").unwrap().trip(Timestamp::now());
    let hypothetical = current.with_extra("[[rule]]\nid = 'b'\nwords = ['x']\nverdict = 'reject'\n").unwrap();
    let modes: Vec<_> = hypothetical.stats().map(|rule| (rule.source.rsplit('/').next().unwrap(), rule.mode)).collect();
    assert_eq!(modes, [("what-if:1", Mode::Enforce), ("rules.toml:1", Mode::Observe)]);
    assert_eq!(hits(&current.get(), "poker").len(), 1);
    // Its hits do not count for the rules in force.
    examine(&hypothetical, "casino");
    assert!(current.get().stats().all(|rule| rule.hits + rule.exempt_hits == u64::from(rule.id == "b")));
}

#[test]
fn a_new_preset_takes_effect_immediately_and_for_later_reloads() {
    let (folder, current) = in_force(FILE);
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Off, None));
    current.set_preset(Preset::Strict).unwrap();
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Strict, Some(Mode::Enforce)));
    fs::write(folder.path().join("rules.toml"), "").unwrap();
    current.adopt(current.source().load_stable().rules.unwrap());
    assert_eq!((current.preset(), current.get().own_count()), (Preset::Strict, 0));
}

#[test]
fn a_preset_in_the_file_takes_precedence() {
    let (_folder, current) = in_force("[starter]\npreset = 'open'\n");
    let refused = current.set_preset(Preset::Strict).unwrap_err();
    assert!(matches!(refused, PresetError::Fixed { preset: Preset::Open, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(
        text.ends_with(
            "rules.toml: `[starter]` sets `preset = \"open\"`, which takes precedence; change or remove that line"
        ),
        "{text}"
    );
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Open, Some(Mode::Observe)));
    current.set_preset(Preset::Open).unwrap();
}

#[test]
fn invalid_or_missing_files_leave_the_preset_unchanged() {
    let (folder, current) = in_force(FILE);
    let path = folder.path().join("rules.toml");
    fs::write(&path, "[[rule]]\n").unwrap();
    let PresetError::Invalid(errors) = current.set_preset(Preset::Strict).unwrap_err() else { panic!("no errors") };
    assert!(errors[0].to_string().contains("rules.toml:1"), "{errors:?}");
    fs::remove_file(&path).unwrap();
    assert!(current.set_preset(Preset::Strict).unwrap_err().to_string().contains("the rules are unchanged: 1 error"));
    assert_eq!((current.preset(), current.get().own_count()), (Preset::Off, 2));
    assert_eq!(current.source().context.preset, Preset::Off);
}

#[test]
fn an_unchanged_rule_keeps_its_hit_counters() {
    let (folder, current) = in_force(FILE);
    let path = folder.path().join("rules.toml");
    let adopt = |text: &str| {
        fs::write(&path, text).unwrap();
        current.adopt(current.source().load_stable().rules.unwrap());
        current.get().stats().map(|rule| (rule.id.to_owned(), rule.hits)).collect::<Vec<_>>()
    };
    hits(&current.get(), "casino");
    let hits_of = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b)];
    assert_eq!(adopt(&format!("# a comment\n\n{FILE}")), hits_of(1, 0));
    assert_eq!(adopt(&FILE.replace("poker", "bridge")), hits_of(1, 0));
    assert_eq!(adopt(&FILE.replace("casino", "roulette")), hits_of(0, 0));
}

#[test]
fn a_change_of_a_words_file_changes_the_digest() {
    let (folder, current) = in_force(FILE);
    let rule = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'\n";
    let digest = |words: &str| {
        fs::write(folder.path().join("words.txt"), words).unwrap();
        fs::write(folder.path().join("rules.toml"), rule).unwrap();
        current.source().load_stable().rules.unwrap().digest("a").unwrap()
    };
    assert_eq!(digest("casino"), digest("casino"));
    assert_ne!(digest("casino"), digest("casino\npoker"));
}

#[test]
fn hits_of_trusted_senders_are_counted_whether_or_not_they_are_exempt() {
    let rules = load(&format!("{FILE}exempt = ['trusted']\n")).unwrap();
    let mut scenario = Scenario::new();
    let figures = |rules: &RuleSet| {
        let figures = rules.stats();
        figures.map(|rule| (rule.hits, rule.exempt_hits, rule.trusted_hits, rule.trusted_percent())).collect::<Vec<_>>()
    };
    assert_eq!(figures(&rules), [(0, 0, 0, None), (0, 0, 0, None)]);
    for _ in 0..3 {
        scenario.say(&rules, "casino poker");
    }
    scenario.give("trusted=true");
    assert_eq!(scenario.say(&rules, "poker").finding.verdict, Verdict::Pass);
    assert_ne!(scenario.say(&rules, "casino").finding.verdict, Verdict::Pass);
    assert_eq!(figures(&rules), [(4, 0, 1, Some(25.0)), (3, 1, 1, Some(25.0))]);
}
