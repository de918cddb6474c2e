//! What rules cost a message: rule sets of several sizes and the starter set on harmless texts in eight languages, and
//! hostile texts. `cargo bench --bench rules` prints a table with mean, median, p99 and allocations of single
//! messages, and then criterion's means of some.

// A benchmark that cannot begin ends in a panic.
#![allow(clippy::expect_used, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::cast_precision_loss, clippy::cast_sign_loss, clippy::cast_possible_truncation)]

#[path = "rules/allocations.rs"]
mod allocations;
#[path = "rules/dice.rs"]
mod dice;
#[path = "rules/hostile.rs"]
mod hostile;
#[path = "rules/sets.rs"]
mod sets;
#[path = "rules/texts.rs"]
mod texts;

use std::hint::black_box;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use gischat_relay::filter::rules::{Current, Instance, Preset, Rules, Source};
use gischat_relay::filter::{Answer, Filter, Finding, Purpose};
use gischat_relay::matching::{Edges, Fingerprint, Leniency, Literal, Literals, View, Views, links};
use gischat_relay::model::{Address, Facts, Kind, Message, Outcome, RoomName, Sender, SenderId};
use jiff::{SignedDuration, Timestamp};

use allocations::Counting;
use sets::Set;
use texts::Texts;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Longest text, in code points.
const LONGEST: usize = 255;
/// Harmless messages of which a round consists. Each room forgets a text long before it comes again.
const ROUND: usize = 8_192;
const ROUNDS: usize = 6;
/// Turns of the hostile texts in a round, since there are fewer.
const HOSTILE_TURNS: usize = 64;
const ROOMS: usize = 4;
const SENDERS: usize = 61;
/// From one message to the next.
const APART: SignedDuration = SignedDuration::from_millis(100);
/// Patterns of the set that is held to a goal.
const PATTERNS: usize = 1_000;

/// A rule that most harmless texts hit, for what it costs to tell a language.
const OF_LANGUAGE: &str = r#"
[[rule]]
id = "language"
language = { not = ["en", "fr"] }
verdict = "label"
"#;

/// Who says what.
type Said = (Message, Sender);

/// Rules as a relay has them.
fn filter(text: &str, preset: Preset) -> Arc<Current> {
    let rooms = (0..ROOMS).map(room).collect();
    let instance = Instance { clauses: String::new(), main_lang: "en".to_owned(), rooms, preset };
    let rules = Rules::load(Path::new("rules.toml"), text, Path::new(""), &instance);
    let rules = rules.unwrap_or_else(|faults| panic!("the rules are in order: {}", faults[0]));
    Arc::new(Current::new(Source { file: None, instance }, rules, Arc::default()))
}

fn room(number: usize) -> RoomName {
    RoomName::parse(&format!("room {number}")).expect("a room name")
}

/// Messages with these texts, one after the other, in some rooms and by some senders, every fourth a newcomer.
fn said(texts: &[String]) -> Vec<Said> {
    let mut at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let mut said = Vec::with_capacity(texts.len());
    for (number, text) in texts.iter().enumerate() {
        at += APART;
        let (who, is_new) = (number % SENDERS, (number % SENDERS).is_multiple_of(4));
        let message = Message::new(format!("sender{who}"), Kind::Text { avatar: None, text: text.clone() });
        let sender = Sender {
            connection: Some(SenderId(who as u64)),
            address: Address::from(IpAddr::from((who as u32).to_be_bytes())),
            room: room(number / 5 % ROOMS),
            facts: Facts {
                registered: !is_new,
                connected: Duration::from_secs(if is_new { 60 } else { 3_600 }),
                accepted: if is_new { 1 } else { 100 },
                ..Facts::default()
            },
        };
        said.push((Message { at, ..message }, sender));
    }
    said
}

fn examine(filter: &Arc<Current>, (message, sender): &Said) -> Finding {
    match filter.examine(message, sender, Purpose::Judge) {
        Answer::Now(finding) => finding,
        later @ Answer::Later(_) => panic!("rules answer at once: {later:?}"),
    }
}

