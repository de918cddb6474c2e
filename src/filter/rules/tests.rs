//! Rules files as data: each file of `tests/cases/rules` says in its comments what it must do.
//!
//! ```text
//! # fault LINE: TEXT          the file must have exactly these faults, in this order; `# fault: TEXT` has no line
//! # fault OTHER.txt:LINE: …   a fault in a file of words
//! # given KEY=VALUE …         from here on: room, author, registered, trusted, connected (s), accepted, at (a time)
//! # later SECONDS             so much later
//! # say TEXT                  with this text ...
//! # expect VERDICT RULE@START..END …    ... the finding is this; for a replacement the new text stands in `|bars|`
//! # told TEXT                 ... and this is the reason that the sender is told
//! # raid RULE                 ... and the moderators are told of a raid
//! # like TEXT               somebody likes what somebody else said; `expect` follows
//! # join NICKNAME             somebody registers; `expect` follows
//! ```
//!
//! Everything in one file is said to one relay, one after the other: what was said before is remembered. A file that is
//! no text has its faults beside it, in a file with the ending `.faults`.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::examine::{Asked, Found};
use super::memory::Memory;
use super::*;
use crate::filter::{Finding, Purpose};
use crate::model::{Address, Basis, Code, Facts, Kind, Match, Message, Mode, Outcome, Sender, SenderId, Verdict};

mod extra;
mod limits;
mod starter;

const CLAUSES: &str = "Be kind and nice to this wonderful world\n  No advertising \n\nSpeak of maps";

fn instance(preset: Preset) -> Instance {
    let rooms = ["QGIS", "QField", "Living room"].map(|name| RoomName::parse(name).unwrap());
    Instance { clauses: CLAUSES.to_owned(), main_lang: "fr".to_owned(), rooms: rooms.into(), preset }
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/rules")
}

fn load(text: &str) -> Result<Rules, Vec<String>> {
    let loaded = Rules::load(Path::new("rules.toml"), text, Path::new(""), &instance(Preset::Off));
    loaded.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// Who says something, where and when, and what is remembered of before.
struct Scene {
    sender: Sender,
    author: String,
    at: Timestamp,
    memory: Memory,
}

impl Scene {
    fn new() -> Self {
        let facts = Facts { registered: true, connected: Duration::from_hours(1), accepted: 100, ..Facts::default() };
        let room = RoomName::parse("QGIS").unwrap();
        let address = Address::from(IpAddr::from([127, 0, 0, 1]));
        let at = "2026-07-01T12:00:00Z".parse().unwrap();
        Self {
            sender: Sender { connection: Some(SenderId(1)), address, room, facts },
            author: "jane".into(),
            at,
            memory: Memory::new(),
        }
    }

    fn give(&mut self, given: &str) {
        // A room's name may hold a blank, which is written as `+`.
        for (key, value) in given.split_whitespace().map(|pair| pair.split_once('=').unwrap()) {
            match key {
                "room" => self.sender.room = RoomName::parse(&value.replace('+', " ")).unwrap(),
                "author" => {
                    // Everybody has a connection of their own.
                    let number = value.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
                    self.sender.connection = Some(SenderId(number));
                    value.clone_into(&mut self.author);
                }
                "registered" => self.sender.facts.registered = value.parse().unwrap(),
                "trusted" => self.sender.facts.trusted = value.parse().unwrap(),
                "connected" => self.sender.facts.connected = Duration::from_secs(value.parse().unwrap()),
                "accepted" => self.sender.facts.accepted = value.parse().unwrap(),
                "at" => self.at = value.parse().unwrap(),
                _ => panic!("nothing is known of {key}"),
            }
        }
    }

    fn judge<'r>(&self, rules: &'r Rules, kind: Kind) -> Found<'r> {
        let message = Message { at: self.at, ..Message::new(self.author.as_str(), kind) };
        rules.judge(&Asked {
            message: &message,
            sender: &self.sender,
            memory: Some(&self.memory),
            purpose: Purpose::Judge,
            everywhere: false,
        })
    }

    fn say<'r>(&self, rules: &'r Rules, text: &str) -> Found<'r> {
        self.judge(rules, Kind::Text { avatar: None, text: text.to_owned() })
    }
}

/// What rules make of a text that a member says who has been there for long.
fn examine(rules: &Rules, text: &str) -> Finding {
    Scene::new().say(rules, text).finding
}

