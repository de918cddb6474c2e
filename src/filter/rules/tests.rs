//! Rules files as test cases: the comments of each file in `tests/cases/rules` say what it must do.
//!
//! ```text
//! # error LINE: TEXT          the file must have exactly these errors, in this order; `# error: TEXT` has no line
//! # error OTHER.txt:LINE: …   an error in a words file
//! # given KEY=VALUE …         sets the sender: room, author, registered, trusted, connected (s), accepted, quotes, at (a
//!                             time)
//! # later SECONDS             advances the clock
//! # say TEXT                  sends a text
//! # like TEXT                 likes a text of somebody else
//! # join NICKNAME             registers a nickname
//! # expect VERDICT RULE@START..END …    checks the finding; a replacement has its new text in `|bars|`
//! # reason TEXT               checks the reason for the sender
//! # raid RULE                 checks which rules report a new raid
//! ```
//!
//! The messages of a file are judged in order and remembered. A file that is not valid text has its errors in a file
//! with the extension `.errors` next to it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::input::RuleInput;
use super::memory::Memory;
use super::verdict::RuleEvaluation;
use super::*;
use crate::filter::{Finding, Purpose};
use crate::fixtures;
use crate::model::{
    Basis, ConnectionId, Match, Message, MessageKind, Mode, Outcome, ReasonCode, Replacement, Sender, SenderContext,
    Verdict,
};

mod extra;
mod fields;
mod kinds;
mod limits;
mod places;
mod starter;

const CLAUSES: &str = "Be kind and nice to this wonderful world\n  No advertising \n\nSpeak of maps";

fn instance(preset: Preset) -> RulesContext {
    let rooms = ["QGIS", "QField", "Living room"].map(fixtures::room);
    RulesContext {
        clauses: CLAUSES.to_owned(),
        main_lang: "fr".to_owned(),
        rooms: rooms.into(),
        preset,
        ..RulesContext::default()
    }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rules")
}

fn load(text: &str) -> Result<RuleSet, Vec<String>> {
    let loaded = RuleSet::load(Path::new("rules.toml"), text, Path::new(""), &instance(Preset::Off));
    loaded.map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

/// A sender, the time, and the memory of earlier messages.
struct Scenario {
    sender: Sender,
    author: String,
    at: Timestamp,
    memory: Memory,
}

impl Scenario {
    fn new() -> Self {
        let context = SenderContext {
            registered: true,
            connected: Duration::from_hours(1),
            accepted: 100,
            ..SenderContext::default()
        };
        let at = "2026-07-01T12:00:00Z".parse().unwrap();
        Self {
            sender: Sender { connection: Some(ConnectionId(1)), context, ..fixtures::sender() },
            author: "jane".into(),
            at,
            memory: Memory::new(),
        }
    }

    fn give(&mut self, given: &str) {
        // A blank in a room's name is written as `+`.
        for (key, value) in given.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
            match key {
                "room" => self.sender.room = fixtures::room(&value.replace('+', " ")),
                "author" => {
                    // Each author has a separate connection.
                    let number = value.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
                    self.sender.connection = Some(ConnectionId(number));
                    value.clone_into(&mut self.author);
                }
                "registered" => self.sender.context.registered = value.parse().unwrap(),
                "quotes" => self.sender.context.quotes = value.parse().unwrap(),
                "trusted" => self.sender.context.trusted = value.parse().unwrap(),
                "connected" => self.sender.context.connected = Duration::from_secs(value.parse().unwrap()),
                "accepted" => self.sender.context.accepted = value.parse().unwrap(),
                "at" => self.at = value.parse().unwrap(),
                _ => panic!("unknown key {key}"),
            }
        }
    }

    fn judge<'r>(&self, rules: &'r RuleSet, kind: MessageKind) -> RuleEvaluation<'r> {
        let message = Message { at: self.at, ..Message::new(self.author.as_str(), kind) };
        rules.evaluate(&RuleInput {
            message: &message,
            sender: &self.sender,
            memory: Some(&self.memory),
            purpose: Purpose::Judge,
            ignore_rooms_and_hours: false,
        })
    }

    fn say<'r>(&self, rules: &'r RuleSet, text: &str) -> RuleEvaluation<'r> {
        self.judge(rules, MessageKind::Text { avatar: None, text: text.to_owned() })
    }
}