/// What messages have cost, in nanoseconds, and what they were found to be.
#[derive(Debug, Default)]
struct Costs {
    /// Each message's, in the end sorted.
    times: Vec<u64>,
    allocations: u64,
    /// Messages that hit a rule, and that were not let through.
    hit: usize,
    refused: usize,
}

impl Costs {
    /// Examines all messages `turns` times by each of the filters, which take turns, and this in so many rounds. Of each
    /// filter the round with the least mean counts: what else a machine does makes none cheaper.
    fn of(filters: &[Arc<Current>], mut said: Vec<Said>, turns: usize) -> Vec<Self> {
        let mut rounds: Vec<Vec<Self>> = filters.iter().map(|_| Vec::new()).collect();
        for round in 0..=ROUNDS {
            for (filter, rounds) in filters.iter().zip(&mut rounds) {
                let costs = (0..turns).map(|_| Self::of_turn(filter, &mut said)).reduce(Self::and);
                // The first round is for the memory and the caches.
                rounds.extend(costs.filter(|_| round > 0));
            }
        }
        rounds.into_iter().map(Self::quietest).collect()
    }

    /// Examines all messages, so much later than the last time that nobody repeats what was said.
    fn of_turn(filter: &Arc<Current>, said: &mut [Said]) -> Self {
        let (mut costs, clock) = (Self::default(), clock());
        for one in said {
            one.0.at += SignedDuration::from_hours(1);
            let mut took = Duration::ZERO;
            let mut found = Finding::PASS;
            costs.allocations += allocations::of(|| {
                let began = Instant::now();
                found = examine(filter, black_box(one));
                took = began.elapsed();
            });
            costs.times.push((took.as_nanos() as u64).saturating_sub(clock));
            costs.hit += usize::from(!found.matches.is_empty());
            costs.refused += usize::from(found.verdict.outcome() != Outcome::Pass);
        }
        costs
    }

    fn and(mut self, other: Self) -> Self {
        self.times.extend(other.times);
        self.allocations += other.allocations;
        self.hit += other.hit;
        self.refused += other.refused;
        self
    }

    fn quietest(rounds: Vec<Self>) -> Self {
        let mut best = rounds.into_iter().min_by(|a, b| a.mean().total_cmp(&b.mean())).expect("there are rounds");
        best.times.sort_unstable();
        best
    }

    fn mean(&self) -> f64 {
        self.times.iter().sum::<u64>() as f64 / self.times.len() as f64 / 1e3
    }

    /// In microseconds.
    fn percentile(&self, percent: usize) -> f64 {
        self.times[(self.times.len() * percent / 100).min(self.times.len() - 1)] as f64 / 1e3
    }

    fn print(&self, title: &str) {
        let share = |count: usize| count as f64 * 100.0 / self.times.len() as f64;
        println!(
            "{title:<44} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {:>7.1} {:>7.1}",
            self.mean(),
            self.percentile(50),
            self.percentile(99),
            self.allocations as f64 / self.times.len() as f64,
            share(self.hit),
            share(self.refused)
        );
    }
}

/// What it takes to look at the clock, in nanoseconds: no part of any figure.
fn clock() -> u64 {
    let mut looks: Vec<u64> = (0..10_001).map(|_| black_box(Instant::now()).elapsed().as_nanos() as u64).collect();
    looks.sort_unstable();
    looks[looks.len() / 2]
}

