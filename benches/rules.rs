//! What rules cost a message: rule sets of several sizes and the starter set on harmless texts in eight languages, and
//! hostile texts. `cargo bench --bench rules` prints a table with mean, median, p99 and allocations of single
//! messages, and then criterion's means of some.

// A benchmark that cannot start panics.
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
use gischat_relay::filter::rules::{ActiveRules, Preset, RuleSet, RulesContext, RulesSource};
use gischat_relay::filter::{Filter, FilterAnswer, Finding, Purpose};
use gischat_relay::matching::{Boundary, Fingerprint, Leniency, Literal, Literals, View, Views, find_links};
use gischat_relay::model::{Address, ConnectionId, Message, MessageKind, Outcome, RoomName, Sender, SenderContext};
use jiff::{SignedDuration, Timestamp};

use allocations::Counting;
use sets::Set;
use texts::Texts;

#[global_allocator]
static COUNTING: Counting = Counting;

/// Longest text, in code points.
const LONGEST: usize = 255;
/// Harmless messages per round. A room forgets each text long before it is sent again.
const ROUND: usize = 8_192;
const ROUNDS: usize = 6;
/// Repetitions of the hostile texts in a round, since there are fewer of them.
const HOSTILE_TURNS: usize = 64;
const ROOMS: usize = 4;
const SENDERS: usize = 61;
/// Time between two messages.
const INTERVAL: SignedDuration = SignedDuration::from_millis(100);
/// Number of patterns of the set with a performance goal.
const PATTERNS: usize = 1_000;

/// A rule that most harmless texts hit, to measure language detection.
const LANGUAGE_RULE: &str = r#"
[[rule]]
id = "language"
language = { not = ["en", "fr"] }
verdict = "label"
"#;

/// A message and its sender.
type Submission = (Message, Sender);

/// Returns a rules filter as in a relay.
fn filter(text: &str, preset: Preset) -> Arc<ActiveRules> {
    let rooms = (0..ROOMS).map(room).collect();
    let context =
        RulesContext { clauses: String::new(), main_lang: "en".to_owned(), rooms, preset, ..RulesContext::default() };
    let rules = RuleSet::load(Path::new("rules.toml"), text, Path::new(""), &context);
    let rules = rules.unwrap_or_else(|errors| panic!("the rules are valid: {}", errors[0]));
    Arc::new(ActiveRules::new(RulesSource { file: None, context }, rules, Arc::default()))
}

fn room(number: usize) -> RoomName {
    format!("room {number}").parse().expect("a room name")
}

/// Returns messages with these texts in order, spread over rooms and senders. Every fourth sender is new.
fn messages(texts: &[String]) -> Vec<Submission> {
    let mut at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(500_000);
    let mut messages = Vec::with_capacity(texts.len());
    for (number, text) in texts.iter().enumerate() {
        at += INTERVAL;
        let (author, is_new) = (number % SENDERS, (number % SENDERS).is_multiple_of(4));
        let message = Message::new(format!("sender{author}"), MessageKind::Text { avatar: None, text: text.clone() });
        let sender = Sender {
            connection: Some(ConnectionId(author as u64)),
            address: Address::from(IpAddr::from((author as u32).to_be_bytes())),
            room: room(number / 5 % ROOMS),
            context: SenderContext {
                registered: !is_new,
                connected: Duration::from_secs(if is_new { 60 } else { 3_600 }),
                accepted: if is_new { 1 } else { 100 },
                ..SenderContext::default()
            },
        };
        messages.push((Message { at, ..message }, sender));
    }
    messages
}

fn examine(filter: &Arc<ActiveRules>, (message, sender): &Submission) -> Finding {
    match filter.examine(message, sender, Purpose::Judge) {
        FilterAnswer::Ready(finding) => finding,
        pending @ FilterAnswer::Pending(_) => panic!("rules answer immediately: {pending:?}"),
    }
}

/// The costs of messages, and how many hit a rule.
#[derive(Debug, Default)]
struct Costs {
    /// Time of each message in nanoseconds; sorted in the end.
    times: Vec<u64>,
    allocations: u64,
    /// Number of messages that hit a rule.
    hit: usize,
    /// Number of messages that did not pass.
    refused: usize,
}

impl Costs {
    /// Examines all messages `turns` times with each filter in turn, in several rounds. Returns the round with the
    /// lowest mean of each filter, since other load can only slow a round down.
    fn measure(filters: &[Arc<ActiveRules>], mut messages: Vec<Submission>, turns: usize) -> Vec<Self> {
        let mut rounds: Vec<Vec<Self>> = filters.iter().map(|_| Vec::new()).collect();
        for round in 0..=ROUNDS {
            for (filter, rounds) in filters.iter().zip(&mut rounds) {
                let costs = (0..turns).map(|_| Self::measure_turn(filter, &mut messages)).reduce(Self::merge);
                // The first round is a warm-up.
                rounds.extend(costs.filter(|_| round > 0));
            }
        }
        rounds.into_iter().map(Self::quietest).collect()
    }