/// Returns the finding for a text from a sender who has been connected for long.
fn examine(rules: &RuleSet, text: &str) -> Finding {
    Scenario::new().say(rules, text).finding
}

/// Formats a finding as in the case files.
fn format_finding(finding: &Finding) -> String {
    let mut line = match &finding.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Replace(Replacement::Text(text)) => format!("replace |{text}|"),
        Verdict::Replace(Replacement::Content(content)) => format!("replace {content:?}"),
        Verdict::Hold(reason) => format!("hold {}", reason.code),
        Verdict::Shadow(_) => "shadow".to_owned(),
        Verdict::Reject(reason) if reason.code == ReasonCode::Rule => "reject".to_owned(),
        Verdict::Reject(reason) => format!("reject({})", reason.code),
    };
    for matched in &finding.matches {
        let (id, _, sanction) = rule_of(matched);
        write!(line, " {id}").unwrap();
        match (matched.field, matched.span) {
            (field, Some(span)) => write!(line, "@{}{}..{}", field.unwrap_or(""), span.0, span.1).unwrap(),
            (Some(field), None) => write!(line, "@{field}").unwrap(),
            (None, None) => {}
        }
        if matched.mode == Mode::Observe {
            line.push_str("(observe)");
        }
        if matched.exempt {
            line.push_str("(exempt)");
        }
        if let Some(penalty) = sanction {
            write!(line, "({} {} s)", penalty.as_str(), penalty.duration().as_secs()).unwrap();
        }
        if !matched.labels.is_empty() {
            write!(line, "[{}]", matched.labels.join(",")).unwrap();
        }
    }
    line
}

/// Returns the reason for the sender.
fn reason_of(finding: &Finding) -> &str {
    match &finding.verdict {
        Verdict::Hold(reason) | Verdict::Shadow(reason) | Verdict::Reject(reason) => &reason.text,
        Verdict::Pass | Verdict::Replace(_) => "",
    }
}

fn expected_errors(path: &Path, text: &str) -> Vec<String> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let expected = text.lines().filter_map(|line| line.strip_prefix("# error"));
    expected
        .map(|error| match error.strip_prefix(' ') {
            Some(error) if error.starts_with(|c: char| c.is_ascii_digit()) => format!("{name}:{error}"),
            Some(error) => error.to_owned(),
            None => format!("{name}{error}"),
        })
        .collect()
}

/// Returns the id, source and sanction of the rule that a match belongs to.
fn rule_of(matched: &Match) -> (&str, &str, Option<&crate::model::Penalty>) {
    match &matched.basis {
        Basis::Rule { id, source, sanction } => (id, source, sanction.as_ref()),
        Basis::Plugin { .. } | Basis::Sanction { .. } => panic!("a rules filter has only matches of rules"),
    }
}

