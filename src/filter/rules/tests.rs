//! Rules files as data: each file of `tests/cases/rules` says in its comments what it must do.
//!
//! ```text
//! # fault LINE: TEXT          the file must have exactly these faults, in this order; `# fault: TEXT` has no line
//! # fault OTHER.txt:LINE: …   a fault in a file of words
//! # say TEXT                  with this text ...
//! # expect VERDICT RULE@START..END …    ... the finding is this; for a replacement the new text stands in `|bars|`
//! ```
//!
//! A file that is no text has its faults beside it, in a file with the ending `.faults`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::{Basis, Match};

const CLAUSES: &str = "Be kind and nice to this wonderful world\n  No advertising \n\nSpeak of maps";

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rules")
}

fn load(text: &str) -> Result<Rules, Vec<String>> {
    let loaded = Rules::load(Path::new("rules.toml"), text, Path::new(""), CLAUSES);
    loaded.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// A finding on one line, as the case files have it.
fn shown(finding: &Finding) -> String {
    let mut line = match &finding.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Replace(text) => format!("replace |{text}|"),
        Verdict::Hold(reason) => format!("hold {}", reason.code.as_str()),
        Verdict::Shadow(_) => "shadow".to_owned(),
        Verdict::Reject(reason) if reason.code == Code::HoldUnavailable => "reject(hold_unavailable)".to_owned(),
        Verdict::Reject(_) => "reject".to_owned(),
    };
    for matched in &finding.matches {
        let span = matched.span.unwrap();
        write!(line, " {}@{}..{}", rule_of(matched).0, span.0, span.1).unwrap();
        if matched.mode == Mode::Observe {
            line.push_str("(observe)");
        }
        if !matched.labels.is_empty() {
            write!(line, "[{}]", matched.labels.join(",")).unwrap();
        }
    }
    line
}

fn faults_wanted(path: &Path, text: &str) -> Vec<String> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let wanted = text.lines().filter_map(|line| line.strip_prefix("# fault"));
    wanted
        .map(|fault| match fault.strip_prefix(' ') {
            Some(fault) if fault.starts_with(|c: char| c.is_ascii_digit()) => format!("{name}:{fault}"),
            Some(fault) => fault.to_owned(),
            None => format!("{name}{fault}"),
        })
        .collect()
}

/// Id and place of the rule that a match is of.
fn rule_of(matched: &Match) -> (&str, &str) {
    match &matched.basis {
        Basis::Rule { id, source } => (id, source),
        Basis::Plugin { .. } => panic!("rules are no plugins"),
    }
}

