//! The false positive budget: matches of rules in harmless texts.
//!
//! `tests/corpora.sh` fetches the texts from package registries; none is in the repository. The results are in
//! `docs/matching/harmless.md`, which a test compares.

mod corpora;
mod tally;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use gischat_relay::filter::rules::{Preset, RuleSet, RulesContext};
use gischat_relay::model::{Address, Basis, Match, Message, MessageKind, Sender, SenderContext, Span, Verdict};

use corpora::{CORPORA, Corpus, ORIGINS};
use tally::{Hit, Tally};

/// The kind of sender of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    /// Registered, and connected for an hour.
    Member,
    /// Neither: rules are stricter with newcomers.
    Newcomer,
}

impl Speaker {
    fn noun(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Newcomer => "newcomer",
        }
    }

    fn sender(self) -> Sender {
        let facts = match self {
            Self::Member => SenderContext {
                registered: true,
                connected: Duration::from_hours(1),
                accepted: 20,
                ..SenderContext::default()
            },
            Self::Newcomer => SenderContext::default(),
        };
        let room = "QGIS".parse().unwrap();
        Sender { connection: None, address: Address::from(IpAddr::from([127, 0, 0, 1])), room, context: facts }
    }
}

/// The rules that match a text sent for the first time, in a room where nobody else sends it.
///
/// This function and [`rules`] are the only ones here that depend on the rules filter.
fn hits(rules: &RuleSet, text: &str, sender: &Sender) -> Vec<Hit> {
    let message = Message::new("jane", MessageKind::Text { avatar: None, text: text.to_owned() });
    let finding = rules.examine(&message, sender);
    let part = |span: Span| text.chars().skip(span.0).take(span.1.saturating_sub(span.0)).collect();
    let hit = |found: Match| match found.basis {
        Basis::Rule { id, .. } => Some(Hit { rule: id, part: found.span.map(part) }),
        Basis::Plugin { .. } | Basis::Sanction { .. } => None,
    };
    let mut hits: Vec<Hit> = finding.matches.into_iter().filter_map(hit).collect();
    // A message is also rejected if it matches too many rules to examine them all.
    if hits.is_empty() && finding.verdict != Verdict::Pass {
        hits.push(Hit { rule: "suspicious".into(), part: None });
    }
    hits
}

/// Compiles rules, without the starter rules unless the text enables them. Word files are in `base`.
fn rules(text: &str, base: &Path) -> RuleSet {
    let instance = RulesContext { preset: Preset::Off, ..RulesContext::default() };
    RuleSet::load(Path::new("rules.toml"), text, base, &instance).unwrap()
}

/// A rule with a custom word list, shown in the document.
const OWN_WORDS: &str = r#"[[rule]]
id = "own-words"
words_file = "own-words.txt"
view = "folded"
verdict = "reject"
reason = "No advertising here."
"#;