/// The whole table.
fn table() {
    let texts = Texts::new();
    let harmless = said(&texts.mixed(ROUND));
    let bytes = harmless.iter().filter_map(|(message, _)| message.text()).map(str::len).sum::<usize>();
    println!("harmless texts: {ROUND}, {} bytes on average, in eight languages", bytes / ROUND);
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}",
        "us a message", "mean", "p50", "p99", "allocs", "hit %", "ref. %"
    );
    let rules = |patterns| sets::set(patterns, &texts).text;
    let of_language = format!("{}{OF_LANGUAGE}", rules(PATTERNS));
    let sets = [
        ("20 rules, 100 patterns", rules(100), Preset::Off),
        ("200 rules, 1 000 patterns", rules(PATTERNS), Preset::Off),
        ("1 000 rules, 10 000 patterns", rules(10_000), Preset::Off),
        ("the starter rules, open", String::new(), Preset::Open),
        ("the starter rules, strict", String::new(), Preset::Strict),
        ("200 rules and one about the language", of_language, Preset::Off),
    ];
    let filters: Vec<_> = sets.iter().map(|(_, text, preset)| filter(text, *preset)).collect();
    let all = Costs::of(&filters, harmless.clone(), 1);
    sets.iter().zip(&all).for_each(|((title, ..), costs)| costs.print(title));
    matching(&harmless, &sets::set(PATTERNS, &texts));
    println!("from 100 to 10 000 patterns: {:.2} times", all[2].mean() / all[0].mean());
    let set = sets::set(PATTERNS, &texts);
    for (title, starter) in [("200 rules", Preset::Off), ("200 rules and the strict starter rules", Preset::Strict)] {
        let filters = [filter(&set.text, starter)];
        println!("hostile texts of {LONGEST} code points, {title}");
        for (name, texts) in hostile::all(&set) {
            Costs::of(&filters, said(&texts), HOSTILE_TURNS)[0].print(&format!("  {name}"));
        }
    }
}

/// What of it is matching: the views of a text alone, and with all words, what regexes need, links and the fingerprint.
fn matching(said: &[Said], set: &Set) {
    let literal = |text, view, edges| Literal { text, view, edges, leniency: Leniency::default() };
    let words = set.words.iter().map(|word| literal(word, View::Folded, Edges::Word));
    let needed = set.beginnings.iter().map(|beginning| literal(beginning, View::Exact, Edges::Anywhere));
    let literals = Literals::new(words.chain(needed)).expect("literals");
    alone(said, "the views of a text alone", |text, views| views.read(text));
    alone(said, "both views, words, links, fingerprint", |text, views| {
        views.read(text);
        literals.scan(text, views, |literal, bytes| {
            black_box((literal, bytes));
            ControlFlow::Continue(())
        });
        links(text, |link| {
            black_box(link.sure);
        });
        black_box(Fingerprint::of(views.clean(), 1));
    });
}

/// The costs of one part, with what it asks for memory.
fn alone(said: &[Said], title: &str, mut part: impl FnMut(&str, &mut Views)) {
    let (mut views, clock) = (Views::default(), clock());
    let mut round = || {
        let mut costs = Costs::default();
        for text in said.iter().filter_map(|(message, _)| message.text()) {
            let mut took = Duration::ZERO;
            costs.allocations += allocations::of(|| {
                let began = Instant::now();
                part(black_box(text), &mut views);
                took = began.elapsed();
            });
            costs.times.push((took.as_nanos() as u64).saturating_sub(clock));
        }
        costs
    };
    round();
    Costs::quietest((0..ROUNDS).map(|_| round()).collect()).print(title);
}

fn means(criterion: &mut Criterion) {
    let texts = Texts::new();
    let harmless = said(&texts.mixed(ROUND));
    let mut group = criterion.benchmark_group("rules");
    let sets = [100, PATTERNS, 10_000].map(|patterns| {
        let filter = filter(&sets::set(patterns, &texts).text, Preset::Off);
        (format!("{patterns} patterns, a harmless message"), filter)
    });
    let starter = ("the starter rules, a harmless message".to_owned(), filter("", Preset::Open));
    for (title, filter) in sets.into_iter().chain([starter]) {
        let mut turns = harmless.iter().cycle();
        group.bench_function(title, |b| {
            b.iter(|| examine(&filter, turns.next().expect("there are messages")));
        });
    }
    let set = sets::set(PATTERNS, &texts);
    for (name, texts) in hostile::all(&set) {
        let (filter, said) = (filter(&set.text, Preset::Off), said(&texts));
        let mut turns = said.iter().cycle();
        group.bench_function(format!("hostile: {name}"), |b| {
            b.iter(|| examine(&filter, turns.next().expect("there are messages")));
        });
    }
    group.finish();
}

criterion_group!(benches, means);

fn main() {
    // What criterion is asked to do with single benchmarks has no use for the table.
    if !std::env::args().any(|argument| ["--list", "--test", "--profile-time"].contains(&argument.as_str())) {
        table();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