#[test]
fn every_case_file_does_what_its_comments_say() {
    let mut seen = 0;
    let mut wrong = String::new();
    for entry in fs::read_dir(cases()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        seen += 1;
        let (did, should) = run(&path);
        if did != should {
            writeln!(wrong, "{}\n  should: {should:#?}\n  did: {did:#?}", path.display()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(seen > 20, "only {seen} case files");
}

/// What a case file does, and what it should.
fn run(path: &Path) -> (Vec<String>, Vec<String>) {
    let beside = path.with_extension("faults");
    let text = fs::read_to_string(if beside.exists() { &beside } else { path }).unwrap();
    let mut should = faults_wanted(path, &text);
    let rules = match Rules::read(path, CLAUSES) {
        Ok(rules) => rules,
        Err(faults) => {
            let folder = format!("{}/", cases().display());
            return (faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect(), should);
        }
    };
    let (mut did, mut said) = (Vec::new(), None);
    for line in text.lines() {
        if let Some(saying) = line.strip_prefix("# say ") {
            said = Some(saying);
        } else if let Some(expected) = line.strip_prefix("# expect ") {
            let saying = said.take().unwrap_or_else(|| panic!("{}: nothing said before {line}", path.display()));
            should.push(format!("{saying} => {expected}"));
            did.push(format!("{saying} => {}", shown(&rules.examine(saying))));
        }
    }
    assert!(!should.is_empty(), "{} wants nothing", path.display());
    (did, should)
}

#[test]
fn the_example_loads_and_acts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rules.toml");
    let rules = Rules::read(&path, "Be kind and nice to this wonderful world").unwrap();
    let verdict = |text: &str| rules.examine(text).verdict;
    assert!(matches!(verdict("the best CASINO in town"), Verdict::Reject(_)));
    assert_eq!(verdict("this darn layer"), Verdict::Replace("this **** layer".to_owned()));
    assert!(matches!(verdict("easy money from home"), Verdict::Shadow(_)));
    assert_eq!(verdict("THE LAYER IS MISSING AGAIN"), Verdict::Pass);
    assert_eq!(rules.examine("THE LAYER IS MISSING AGAIN").matches.len(), 1);
    assert_eq!(rules.examine("where is layer.gpkg of EPSG:4326?").matches, []);
}

#[test]
fn a_refusal_gives_the_rules_reason_else_its_clause_else_a_general_one() {
    let rule = |more: &str| {
        let rules = load(&format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'reject'\n{more}")).unwrap();
        match rules.examine("x").verdict {
            Verdict::Reject(reason) => reason.text.into_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(rule("clause = 'No advertising'\nreason = 'No ads.'"), "No ads.");
    assert_eq!(rule("clause = 'No advertising'"), "No advertising");
    assert_eq!(rule(""), "This message breaks a rule of this instance.");
}

#[test]
fn a_match_names_the_file_and_the_line_of_the_rule() {
    let rules = load("# comment\n\n[[rule]]\nid = 'a'\nany = ['x']\nverdict = 'label'").unwrap();
    let finding = rules.examine("x");
    assert_eq!(rule_of(&finding.matches[0]).1, "rules.toml:3");
    assert_eq!(finding.matches[0].asked, Outcome::Pass);
}

#[test]
fn a_file_without_rules_lets_all_pass() {
    let rules = load("# nothing yet\n").unwrap();
    assert!(rules.is_empty());
    assert_eq!(rules.examine("text"), Finding { verdict: Verdict::Pass, matches: vec![] });
}

#[test]
fn the_limits_of_a_file_hold_and_one_more_is_a_fault() {
    let rule = |n: usize| format!("[[rule]]\nid = 'r{n}'\nwords = ['x']\nverdict = 'label'\n");
    let file: String = (0..1_000).map(rule).collect();
    assert_eq!(load(&file).unwrap().len(), 1_000);
    assert_eq!(load(&(file + &rule(1_000))).unwrap_err(), ["rules.toml:4001: more than 1000 rules"]);

    let words = |n: usize| {
        let list: Vec<String> = (0..n).map(|n| format!("'w{n}'")).collect();
        format!("[[rule]]\nid = 'a'\nwords = [{}]\nverdict = 'label'\n", list.join(","))
    };
    assert!(load(&words(10_000)).is_ok());
    assert_eq!(load(&words(10_001)).unwrap_err(), ["rules.toml:3: more than 10000 patterns and words in all"]);

    let filler = |bytes: usize| "#".repeat(bytes);
    assert!(load(&filler(MAX_FILE_BYTES)).is_ok());
    assert_eq!(load(&filler(MAX_FILE_BYTES + 1)).unwrap_err(), ["rules.toml: is larger than 1048576 bytes"]);
}

#[test]
fn the_limits_of_a_rule_hold_and_one_more_is_a_fault() {
    let rule = |line: String| load(&format!("[[rule]]\nid = 'a'\nverdict = 'label'\n{line}\n"));
    assert!(rule(format!("any = ['{}']", "a".repeat(1_000))).is_ok());
    let shown = "a".repeat(60);
    assert_eq!(
        rule(format!("any = ['{}']", "a".repeat(1_001))).unwrap_err(),
        [format!("rules.toml:4: rule `a`: pattern `{shown}…` is 1001 bytes; the limit is 1000")]
    );
    assert_eq!(
        rule(format!("words = ['{}']", "a".repeat(1_001))).unwrap_err(),
        [format!("rules.toml:4: rule `a`: word `{shown}…` is 1001 bytes; the limit is 1000")]
    );
    assert!(rule(format!("words = ['x']\nreason = '{}'", "é".repeat(300))).is_ok());
    assert_eq!(
        rule(format!("words = ['x']\nreason = '{}'", "é".repeat(301))).unwrap_err(),
        ["rules.toml:5: rule `a`: `reason` has 301 characters; the limit is 300"]
    );
}

#[test]
fn a_words_file_beyond_its_limit_is_a_fault_of_the_line_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("words.txt"), "a\n".repeat(MAX_FILE_BYTES)).unwrap();
    let text = "[[rule]]\nid = 'a'\nwords_file = 'words.txt'\nverdict = 'reject'";
    let faults = Rules::load(Path::new("rules.toml"), text, folder.path(), "").unwrap_err();
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, ["rules.toml:3: rule `a`: `words_file` `words.txt` is larger than 1048576 bytes"]);
}

proptest::proptest! {
    #[test]
    fn no_text_of_a_rules_file_makes_the_loader_panic(text in "([\\[\\]{}=\"'\\n ,.#]|rule|id|any|words|view|mask|[a-z(\\\\*]){0,60}") {
        drop(load(&text));
    }

    #[test]
    fn no_message_makes_the_rules_panic_and_a_mask_keeps_its_length(text in "(casino|ﬁ|ß|e\u{301}|\\PC| |\u{1112}\u{1161}){0,20}") {
        let rules = load("[[rule]]\nid = 'a'\nany = ['s+', 'sin.']\nwords = ['fi', 'é', 'ss s']\nview = 'folded'\nverdict = 'replace'").unwrap();
        let chars = text.chars().count();
        let finding = rules.examine(&text);
        if let Verdict::Replace(masked) = &finding.verdict {
            proptest::prop_assert_eq!(masked.chars().count(), chars);
        }
        for matched in &finding.matches {
            let span = matched.span.unwrap();
            proptest::prop_assert!(span.0 < span.1 && span.1 <= chars);
        }
    }
}