    /// Examines all messages, with times late enough that none counts as a repetition.
    fn measure_turn(filter: &Arc<ActiveRules>, messages: &mut [Submission]) -> Self {
        let (mut costs, clock) = (Self::default(), clock());
        for message in messages {
            message.0.at += SignedDuration::from_hours(1);
            let mut took = Duration::ZERO;
            let mut found = Finding::PASS;
            costs.allocations += allocations::of(|| {
                let began = Instant::now();
                found = examine(filter, black_box(message));
                took = began.elapsed();
            });
            costs.times.push((took.as_nanos() as u64).saturating_sub(clock));
            costs.hit += usize::from(!found.matches.is_empty());
            costs.refused += usize::from(found.verdict.outcome() != Outcome::Pass);
        }
        costs
    }

    fn merge(mut self, other: Self) -> Self {
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

    /// Returns a percentile in microseconds.
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

/// Returns the time of reading the clock, in nanoseconds. It is subtracted from each measurement.
fn clock() -> u64 {
    let mut times: Vec<u64> = (0..10_001).map(|_| black_box(Instant::now()).elapsed().as_nanos() as u64).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

/// Prints the whole table.
fn table() {
    let texts = Texts::new();
    let harmless = messages(&texts.mixed(ROUND));
    let bytes = harmless.iter().filter_map(|(message, _)| message.text()).map(str::len).sum::<usize>();
    println!("harmless texts: {ROUND}, {} bytes on average, in eight languages", bytes / ROUND);
    println!(
        "{:<44} {:>8} {:>8} {:>8} {:>8} {:>7} {:>7}",
        "us a message", "mean", "p50", "p99", "allocs", "hit %", "ref. %"
    );
    let rules = |patterns| sets::set(patterns, &texts).text;
    let of_language = format!("{}{LANGUAGE_RULE}", rules(PATTERNS));
    let sets = [
        ("20 rules, 100 patterns", rules(100), Preset::Off),
        ("200 rules, 1 000 patterns", rules(PATTERNS), Preset::Off),
        ("1 000 rules, 10 000 patterns", rules(10_000), Preset::Off),
        ("the starter rules, open", String::new(), Preset::Open),
        ("the starter rules, strict", String::new(), Preset::Strict),
        ("200 rules and one about the language", of_language, Preset::Off),
    ];
    let filters: Vec<_> = sets.iter().map(|(_, text, preset)| filter(text, *preset)).collect();
    let all = Costs::measure(&filters, harmless.clone(), 1);
    sets.iter().zip(&all).for_each(|((title, ..), costs)| costs.print(title));
    matching(&harmless, &sets::set(PATTERNS, &texts));
    println!("from 100 to 10 000 patterns: {:.2} times", all[2].mean() / all[0].mean());
    let set = sets::set(PATTERNS, &texts);
    for (title, starter) in [("200 rules", Preset::Off), ("200 rules and the strict starter rules", Preset::Strict)] {
        let filters = [filter(&set.text, starter)];
        println!("hostile texts of {LONGEST} code points, {title}");
        for (name, texts) in hostile::all(&set) {
            Costs::measure(&filters, messages(&texts), HOSTILE_TURNS)[0].print(&format!("  {name}"));
        }
    }
}

/// Prints the share of matching: the views of a text alone, and with words, required literals, links and fingerprint.
fn matching(messages: &[Submission], set: &Set) {
    let literal = |text, view, edges| Literal { text, view, boundary: edges, leniency: Leniency::default() };
    let words = set.words.iter().map(|word| literal(word, View::Clean, Boundary::Word));
    let required = set.beginnings.iter().map(|beginning| literal(beginning, View::CaseFolded, Boundary::Anywhere));
    let literals = Literals::new(words.chain(required)).expect("literals");
    alone(messages, "the views of a text alone", |text, views| views.read(text));
    alone(messages, "both views, words, links, fingerprint", |text, views| {
        views.read(text);
        literals.scan(text, views, |literal, bytes| {
            black_box((literal, bytes));
            ControlFlow::Continue(())
        });
        find_links(text, |link| {
            black_box(link.is_certain);
        });
        black_box(Fingerprint::new(views.clean(), 1));
    });
}

/// Prints the costs and allocations of one part.
fn alone(messages: &[Submission], title: &str, mut part: impl FnMut(&str, &mut Views)) {
    let (mut views, clock) = (Views::default(), clock());
    let mut round = || {
        let mut costs = Costs::default();
        for text in messages.iter().filter_map(|(message, _)| message.text()) {
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
    let harmless = messages(&texts.mixed(ROUND));
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
        let (filter, messages) = (filter(&set.text, Preset::Off), messages(&texts));
        let mut turns = messages.iter().cycle();
        group.bench_function(format!("hostile: {name}"), |b| {
            b.iter(|| examine(&filter, turns.next().expect("there are messages")));
        });
    }
    group.finish();
}

criterion_group!(benches, means);

fn main() {
    // Skip the table when criterion only lists, tests or profiles.
    if !std::env::args().any(|argument| ["--list", "--test", "--profile-time"].contains(&argument.as_str())) {
        table();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