#[test]
fn every_case_file_does_what_its_comments_say() {
    let mut seen = 0;
    let mut failures = String::new();
    for entry in fs::read_dir(cases()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        seen += 1;
        let (actual, expected) = run(&path);
        if actual != expected {
            writeln!(failures, "{}\n  expected: {expected:#?}\n  actual: {actual:#?}", path.display()).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(seen > 20, "only {seen} case files");
}

/// Returns the actual and the expected results of a case file.
fn run(path: &Path) -> (Vec<String>, Vec<String>) {
    let errors_file = path.with_extension("errors");
    let text = fs::read_to_string(if errors_file.exists() { &errors_file } else { path }).unwrap();
    let mut expected = expected_errors(path, &text);
    let rules = match RuleSet::load_file(path, &instance(Preset::Off)) {
        Ok(rules) => rules,
        Err(errors) => {
            let folder = format!("{}/", cases().display());
            return (errors.iter().map(|error| error.to_string().replace(&folder, "")).collect(), expected);
        }
    };
    let (mut actual, mut scenario, mut last) = (Vec::new(), Scenario::new(), None);
    for line in text.lines() {
        let Some((directive, rest)) = line.strip_prefix("# ").and_then(|line| line.split_once(' ')) else { continue };
        let result = match (directive, &last) {
            ("given", _) => {
                scenario.give(rest);
                continue;
            }
            ("later", _) => {
                scenario.at += Duration::from_secs(rest.parse().unwrap());
                continue;
            }
            ("say", _) => {
                last = Some((rest, scenario.say(&rules, rest)));
                continue;
            }
            ("like", _) => {
                let liked = MessageKind::Like { liked: "hans".to_owned(), text: rest.to_owned() };
                last = Some((rest, scenario.judge(&rules, liked)));
                continue;
            }
            ("join", _) => {
                let author = std::mem::replace(&mut scenario.author, rest.to_owned());
                last = Some((rest, scenario.judge(&rules, MessageKind::Newcomer)));
                scenario.author = author;
                continue;
            }
            ("expect", Some((_, evaluation))) => format_finding(&evaluation.finding),
            ("reason", Some((_, evaluation))) => reason_of(&evaluation.finding).to_owned(),
            ("raid", Some((_, evaluation))) => evaluation.raids.iter().map(|rule| &*rule.id).collect(),
            ("expect" | "reason" | "raid", None) => panic!("{}: no message before {line}", path.display()),
            _ => continue,
        };
        let said = last.as_ref().map_or("", |(said, _)| said);
        expected.push(format!("{said} => {rest}"));
        actual.push(format!("{said} => {result}"));
    }
    assert!(!expected.is_empty(), "{} expects nothing", path.display());
    (actual, expected)
}

#[test]
fn the_example_loads_and_acts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rules.toml");
    let rules = RuleSet::load_file(&path, &instance(Preset::Off)).unwrap();
    let verdict = |text: &str| examine(&rules, text).verdict;
    assert!(matches!(verdict("the best CASINO in town"), Verdict::Reject(_)));
    assert_eq!(verdict("this darn layer"), Verdict::Replace("this **** layer".into()));
    let mut newcomer = Scenario::new();
    newcomer.sender.context.accepted = 0;
    assert_eq!(newcomer.say(&rules, "easy money from home").finding.verdict.outcome(), Outcome::Shadow);
    assert_eq!(verdict("easy money from home"), Verdict::Pass);
    assert_eq!(verdict("THE LAYER IS MISSING AGAIN"), Verdict::Pass);
    assert_eq!(examine(&rules, "THE LAYER IS MISSING AGAIN").matches.len(), 1);
    assert_eq!(examine(&rules, "where is layer.gpkg of EPSG:4326?").matches, []);
}

#[test]
fn a_rejection_gives_the_reason_and_clause_of_the_rule_or_a_general_reason() {
    let rule = |more: &str| {
        let rules = load(&format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'reject'\n{more}")).unwrap();
        reason_of(&examine(&rules, "x")).to_owned()
    };
    assert_eq!(rule("clause = 'No advertising'\nreason = 'No ads.'"), "No ads. (No advertising)");
    assert_eq!(rule("clause = 'No advertising'\nreason = 'No advertising, please.'"), "No advertising, please.");
    assert_eq!(rule("clause = 'No advertising'"), "No advertising");
    assert_eq!(rule("reason = 'No ads.'"), "No ads.");
    assert_eq!(rule(""), "This message breaks a rule of this instance.");
    assert_eq!(rule("clause = 'No advertising'\nreveal = false"), "This message was not accepted.");
    assert_eq!(rule("reveal = false\nreason = 'Not like that.'"), "Not like that.");
}

#[test]
fn a_reason_is_in_the_main_language_or_the_nearest_one() {
    let reason_in = |lang: &str, reasons: &str| {
        let text = format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'reject'\nreason = {{ {reasons} }}");
        let instance = RulesContext { main_lang: lang.to_owned(), ..instance(Preset::Off) };
        let rules = RuleSet::load(Path::new("rules.toml"), &text, Path::new(""), &instance).unwrap();
        reason_of(&examine(&rules, "x")).to_owned()
    };
    let all = "de = 'nein', en = 'no', pt = 'não', pt-BR = 'pára'";
    for (lang, reason) in [("de", "nein"), ("pt-BR", "pára"), ("pt-br", "pára"), ("pt-AO", "não"), ("it", "no")] {
        assert_eq!(reason_in(lang, all), reason, "{lang}");
    }
    assert_eq!(reason_in("it", "fr = 'non', de = 'nein'"), "nein", "the first by name");
}

#[test]
fn a_match_names_the_file_and_the_line_of_the_rule() {
    let rules = load("# comment\n\n[[rule]]\nid = 'a'\nany = ['xyz']\nverdict = 'label'").unwrap();
    let finding = examine(&rules, "xyz");
    assert_eq!(rule_of(&finding.matches[0]).1, "rules.toml:3");
    assert_eq!(finding.matches[0].requested, Outcome::Pass);
}

#[test]
fn a_file_without_rules_passes_everything() {
    let rules = load("# nothing yet\n").unwrap();
    assert!(rules.is_empty());
    assert_eq!(examine(&rules, "text"), Finding { verdict: Verdict::Pass, matches: vec![] });
}

proptest::proptest! {
    #[test]
    fn no_text_of_a_rules_file_makes_the_loader_panic(text in "([\\[\\]{}=\"'\\n ,.#]|rule|id|any|words|view|mask|[a-z(\\\\*]){0,60}") {
        drop(load(&text));
    }

    #[test]
    fn no_message_makes_the_rules_panic_and_a_mask_keeps_its_length(text in "(casino|ﬁ|ß|e\u{301}|\\PC| |\u{1112}\u{1161}){0,20}") {
        let rules = load("[[rule]]\nid = 'a'\nany = ['s+', 'sin.']\ncostly = true\nwords = ['fi', 'é', 'ss s']\nview = 'folded'\nverdict = 'replace'").unwrap();
        let chars = text.chars().count();
        let finding = examine(&rules, &text);
        if let Verdict::Replace(Replacement::Text(masked)) = &finding.verdict {
            proptest::prop_assert_eq!(masked.chars().count(), chars);
        }
        for matched in &finding.matches {
            let span = matched.span.unwrap();
            proptest::prop_assert!(span.0 < span.1 && span.1 <= chars);
        }
    }
}

#[test]
fn trials_are_not_counted_and_not_remembered() {
    let text = "[[rule]]\nid = 'again'\nrepetition = { by = 'sender', times = 2, within = '60s' }\nverdict = 'reject'";
    let rules = load(text).unwrap();
    let scenario = Scenario::new();
    let message = fixtures::message("jane", "where are the orthophotos");
    let judge = |purpose| {
        let asked = RuleInput {
            message: &message,
            sender: &scenario.sender,
            memory: Some(&scenario.memory),
            purpose,
            ignore_rooms_and_hours: false,
        };
        rules.evaluate(&asked).finding.verdict.outcome()
    };
    assert_eq!(judge(Purpose::Try), Outcome::Pass);
    assert_eq!(judge(Purpose::Judge), Outcome::Pass);
    assert_eq!(judge(Purpose::Try), Outcome::Reject);
    assert_eq!(rules.stats().next().unwrap().hits, 0);
    assert_eq!(judge(Purpose::Judge), Outcome::Reject);
    assert_eq!(rules.stats().next().unwrap().hits, 1);
}

#[test]
fn only_visible_rules_in_force_are_listed_as_enforcing_a_clause() {
    let rule = |id: &str, more: &str| format!("[[rule]]\nid = '{id}'\nwords = ['x']\nverdict = 'reject'\n{more}\n");
    let text = rule("a", "clause = 'No advertising'")
        + &rule("b", "clause = 'No advertising'\nmode = 'observe'")
        + &rule("c", "clause = 'No advertising'\nreveal = false")
        + &rule("d", "")
        + &rule("e", "clause = 'Speak of maps'");
    let rules = load(&text).unwrap();
    assert_eq!(rules.enforced_clauses().collect::<Vec<_>>(), [("No advertising", "a"), ("Speak of maps", "e")]);
}

#[test]
fn a_rule_does_not_hit_the_text_that_it_masked() {
    let rules =
        load("[[rule]]\nid = 'a'\nwords = ['casino']\nany = ['free\\s+chips']\nmask = '·'\nverdict = 'replace'")
            .unwrap();
    for text in ["c a s i n o and СASІNО", "free chips, FREE   CHIPS", "c4s1n0 caaaasino cas\u{200b}ino ｃａｓｉｎｏ"]
    {
        let Verdict::Replace(Replacement::Text(masked)) = examine(&rules, text).verdict else { panic!("{text}") };
        assert_eq!(examine(&rules, &masked).matches, [], "{masked}");
    }
}
