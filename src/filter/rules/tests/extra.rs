//! Rules before those of the file, and another preset while the relay runs.

use std::sync::Arc;

use super::*;
use crate::filter::rules::{Current, EXTRA, PresetError, Source};

const FILE: &str = "[[rule]]\nid = 'a'\nwords = ['casino']\nverdict = 'reject'\n\n\
                    [[rule]]\nid = 'b'\nwords = ['poker']\nverdict = 'reject'\n";

fn with(extra: &str) -> Result<Rules, Vec<String>> {
    let loaded = Rules::load_with(Path::new("rules.toml"), FILE, Path::new(""), &instance(Preset::Off), (EXTRA, extra));
    loaded.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// Where the rules that hit a text are written.
fn hits(rules: &Rules, text: &str) -> Vec<String> {
    examine(rules, text).matches.iter().map(|matched| rule_of(matched).1.to_owned()).collect()
}

#[test]
fn further_rules_come_first_and_take_the_place_of_those_of_the_same_id() {
    let rules = with(
        "[[rule]]\nid = 'c'\nwords = ['roulette']\nverdict = 'label'\n\
                      [[rule]]\nid = 'b'\nwords = ['bridge']\nverdict = 'reject'\n",
    )
    .unwrap();
    let ids: Vec<_> = rules.figures().map(|rule| (rule.id, rule.source)).collect();
    assert_eq!(ids, [("c", "what-if:1"), ("b", "what-if:5"), ("a", "rules.toml:1")]);
    assert_eq!(rules.own(), 3);
    assert_eq!(hits(&rules, "casino roulette poker bridge"), ["what-if:1", "what-if:5", "rules.toml:1"]);
}

#[test]
fn further_rules_take_the_place_of_starter_rules_and_choose_among_them() {
    let rules = with(
        "[starter]\npreset = 'strict'\nmodes = { shouting = 'off' }\n\
                      [[rule]]\nid = 'everyone'\nwords = ['x']\nverdict = 'label'\n",
    )
    .unwrap();
    assert_eq!(rules.preset(), Preset::Strict);
    let of = |id: &str| rules.figures().find(|rule| rule.id == id).map(|rule| (rule.source.to_owned(), rule.mode));
    assert_eq!(of("everyone"), Some(("what-if:4".to_owned(), Mode::Enforce)));
    assert_eq!(of("shouting"), None);
    assert_eq!(of("zalgo").unwrap().1, Mode::Enforce);
}

#[test]
fn faults_of_further_rules_come_first_and_say_where_they_are() {
    let faults = with(
        "[starter]\nmodes = { shoutin = 'off' }\n\
                       [[rule]]\nid = 'c'\nwrods = ['x']\nverdict = 'reject'\n",
    )
    .unwrap_err();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("what-if:2: there is no starter rule `shoutin`; did you mean"), "{faults:?}");
    assert!(faults[1..].iter().all(|fault| fault.starts_with("what-if:3") || fault.starts_with("what-if:5")));
    let case = with("[[rule]]\nid = 'c'\nwords = ['x']\nverdict = 'reject'\nrefuses = ['y']\n").unwrap_err();
    assert_eq!(case, ["what-if:5: rule `c`: does not hit `y`, which its `refuses` names"]);
}

#[test]
fn further_rules_are_bounded_as_a_file_is_and_read_no_files() {
    let large = with(&format!("#{}", "x".repeat(1 << 20))).unwrap_err();
    assert_eq!(large, ["what-if: is larger than 1048576 bytes"]);
    let many = "[[rule]]\nid = 'x'\n".repeat(1_001);
    assert!(with(&many).unwrap_err().len() <= 101);
    for file in ["words.txt", "/etc/hostname"] {
        let faults = with(&format!("[[rule]]\nid = 'c'\nwords_file = '{file}'\nverdict = 'reject'\n")).unwrap_err();
        assert_eq!(faults, ["what-if:3: rule `c`: `words_file` is for files; write the words into `words`"]);
    }
}

/// Rules in force that are read from a file in a folder.
fn in_force(text: &str) -> (tempfile::TempDir, Arc<Current>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.toml");
    fs::write(&file, text).unwrap();
    let source = Source { file: Some(file), instance: instance(Preset::Off) };
    let rules = source.read().rules.unwrap();
    (folder, Arc::new(Current::new(source, rules, Arc::default())))
}

fn mode(current: &Current, id: &str) -> Option<Mode> {
    current.get().figures().find(|rule| rule.id == id).map(|rule| rule.mode)
}

