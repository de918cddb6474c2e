//! The budget for false hits: what rules hit in texts that nobody should be refused for.
//!
//! The texts come from package registries, by `tests/corpora.sh`; none of them is in the repository. What is counted
//! stands in `docs/matching/harmless.md`, which a test compares.

mod corpora;
mod tally;

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use gischat_relay::filter::rules::{Instance, Preset, Rules};
use gischat_relay::model::{Address, Basis, Facts, Kind, Match, Message, RoomName, Sender, Span, Verdict};

use corpora::{CORPORA, Corpus, ORIGINS};
use tally::{Hit, Tally};

/// Who says a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaker {
    /// Registered, connected for an hour.
    Member,
    /// Neither: rules watch such people more closely.
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
            Self::Member => {
                Facts { registered: true, connected: Duration::from_hours(1), accepted: 20, ..Facts::default() }
            }
            Self::Newcomer => Facts::default(),
        };
        let room = RoomName::parse("QGIS").unwrap();
        Sender { connection: None, address: Address::from(IpAddr::from([127, 0, 0, 1])), room, facts }
    }
}

/// The rules that hit a text when it is said for the first time, in a room where nobody else says it.
///
/// All that these tests know of the rules filter is in here and in [`rules`].
fn hits(rules: &Rules, text: &str, sender: &Sender) -> Vec<Hit> {
    let message = Message::new("jane", Kind::Text { avatar: None, text: text.to_owned() });
    let finding = rules.examine(&message, sender);
    let part = |span: Span| text.chars().skip(span.0).take(span.1.saturating_sub(span.0)).collect();
    let hit = |found: Match| match found.basis {
        Basis::Rule { id, .. } => Some(Hit { rule: id, part: found.span.map(part) }),
        Basis::Plugin { .. } | Basis::Sanction { .. } => None,
    };
    let mut hits: Vec<Hit> = finding.matches.into_iter().filter_map(hit).collect();
    // A message is also refused when it sets off too many rules for all of them to be looked at.
    if hits.is_empty() && finding.verdict != Verdict::Pass {
        hits.push(Hit { rule: "suspicious".into(), part: None });
    }
    hits
}

/// Compiles rules, without the starter rules unless the text says so; files of words lie in `base`.
fn rules(text: &str, base: &Path) -> Rules {
    let instance = Instance { preset: Preset::Off, ..Instance::default() };
    Rules::load(Path::new("rules.toml"), text, base, &instance).unwrap()
}

/// A rule with a list of one's own. The document shows it.
const OWN_WORDS: &str = r#"[[rule]]
id = "own-words"
words_file = "own-words.txt"
view = "folded"
verdict = "reject"
reason = "No advertising here."
"#;

/// Where a file of the repository lies.
fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What a set of rules hits in each of some corpora: one tally for each speaker.
type Figures = Vec<(&'static Corpus, Vec<(Speaker, Tally)>)>;

fn figures(rules: &Rules, corpora: &'static [Corpus], speakers: &[Speaker]) -> Figures {
    corpora
        .iter()
        .map(|corpus| {
            let text = corpus.read();
            let texts: Vec<&str> = text.lines().collect();
            let tally = |&speaker: &Speaker| {
                let sender = speaker.sender();
                (speaker, Tally::of(&texts, &|text| hits(rules, text, &sender)))
            };
            (corpus, speakers.iter().map(tally).collect())
        })
        .collect()
}

/// A rules file in which all starter rules run.
const STARTER: &str = "[starter]\npreset = \"strict\"\n";

/// Counted once for all tests of this file, on the first use.
static STARTER_FIGURES: LazyLock<Figures> =
    LazyLock::new(|| figures(&rules(STARTER, Path::new("")), &CORPORA, &[Speaker::Member, Speaker::Newcomer]));

/// What is beyond the budget, a line for each corpus and speaker.
fn over_budget(figures: &Figures) -> Vec<String> {
    let mut over = Vec::new();
    for (corpus, tallies) in figures {
        for (speaker, tally) in
            tallies.iter().filter(|(speaker, tally)| tally.hit > corpus.allowed(tally.texts, *speaker))
        {
            let (name, hit, texts) = (corpus.name, tally.hit, tally.texts);
            over.push(format!("{name} by {speaker:?}: {hit} of {texts}, as in {:?}", tally.examples));
        }
    }
    over
}

/// A table with a row for each corpus. What was hit is told of the last speaker, whom rules watch most.
fn table(figures: &Figures) -> String {
    let mut rows = String::new();
    for (corpus, tallies) in figures {
        if rows.is_empty() {
            let columns = tallies.iter().map(|(speaker, _)| format!(" hit, {} | share |", speaker.noun()));
            let lines = "---:|---:|".repeat(tallies.len());
            let columns: String = columns.collect();
            writeln!(rows, "| texts | of them |{columns} what was hit most |\n|---|---:|{lines}---|").unwrap();
        }
        let shares = tallies.iter().map(|(_, tally)| format!(" {} | {} |", tally.hit, tally.share()));
        let (shares, last) = (shares.collect::<String>(), tallies.last().map(|(_, tally)| tally));
        let (texts, most) = last.map(|tally| (tally.texts, tally.most())).unwrap_or_default();
        writeln!(rows, "| {} | {texts} |{shares} {most} |", corpus.about).unwrap();
    }
    rows
}

/// The whole of `docs/matching/harmless.md`.
fn document() -> String {
    let own = rules(OWN_WORDS, &repository("tests/cases/matching"));
    // The list does not look at who speaks.
    let own = table(&figures(&own, &CORPORA, &[Speaker::Member]));
    let starter = table(&STARTER_FIGURES);
    format!(
        "# What rules hit in harmless texts\n\n\
         Written by a test (`UPDATE_DOCS=1 cargo test --test relay harmless`): do not edit.\n\n\
         Each text is said once, in a room where nobody else says it. A member is registered and has been\n\
         connected for an hour; a newcomer is neither. A hit counts whether the rule is in force or only watched.\n\
         Of the starter rules, tests demand no hit at all on names of towns, coordinate systems, layers and files,\n\
         and fewer than one in a thousand on words and sentences of each language; only what newcomers say with\n\
         links may be hit.\n\n\
         ## The starter rules\n\n\
         All of them run, as in the preset `strict`.\n\n{starter}\n\
         ## A list of one's own\n\n\
         No list of bad words is shipped. This is what some fifty plain words of advertisers\n\
         ([own-words.txt](../../tests/cases/matching/own-words.txt)) hit where nobody advertises, with this rule:\n\n\
         ```toml\n{OWN_WORDS}```\n\n{own}\n\
         Such words are names of places, too. So begin with `mode = \"observe\"`, and look at what was hit before the\n\
         rule is put in force.\n\n\
         ## The texts\n\n\
         They come from package registries when tests run, in the versions that\n\
         [corpora.sh](../../tests/corpora.sh) names. None is in the repository.\n\n{ORIGINS}"
    )
}

#[test]
fn the_starter_rules_stay_within_the_budget_for_false_hits() {
    assert_eq!(over_budget(&STARTER_FIGURES), Vec::<String>::new());
}

#[test]
fn the_document_of_false_hits_is_what_the_rules_hit() {
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
    let over = over_budget(&figures(&rules, &CORPORA[..1], &[Speaker::Newcomer]));
    assert!(matches!(over.as_slice(), [town] if town.starts_with("towns by Newcomer: 1 of ")), "{over:?}");
}