/// The path of a file of the repository.
fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The matches of a rule set in each corpus, with one tally per speaker.
type Tallies = Vec<(&'static Corpus, Vec<(Speaker, Tally)>)>;

fn tally(rules: &RuleSet, corpora: &'static [Corpus], speakers: &[Speaker]) -> Tallies {
    corpora
        .iter()
        .map(|corpus| {
            let text = corpus.read();
            let texts: Vec<&str> = text.lines().collect();
            let tally = |&speaker: &Speaker| {
                let sender = speaker.sender();
                (speaker, Tally::count(&texts, &|text| hits(rules, text, &sender)))
            };
            (corpus, speakers.iter().map(tally).collect())
        })
        .collect()
}

/// A rules file that enables all starter rules.
const STARTER: &str = "[starter]\npreset = \"strict\"\n";

/// Computed once for all tests of this file.
static STARTER_TALLIES: LazyLock<Tallies> =
    LazyLock::new(|| tally(&rules(STARTER, Path::new("")), &CORPORA, &[Speaker::Member, Speaker::Newcomer]));

/// Describes what exceeds the budget, one line per corpus and speaker.
fn over_budget(figures: &Tallies) -> Vec<String> {
    let mut over = Vec::new();
    for (corpus, tallies) in figures {
        for (speaker, tally) in
            tallies.iter().filter(|(speaker, tally)| tally.hit > corpus.allowed_hits(tally.texts, *speaker))
        {
            let (name, hit, texts) = (corpus.name, tally.hit, tally.texts);
            over.push(format!("{name} by {speaker:?}: {hit} of {texts}, as in {:?}", tally.examples));
        }
    }
    over
}

/// A table with one row per corpus. The top matches are those of the last speaker, with whom rules are strictest.
fn table(figures: &Tallies) -> String {
    let mut rows = String::new();
    for (corpus, tallies) in figures {
        if rows.is_empty() {
            let columns = tallies.iter().map(|(speaker, _)| format!(" matches, {} | share |", speaker.noun()));
            let lines = "---:|---:|".repeat(tallies.len());
            let columns: String = columns.collect();
            writeln!(rows, "| texts | count |{columns} top matches |\n|---|---:|{lines}---|").unwrap();
        }
        let shares = tallies.iter().map(|(_, tally)| format!(" {} | {} |", tally.hit, tally.share()));
        let (shares, last) = (shares.collect::<String>(), tallies.last().map(|(_, tally)| tally));
        let (texts, most) = last.map(|tally| (tally.texts, tally.top_hits())).unwrap_or_default();
        writeln!(rows, "| {} | {texts} |{shares} {most} |", corpus.description).unwrap();
    }
    rows
}

/// The whole of `docs/matching/harmless.md`.
fn document() -> String {
    let own = rules(OWN_WORDS, &repository("tests/cases/matching"));
    // The result does not depend on the speaker.
    let own = table(&tally(&own, &CORPORA, &[Speaker::Member]));
    let starter = table(&STARTER_TALLIES);
    format!(
        "# Matches of rules in harmless texts\n\n\
         Generated by a test (`UPDATE_DOCS=1 cargo test --test relay harmless`); do not edit.\n\n\
         Each text is sent once, in a room where nobody else sends it. A member is registered and has been\n\
         connected for an hour; a newcomer is neither. A match counts whether the rule enforces or only observes.\n\
         Tests require that the starter rules match no names of towns, coordinate systems, layers and files at all,\n\
         and fewer than one in a thousand words and sentences of each language. Only messages of newcomers with\n\
         links may match.\n\n\
         ## The starter rules\n\n\
         All of them are enabled, as in the preset `strict`.\n\n{starter}\n\
         ## A custom word list\n\n\
         No list of bad words is shipped. These are the matches of some fifty common advertising words\n\
         ([own-words.txt](../../tests/cases/matching/own-words.txt)) in texts without advertising, with this rule:\n\n\
         ```toml\n{OWN_WORDS}```\n\n{own}\n\
         Such words are also names of places. So begin with `mode = \"observe\"`, and look at the matches before the\n\
         rule enforces.\n\n\
         ## The texts\n\n\
         They are fetched from package registries when tests run, in the versions that\n\
         [corpora.sh](../../tests/corpora.sh) names. None is in the repository.\n\n{ORIGINS}"
    )
}

#[test]
fn the_starter_rules_stay_within_the_false_positive_budget() {
    assert_eq!(over_budget(&STARTER_TALLIES), Vec::<String>::new());
}

#[test]
fn the_document_of_false_positives_is_up_to_date() {
    let (path, document) = (repository("docs/matching/harmless.md"), document());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, document).unwrap();
        return;
    }
    assert!(
        std::fs::read_to_string(path).unwrap() == document,
        "docs/matching/harmless.md is not what the rules hit; renew it with\n\
         UPDATE_DOCS=1 cargo test --test relay harmless\n{document}"
    );
}

#[test]
fn a_rule_that_hits_one_town_is_over_the_budget() {
    let rules = rules("[[rule]]\nid = 'a'\nwords = ['castrop-rauxel']\nverdict = 'label'\n", Path::new(""));
    let over = over_budget(&tally(&rules, &CORPORA[..1], &[Speaker::Newcomer]));
    assert!(matches!(over.as_slice(), [town] if town.starts_with("towns by Newcomer: 1 of ")), "{over:?}");
}