#[test]
fn rules_that_are_only_thought_of_are_not_in_force_and_observe_where_a_brake_has_them_observe() {
    let (_folder, current) = in_force(FILE);
    current.get().brake("a").unwrap().pull(Timestamp::now());
    let thought = current.with_extra("[[rule]]\nid = 'b'\nwords = ['x']\nverdict = 'reject'\n").unwrap();
    let modes: Vec<_> = thought.figures().map(|rule| (rule.source.rsplit('/').next().unwrap(), rule.mode)).collect();
    assert_eq!(modes, [("what-if:1", Mode::Enforce), ("rules.toml:1", Mode::Observe)]);
    assert_eq!(hits(&current.get(), "poker").len(), 1);
    // What it hits is not counted where it is not in force.
    examine(&thought, "casino");
    assert!(current.get().figures().all(|rule| rule.hits + rule.exempt_hits == u64::from(rule.id == "b")));
}

#[test]
fn another_preset_is_in_force_at_once_and_for_what_is_read_later() {
    let (folder, current) = in_force(FILE);
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Off, None));
    current.set_preset(Preset::Strict).unwrap();
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Strict, Some(Mode::Enforce)));
    fs::write(folder.path().join("rules.toml"), "").unwrap();
    current.adopt(current.source().read().rules.unwrap());
    assert_eq!((current.preset(), current.get().own()), (Preset::Strict, 0));
}

#[test]
fn a_preset_of_the_file_wins() {
    let (_folder, current) = in_force("[starter]\npreset = 'open'\n");
    let refused = current.set_preset(Preset::Strict).unwrap_err();
    assert!(matches!(refused, PresetError::Fixed { preset: Preset::Open, .. }), "{refused:?}");
    let text = refused.to_string();
    assert!(text.ends_with(
        "rules.toml: its `[starter]` says `preset = \"open\"`, and the file wins; change it there, or remove that line"
    ), "{text}");
    assert_eq!((current.preset(), mode(&current, "shouting")), (Preset::Open, Some(Mode::Observe)));
    current.set_preset(Preset::Open).unwrap();
}

#[test]
fn files_at_fault_or_gone_leave_the_preset_as_it_is() {
    let (folder, current) = in_force(FILE);
    let path = folder.path().join("rules.toml");
    fs::write(&path, "[[rule]]\n").unwrap();
    let PresetError::Faults(faults) = current.set_preset(Preset::Strict).unwrap_err() else { panic!("no faults") };
    assert!(faults[0].to_string().contains("rules.toml:1"), "{faults:?}");
    fs::remove_file(&path).unwrap();
    assert!(current.set_preset(Preset::Strict).unwrap_err().to_string().contains("there is a fault"));
    assert_eq!((current.preset(), current.get().own()), (Preset::Off, 2));
    assert_eq!(current.source().instance.preset, Preset::Off);
}

#[test]
fn a_rule_that_is_written_as_it_was_keeps_its_figures() {
    let (folder, current) = in_force(FILE);
    let path = folder.path().join("rules.toml");
    let adopt = |text: &str| {
        fs::write(&path, text).unwrap();
        current.adopt(current.source().read().rules.unwrap());
        current.get().figures().map(|rule| (rule.id.to_owned(), rule.hits)).collect::<Vec<_>>()
    };
    hits(&current.get(), "casino");
    let hits_of = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b)];
    assert_eq!(adopt(&format!("# a comment\n\n{FILE}")), hits_of(1, 0));
    assert_eq!(adopt(&FILE.replace("poker", "bridge")), hits_of(1, 0));
    assert_eq!(adopt(&FILE.replace("casino", "roulette")), hits_of(0, 0));
}

#[test]
fn another_word_in_a_file_of_words_is_a_change() {
    let (folder, current) = in_force(FILE);
    let rule = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'\n";
    let content = |words: &str| {
        fs::write(folder.path().join("words.txt"), words).unwrap();
        fs::write(folder.path().join("rules.toml"), rule).unwrap();
        current.source().read().rules.unwrap().content("a").unwrap()
    };
    assert_eq!(content("casino"), content("casino"));
    assert_ne!(content("casino"), content("casino\npoker"));
}

#[test]
fn hits_on_trusted_senders_are_counted_whether_or_not_a_rule_spares_them() {
    let rules = load(&format!("{FILE}exempt = ['trusted']\n")).unwrap();
    let mut scene = Scene::new();
    let figures = |rules: &Rules| {
        let figures = rules.figures();
        figures.map(|rule| (rule.hits, rule.exempt_hits, rule.trusted_hits, rule.trusted_percent())).collect::<Vec<_>>()
    };
    assert_eq!(figures(&rules), [(0, 0, 0, None), (0, 0, 0, None)]);
    for _ in 0..3 {
        scene.say(&rules, "casino poker");
    }
    scene.give("trusted=true");
    assert_eq!(scene.say(&rules, "poker").finding.verdict, Verdict::Pass);
    assert_ne!(scene.say(&rules, "casino").finding.verdict, Verdict::Pass);
    assert_eq!(figures(&rules), [(4, 0, 1, Some(25.0)), (3, 1, 1, Some(25.0))]);
}