/// A finding on one line, as the case files have it.
fn shown(finding: &Finding) -> String {
    let mut line = match &finding.verdict {
        Verdict::Pass => "pass".to_owned(),
        Verdict::Replace(text) => format!("replace |{text}|"),
        Verdict::Hold(reason) => format!("hold {}", reason.code.as_str()),
        Verdict::Shadow(_) => "shadow".to_owned(),
        Verdict::Reject(reason) if reason.code == Code::Rule => "reject".to_owned(),
        Verdict::Reject(reason) => format!("reject({})", reason.code.as_str()),
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

/// What the sender is told.
fn told(finding: &Finding) -> &str {
    match &finding.verdict {
        Verdict::Hold(reason) | Verdict::Shadow(reason) | Verdict::Reject(reason) => &reason.text,
        Verdict::Pass | Verdict::Replace(_) => "",
    }
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

/// Id and place of the rule that a match is of, and the sanction that it asks for.
fn rule_of(matched: &Match) -> (&str, &str, Option<&crate::model::Penalty>) {
    match &matched.basis {
        Basis::Rule { id, source, sanction } => (id, source, sanction.as_ref()),
        Basis::Plugin { .. } | Basis::Sanction { .. } => panic!("rules are neither plugins nor sanctions"),
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
    let rules = match Rules::read(path, &instance(Preset::Off)) {
        Ok(rules) => rules,
        Err(faults) => {
            let folder = format!("{}/", cases().display());
            return (faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect(), should);
        }
    };
    let (mut did, mut scene, mut last) = (Vec::new(), Scene::new(), None);
    for line in text.lines() {
        let Some((what, rest)) = line.strip_prefix("# ").and_then(|line| line.split_once(' ')) else { continue };
        let result = match (what, &last) {
            ("given", _) => {
                scene.give(rest);
                continue;
            }
            ("later", _) => {
                scene.at += Duration::from_secs(rest.parse().unwrap());
                continue;
            }
            ("say", _) => {
                last = Some((rest, scene.say(&rules, rest)));
                continue;
            }
            ("like", _) => {
                let liked = Kind::Like { liked: "hans".to_owned(), text: rest.to_owned() };
                last = Some((rest, scene.judge(&rules, liked)));
                continue;
            }
            ("join", _) => {
                let author = std::mem::replace(&mut scene.author, rest.to_owned());
                last = Some((rest, scene.judge(&rules, Kind::Newcomer)));
                scene.author = author;
                continue;
            }
            ("expect", Some((_, found))) => shown(&found.finding),
            ("told", Some((_, found))) => told(&found.finding).to_owned(),
            ("raid", Some((_, found))) => found.raids.iter().map(|rule| &*rule.id).collect(),
            ("expect" | "told" | "raid", None) => panic!("{}: nothing said before {line}", path.display()),
            _ => continue,
        };
        let said = last.as_ref().map_or("", |(said, _)| said);
        should.push(format!("{said} => {rest}"));
        did.push(format!("{said} => {result}"));
    }
    assert!(!should.is_empty(), "{} wants nothing", path.display());
    (did, should)
}

#[test]
fn the_example_loads_and_acts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rules.toml");
    let rules = Rules::read(&path, &instance(Preset::Off)).unwrap();
    let verdict = |text: &str| examine(&rules, text).verdict;
    assert!(matches!(verdict("the best CASINO in town"), Verdict::Reject(_)));
    assert_eq!(verdict("this darn layer"), Verdict::Replace("this **** layer".to_owned()));
    let mut newcomer = Scene::new();
    newcomer.sender.facts.accepted = 0;
    assert_eq!(newcomer.say(&rules, "easy money from home").finding.verdict.outcome(), Outcome::Shadow);
    assert_eq!(verdict("easy money from home"), Verdict::Pass);
    assert_eq!(verdict("THE LAYER IS MISSING AGAIN"), Verdict::Pass);
    assert_eq!(examine(&rules, "THE LAYER IS MISSING AGAIN").matches.len(), 1);
    assert_eq!(examine(&rules, "where is layer.gpkg of EPSG:4326?").matches, []);
}

#[test]
fn a_refusal_gives_the_rules_reason_and_its_clause_or_a_general_one() {
    let rule = |more: &str| {
        let rules = load(&format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'reject'\n{more}")).unwrap();
        told(&examine(&rules, "x")).to_owned()
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
fn a_reason_is_in_the_language_of_the_instance_or_the_nearest_one() {
    let told_in = |lang: &str, reasons: &str| {
        let text = format!("[[rule]]\nid = 'a'\nwords = ['x']\nverdict = 'reject'\nreason = {{ {reasons} }}");
        let instance = Instance { main_lang: lang.to_owned(), ..instance(Preset::Off) };
        let rules = Rules::load(Path::new("rules.toml"), &text, Path::new(""), &instance).unwrap();
        told(&examine(&rules, "x")).to_owned()
    };
    let all = "de = 'nein', en = 'no', pt = 'não', pt-BR = 'pára'";
    for (lang, reason) in [("de", "nein"), ("pt-BR", "pára"), ("pt-br", "pára"), ("pt-AO", "não"), ("it", "no")] {
        assert_eq!(told_in(lang, all), reason, "{lang}");
    }
    assert_eq!(told_in("it", "fr = 'non', de = 'nein'"), "nein", "the first by name");
}

#[test]
fn a_match_names_the_file_and_the_line_of_the_rule() {
    let rules = load("# comment\n\n[[rule]]\nid = 'a'\nany = ['xyz']\nverdict = 'label'").unwrap();
    let finding = examine(&rules, "xyz");
    assert_eq!(rule_of(&finding.matches[0]).1, "rules.toml:3");
    assert_eq!(finding.matches[0].asked, Outcome::Pass);
}

#[test]
fn a_file_without_rules_lets_all_pass() {
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
        if let Verdict::Replace(masked) = &finding.verdict {
            proptest::prop_assert_eq!(masked.chars().count(), chars);
        }
        for matched in &finding.matches {
            let span = matched.span.unwrap();
            proptest::prop_assert!(span.0 < span.1 && span.1 <= chars);
        }
    }
}

#[test]
fn what_is_only_tried_is_not_counted_and_not_remembered() {
    let text = "[[rule]]\nid = 'again'\nrepetition = { by = 'sender', times = 2, within = '60s' }\nverdict = 'reject'";
    let rules = load(text).unwrap();
    let scene = Scene::new();
    let said = Message::new("jane", Kind::Text { avatar: None, text: "where are the orthophotos".into() });
    let judge = |purpose| {
        let asked =
            Asked { message: &said, sender: &scene.sender, memory: Some(&scene.memory), purpose, everywhere: false };
        rules.judge(&asked).finding.verdict.outcome()
    };
    assert_eq!(judge(Purpose::Try), Outcome::Pass);
    assert_eq!(judge(Purpose::Judge), Outcome::Pass);
    assert_eq!(judge(Purpose::Try), Outcome::Reject);
    assert_eq!(rules.figures().next().unwrap().hits, 0);
    assert_eq!(judge(Purpose::Judge), Outcome::Reject);
    assert_eq!(rules.figures().next().unwrap().hits, 1);
}

#[test]
fn only_rules_in_force_that_may_be_known_are_shown_as_keeping_a_clause() {
    let rule = |id: &str, more: &str| format!("[[rule]]\nid = '{id}'\nwords = ['x']\nverdict = 'reject'\n{more}\n");
    let text = rule("a", "clause = 'No advertising'")
        + &rule("b", "clause = 'No advertising'\nmode = 'observe'")
        + &rule("c", "clause = 'No advertising'\nreveal = false")
        + &rule("d", "")
        + &rule("e", "clause = 'Speak of maps'");
    let rules = load(&text).unwrap();
    assert_eq!(rules.enforced().collect::<Vec<_>>(), [("No advertising", "a"), ("Speak of maps", "e")]);
}

#[test]
fn a_masked_text_has_nothing_left_that_its_rule_hits() {
    let rules =
        load("[[rule]]\nid = 'a'\nwords = ['casino']\nany = ['free\\s+chips']\nmask = '·'\nverdict = 'replace'")
            .unwrap();
    for text in ["c a s i n o and СASІNО", "free chips, FREE   CHIPS", "c4s1n0 caaaasino cas\u{200b}ino ｃａｓｉｎｏ"]
    {
        let Verdict::Replace(masked) = examine(&rules, text).verdict else { panic!("{text}") };
        assert_eq!(examine(&rules, &masked).matches, [], "{masked}");
    }
}
